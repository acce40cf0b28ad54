//! `GET /api/v1/console/registered-tenants`: the customers that the session's tenant has registered, newest first.

use shared::api::console::ConsoleRegisteredTenants;
use shared::api::registry::inspection::RegisteredTenantsPage;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(ConsoleRegisteredTenants, fetch)
}

async fn fetch(app: App, call: Call<ConsoleRegisteredTenants>) -> Result<RegisteredTenantsPage> {
    let query = call.query;
    let page = app.tenants().registered_tenants(call.caller.id(), query.cursor.as_ref(), query.limit).await?;
    Ok(RegisteredTenantsPage::new(page, query.limit))
}
