//! `POST /v1/api/projects/register-organization`: registers an organization, or changes it.

use shared::api::projects::{RegisterOrganization, RegisteredOrganization};
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(RegisterOrganization, register)
}

async fn register(app: App, call: Call<RegisterOrganization>) -> Result<RegisteredOrganization> {
    let fields = call.body.fields(call.caller.tenant_id())?;
    let organization = call.caller.directory(&app).register_organization(fields).await?;
    Ok(RegisteredOrganization { project_organization_id: organization.id, external_id: organization.external_id })
}
