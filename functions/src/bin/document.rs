//! `/api/v1/documents/{id}`: shows and deletes a document.

use shared::api::account::Deleted;
use shared::api::account::documents::{DeleteDocument, GetDocument, ShownDocument};
use shared::{App, Call, Exit, Result, on, serve_methods};

fn main() -> Exit {
    serve_methods([on::<GetDocument, _, _>(get), on::<DeleteDocument, _, _>(delete)])
}

async fn get(app: App, call: Call<GetDocument>) -> Result<ShownDocument> {
    let resources = call.caller.resources(&app, &call.found);
    let (document, markdown_content) = resources.document(call.query.id.get()).await?;
    Ok(ShownDocument { document, markdown_content })
}

async fn delete(app: App, call: Call<DeleteDocument>) -> Result<Deleted> {
    call.caller.resources(&app, &call.found).delete_document(call.query.id.get()).await?;
    Ok(Deleted::DONE)
}
