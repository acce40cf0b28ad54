//! `/api/v1/tool-executions/{id}`: shows an execution, and takes the reports of whoever runs it.

use shared::api::account::tools::{GetToolExecution, ReportToolExecution};
use shared::domain::ToolExecution;
use shared::{App, Call, Exit, Result, on, serve_path};

pub fn main() -> Exit {
    serve_path([on(GetToolExecution, get), on(ReportToolExecution, report)])
}

async fn get(app: App, call: Call<GetToolExecution>) -> Result<ToolExecution> {
    call.caller.resources(&app).execution(call.query.id.get()).await
}

async fn report(app: App, call: Call<ReportToolExecution>) -> Result<ToolExecution> {
    call.caller.resources(&app).report(call.query.id.get(), &call.body.into(), call.at).await
}
