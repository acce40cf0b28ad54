//! `GET /t/{tenant_id}/.well-known/jwks.json`: the public keys of a tenant's tokens.

use shared::api::tokens::{Jwks, KeySet};
use shared::{App, Call, Error, Exit, Result, serve};

pub fn main() -> Exit {
    serve(Jwks, keys)
}

async fn keys(app: App, call: Call<Jwks>) -> Result<KeySet> {
    let keys = app.tenants().public_keys(call.query.tenant()?, call.at).await?;
    Ok(keys.ok_or(Error::TenantNotFound)?.into())
}
