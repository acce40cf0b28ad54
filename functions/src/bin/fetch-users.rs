//! `GET /api/v1/fetch/users`: the users that a tenant has registered, newest first.

use shared::api::registry::inspection::{FetchUsers, UsersPage};
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(FetchUsers, fetch)
}

async fn fetch(app: App, call: Call<FetchUsers>) -> Result<UsersPage> {
    let query = call.query;
    let page = app.tenants().users(&query.tenant_id, query.cursor.as_ref(), query.limit).await?;
    Ok(UsersPage::new(page, query.limit))
}
