//! `/api/v1/agent-sessions`: begins a session, and lists those that the caller sees.

use shared::api::account::ListPage;
use shared::api::account::sessions::{CreateAgentSession, ListAgentSessions};
use shared::domain::AgentSession;
use shared::{App, Call, Exit, Result, on, serve_methods};

fn main() -> Exit {
    serve_methods([on::<CreateAgentSession, _, _>(create), on::<ListAgentSessions, _, _>(list)])
}

async fn create(app: App, call: Call<CreateAgentSession>) -> Result<AgentSession> {
    let rows = call.caller.rows(&app, &call.found);
    let session = call.body.session(rows.new_id(call.at)?, call.caller.external_user_id(), call.at);
    rows.create(&session).await?;
    Ok(session)
}

async fn list(app: App, call: Call<ListAgentSessions>) -> Result<ListPage<AgentSession>> {
    let rows = call.caller.rows(&app, &call.found);
    Ok(rows.list(call.query.paging()).await?.into())
}
