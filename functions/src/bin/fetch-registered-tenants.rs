//! `GET /api/v1/fetch/registered-tenants`: what a tenant has registered through `register-tenant`, newest first.

use shared::api::registry::inspection::{FetchRegisteredTenants, RegisteredTenantsPage};
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(FetchRegisteredTenants, fetch)
}

async fn fetch(app: App, call: Call<FetchRegisteredTenants>) -> Result<RegisteredTenantsPage> {
    let query = call.query;
    let page = app.tenants().registered_tenants(&query.tenant_id, query.cursor.as_ref(), query.limit).await?;
    Ok(RegisteredTenantsPage::new(page, query.limit))
}
