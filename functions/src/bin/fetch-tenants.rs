//! `GET /api/v1/fetch/tenants`: tenants, newest first or by name or id, a page at a time.

use shared::api::registry::tenant_outputs::TenantsPage;
use shared::api::registry::tenants::{FetchTenants, TenantsQuery};
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(FetchTenants, fetch)
}

async fn fetch(app: App, call: Call<FetchTenants>) -> Result<TenantsPage> {
    let TenantsQuery { limit, status, ref search, ref cursor, .. } = call.query;
    let start = call.query.start()?;
    let page = match search {
        Some(search) => app.tenants().search(search, status, cursor.as_ref(), limit).await?,
        None => app.tenants().page(status, &start, limit).await?,
    };
    Ok(TenantsPage::new(page, limit))
}
