//! `/api/v1/workspaces/{id}`: shows, changes and deletes a workspace.

use shared::api::account::Deleted;
use shared::api::account::workspaces::{DeleteWorkspace, GetWorkspace, UpdateWorkspace};
use shared::domain::WorkspaceView;
use shared::{App, Call, Exit, Result, on, serve_path};

pub fn main() -> Exit {
    serve_path([on(GetWorkspace, get), on(UpdateWorkspace, update), on(DeleteWorkspace, delete)])
}

async fn get(app: App, call: Call<GetWorkspace>) -> Result<WorkspaceView> {
    call.caller.resources(&app).workspace(call.query.id.get()).await
}

async fn update(app: App, call: Call<UpdateWorkspace>) -> Result<WorkspaceView> {
    let resources = call.caller.resources(&app);
    let (id, body) = (call.query.id.get(), call.body);
    resources.change_workspace(id, &body.updates(), body.is_default, call.at).await
}

async fn delete(app: App, call: Call<DeleteWorkspace>) -> Result<Deleted> {
    call.caller.resources(&app).delete_workspace(call.query.id.get()).await?;
    Ok(Deleted::DONE)
}
