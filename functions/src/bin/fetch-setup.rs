//! `GET /api/v1/fetch/setup`: what a tenant's set-up shows, from what the system has seen.

use shared::api::registry::setup::{FetchSetup, SetupView};
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(FetchSetup, fetch)
}

async fn fetch(app: App, call: Call<FetchSetup>) -> Result<SetupView> {
    Ok(app.setup(&call.query.tenant_id).await?.into())
}
