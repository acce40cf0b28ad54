//! `POST /api/v1/reactivate/callbacks`: lets callbacks through to a tenant's receivers again.

use shared::api::registry::callbacks::{ReactivateCallbacks, ReactivatedCallbacks};
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(ReactivateCallbacks, reactivate)
}

async fn reactivate(app: App, call: Call<ReactivateCallbacks>) -> Result<ReactivatedCallbacks> {
    let resumed =
        app.tenants().reactivate_callbacks(&call.query.tenant_id, call.body.flow, call.caller.change()).await?;
    Ok(resumed.into())
}
