//! `POST /api/v1/device/refresh-token`: renews a phone's session.

use shared::api::device::{DeviceRefreshToken, RenewedSession};
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(DeviceRefreshToken, refresh)
}

async fn refresh(app: App, call: Call<DeviceRefreshToken>) -> Result<RenewedSession> {
    let (token, until) = call.caller.renew(&app).await?;
    Ok(RenewedSession::new(token, until, call.at))
}
