//! `POST /api/v1/relay/webauthn/revoke/passkey`: revokes a passkey: no login is accepted with it from now on.

use shared::api::relay::passkey_outputs::RevokedPasskeyView;
use shared::api::relay::passkeys::WebauthnRevokePasskey;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(WebauthnRevokePasskey, revoke)
}

async fn revoke(app: App, call: Call<WebauthnRevokePasskey>) -> Result<RevokedPasskeyView> {
    let of = call.body.person_ref()?;
    Ok(call.caller.passkeys(&app).revoke(&of, &call.body.credential_id).await?.into())
}
