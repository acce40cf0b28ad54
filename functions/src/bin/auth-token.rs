//! `POST /api/v1/auth/token`: a short-lived token for an end user of the account, or for all of it.

use shared::api::account::token::{AuthToken, ScopedToken};
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(AuthToken, issue)
}

async fn issue(app: App, call: Call<AuthToken>) -> Result<ScopedToken> {
    let lifetime = call.body.expires_in_minutes;
    let token = call.caller.mint(&app, lifetime, call.at).await?;
    Ok(ScopedToken::new(token, lifetime, call.caller.scope()))
}
