//! `POST /api/v1/console/rotate-tenant-secret`: a new secret for the session's tenant, shown once; the old one is dead
//! when this answers, or after the overlap.

use shared::api::console::ConsoleRotateTenantSecret;
use shared::api::registry::tenant_outputs::RotatedSecret;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(ConsoleRotateTenantSecret, rotate)
}

async fn rotate(app: App, call: Call<ConsoleRotateTenantSecret>) -> Result<RotatedSecret> {
    let (caller, overlap) = (call.caller, call.body.overlap_seconds);
    let rotated = app.tenants().rotate_secret(caller.id(), overlap, caller.change()).await?;
    Ok(RotatedSecret::new(caller.id().clone(), rotated))
}
