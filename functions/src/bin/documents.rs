//! `/api/v1/documents`: stores a document, and lists those that the caller sees.

use shared::api::account::ListPage;
use shared::api::account::documents::{CreateDocument, ListDocuments, ShownDocument};
use shared::domain::Document;
use shared::{App, Call, Exit, Result, on, serve_path};

pub fn main() -> Exit {
    serve_path([on(CreateDocument, create), on(ListDocuments, list)])
}

async fn create(app: App, call: Call<CreateDocument>) -> Result<ShownDocument> {
    let resources = call.caller.resources(&app);
    let (document, markdown_content) =
        call.body.document(resources.new_id(call.at)?, call.caller.external_user_id(), call.at);
    let (document, markdown_content) = resources.create_document(document, markdown_content).await?;
    Ok(ShownDocument { document, markdown_content })
}

async fn list(app: App, call: Call<ListDocuments>) -> Result<ListPage<Document>> {
    let resources = call.caller.resources(&app);
    Ok(resources.documents(call.query.request()?).await?.into())
}
