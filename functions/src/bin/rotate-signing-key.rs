//! `POST /api/v1/rotate/signing-key`: a new key to sign tokens with; the old public key is served until its last token
//! has expired.

use shared::api::registry::api_key_outputs::SigningKeyView;
use shared::api::registry::api_keys::RotateSigningKey;
use shared::{App, Call, Exit, Result, serve};

fn main() -> Exit {
    serve(RotateSigningKey, rotate)
}

async fn rotate(app: App, call: Call<RotateSigningKey>) -> Result<SigningKeyView> {
    let drop_previous = call.body.drop_previous;
    let rotated = app.tenants().rotate_signing_key(&call.query.tenant_id, drop_previous, call.caller.change()).await?;
    Ok(rotated.into())
}
