//! `GET /api/v1/fetch/tenant`: a tenant's configuration and state, and that of its receivers, never its secret.

use shared::api::registry::tenant_outputs::FetchedTenant;
use shared::api::registry::tenants::FetchTenant;
use shared::{App, Call, Error, Exit, Result, serve};

pub fn main() -> Exit {
    serve(FetchTenant, fetch)
}

async fn fetch(app: App, call: Call<FetchTenant>) -> Result<FetchedTenant> {
    let tenant = app.tenants().with_receivers(&call.query.tenant_id).await?;
    tenant.map(FetchedTenant::from).ok_or(Error::TenantNotFound)
}
