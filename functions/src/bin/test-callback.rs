//! `POST /api/v1/test/callback`: sends a tenant's receiver a ping.

use shared::api::registry::callbacks::{PingSent, TestCallback};
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(TestCallback, test)
}

async fn test(app: App, call: Call<TestCallback>) -> Result<PingSent> {
    let pinged = app.tenants().test_callback(&call.query.tenant_id, call.caller.change()).await?;
    Ok(pinged.into())
}
