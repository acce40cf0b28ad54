//! `GET /t/{tenant_id}/.well-known/oauth-authorization-server`: issuer, key set and endpoints of a tenant's tokens.

use shared::api::tokens::{OauthAuthorizationServer, ServerMetadata};
use shared::{App, Call, Error, Exit, Result, serve};

pub fn main() -> Exit {
    serve(OauthAuthorizationServer, metadata)
}

async fn metadata(app: App, call: Call<OauthAuthorizationServer>) -> Result<ServerMetadata> {
    let tenant_id = call.query.tenant()?;
    app.tenants().public_keys(tenant_id, call.at).await?.ok_or(Error::TenantNotFound)?;
    Ok(ServerMetadata::new(call.caller.base_url(), tenant_id))
}
