//! `POST /api/v1/tools/{tool_id}/execute`: asks for a tool to be run.

use shared::api::account::tools::{AcceptedExecution, ExecuteTool};
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(ExecuteTool, execute)
}

async fn execute(app: App, call: Call<ExecuteTool>) -> Result<AcceptedExecution> {
    let resources = call.caller.resources(&app);
    let (id, user) = (resources.new_id(call.at)?, call.caller.external_user_id());
    let execution = call.body.execution(id, call.query.tool_id, user, call.at);
    let execution = resources.create_execution(execution).await?;
    Ok(AcceptedExecution::new(execution, call.caller.base_url()))
}
