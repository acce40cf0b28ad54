//! `POST /api/v1/device/register-token`: pairs a phone.

use shared::api::device::{DeviceRegisterToken, WelcomeView};
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(DeviceRegisterToken, pair)
}

async fn pair(app: App, call: Call<DeviceRegisterToken>) -> Result<WelcomeView> {
    let body = &call.body;
    Ok(call.caller.pair(&app, body.handle.as_ref(), body.device()).await?.into())
}
