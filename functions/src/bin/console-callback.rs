//! `GET /api/v1/console/callback`: one callback of the session's tenant, with its body and its last attempts.

use shared::api::console::ConsoleCallback;
use shared::domain::CallbackDetails;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(ConsoleCallback, fetch)
}

async fn fetch(app: App, call: Call<ConsoleCallback>) -> Result<CallbackDetails> {
    app.tenants().callback(call.caller.id(), &call.query.event_id).await
}
