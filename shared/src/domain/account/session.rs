//! Agent sessions and their messages: private to the end user that they were made for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::label::{Label, ToolIds};
use super::long_text::LongText;
use crate::domain::ids::external_id::ExternalId;
use crate::domain::time::clock::Timestamp;

/// What an assistant is told first.
pub type SystemPrompt = LongText<16_384>;

/// What a message says.
pub type MessageContent = LongText<32_768>;

/// A conversation with an assistant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AgentSession {
    pub id: Uuid,
    pub title: Option<Label>,
    pub assistant_id: Option<Label>,
    pub model_name: Option<Label>,
    pub initial_system_prompt: Option<SystemPrompt>,
    pub tool_ids: ToolIds,
    pub status: SessionStatus,
    /// Whose it is; null = the account's own, which no end user sees.
    pub external_user_id: Option<ExternalId>,
    pub created_at: Timestamp,
    /// When one of its fields was changed, or a message was added.
    pub updated_at: Timestamp,
}

/// Whether a conversation goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SessionStatus {
    #[default]
    Active,
    Completed,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    pub id: Uuid,
    pub role: MessageRole,
    pub content: MessageContent,
    /// The message that it answers, of the same conversation.
    pub parent_id: Option<Uuid>,
    pub created_at: Timestamp,
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MessageRole {
    User,
    Assistant,
    System,
}
