//! Workspaces: an end user's own, and shared ones, which all end users of the account see.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::label::Label;
use super::long_text::LongText;
use crate::domain::clock::Timestamp;
use crate::domain::external_id::ExternalId;

/// The description of a workspace.
pub type Description = LongText<4096>;

/// Workspace: a container for documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Workspace {
    /// UUID of the workspace.
    pub id: Uuid,
    /// Name of the workspace, 1 to 200 characters.
    pub name: Label,
    /// Description of the workspace, at most 4096 bytes as JSON; null if it has none.
    pub description: Option<Description>,
    /// External id of the end user that owns the workspace; null if it is shared, so that all end users of the account
    /// see it.
    pub external_user_id: Option<ExternalId>,
    /// Time at which the workspace was created.
    pub created_at: Timestamp,
    /// Time at which the workspace last changed.
    pub updated_at: Timestamp,
}

/// Workspace with the number of its documents that the caller may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WorkspaceView {
    /// The workspace itself.
    #[serde(flatten)]
    pub workspace: Workspace,
    /// Whether it is the default workspace: of its end user, or among the shared workspaces.
    pub is_default: bool,
    /// Number of documents in the workspace that the caller may see.
    pub document_count: u64,
}
