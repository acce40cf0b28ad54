//! `/api/v1/agent-sessions/{id}`: shows, changes and deletes a session.

use shared::api::account::Deleted;
use shared::api::account::sessions::{DeleteAgentSession, GetAgentSession, UpdateAgentSession};
use shared::domain::AgentSession;
use shared::{App, Call, Exit, Result, on, serve_methods};

fn main() -> Exit {
    serve_methods([
        on::<GetAgentSession, _, _>(get),
        on::<UpdateAgentSession, _, _>(update),
        on::<DeleteAgentSession, _, _>(delete),
    ])
}

async fn get(app: App, call: Call<GetAgentSession>) -> Result<AgentSession> {
    Ok(call.caller.resources(&app, &call.found).get(call.query.id.get()).await?.resource)
}

async fn update(app: App, call: Call<UpdateAgentSession>) -> Result<AgentSession> {
    let resources = call.caller.resources(&app, &call.found);
    Ok(resources.change(call.query.id.get(), &call.body.updates(), call.at).await?.resource)
}

async fn delete(app: App, call: Call<DeleteAgentSession>) -> Result<Deleted> {
    call.caller.resources(&app, &call.found).delete_session(call.query.id.get(), call.at).await?;
    Ok(Deleted::DONE)
}
