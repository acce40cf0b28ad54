//! Workspaces: an end user's own, and those of nobody in particular, which everybody of the account sees.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::label::Label;
use super::long_text::LongText;
use crate::domain::ids::external_id::ExternalId;
use crate::domain::time::clock::Timestamp;

/// What a workspace is for.
pub type Description = LongText<4096>;

/// A place for documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Workspace {
    pub id: Uuid,
    pub name: Label,
    pub description: Option<Description>,
    /// Whose it is; null = nobody's in particular: all end users see it.
    pub external_user_id: Option<ExternalId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A workspace as somebody sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WorkspaceView {
    #[serde(flatten)]
    pub workspace: Workspace,
    /// Whether it is the default: of its end user, or of those for all of them.
    pub is_default: bool,
    /// How many of the documents in it the viewer sees.
    pub document_count: u64,
}
