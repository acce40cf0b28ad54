//! `POST /api/v1/relay/revoke/device`: ends the pairing of a device.

use shared::api::device::RemovedDevice;
use shared::api::relay::pairing::RelayRevokeDevice;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(RelayRevokeDevice, revoke)
}

async fn revoke(app: App, call: Call<RelayRevokeDevice>) -> Result<RemovedDevice> {
    let (caller, of) = (&call.caller, call.body.person_ref()?);
    Ok(caller.devices(&app).remove(&of, &call.body.device_id, caller.change()).await?.into())
}
