//! `POST /api/v1/relay/fetch/pairings`: the devices of one of a tenant's people.

use shared::api::relay::pairing::{PairingsOfPerson, RelayFetchPairings};
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(RelayFetchPairings, fetch)
}

async fn fetch(app: App, call: Call<RelayFetchPairings>) -> Result<PairingsOfPerson> {
    let of = call.body.person_ref()?;
    Ok(call.caller.devices(&app).of_person(&of).await?.into())
}
