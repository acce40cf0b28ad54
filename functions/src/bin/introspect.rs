//! `POST /api/v1/auth/introspect`: whether a token is valid now, and its claims.

use shared::api::tokens::{Introspect, Introspection};
use shared::auth::active_claims;
use shared::{App, Call, Exit, Result, serve};

fn main() -> Exit {
    serve::<Introspect, _, _>(introspect)
}

async fn introspect(_: App, call: Call<Introspect>) -> Result<Introspection> {
    let issuer = call.caller.issuer(&call.base_url);
    Ok(active_claims(&call.body.token, &issuer, &call.found, call.at)?.into())
}
