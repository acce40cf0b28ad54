//! `POST /api/v1/device/qr-login/scan`: shows a phone what it is asked to consent to.

use shared::api::device::qr_login::{ConsentView, DeviceQrScan};
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(DeviceQrScan, scan)
}

async fn scan(app: App, call: Call<DeviceQrScan>) -> Result<ConsentView> {
    let (caller, body) = (&call.caller, &call.body);
    let consent = caller.look_at_qr_login(&app, &body.session_id, body.frame, &body.mac).await?;
    let shown = ConsentView::new(&consent, caller.tenant());
    caller.bind_qr_login(&app, consent, call.digest_of(&shown)?).await?;
    Ok(shown)
}
