//! `POST /api/v1/provision/tenant`: registers a tenant and shows its secret, once.

use shared::api::registry::tenant_outputs::ProvisionedTenant;
use shared::api::registry::tenants::ProvisionTenant;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(ProvisionTenant, provision)
}

async fn provision(app: App, call: Call<ProvisionTenant>) -> Result<ProvisionedTenant> {
    let provisioned = app.tenants().provision(call.body, call.caller.change()).await?;
    Ok(provisioned.into())
}
