//! Documents: an end user's own, and those that all end users of the account share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Deleted, EndUser, ListPage, PageQuery, ResourcePath};
use crate::api::common::Empty;
use crate::api::operation::{BodyRule, Input, Operation, Output, Route, Surface};
use crate::auth::Viewer;
use crate::domain::{Document, DocumentStatus, ExternalId, Label, Markdown, Timestamp, WorkspaceIds};
use crate::store::{List, Read, ResourceKind};

const DOCUMENTS: &str = "/api/v1/documents";
const DOCUMENT: &str = "/api/v1/documents/{id}";

/// Stores a document.
#[derive(Debug, Clone, Copy)]
pub struct CreateDocument;

impl Operation for CreateDocument {
    const ROUTE: Route = Route::post("create-document", DOCUMENTS, BodyRule::Required)
        .of("documents")
        .answering(201)
        .about("Store a document for an end user, or one that all end users share")
        .example(
            r#"{
                "name": "Handbook",
                "file_type": "text/markdown",
                "markdown_content": "A refund takes **five days**.",
                "external_user_id": "user_456"
            }"#,
        );
    const SURFACE: Surface = Surface::Account;
    type Caller = Viewer;
    type Query = Empty;
    type Body = DocumentInput;
    type Output = ShownDocument;

    fn prefetch(_: &Empty, body: &DocumentInput) -> Vec<Read> {
        body.workspace_ids.iter().map(|id| Read::Resource(ResourceKind::Workspace, id)).collect()
    }
}

/// Lists documents.
#[derive(Debug, Clone, Copy)]
pub struct ListDocuments;

impl Operation for ListDocuments {
    const ROUTE: Route = Route::get("list-documents", DOCUMENTS)
        .of("documents")
        .about("List own and shared documents, without their content, newest first");
    const SURFACE: Surface = Surface::Account;
    type Caller = Viewer;
    type Query = PageQuery;
    type Body = Empty;
    type Output = ListPage<Document>;

    fn prefetch(_: &PageQuery, _: &Empty) -> Vec<Read> {
        vec![Read::Total(List::Of(ResourceKind::Document))]
    }
}

/// Shows a document with its content.
#[derive(Debug, Clone, Copy)]
pub struct GetDocument;

impl Operation for GetDocument {
    const ROUTE: Route = Route::get("get-document", DOCUMENT).of("document").about("Get a document with its content");
    const SURFACE: Surface = Surface::Account;
    type Caller = Viewer;
    type Query = ResourcePath;
    type Body = Empty;
    type Output = ShownDocument;

    fn prefetch(query: &ResourcePath, _: &Empty) -> Vec<Read> {
        let id = query.id.get();
        vec![Read::Resource(ResourceKind::Document, id), Read::Content(id)]
    }
}

/// Deletes a document.
#[derive(Debug, Clone, Copy)]
pub struct DeleteDocument;

impl Operation for DeleteDocument {
    const ROUTE: Route = Route::delete("delete-document", DOCUMENT)
        .of("document")
        .about("Delete a document; only the account may delete a shared one");
    const SURFACE: Surface = Surface::Account;
    type Caller = Viewer;
    type Query = ResourcePath;
    type Body = Empty;
    type Output = Deleted;

    fn prefetch(query: &ResourcePath, _: &Empty) -> Vec<Read> {
        vec![Read::Resource(ResourceKind::Document, query.id.get())]
    }
}

/// Request body for storing a document.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentInput {
    /// Name of the document, 1 to 200 characters.
    pub name: Label,
    /// Type of the document's file, such as a media type, 1 to 200 characters. It is stored as given.
    #[serde(default)]
    pub file_type: Option<Label>,
    /// Ids of the workspaces to put the document into, at most 10. Absent: none.
    #[serde(default)]
    pub workspace_ids: WorkspaceIds,
    /// Content of the document as Markdown, at most 49152 bytes of UTF-8. Absent or null: only the metadata is stored,
    /// and the status is `pending`.
    #[serde(default)]
    pub markdown_content: Option<Markdown>,
    /// External id of the end user that the document is for. It may be given here, in a header or by a scoped token.
    /// Without it, the document is shared: all end users of the account see it.
    #[serde(default)]
    pub external_user_id: EndUser,
}

impl Input for DocumentInput {
    fn end_user(&self) -> Option<&ExternalId> {
        self.external_user_id.id()
    }
}

impl DocumentInput {
    /// The document, for that end user, and its content.
    pub fn document(
        self,
        id: Uuid,
        external_user_id: Option<&ExternalId>,
        at: Timestamp,
    ) -> (Document, Option<Markdown>) {
        let content = self.markdown_content;
        let document = Document {
            id,
            name: self.name,
            status: if content.is_some() { DocumentStatus::Ready } else { DocumentStatus::Pending },
            file_type: self.file_type,
            workspace_ids: self.workspace_ids,
            external_user_id: external_user_id.cloned(),
            created_at: at,
            updated_at: at,
        };
        (document, content)
    }
}

/// Document with its content.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DocumentWithContent")]
pub struct ShownDocument {
    /// The metadata of the document.
    #[serde(flatten)]
    pub document: Document,
    /// Content of the document as Markdown; null if none was stored.
    pub markdown_content: Option<Markdown>,
}

impl Output for ShownDocument {
    fn resource(&self) -> Option<Uuid> {
        Some(self.document.id)
    }
}
