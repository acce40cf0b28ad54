//! `/api/v1/agent-sessions`: begins a session, and lists those that the caller sees.

use shared::api::account::ListPage;
use shared::api::account::sessions::{CreateAgentSession, ListAgentSessions};
use shared::domain::AgentSession;
use shared::{App, Call, Exit, Result, on, serve_path};

pub fn main() -> Exit {
    serve_path([on(CreateAgentSession, create), on(ListAgentSessions, list)])
}

async fn create(app: App, call: Call<CreateAgentSession>) -> Result<AgentSession> {
    let resources = call.caller.resources(&app);
    let session = call.body.session(resources.new_id(call.at)?, call.caller.external_user_id(), call.at);
    resources.create_session(session).await
}

async fn list(app: App, call: Call<ListAgentSessions>) -> Result<ListPage<AgentSession>> {
    let resources = call.caller.resources(&app);
    Ok(resources.sessions(call.query.request()?).await?.into())
}
