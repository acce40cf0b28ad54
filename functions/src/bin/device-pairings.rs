//! `GET /api/v1/device/pairings`: the devices of a phone's person.

use shared::api::device::{DevicePairings, DevicesView};
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(DevicePairings, list)
}

async fn list(_: App, call: Call<DevicePairings>) -> Result<DevicesView> {
    Ok(call.caller.pairings().into())
}
