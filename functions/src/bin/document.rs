//! `/api/v1/documents/{id}`: shows and deletes a document.

use shared::api::account::Deleted;
use shared::api::account::documents::{DeleteDocument, GetDocument, ShownDocument};
use shared::{App, Call, Exit, Result, on, serve_path};

pub fn main() -> Exit {
    serve_path([on(GetDocument, get), on(DeleteDocument, delete)])
}

async fn get(app: App, call: Call<GetDocument>) -> Result<ShownDocument> {
    let resources = call.caller.resources(&app);
    let (document, markdown_content) = resources.document(call.query.id.get()).await?;
    Ok(ShownDocument { document, markdown_content })
}

async fn delete(app: App, call: Call<DeleteDocument>) -> Result<Deleted> {
    call.caller.resources(&app).delete_document(call.query.id.get()).await?;
    Ok(Deleted::DONE)
}
