//! `GET /api/v1/console/users`: the users that the session's tenant has registered, newest first.

use shared::api::console::ConsoleUsers;
use shared::api::registry::inspection::UsersPage;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(ConsoleUsers, fetch)
}

async fn fetch(app: App, call: Call<ConsoleUsers>) -> Result<UsersPage> {
    let query = call.query;
    let page = app.tenants().users(call.caller.id(), query.cursor.as_ref(), query.limit).await?;
    Ok(UsersPage::new(page, query.limit))
}
