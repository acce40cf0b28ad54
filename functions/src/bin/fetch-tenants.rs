//! `GET /api/v1/fetch/tenants`: tenants, newest first, a page at a time.

use shared::api::registry::tenant_outputs::TenantsPage;
use shared::api::registry::tenants::FetchTenants;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(FetchTenants, fetch)
}

async fn fetch(app: App, call: Call<FetchTenants>) -> Result<TenantsPage> {
    let start = call.query.start()?;
    let page = app.tenants().page(call.query.status, &start, call.query.limit).await?;
    Ok(TenantsPage::new(page, call.query.limit))
}
