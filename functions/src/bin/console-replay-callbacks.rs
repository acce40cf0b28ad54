//! `POST /api/v1/console/replay-callbacks`: delivers callbacks of the session's tenant anew.

use shared::api::console::ConsoleReplayCallbacks;
use shared::api::registry::callbacks::ReplayedCallbacks;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(ConsoleReplayCallbacks, replay)
}

async fn replay(app: App, call: Call<ConsoleReplayCallbacks>) -> Result<ReplayedCallbacks> {
    let (scope, cursor) = call.body.scope()?;
    let caller = call.caller;
    let replayed = app.tenants().replay_callbacks(caller.id(), &scope, cursor.as_ref(), caller.change()).await?;
    Ok(replayed.into())
}
