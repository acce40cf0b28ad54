//! `POST /api/v1/auth/revoke`: takes one token back, until it expires.

use shared::api::tokens::{RevokeToken, Revoked};
use shared::auth::revocable_claims;
use shared::{App, Call, Exit, Result, serve};

fn main() -> Exit {
    serve::<RevokeToken, _, _>(revoke)
}

async fn revoke(app: App, call: Call<RevokeToken>) -> Result<Revoked> {
    let tenant_id = call.caller.tenant_id();
    // One that can't be valid has nothing to be taken back, and the answer is the same.
    if let Some(claims) = revocable_claims(&call.body.token, tenant_id, &call.found, call.at)? {
        app.projects(tenant_id).revoke_token(claims.jti, claims.expires_at()).await?;
    }
    Ok(Revoked {})
}
