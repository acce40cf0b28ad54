//! Workspaces: an end user's own, and those that all of the account share.

use schemars::JsonSchema;
use serde::Deserialize;
use uuid::Uuid;

use super::listing::ResourcePageQuery;
use super::{Deleted, EndUser, ListPage, PageQuery, ResourcePath};
use crate::api::common::Empty;
use crate::api::operation::{BodyRule, Input, Operation, Output, Route, Surface};
use crate::auth::Viewer;
use crate::domain::{
    Description, Document, ExternalId, FieldUpdates, Label, Patch, Timestamp, Workspace, WorkspaceView, not_null,
};
use crate::store::{List, Read, ResourceKind};

const WORKSPACES: &str = "/api/v1/workspaces";
const WORKSPACE: &str = "/api/v1/workspaces/{id}";
const DOCUMENTS: &str = "/api/v1/workspaces/{id}/documents";

/// Makes a workspace.
#[derive(Debug, Clone, Copy)]
pub struct CreateWorkspace;

impl Operation for CreateWorkspace {
    const ROUTE: Route = Route::post("create-workspace", WORKSPACES, BodyRule::Required)
        .of("workspaces")
        .answering(201)
        .about("Make a workspace: for an end user, or without one for all of them")
        .example(r#"{"name": "Contracts", "description": "Signed contracts", "external_user_id": "user_456"}"#);
    const SURFACE: Surface = Surface::Account;
    type Caller = Viewer;
    type Query = Empty;
    type Body = WorkspaceInput;
    type Output = WorkspaceView;
}

/// Lists workspaces.
#[derive(Debug, Clone, Copy)]
pub struct ListWorkspaces;

impl Operation for ListWorkspaces {
    const ROUTE: Route =
        Route::get("list-workspaces", WORKSPACES).of("workspaces").about("Own and shared workspaces, newest first");
    const SURFACE: Surface = Surface::Account;
    type Caller = Viewer;
    type Query = PageQuery;
    type Body = Empty;
    type Output = ListPage<WorkspaceView>;

    fn prefetch(_: &PageQuery, _: &Empty) -> Vec<Read> {
        vec![Read::Total(List::Of(ResourceKind::Workspace))]
    }
}

/// Shows a workspace.
#[derive(Debug, Clone, Copy)]
pub struct GetWorkspace;

impl Operation for GetWorkspace {
    const ROUTE: Route = Route::get("get-workspace", WORKSPACE).of("workspace").about("A workspace");
    const SURFACE: Surface = Surface::Account;
    type Caller = Viewer;
    type Query = ResourcePath;
    type Body = Empty;
    type Output = WorkspaceView;

    fn prefetch(query: &ResourcePath, _: &Empty) -> Vec<Read> {
        vec![Read::Resource(ResourceKind::Workspace, query.id.get())]
    }
}

/// Changes fields of a workspace.
#[derive(Debug, Clone, Copy)]
pub struct UpdateWorkspace;

impl Operation for UpdateWorkspace {
    const ROUTE: Route = Route::patch("update-workspace", WORKSPACE)
        .of("workspace")
        .about("Change the fields in the body; null clears. A shared one only by the account")
        .example(r#"{"name": "Contracts of 2026"}"#);
    const SURFACE: Surface = Surface::Account;
    type Caller = Viewer;
    type Query = ResourcePath;
    type Body = WorkspacePatch;
    type Output = WorkspaceView;

    fn prefetch(query: &ResourcePath, _: &WorkspacePatch) -> Vec<Read> {
        vec![Read::Resource(ResourceKind::Workspace, query.id.get())]
    }
}

/// Deletes a workspace.
#[derive(Debug, Clone, Copy)]
pub struct DeleteWorkspace;

impl Operation for DeleteWorkspace {
    const ROUTE: Route =
        Route::delete("delete-workspace", WORKSPACE).of("workspace").about("Delete a workspace; its documents stay");
    const SURFACE: Surface = Surface::Account;
    type Caller = Viewer;
    type Query = ResourcePath;
    type Body = Empty;
    type Output = Deleted;

    fn prefetch(query: &ResourcePath, _: &Empty) -> Vec<Read> {
        vec![Read::Resource(ResourceKind::Workspace, query.id.get())]
    }
}

/// Lists the documents of a workspace.
#[derive(Debug, Clone, Copy)]
pub struct ListWorkspaceDocuments;

impl Operation for ListWorkspaceDocuments {
    const ROUTE: Route = Route::get("workspace-documents", DOCUMENTS)
        .about("Those documents of a workspace that the caller sees, newest first");
    const SURFACE: Surface = Surface::Account;
    type Caller = Viewer;
    type Query = ResourcePageQuery;
    type Body = Empty;
    type Output = ListPage<Document>;

    fn prefetch(query: &ResourcePageQuery, _: &Empty) -> Vec<Read> {
        let id = query.id.get();
        vec![Read::Resource(ResourceKind::Workspace, id), Read::Total(List::DocumentsIn(id))]
    }
}

/// A new workspace.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkspaceInput {
    pub name: Label,
    #[serde(default)]
    pub description: Option<Description>,
    /// Whether it is to be the default, instead of the one that is.
    #[serde(default)]
    pub is_default: bool,
    /// The end user that it is for, if neither a header nor a token says so. Without one it is for all of them.
    #[serde(default)]
    pub external_user_id: EndUser,
}

impl Input for WorkspaceInput {
    fn end_user(&self) -> Option<&ExternalId> {
        self.external_user_id.id()
    }
}

impl WorkspaceInput {
    /// The workspace, for that end user.
    pub fn workspace(self, id: Uuid, external_user_id: Option<&ExternalId>, at: Timestamp) -> Workspace {
        Workspace {
            id,
            name: self.name,
            description: self.description,
            external_user_id: external_user_id.cloned(),
            created_at: at,
            updated_at: at,
        }
    }
}

/// A partial update: what is absent stays as it is, null clears what can be cleared.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WorkspacePatch {
    #[serde(deserialize_with = "not_null")]
    #[schemars(with = "Label")]
    pub name: Option<Label>,
    pub description: Patch<Description>,
    #[serde(deserialize_with = "not_null")]
    #[schemars(with = "bool")]
    pub is_default: Option<bool>,
    /// The end user that the call is for, if neither a header nor a token says so. It doesn't change whose the workspace is.
    pub external_user_id: EndUser,
}

impl Input for WorkspacePatch {
    fn end_user(&self) -> Option<&ExternalId> {
        self.external_user_id.id()
    }
}

impl WorkspacePatch {
    /// The fields that it changes.
    pub fn updates(&self) -> FieldUpdates {
        FieldUpdates::default().set_some("name", self.name.as_ref()).patch("description", &self.description)
    }
}

impl Output for WorkspaceView {}
