//! `POST /api/v1/relay/webauthn/authenticate/options`: begins a login with a passkey.

use shared::api::relay::passkeys::WebauthnAuthenticateOptions;
use shared::domain::RequestOptions;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(WebauthnAuthenticateOptions, begin)
}

async fn begin(app: App, call: Call<WebauthnAuthenticateOptions>) -> Result<RequestOptions> {
    let (body, of) = (&call.body, call.body.named());
    call.caller.passkeys(&app).begin_login(of.as_ref(), &body.browser_origin, body.hints.clone()).await
}
