//! `POST /api/v1/console/revoke-api-key`: refuses an API key of the session's tenant, and every token that it minted,
//! from the next call on.

use shared::api::console::ConsoleRevokeApiKey;
use shared::api::registry::api_key_outputs::RevokedApiKey;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(ConsoleRevokeApiKey, revoke)
}

async fn revoke(app: App, call: Call<ConsoleRevokeApiKey>) -> Result<RevokedApiKey> {
    app.tenants().revoke_api_key(call.caller.id(), &call.query.key_id, call.caller.change()).await?;
    Ok(RevokedApiKey)
}
