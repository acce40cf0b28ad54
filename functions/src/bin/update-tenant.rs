//! `POST /api/v1/update/tenant`: writes exactly the fields in the body.

use shared::api::registry::tenant_outputs::UpdatedTenant;
use shared::api::registry::tenants::UpdateTenant;
use shared::store::TenantUpdate;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(UpdateTenant, update)
}

async fn update(app: App, call: Call<UpdateTenant>) -> Result<UpdatedTenant> {
    let update = TenantUpdate { patch: call.body, ends_passkeys: call.query.force };
    let tenant = app.tenants().update(&call.query.tenant_id, update, call.caller.change()).await?;
    Ok(UpdatedTenant(tenant.into()))
}
