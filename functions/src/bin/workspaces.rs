//! `/api/v1/workspaces`: makes a workspace, and lists those that the caller sees.

use shared::api::account::ListPage;
use shared::api::account::workspaces::{CreateWorkspace, ListWorkspaces};
use shared::domain::WorkspaceView;
use shared::{App, Call, Exit, Result, on, serve_methods};

fn main() -> Exit {
    serve_methods([on::<CreateWorkspace, _, _>(create), on::<ListWorkspaces, _, _>(list)])
}

async fn create(app: App, call: Call<CreateWorkspace>) -> Result<WorkspaceView> {
    let rows = call.caller.rows(&app, &call.found);
    let is_default = call.body.is_default;
    let workspace = call.body.workspace(rows.new_id(call.at)?, call.caller.external_user_id(), call.at);
    rows.create_workspace(workspace, is_default).await
}

async fn list(app: App, call: Call<ListWorkspaces>) -> Result<ListPage<WorkspaceView>> {
    let rows = call.caller.rows(&app, &call.found);
    Ok(rows.workspaces(call.query.paging()).await?.into())
}
