//! `POST /api/v1/relay/test/callbacks`: sends the signer's receiver a ping.

use shared::api::registry::callbacks::PingSent;
use shared::api::relay::callbacks::RelayTestCallbacks;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(RelayTestCallbacks, test)
}

async fn test(app: App, call: Call<RelayTestCallbacks>) -> Result<PingSent> {
    let pinged = app.tenants().test_callback(call.caller.id(), call.caller.change()).await?;
    Ok(pinged.into())
}
