//! `POST /v1/api/projects/user-token`: a short-lived token for a user, at each login.

use shared::api::projects::{IssuedToken, UserToken};
use shared::domain::TokenRequest;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(UserToken, issue)
}

async fn issue(app: App, call: Call<UserToken>) -> Result<IssuedToken> {
    let (directory, body) = (call.caller.directory(&app), &call.body);
    let (user, organization) = directory.member(&body.user_id, body.organization_id.as_ref()).await?;
    let request = TokenRequest::for_user(&user, &organization, body.expiration, call.at)?;
    let token = call.caller.mint(&app, request).await?;
    directory.note_token(&user, &organization, &call.at.day()).await;
    Ok(IssuedToken { token })
}
