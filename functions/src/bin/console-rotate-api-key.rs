//! `POST /api/v1/console/rotate-api-key`: a new secret for an API key of the session's tenant, shown once; the old one
//! is dead when this answers, or after the overlap.

use shared::api::console::ConsoleRotateApiKey;
use shared::api::registry::api_key_outputs::RotatedApiKey;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(ConsoleRotateApiKey, rotate)
}

async fn rotate(app: App, call: Call<ConsoleRotateApiKey>) -> Result<RotatedApiKey> {
    let (key, overlap, caller) = (call.query.key_id, call.body.overlap_seconds, call.caller);
    let issued = app.tenants().rotate_api_key(caller.id(), &key, overlap, caller.change()).await?;
    Ok(issued.into())
}
