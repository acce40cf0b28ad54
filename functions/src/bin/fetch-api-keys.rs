//! `GET /api/v1/fetch/api-keys`: a tenant's API keys and their state, newest first; never the keys.

use shared::api::registry::api_key_outputs::ApiKeysPage;
use shared::api::registry::api_keys::FetchApiKeys;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(FetchApiKeys, fetch)
}

async fn fetch(app: App, call: Call<FetchApiKeys>) -> Result<ApiKeysPage> {
    let query = call.query;
    let page = app.tenants().api_keys(&query.tenant_id, query.cursor.as_ref(), query.limit).await?;
    Ok(ApiKeysPage::new(page, query.limit, call.at))
}
