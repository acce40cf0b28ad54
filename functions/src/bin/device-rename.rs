//! `POST /api/v1/device/rename`: gives a phone another name.

use shared::api::device::{DeviceRename, RenamedDevice};
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(DeviceRename, rename)
}

async fn rename(app: App, call: Call<DeviceRename>) -> Result<RenamedDevice> {
    Ok(call.caller.rename(&app, call.body.name).await?.into())
}
