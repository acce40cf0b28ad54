//! `/api/v1/agent-sessions/{id}`: shows, changes and deletes a session.

use shared::api::account::Deleted;
use shared::api::account::sessions::{DeleteAgentSession, GetAgentSession, UpdateAgentSession};
use shared::domain::AgentSession;
use shared::{App, Call, Exit, Result, on, serve_path};

pub fn main() -> Exit {
    serve_path([on(GetAgentSession, get), on(UpdateAgentSession, update), on(DeleteAgentSession, delete)])
}

async fn get(app: App, call: Call<GetAgentSession>) -> Result<AgentSession> {
    call.caller.resources(&app).session(call.query.id.get()).await
}

async fn update(app: App, call: Call<UpdateAgentSession>) -> Result<AgentSession> {
    let resources = call.caller.resources(&app);
    resources.change_session(call.query.id.get(), &call.body.updates(), call.at).await
}

async fn delete(app: App, call: Call<DeleteAgentSession>) -> Result<Deleted> {
    call.caller.resources(&app).delete_session(call.query.id.get(), call.at).await?;
    Ok(Deleted::DONE)
}
