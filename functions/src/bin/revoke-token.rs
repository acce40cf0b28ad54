//! `POST /api/v1/auth/revoke`: takes one token back, until it expires.

use shared::api::tokens::{RevokeToken, Revoked};
use shared::auth::active_claims;
use shared::{App, Call, Exit, Result, serve};

fn main() -> Exit {
    serve::<RevokeToken, _, _>(revoke)
}

async fn revoke(app: App, call: Call<RevokeToken>) -> Result<Revoked> {
    let issuer = call.caller.issuer(&call.base_url);
    // One that is not valid has nothing to be taken back, and the answer is the same.
    if let Some(claims) = active_claims(&call.body.token, &issuer, &call.found, call.at)? {
        app.projects(call.caller.tenant_id()).revoke_token(claims.jti, claims.expires_at()).await?;
    }
    Ok(Revoked {})
}
