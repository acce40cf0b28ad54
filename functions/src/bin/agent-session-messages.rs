//! `/api/v1/agent-sessions/{id}/messages`: adds a message to a session, and lists what it has.

use shared::api::account::ListPage;
use shared::api::account::sessions::{CreateMessage, ListMessages};
use shared::domain::Message;
use shared::{App, Call, Exit, Result, on, serve_path};

pub fn main() -> Exit {
    serve_path([on(CreateMessage, create), on(ListMessages, list)])
}

async fn create(app: App, call: Call<CreateMessage>) -> Result<Message> {
    let resources = call.caller.resources(&app);
    let message = call.body.message(resources.new_id(call.at)?, call.at);
    resources.add_message(call.query.id.get(), message).await
}

async fn list(app: App, call: Call<ListMessages>) -> Result<ListPage<Message>> {
    let resources = call.caller.resources(&app);
    Ok(resources.messages(call.query.id.get(), call.query.request()?).await?.into())
}
