//! `POST /v1/api/tenant/register-tenant`: the older way: registers or refreshes a customer, and answers its token. Also
//! at `/register-tenant`.

use shared::api::projects::register_tenant::{RegisterTenant, RegisteredTenantToken};
use shared::domain::TokenRequest;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(RegisterTenant, register)
}

async fn register(app: App, call: Call<RegisterTenant>) -> Result<RegisteredTenantToken> {
    let (directory, body) = (call.caller.directory(&app), &call.body);
    // A customer that was migrated is an organization now, and its user gets what `user-token` would give.
    if let Some((user, organization)) = directory.migrated(body.key.as_ref(), body.user.as_ref())? {
        let request = TokenRequest::for_user(&user, &organization, body.expiration, call.at)?;
        let token = call.caller.mint(&app, request).await?;
        directory.note_token(&user, &organization, &call.at.day()).await;
        return Ok(RegisteredTenantToken { message: "Token issued", token });
    }
    let registration = directory.registration(body.fields()?, call.at)?;
    let token = call.caller.mint(&app, registration.token_request()).await?;
    directory.register_tenant(&registration).await?;
    Ok(RegisteredTenantToken { message: "Tenant registered", token })
}
