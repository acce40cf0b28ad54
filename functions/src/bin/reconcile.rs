//! Every five minutes: removes what interrupted provisioning left behind, and the messages of deleted sessions.

use shared::{App, Exit, Result, on_schedule};

pub fn main() -> Exit {
    on_schedule("reconcile", reconcile)
}

async fn reconcile(app: App) -> Result<shared::store::Reconciled> {
    app.tenants().reconcile(app.clock()).await
}
