//! `/api/v1/console/api-keys`: issues an API key of the session's tenant, shown once, and lists them, never the keys.

use shared::api::console::{CreateConsoleApiKey, ListConsoleApiKeys};
use shared::api::registry::api_key_outputs::{ApiKeysPage, ProvisionedApiKey};
use shared::{App, Call, Exit, Result, on, serve_path};

pub fn main() -> Exit {
    serve_path([on(CreateConsoleApiKey, create), on(ListConsoleApiKeys, list)])
}

async fn create(app: App, call: Call<CreateConsoleApiKey>) -> Result<ProvisionedApiKey> {
    let new = call.body.at(call.at);
    let issued = app.tenants().provision_api_key(call.caller.id(), new, call.caller.change()).await?;
    Ok(issued.into())
}

async fn list(app: App, call: Call<ListConsoleApiKeys>) -> Result<ApiKeysPage> {
    let query = call.query;
    let page = app.tenants().api_keys(call.caller.id(), query.cursor.as_ref(), query.limit).await?;
    Ok(ApiKeysPage::new(page, query.limit, call.at))
}
