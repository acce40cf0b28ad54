//! `POST /api/v1/rotate/signing-key`: the standby key signs tokens, and another stands by; the old public key is served
//! until its last token has expired.

use shared::api::registry::api_key_outputs::SigningKeyView;
use shared::api::registry::api_keys::RotateSigningKey;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(RotateSigningKey, rotate)
}

async fn rotate(app: App, call: Call<RotateSigningKey>) -> Result<SigningKeyView> {
    let rotation = call.body.into();
    let rotated = app.tenants().rotate_signing_key(&call.query.tenant_id, rotation, call.caller.change()).await?;
    Ok(rotated.into())
}
