//! `GET /v1/api/projects/users`: the users that are registered, newest first.

use shared::api::projects::ProjectUsers;
use shared::api::registry::inspection::UsersPage;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(ProjectUsers, list)
}

async fn list(app: App, call: Call<ProjectUsers>) -> Result<UsersPage> {
    let query = call.query;
    let page = call.caller.directory(&app).users(query.cursor.as_ref(), query.limit).await?;
    Ok(UsersPage::new(page, query.limit))
}
