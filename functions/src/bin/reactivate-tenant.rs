//! `POST /api/v1/reactivate/tenant`: undoes a suspension and resets the strikes.

use shared::api::registry::tenant_outputs::Reactivated;
use shared::api::registry::tenants::ReactivateTenant;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(ReactivateTenant, reactivate)
}

async fn reactivate(app: App, call: Call<ReactivateTenant>) -> Result<Reactivated> {
    app.tenants().reactivate(&call.query.tenant_id, call.caller.change()).await?;
    Ok(Reactivated)
}
