//! `POST /api/v1/relay/webauthn/register/options`: begins the registration of a passkey.

use shared::api::relay::passkeys::WebauthnRegisterOptions;
use shared::domain::CreationOptions;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(WebauthnRegisterOptions, begin)
}

async fn begin(app: App, call: Call<WebauthnRegisterOptions>) -> Result<CreationOptions> {
    let of = call.body.person_ref()?;
    call.caller.passkeys(&app).begin_registration(call.body.request(&of)).await
}
