//! `GET /api/v1/fetch/callbacks`: what became of a tenant's callbacks, newest first, a page at a time.

use shared::api::registry::callbacks::{CallbacksPage, FetchCallbacks};
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(FetchCallbacks, fetch)
}

async fn fetch(app: App, call: Call<FetchCallbacks>) -> Result<CallbacksPage> {
    let query = call.query;
    let cursor = query.cursor.as_ref();
    let page = app.tenants().callbacks(&query.tenant_id, query.filter(), cursor, query.limit).await?;
    Ok(CallbacksPage::new(page, query.limit))
}
