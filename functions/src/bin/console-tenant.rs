//! `GET /api/v1/console/tenant`: the configuration and state of the session's tenant, never its secret.

use shared::api::console::ConsoleTenantView;
use shared::api::registry::tenant_outputs::FetchedTenant;
use shared::{App, Call, Error, Exit, Result, serve};

pub fn main() -> Exit {
    serve(ConsoleTenantView, fetch)
}

async fn fetch(app: App, call: Call<ConsoleTenantView>) -> Result<FetchedTenant> {
    let tenant = app.tenants().with_receivers(call.caller.id()).await?;
    tenant.map(FetchedTenant::from).ok_or(Error::TenantNotFound)
}
