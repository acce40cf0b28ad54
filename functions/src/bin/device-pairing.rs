//! `POST /api/v1/device/pairing`: what a phone is about to be paired with.

use shared::api::device::{DevicePairing, InvitationView};
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(DevicePairing, look_at)
}

async fn look_at(app: App, call: Call<DevicePairing>) -> Result<InvitationView> {
    Ok(call.caller.look_at(&app, &call.body.handle).await?.into())
}
