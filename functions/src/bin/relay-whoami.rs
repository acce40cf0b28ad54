//! `GET /api/v1/relay/whoami`: who signed the call, with which secret, and what is left of the minute.

use shared::api::relay::{RelayWhoami, Whoami};
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(RelayWhoami, whoami)
}

async fn whoami(_: App, call: Call<RelayWhoami>) -> Result<Whoami> {
    Ok(Whoami::from(&call.caller))
}
