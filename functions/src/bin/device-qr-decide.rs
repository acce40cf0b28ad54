//! `POST /api/v1/device/qr-login/decide`: approves or denies a QR login by a device's statement.

use shared::api::device::qr_login::{DecidedView, DeviceQrDecide};
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(DeviceQrDecide, decide)
}

async fn decide(app: App, call: Call<DeviceQrDecide>) -> Result<DecidedView> {
    let (caller, body) = (&call.caller, &call.body);
    Ok(caller.decide_qr_login(&app, &body.session_id, &body.statement).await?.into())
}
