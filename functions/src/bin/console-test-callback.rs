//! `POST /api/v1/console/test-callback`: sends the receiver of the session's tenant a ping.

use shared::api::console::ConsoleTestCallback;
use shared::api::registry::callbacks::PingSent;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(ConsoleTestCallback, test)
}

async fn test(app: App, call: Call<ConsoleTestCallback>) -> Result<PingSent> {
    let pinged = app.tenants().test_callback(call.caller.id(), call.caller.change()).await?;
    Ok(pinged.into())
}
