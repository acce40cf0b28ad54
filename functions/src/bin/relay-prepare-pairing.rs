//! `POST /api/v1/relay/prepare-pairing`: prepares the pairing of a phone with one of a tenant's people.

use shared::api::relay::pairing::{PreparedView, RelayPreparePairing};
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(RelayPreparePairing, prepare)
}

async fn prepare(app: App, call: Call<RelayPreparePairing>) -> Result<PreparedView> {
    Ok(call.caller.prepare_pairing(&app, call.body.request()?).await?.into())
}
