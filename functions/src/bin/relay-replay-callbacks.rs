//! `POST /api/v1/relay/replay/callbacks`: delivers the signer's callbacks anew.

use shared::api::registry::callbacks::{CallbacksToReplay, ReplayedCallbacks};
use shared::api::relay::callbacks::RelayReplayCallbacks;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(RelayReplayCallbacks, replay)
}

async fn replay(app: App, call: Call<RelayReplayCallbacks>) -> Result<ReplayedCallbacks> {
    let (scope, cursor) = CallbacksToReplay::from(call.body).scope()?;
    let signer = call.caller;
    let replayed = app.tenants().replay_callbacks(signer.id(), &scope, cursor.as_ref(), signer.change()).await?;
    Ok(replayed.into())
}
