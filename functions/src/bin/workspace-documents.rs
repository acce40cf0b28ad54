//! `GET /api/v1/workspaces/{id}/documents`: the documents of a workspace that the caller sees, newest first.

use shared::api::account::ListPage;
use shared::api::account::workspaces::ListWorkspaceDocuments;
use shared::domain::Document;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(ListWorkspaceDocuments, list)
}

async fn list(app: App, call: Call<ListWorkspaceDocuments>) -> Result<ListPage<Document>> {
    let resources = call.caller.resources(&app);
    Ok(resources.documents_in(call.query.id.get(), call.query.request()?).await?.into())
}
