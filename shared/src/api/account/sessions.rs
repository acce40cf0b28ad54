//! Agent sessions and their messages: each seen by its own end user alone, and by the account.

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

/// Begins a session.
#[derive(Debug, Clone, Copy)]
pub struct CreateAgentSession;

impl Operation for CreateAgentSession {
    const ROUTE: Route = Route::post("create-agent-session", SESSIONS, BodyRule::Optional)
        .of("agent-sessions")
        .answering(201)
        .about("Begin a session with an assistant")
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
        Route::get("list-agent-sessions", SESSIONS).of("agent-sessions").about("Sessions, newest first");
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
    const ROUTE: Route = Route::get("get-agent-session", SESSION).of("agent-session").about("A session");
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
        .about("Change the fields in the body; null clears")
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
        .about("The messages of a session, newest first");
    const SURFACE: Surface = Surface::Account;
    type Caller = Viewer;
    type Query = ResourcePageQuery;
    type Body = Empty;
    type Output = ListPage<Message>;

    fn prefetch(query: &ResourcePageQuery, _: &Empty) -> Vec<Read> {
        vec![Read::Resource(ResourceKind::AgentSession, query.id.get())]
    }
}

// Unknown fields are errors on this surface: with `external_user_id` misspelled, what was meant for one would be for all.

/// A new session.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionInput {
    #[serde(default)]
    pub title: Option<Label>,
    /// The assistant, by the id that it has elsewhere.
    #[serde(default)]
    pub assistant_id: Option<Label>,
    #[serde(default)]
    pub model_name: Option<Label>,
    #[serde(default)]
    pub initial_system_prompt: Option<SystemPrompt>,
    #[serde(default)]
    pub tool_ids: ToolIds,
    /// The end user that the session is for, if neither a header nor a token says so.
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

/// A partial update: what is absent stays as it is, null clears what can be cleared.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SessionPatch {
    pub title: Patch<Label>,
    pub assistant_id: Patch<Label>,
    pub model_name: Patch<Label>,
    pub initial_system_prompt: Patch<SystemPrompt>,
    #[serde(deserialize_with = "not_null")]
    #[schemars(with = "ToolIds")]
    pub tool_ids: Option<ToolIds>,
    #[serde(deserialize_with = "not_null_enum")]
    #[schemars(with = "SessionStatus")]
    pub status: Option<SessionStatus>,
    /// The end user that the call is for, if neither a header nor a token says so. It doesn't change whose the session is.
    pub external_user_id: EndUser,
}

impl Input for SessionPatch {
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

/// A new message.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageInput {
    #[serde(deserialize_with = "string_enum")]
    pub role: MessageRole,
    pub content: MessageContent,
    /// The message of this session that it answers.
    #[serde(default)]
    pub parent_id: Option<UuidText>,
    /// The end user that the call is for, if neither a header nor a token says so.
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

impl Output for AgentSession {}

impl Output for Message {}
