//! `GET /api/v1/console/organizations`: the organizations that the session's tenant has registered, newest first.

use shared::api::console::ConsoleOrganizations;
use shared::api::registry::inspection::OrganizationsPage;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(ConsoleOrganizations, fetch)
}

async fn fetch(app: App, call: Call<ConsoleOrganizations>) -> Result<OrganizationsPage> {
    let query = call.query;
    let page = app.tenants().organizations(call.caller.id(), query.cursor.as_ref(), query.limit).await?;
    Ok(OrganizationsPage::new(page, query.limit))
}
