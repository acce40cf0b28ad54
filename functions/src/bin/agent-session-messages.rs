//! `/api/v1/agent-sessions/{id}/messages`: adds a message to a session, and lists what it has.

use shared::api::account::ListPage;
use shared::api::account::sessions::{CreateMessage, ListMessages};
use shared::domain::Message;
use shared::{App, Call, Exit, Result, on, serve_methods};

fn main() -> Exit {
    serve_methods([on::<CreateMessage, _, _>(create), on::<ListMessages, _, _>(list)])
}

async fn create(app: App, call: Call<CreateMessage>) -> Result<Message> {
    let rows = call.caller.rows(&app, &call.found);
    let message = call.body.message(rows.new_id(call.at)?, call.at);
    rows.add_message(call.query.id.get(), &message).await?;
    Ok(message)
}

async fn list(app: App, call: Call<ListMessages>) -> Result<ListPage<Message>> {
    let rows = call.caller.rows(&app, &call.found);
    Ok(rows.messages(call.query.id.get(), call.query.paging()).await?.into())
}
