//! `POST /v1/api/projects/register-user`: registers a user of an organization, or changes it. No token.

use shared::api::projects::{RegisterUser, RegisteredUser};
use shared::{App, Call, Exit, Result, serve};

fn main() -> Exit {
    serve::<RegisterUser, _, _>(register)
}

async fn register(app: App, call: Call<RegisterUser>) -> Result<RegisteredUser> {
    let tenant_id = call.caller.tenant_id();
    let entry = call.body.entry(tenant_id)?;
    let user = app.projects(tenant_id).register_user(call.found.prefetched, entry, call.at).await?;
    Ok(RegisteredUser { message: "User registered", user_id: user.id })
}
