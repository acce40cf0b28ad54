//! `POST /api/v1/suspend/tenant`: refuses every call of the tenant, from the next one on.

use shared::api::registry::tenant_outputs::Suspended;
use shared::api::registry::tenants::SuspendTenant;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(SuspendTenant, suspend)
}

async fn suspend(app: App, call: Call<SuspendTenant>) -> Result<Suspended> {
    app.tenants().suspend(&call.query.tenant_id, call.body.reason, call.caller.change()).await?;
    Ok(Suspended)
}
