//! `GET /api/v1/fetch/tenant`: a tenant's configuration and state, never its secret.

use shared::api::registry::tenant_outputs::TenantView;
use shared::api::registry::tenants::FetchTenant;
use shared::{App, Call, Error, Exit, Result, serve};

fn main() -> Exit {
    serve(FetchTenant, fetch)
}

async fn fetch(app: App, call: Call<FetchTenant>) -> Result<TenantView> {
    let tenant = app.tenants().get(&call.query.tenant_id).await?;
    tenant.map(TenantView::from).ok_or(Error::TenantNotFound)
}
