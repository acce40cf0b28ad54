//! `GET /api/v1/fetch/audit-events`: who changed what about a tenant, newest first, a page at a time.

use shared::api::registry::tenant_outputs::AuditPage;
use shared::api::registry::tenants::FetchAuditEvents;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(FetchAuditEvents, fetch)
}

async fn fetch(app: App, call: Call<FetchAuditEvents>) -> Result<AuditPage> {
    let query = call.query;
    let page = app.tenants().audit_events(&query.tenant_id, query.since, query.cursor.as_ref(), query.limit).await?;
    Ok(AuditPage::new(page, query.limit))
}
