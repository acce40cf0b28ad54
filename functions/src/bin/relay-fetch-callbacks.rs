//! `GET /api/v1/relay/fetch/callbacks`: what became of the signer's callbacks, newest first, a page at a time.

use shared::api::registry::callbacks::CallbacksPage;
use shared::api::relay::callbacks::RelayFetchCallbacks;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(RelayFetchCallbacks, fetch)
}

async fn fetch(app: App, call: Call<RelayFetchCallbacks>) -> Result<CallbacksPage> {
    let query = call.query;
    let page = app.tenants().callbacks(call.caller.id(), query.filter(), query.cursor.as_ref(), query.limit).await?;
    Ok(CallbacksPage::new(page, query.limit))
}
