//! `GET /api/v1/fetch/organizations`: the organizations that a tenant has registered, newest first.

use shared::api::registry::inspection::{FetchOrganizations, OrganizationsPage};
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(FetchOrganizations, fetch)
}

async fn fetch(app: App, call: Call<FetchOrganizations>) -> Result<OrganizationsPage> {
    let query = call.query;
    let page = app.tenants().organizations(&query.tenant_id, query.cursor.as_ref(), query.limit).await?;
    Ok(OrganizationsPage::new(page, query.limit))
}
