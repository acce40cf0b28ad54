//! `POST /api/v1/provision/api-key`: a new API key for a tenant, shown once.

use shared::api::registry::api_key_outputs::ProvisionedApiKey;
use shared::api::registry::api_keys::ProvisionApiKey;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(ProvisionApiKey, provision)
}

async fn provision(app: App, call: Call<ProvisionApiKey>) -> Result<ProvisionedApiKey> {
    let new = call.body.at(call.at);
    let issued = app.tenants().provision_api_key(&call.query.tenant_id, new, call.caller.change()).await?;
    Ok(issued.into())
}
