//! `GET /api/v1/tool-executions`: the tool executions that the caller sees, newest first.

use shared::api::account::ListPage;
use shared::api::account::tools::ListToolExecutions;
use shared::domain::ToolExecution;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(ListToolExecutions, list)
}

async fn list(app: App, call: Call<ListToolExecutions>) -> Result<ListPage<ToolExecution>> {
    let resources = call.caller.resources(&app);
    Ok(resources.executions(call.query.request()?).await?.into())
}
