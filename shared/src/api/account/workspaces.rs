//! Workspaces: an end user's own, and those that all end users of the account share.

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

/// Creates a workspace.
#[derive(Debug, Clone, Copy)]
pub struct CreateWorkspace;

impl Operation for CreateWorkspace {
    const ROUTE: Route = Route::post("create-workspace", WORKSPACES, BodyRule::Required)
        .of("workspaces")
        .answering(201)
        .about("Create a workspace for an end user, or one that all end users share")
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
    const ROUTE: Route = Route::get("list-workspaces", WORKSPACES)
        .of("workspaces")
        .about("List own and shared workspaces, newest first");
    const SURFACE: Surface = Surface::Account;
    type Caller = Viewer;
    type Query = PageQuery;
    type Body = Empty;
    type Output = ListPage<WorkspaceView>;

    fn prefetch(_: &PageQuery, _: &Empty) -> Vec<Read> {
        vec![Read::Total(List::Of(ResourceKind::Workspace)), Read::DefaultWorkspace]
    }
}

/// Shows a workspace.
#[derive(Debug, Clone, Copy)]
pub struct GetWorkspace;

impl Operation for GetWorkspace {
    const ROUTE: Route = Route::get("get-workspace", WORKSPACE).of("workspace").about("Get a workspace");
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
        .about("Update the workspace fields in the body; only the account may change a shared workspace")
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
    const ROUTE: Route = Route::delete("delete-workspace", WORKSPACE)
        .of("workspace")
        .about("Delete a workspace; its documents are kept");
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
        .about("List the documents of a workspace that the caller may see, newest first");
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

/// Request body for creating a workspace.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkspaceInput {
    /// Name of the workspace, 1 to 200 characters.
    pub name: Label,
    /// Description of the workspace, at most 4096 bytes, counted as a JSON string without its quotes. Absent or null:
    /// it has none.
    #[serde(default)]
    pub description: Option<Description>,
    /// Whether the workspace becomes the default in place of the current one. Default: false.
    #[serde(default)]
    pub is_default: bool,
    /// External id of the end user that the workspace is for. It may be given here, in a header or by a scoped token.
    /// Without it, the workspace is shared: all end users of the account see it.
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

/// Request body for updating a workspace. An absent field stays as it is; null clears a field that can be cleared.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WorkspacePatch {
    /// New name of the workspace, 1 to 200 characters; null is refused.
    #[serde(deserialize_with = "not_null")]
    #[schemars(with = "Label")]
    pub name: Option<Label>,
    /// New description, at most 4096 bytes, counted as a JSON string without its quotes; null clears it.
    pub description: Patch<Description>,
    /// Whether the workspace is the default. True puts it in place of the current default; false leaves no default if
    /// it was the default. Null is refused.
    #[serde(deserialize_with = "not_null")]
    #[schemars(with = "bool")]
    pub is_default: Option<bool>,
    /// External id of the end user that the call is for. It may be given here, in a header or by a scoped token. The
    /// owner of the workspace does not change.
    pub external_user_id: EndUser,
}

impl Input for WorkspacePatch {
    const IS_PATCH: bool = true;

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

impl Output for WorkspaceView {
    fn resource(&self) -> Option<Uuid> {
        Some(self.workspace.id)
    }
}
