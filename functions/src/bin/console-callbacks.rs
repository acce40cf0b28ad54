//! `GET /api/v1/console/callbacks`: what became of the callbacks of the session's tenant, newest first.

use shared::api::console::ConsoleCallbacks;
use shared::api::registry::callbacks::CallbacksPage;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(ConsoleCallbacks, fetch)
}

async fn fetch(app: App, call: Call<ConsoleCallbacks>) -> Result<CallbacksPage> {
    let query = call.query;
    let page = app.tenants().callbacks(call.caller.id(), query.filter(), query.cursor.as_ref(), query.limit).await?;
    Ok(CallbacksPage::new(page, query.limit))
}
