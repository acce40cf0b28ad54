//! `POST /api/v1/relay/webauthn/authenticate/verify`: ends a login with a passkey, and says whose it is.

use shared::api::relay::passkey_outputs::LoggedInPerson;
use shared::api::relay::passkeys::WebauthnAuthenticateVerify;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(WebauthnAuthenticateVerify, finish)
}

async fn finish(app: App, call: Call<WebauthnAuthenticateVerify>) -> Result<LoggedInPerson> {
    let of = call.body.named();
    let login = call.caller.passkeys(&app).finish_login(call.body.answer(of.as_ref())).await?;
    Ok(login.into())
}
