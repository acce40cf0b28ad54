//! The resources of the account surface: their types, their limits, and the viewpoint from which a call sees them.

mod document;
pub(super) mod end_user_header;
mod execution;
mod field_updates;
mod label;
mod long_text;
mod resource_id;
mod session;
pub(super) mod viewpoint;
mod workspace;

pub use document::{Document, DocumentStatus, Markdown, WorkspaceIds};
pub use end_user_header::{END_USER_HEADERS, is_misspelt_end_user_header};
pub use execution::{
    ExecutionId, ExecutionPathId, ExecutionStatus, Failure, Finished, Report, ToolData, ToolExecution,
};
pub use field_updates::FieldUpdates;
pub use label::{Label, ToolIds};
pub use long_text::LongText;
pub use resource_id::{PathId, new_resource_id};
pub use session::{AgentSession, Message, MessageContent, MessageRole, SessionStatus, SystemPrompt};
pub use viewpoint::Viewpoint;
pub use workspace::{Description, Workspace, WorkspaceView};
