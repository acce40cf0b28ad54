//! Agent sessions and their messages: visible to their own end user and to the account only.

use schemars::JsonSchema;
use serde::Deserialize;
use uuid::Uuid;

use super::listing::ResourcePageQuery;
use super::{Deleted, EndUser, ListPage, PageQuery, ResourcePath};
use crate::api::common::Empty;
use crate::api::operation::{BodyRule, Input, Operation, Output, Route, Surface};
use crate::auth::Viewer;
use crate::domain::{
    AgentSession, ExternalId, FieldUpdates, Label, Message, MessageContent, MessageRole, Patch, SessionStatus,
    SystemPrompt, Timestamp, ToolIds, UuidText, not_null, not_null_enum, string_enum,
};
use crate::store::{List, Read, ResourceKind};

const SESSIONS: &str = "/api/v1/agent-sessions";
const SESSION: &str = "/api/v1/agent-sessions/{id}";
const MESSAGES: &str = "/api/v1/agent-sessions/{id}/messages";

/// Creates a session.
#[derive(Debug, Clone, Copy)]
pub struct CreateAgentSession;

impl Operation for CreateAgentSession {
    const ROUTE: Route = Route::post("create-agent-session", SESSIONS, BodyRule::Optional)
        .of("agent-sessions")
        .answering(201)
        .about("Create a session with an assistant")
        .example(
            r#"{
                "title": "Refund of order 1001",
                "assistant_id": "support",
                "model_name": "small-1",
                "tool_ids": ["web_search"],
                "external_user_id": "user_456"
            }"#,
        );
    const SURFACE: Surface = Surface::Account;
    type Caller = Viewer;
    type Query = Empty;
    type Body = SessionInput;
    type Output = AgentSession;
}

/// Lists sessions.
#[derive(Debug, Clone, Copy)]
pub struct ListAgentSessions;

impl Operation for ListAgentSessions {
    const ROUTE: Route =
        Route::get("list-agent-sessions", SESSIONS).of("agent-sessions").about("List sessions, newest first");
    const SURFACE: Surface = Surface::Account;
    type Caller = Viewer;
    type Query = PageQuery;
    type Body = Empty;
    type Output = ListPage<AgentSession>;

    fn prefetch(_: &PageQuery, _: &Empty) -> Vec<Read> {
        vec![Read::Total(List::Of(ResourceKind::AgentSession))]
    }
}

/// Shows a session.
#[derive(Debug, Clone, Copy)]
pub struct GetAgentSession;

impl Operation for GetAgentSession {
    const ROUTE: Route = Route::get("get-agent-session", SESSION).of("agent-session").about("Get a session");
    const SURFACE: Surface = Surface::Account;
    type Caller = Viewer;
    type Query = ResourcePath;
    type Body = Empty;
    type Output = AgentSession;

    fn prefetch(query: &ResourcePath, _: &Empty) -> Vec<Read> {
        vec![Read::Resource(ResourceKind::AgentSession, query.id.get())]
    }
}

/// Changes fields of a session.
#[derive(Debug, Clone, Copy)]
pub struct UpdateAgentSession;

impl Operation for UpdateAgentSession {
    const ROUTE: Route = Route::patch("update-agent-session", SESSION)
        .of("agent-session")
        .about("Update the session fields in the body; null clears a field")
        .example(r#"{"title": "Refund of order 1001, approved"}"#);
    const SURFACE: Surface = Surface::Account;
    type Caller = Viewer;
    type Query = ResourcePath;
    type Body = SessionPatch;
    type Output = AgentSession;

    fn prefetch(query: &ResourcePath, _: &SessionPatch) -> Vec<Read> {
        vec![Read::Resource(ResourceKind::AgentSession, query.id.get())]
    }
}

/// Deletes a session with its messages.
#[derive(Debug, Clone, Copy)]
pub struct DeleteAgentSession;

impl Operation for DeleteAgentSession {
    const ROUTE: Route =
        Route::delete("delete-agent-session", SESSION).of("agent-session").about("Delete a session with its messages");
    const SURFACE: Surface = Surface::Account;
    type Caller = Viewer;
    type Query = ResourcePath;
    type Body = Empty;
    type Output = Deleted;

    fn prefetch(query: &ResourcePath, _: &Empty) -> Vec<Read> {
        vec![Read::Resource(ResourceKind::AgentSession, query.id.get())]
    }
}

/// Adds a message to a session.
#[derive(Debug, Clone, Copy)]
pub struct CreateMessage;

impl Operation for CreateMessage {
    const ROUTE: Route = Route::post("create-message", MESSAGES, BodyRule::Required)
        .of("agent-session-messages")
        .answering(201)
        .about("Add a message to a session")
        .example(r#"{"role": "user", "content": "Where is my order?"}"#);
    const SURFACE: Surface = Surface::Account;
    type Caller = Viewer;
    type Query = ResourcePath;
    type Body = MessageInput;
    type Output = Message;

    fn prefetch(query: &ResourcePath, _: &MessageInput) -> Vec<Read> {
        vec![Read::Resource(ResourceKind::AgentSession, query.id.get())]
    }
}

/// Lists the messages of a session.
#[derive(Debug, Clone, Copy)]
pub struct ListMessages;

impl Operation for ListMessages {
    const ROUTE: Route = Route::get("list-messages", MESSAGES)
        .of("agent-session-messages")
        .about("List the messages of a session, newest first");
    const SURFACE: Surface = Surface::Account;
    type Caller = Viewer;
    type Query = ResourcePageQuery;
    type Body = Empty;
    type Output = ListPage<Message>;

    fn prefetch(query: &ResourcePageQuery, _: &Empty) -> Vec<Read> {
        vec![Read::Resource(ResourceKind::AgentSession, query.id.get())]
    }
}

// Unknown fields are errors on this surface: if `external_user_id` were misspelled, a resource meant for one end user
// would be for all of them.

/// Request body for creating a session.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionInput {
    /// Title of the session, 1 to 200 characters.
    #[serde(default)]
    pub title: Option<Label>,
    /// Id of the assistant in the caller's own system, 1 to 200 characters.
    #[serde(default)]
    pub assistant_id: Option<Label>,
    /// Name of the language model, 1 to 200 characters.
    #[serde(default)]
    pub model_name: Option<Label>,
    /// System prompt that opens the conversation, at most 16384 bytes, counted as a JSON string without its quotes.
    #[serde(default)]
    pub initial_system_prompt: Option<SystemPrompt>,
    /// Ids of the tools that the session may use, at most 32. Absent: none.
    #[serde(default)]
    pub tool_ids: ToolIds,
    /// External id of the end user that the session is for. It may be given here, in a header or by a scoped token.
    /// Without it, the session belongs to the account, and no end user sees it.
    #[serde(default)]
    pub external_user_id: EndUser,
}

impl Input for SessionInput {
    fn end_user(&self) -> Option<&ExternalId> {
        self.external_user_id.id()
    }
}

impl SessionInput {
    /// The session, for that end user.
    pub fn session(self, id: Uuid, external_user_id: Option<&ExternalId>, at: Timestamp) -> AgentSession {
        AgentSession {
            id,
            title: self.title,
            assistant_id: self.assistant_id,
            model_name: self.model_name,
            initial_system_prompt: self.initial_system_prompt,
            tool_ids: self.tool_ids,
            status: SessionStatus::default(),
            external_user_id: external_user_id.cloned(),
            created_at: at,
            updated_at: at,
        }
    }
}

/// Request body for updating a session. An absent field stays as it is; null clears a field that can be cleared.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SessionPatch {
    /// New title, 1 to 200 characters; null clears it.
    pub title: Patch<Label>,
    /// New id of the assistant in the caller's own system, 1 to 200 characters; null clears it.
    pub assistant_id: Patch<Label>,
    /// New name of the language model, 1 to 200 characters; null clears it.
    pub model_name: Patch<Label>,
    /// New system prompt, at most 16384 bytes, counted as a JSON string without its quotes; null clears it.
    pub initial_system_prompt: Patch<SystemPrompt>,
    /// New ids of the tools that the session may use, at most 32. They replace the old ones; null is refused.
    #[serde(deserialize_with = "not_null")]
    #[schemars(with = "ToolIds")]
    pub tool_ids: Option<ToolIds>,
    /// New status of the session; null is refused.
    #[serde(deserialize_with = "not_null_enum")]
    #[schemars(with = "SessionStatus")]
    pub status: Option<SessionStatus>,
    /// External id of the end user that the call is for. It may be given here, in a header or by a scoped token. The
    /// owner of the session does not change.
    pub external_user_id: EndUser,
}

impl Input for SessionPatch {
    const IS_PATCH: bool = true;

    fn end_user(&self) -> Option<&ExternalId> {
        self.external_user_id.id()
    }
}

impl SessionPatch {
    /// The fields that it changes.
    pub fn updates(&self) -> FieldUpdates {
        FieldUpdates::default()
            .patch("title", &self.title)
            .patch("assistant_id", &self.assistant_id)
            .patch("model_name", &self.model_name)
            .patch("initial_system_prompt", &self.initial_system_prompt)
            .set_some("tool_ids", self.tool_ids.as_ref())
            .set_some("status", self.status.as_ref())
    }
}

/// Request body for adding a message to a session.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageInput {
    /// Role of the message's author.
    #[serde(deserialize_with = "string_enum")]
    pub role: MessageRole,
    /// Text of the message, at most 32768 bytes, counted as a JSON string without its quotes.
    pub content: MessageContent,
    /// Id of the message of the same session that this one replies to. Absent or null: it replies to none.
    #[serde(default)]
    pub parent_id: Option<UuidText>,
    /// External id of the end user that the call is for. It may be given here, in a header or by a scoped token.
    #[serde(default)]
    pub external_user_id: EndUser,
}

impl Input for MessageInput {
    fn end_user(&self) -> Option<&ExternalId> {
        self.external_user_id.id()
    }
}

impl MessageInput {
    /// The message.
    pub fn message(self, id: Uuid, at: Timestamp) -> Message {
        let parent_id = self.parent_id.map(UuidText::get);
        Message { id, role: self.role, content: self.content, parent_id, created_at: at }
    }
}

impl Output for AgentSession {
    fn resource(&self) -> Option<Uuid> {
        Some(self.id)
    }
}

impl Output for Message {}
