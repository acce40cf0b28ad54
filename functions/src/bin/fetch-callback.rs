//! `GET /api/v1/fetch/callback`: one of a tenant's callbacks, with its body and its last attempts.

use shared::api::registry::callbacks::FetchCallback;
use shared::domain::CallbackDetails;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(FetchCallback, fetch)
}

async fn fetch(app: App, call: Call<FetchCallback>) -> Result<CallbackDetails> {
    app.tenants().callback(&call.query.tenant_id, &call.query.event_id).await
}
