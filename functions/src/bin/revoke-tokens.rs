//! `POST /api/v1/revoke/tokens`: revokes the tokens of a user, an organization, an end user, an API key, or all.

use shared::api::registry::api_key_outputs::TokensRevoked;
use shared::api::registry::api_keys::RevokeTokens;
use shared::store::Revocation;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(RevokeTokens, revoke)
}

async fn revoke(app: App, call: Call<RevokeTokens>) -> Result<TokensRevoked> {
    let whose = call.body.whose()?;
    let revocation = app.tenants().revoke_tokens(&call.query.tenant_id, &whose, call.caller.change()).await?;
    let Revocation { revoked_before, known } = revocation;
    Ok(TokensRevoked { revoked_before, known })
}
