//! `POST /api/v1/relay/webauthn/rename/passkey`: gives a passkey another name.

use shared::api::relay::passkey_outputs::RenamedPasskey;
use shared::api::relay::passkeys::WebauthnRenamePasskey;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(WebauthnRenamePasskey, rename)
}

async fn rename(app: App, call: Call<WebauthnRenamePasskey>) -> Result<RenamedPasskey> {
    let of = call.body.person_ref()?;
    let passkey = call.caller.passkeys(&app).rename(&of, &call.body.credential_id, call.body.name).await?;
    Ok(passkey.into())
}
