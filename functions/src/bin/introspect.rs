//! `POST /api/v1/auth/introspect`: whether a token is valid now, and its claims.

use shared::api::tokens::{Introspect, Introspection};
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(Introspect, introspect)
}

async fn introspect(app: App, call: Call<Introspect>) -> Result<Introspection> {
    let claims = call.caller.active_claims(app.trace_key(), call.body.token, call.at)?;
    if claims.is_some() {
        call.caller.note_introspection(&app).await;
    }
    Ok(claims.into())
}
