//! `POST /api/v1/relay/webauthn/register/verify`: ends the registration of a passkey.

use shared::api::relay::passkey_outputs::RegisteredPasskey;
use shared::api::relay::passkeys::WebauthnRegisterVerify;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(WebauthnRegisterVerify, finish)
}

async fn finish(app: App, call: Call<WebauthnRegisterVerify>) -> Result<RegisteredPasskey> {
    let (body, of) = (&call.body, call.body.named());
    let passkey = call.caller.passkeys(&app).finish_registration(body.answer(of.as_ref()), body.name.clone()).await?;
    Ok(passkey.into())
}
