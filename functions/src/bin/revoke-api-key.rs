//! `POST /api/v1/revoke/api-key`: refuses an API key, and every token that it minted, from the next call on.

use shared::api::registry::api_key_outputs::RevokedApiKey;
use shared::api::registry::api_keys::RevokeApiKey;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(RevokeApiKey, revoke)
}

async fn revoke(app: App, call: Call<RevokeApiKey>) -> Result<RevokedApiKey> {
    app.tenants().revoke_api_key(&call.query.tenant_id, &call.query.key_id, call.caller.change()).await?;
    Ok(RevokedApiKey)
}
