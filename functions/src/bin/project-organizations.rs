//! `GET /v1/api/projects/organizations`: the organizations that are registered, newest first.

use shared::api::projects::ProjectOrganizations;
use shared::api::registry::inspection::OrganizationsPage;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(ProjectOrganizations, list)
}

async fn list(app: App, call: Call<ProjectOrganizations>) -> Result<OrganizationsPage> {
    let query = call.query;
    let page = call.caller.directory(&app).organizations(query.cursor.as_ref(), query.limit).await?;
    Ok(OrganizationsPage::new(page, query.limit))
}
