//! `POST /api/v1/device/unpair`: ends a phone's pairing.

use shared::api::device::{DeviceUnpair, RemovedDevice};
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(DeviceUnpair, unpair)
}

async fn unpair(app: App, call: Call<DeviceUnpair>) -> Result<RemovedDevice> {
    Ok(call.caller.unpair(&app).await?.into())
}
