//! Every five minutes: seals the audit events that are not sealed yet.

use shared::{App, Exit, Result, on_schedule};

pub fn main() -> Exit {
    on_schedule("seal-audit-events", seal)
}

async fn seal(app: App) -> Result<shared::store::Sealed> {
    app.seal_audit_events().await
}
