//! `GET /api/v1/console/setup`: what the set-up of the session's tenant shows, from what the system has seen.

use shared::api::console::ConsoleSetup;
use shared::api::registry::setup::SetupView;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(ConsoleSetup, fetch)
}

async fn fetch(app: App, call: Call<ConsoleSetup>) -> Result<SetupView> {
    Ok(app.setup(call.caller.id()).await?.into())
}
