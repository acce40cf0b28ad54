//! `POST /v1/api/projects/register-organization`: registers an organization, or changes it.

use shared::api::projects::{RegisterOrganization, RegisteredOrganization};
use shared::{App, Call, Exit, Result, serve};

fn main() -> Exit {
    serve::<RegisterOrganization, _, _>(register)
}

async fn register(app: App, call: Call<RegisterOrganization>) -> Result<RegisteredOrganization> {
    let tenant_id = call.caller.tenant_id();
    let entry = call.body.entry(tenant_id)?;
    let organization = app.projects(tenant_id).register_organization(call.found.prefetched, entry, call.at).await?;
    Ok(RegisteredOrganization { project_organization_id: organization.id, external_id: organization.external_id })
}
