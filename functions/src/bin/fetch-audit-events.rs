//! `GET /api/v1/fetch/audit-events`: who changed what about a tenant, or opened the operator's console, newest
//! first, a page at a time.

use shared::api::registry::tenant_outputs::AuditPage;
use shared::api::registry::tenants::FetchAuditEvents;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(FetchAuditEvents, fetch)
}

async fn fetch(app: App, call: Call<FetchAuditEvents>) -> Result<AuditPage> {
    let query = call.query;
    let (of, cursor) = (query.tenant_id.as_ref(), query.cursor.as_ref());
    let page = app.tenants().audit_events(of, query.since, cursor, query.limit).await?;
    Ok(AuditPage::new(page, query.limit))
}
