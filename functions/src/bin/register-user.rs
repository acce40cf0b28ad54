//! `POST /v1/api/projects/register-user`: registers a user of an organization, or changes it. No token.

use shared::api::projects::{RegisterUser, RegisteredUser};
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(RegisterUser, register)
}

async fn register(app: App, call: Call<RegisterUser>) -> Result<RegisteredUser> {
    let fields = call.body.fields(call.caller.tenant_id())?;
    let user = call.caller.directory(&app).register_user(fields).await?;
    Ok(RegisteredUser { message: "User registered", user_id: user.id })
}
