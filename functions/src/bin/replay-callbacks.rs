//! `POST /api/v1/replay/callbacks`: delivers a tenant's callbacks anew.

use shared::api::registry::callbacks::{ReplayCallbacks, ReplayedCallbacks};
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(ReplayCallbacks, replay)
}

async fn replay(app: App, call: Call<ReplayCallbacks>) -> Result<ReplayedCallbacks> {
    let (scope, cursor) = call.body.scope()?;
    let tenants = app.tenants();
    let replayed =
        tenants.replay_callbacks(&call.query.tenant_id, &scope, cursor.as_ref(), call.caller.change()).await?;
    Ok(replayed.into())
}
