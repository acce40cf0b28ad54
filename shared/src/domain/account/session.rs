//! Agent sessions and their messages: private to the end user for whom they were created.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::label::{Label, ToolIds};
use super::long_text::LongText;
use crate::domain::clock::Timestamp;
use crate::domain::external_id::ExternalId;

/// The system prompt of a session.
pub type SystemPrompt = LongText<16_384>;

/// The text of a message.
pub type MessageContent = LongText<32_768>;

/// Session: a conversation with an assistant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AgentSession {
    /// UUID of the session.
    pub id: Uuid,
    /// Title of the session, 1 to 200 characters; null if it has none.
    pub title: Option<Label>,
    /// Id of the assistant in the caller's own system; null if none was given.
    pub assistant_id: Option<Label>,
    /// Name of the language model; null if none was given.
    pub model_name: Option<Label>,
    /// System prompt that opens the conversation, at most 16384 bytes as JSON; null if there is none.
    pub initial_system_prompt: Option<SystemPrompt>,
    /// Ids of the tools that the session may use.
    pub tool_ids: ToolIds,
    /// Status of the session.
    pub status: SessionStatus,
    /// External id of the end user that the session is for; null if it belongs to the account, and no end user sees it.
    pub external_user_id: Option<ExternalId>,
    /// Time at which the session was created.
    pub created_at: Timestamp,
    /// Time at which a field last changed or a message was last added.
    pub updated_at: Timestamp,
}

/// Status of a session: `active` while the conversation goes on, `completed` when it is over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SessionStatus {
    #[default]
    Active,
    Completed,
}

/// Message in a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// UUID of the message.
    pub id: Uuid,
    /// Role of the message's author.
    pub role: MessageRole,
    /// Text of the message, at most 32768 bytes as JSON.
    pub content: MessageContent,
    /// UUID of the message of the same session that this one replies to; null if it replies to none.
    pub parent_id: Option<Uuid>,
    /// Time at which the message was added.
    pub created_at: Timestamp,
}

/// Role of a message's author: the end user, the assistant, or the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MessageRole {
    User,
    Assistant,
    System,
}
