//! `POST /api/v1/provision/console-link`: a link of one use, to a tenant's console or to the operator's.

use shared::api::registry::console::{ProvisionConsoleLink, ProvisionedConsoleLink};
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(ProvisionConsoleLink, provision)
}

async fn provision(app: App, call: Call<ProvisionConsoleLink>) -> Result<ProvisionedConsoleLink> {
    let (party, key) = call.caller.console_link(call.query.tenant_id)?;
    let address = call.caller.console_address(&app, &party);
    let issued = app.tenants().provision_console_link(party, call.body.label, key, call.caller.change()).await?;
    Ok(ProvisionedConsoleLink::new(issued, address.as_deref()))
}
