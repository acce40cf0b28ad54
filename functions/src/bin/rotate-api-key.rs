//! `POST /api/v1/rotate/api-key`: a new secret for an API key, shown once; the old one is dead when this answers, or
//! after the overlap.

use shared::api::registry::api_key_outputs::RotatedApiKey;
use shared::api::registry::api_keys::RotateApiKey;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(RotateApiKey, rotate)
}

async fn rotate(app: App, call: Call<RotateApiKey>) -> Result<RotatedApiKey> {
    let (query, overlap) = (call.query, call.body.overlap_seconds);
    let issued = app.tenants().rotate_api_key(&query.tenant_id, &query.key_id, overlap, call.caller.change()).await?;
    Ok(issued.into())
}
