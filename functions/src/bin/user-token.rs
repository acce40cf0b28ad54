//! `POST /v1/api/projects/user-token`: a short-lived token for a user, at each login.

use shared::api::projects::{IssuedToken, UserToken};
use shared::auth::Order;
use shared::{App, Call, Exit, Result, serve};

fn main() -> Exit {
    serve::<UserToken, _, _>(issue)
}

async fn issue(app: App, call: Call<UserToken>) -> Result<IssuedToken> {
    let (found, body) = (&call.found, &call.body);
    let projects = app.projects(call.caller.tenant_id());
    let (user, organization) = projects.member(&found.prefetched, &body.user_id, body.organization_id.as_ref()).await?;
    let order = Order::for_user(&user, &organization, body.expiration, call.at)?;
    let token = call.caller.mint(&app, &found.tenant, &call.base_url, order).await?;
    projects.note_token(&user, &call.at.day()).await;
    Ok(IssuedToken { token })
}
