//! `/api/v1/workspaces`: makes a workspace, and lists those that the caller sees.

use shared::api::account::ListPage;
use shared::api::account::workspaces::{CreateWorkspace, ListWorkspaces};
use shared::domain::WorkspaceView;
use shared::{App, Call, Exit, Result, on, serve_path};

pub fn main() -> Exit {
    serve_path([on(CreateWorkspace, create), on(ListWorkspaces, list)])
}

async fn create(app: App, call: Call<CreateWorkspace>) -> Result<WorkspaceView> {
    let resources = call.caller.resources(&app);
    let is_default = call.body.is_default;
    let workspace = call.body.workspace(resources.new_id(call.at)?, call.caller.external_user_id(), call.at);
    resources.create_workspace(workspace, is_default).await
}

async fn list(app: App, call: Call<ListWorkspaces>) -> Result<ListPage<WorkspaceView>> {
    let resources = call.caller.resources(&app);
    Ok(resources.workspaces(call.query.request()?).await?.into())
}
