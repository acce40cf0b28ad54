//! `POST /api/v1/rotate/tenant-secret`: a new secret, shown once; the old one is dead when this answers, or after the
//! overlap.

use shared::api::registry::tenant_outputs::RotatedSecret;
use shared::api::registry::tenants::RotateTenantSecret;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(RotateTenantSecret, rotate)
}

async fn rotate(app: App, call: Call<RotateTenantSecret>) -> Result<RotatedSecret> {
    let tenant_id = call.query.tenant_id;
    let rotated = app.tenants().rotate_secret(&tenant_id, call.body.overlap_seconds, call.caller.change()).await?;
    Ok(RotatedSecret::new(tenant_id, rotated))
}
