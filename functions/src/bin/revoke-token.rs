//! `POST /api/v1/auth/revoke`: takes one token back, until it expires.

use shared::api::tokens::{RevokeToken, Revoked};
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(RevokeToken, revoke)
}

async fn revoke(app: App, call: Call<RevokeToken>) -> Result<Revoked> {
    // One that can't be valid has nothing to be taken back, and the answer is the same.
    if let Some(claims) = call.caller.revocable_claims(app.trace_key(), &call.body.token, call.at)? {
        call.caller.directory(&app).revoke_token(&claims).await?;
    }
    Ok(Revoked {})
}
