//! Documents: their content, and the workspaces that they are in.

use std::collections::HashSet;

use uuid::Uuid;

use super::keys::{self, ItemPart, List, Owner, ResourceKind};
use super::{Resources, Stored};
use crate::domain::{Document, DocumentStatus, Markdown, OffsetPage, PageRequest, Problem, Workspace};
use crate::error::{Error, Result};
use crate::store::dynamodb::{Condition, Item, Key, Reader, Transaction, primary_key, text};

/// The attribute that holds a document's content.
const CONTENT: &str = "markdown_content";

impl Resources<'_> {
    /// Makes a document, in the workspaces that it names. One call.
    ///
    /// # Errors
    /// If the viewpoint doesn't see one of the workspaces.
    pub async fn create_document(
        self,
        document: Document,
        content: Option<Markdown>,
    ) -> Result<(Document, Option<Markdown>)> {
        self.or_earlier(self.created(document, content).await).await
    }

    async fn created(self, document: Document, content: Option<Markdown>) -> Result<(Document, Option<Markdown>)> {
        let (owner, mut transaction) = (Owner::of(self.viewpoint), Transaction::new());
        let unknown = |position: usize| {
            let problem = Problem::new("must be the id of a workspace that the end user sees");
            Error::invalid(format!("workspace_ids[{position}]"), problem)
        };
        let mut workspaces = Vec::new();
        for (position, id) in document.workspace_ids.positions() {
            let (owned_by, _) = self.owner_of(ResourceKind::Workspace, id).map_err(|error| match error {
                Error::ResourceNotFound => unknown(position),
                other => other,
            })?;
            let is_there = self.is_there(&mut transaction, &owned_by, ResourceKind::Workspace, id);
            workspaces.push((position, is_there));
        }
        for id in document.workspace_ids.iter() {
            self.enter(&mut transaction, &owner, List::DocumentsIn(id), document.id);
        }
        let counted = self.put_new(&mut transaction, &document)?;
        if let Some(content) = &content {
            let mut item = self.content_key(&owner, document.id);
            item.insert(CONTENT.to_owned(), text(content.as_str()));
            transaction.put(item, Condition::is_new());
        }
        let refused = match self.commit_once(transaction, (document, content)).await? {
            Ok(made) => return Ok(made),
            Err(refused) => refused,
        };
        let gone = workspaces.into_iter().find(|(_, is_there)| refused.failed(*is_there));
        Err(gone.map_or_else(|| counted.refusal(&refused), |(position, _)| unknown(position)))
    }

    /// A document, and its content if it has any. No call for an end user unless it is in workspaces, two or three for
    /// the account.
    ///
    /// # Errors
    /// If the viewpoint sees no such document.
    pub async fn document(self, id: Uuid) -> Result<(Document, Option<Markdown>)> {
        let stored = self.get(id).await?;
        let content = self.content(&stored).await?;
        let document = self.within_view(vec![stored]).await?.pop();
        Ok((document.ok_or_else(|| Error::internal("no view of a document"))?, content))
    }

    /// A page of the documents that the viewpoint sees, without their content. Two calls, and one for each fifty
    /// different workspaces that they are in.
    ///
    /// # Errors
    /// If the table fails, or what it has can't be read.
    pub async fn documents(self, request: PageRequest) -> Result<OffsetPage<Document>> {
        self.documents_of(List::Of(ResourceKind::Document), request).await
    }

    async fn documents_of(self, list: List, request: PageRequest) -> Result<OffsetPage<Document>> {
        let mut page = self.page(list, request).await?;
        let items = self.within_view(std::mem::take(&mut page.items)).await?;
        Ok(page.with(items))
    }

    async fn content(self, document: &Stored<Document>) -> Result<Option<Markdown>> {
        let key = self.content_key(&document.owner, document.resource.id);
        let item = if self.prefetched.was_read(&key) {
            self.prefetched.at(&key)?.cloned()
        } else if document.is_ready() {
            self.table.get(key).await?
        } else {
            None
        };
        let read = |item: &Item| Reader::of(item).text(CONTENT).map(Markdown::from_stored);
        item.as_ref().map(read).transpose()
    }

    /// The documents in a workspace that the viewpoint sees.
    ///
    /// # Errors
    /// If the viewpoint doesn't see the workspace.
    pub async fn documents_in(self, workspace: Uuid, request: PageRequest) -> Result<OffsetPage<Document>> {
        self.get::<Workspace>(workspace).await?;
        self.documents_of(List::DocumentsIn(workspace), request).await
    }

    /// Documents with only those of their workspaces that are still there and that the viewpoint sees. No call if they
    /// have none.
    async fn within_view(self, mut documents: Vec<Stored<Document>>) -> Result<Vec<Document>> {
        let list = List::Of(ResourceKind::Workspace);
        let entries = |id| -> Vec<Key> {
            let owners = Owner::visible(self.viewpoint, ResourceKind::Workspace);
            owners.iter().map(|owner| keys::entry(self.tenant(), owner, list, id)).collect()
        };
        let ids: HashSet<Uuid> = documents.iter().flat_map(|stored| stored.resource.workspace_ids.iter()).collect();
        let keys = ids.iter().flat_map(|id| entries(*id)).collect();
        let there: HashSet<_> = self.table.get_all(keys).await?.iter().map(primary_key).collect();
        let is_seen = |id| entries(id).iter().any(|key| there.contains(&primary_key(key)));
        for stored in &mut documents {
            stored.resource.workspace_ids = stored.resource.workspace_ids.only(is_seen);
        }
        Ok(documents.into_iter().map(|stored| stored.resource).collect())
    }

    /// Deletes a document, from its workspaces too. One call, or two for the account.
    ///
    /// # Errors
    /// If the viewpoint sees no such document or may not change it.
    pub async fn delete_document(self, id: Uuid) -> Result<()> {
        let stored = self.changeable::<Document>(id).await?;
        let mut transaction = Transaction::new();
        self.delete_stored(&mut transaction, &stored)?;
        transaction.delete(self.content_key(&stored.owner, id), Condition::none());
        // Also from those that are gone: what is left of them are these entries.
        for workspace in stored.resource.workspace_ids.iter() {
            self.leave(&mut transaction, &stored.owner, List::DocumentsIn(workspace), id);
        }
        self.commit_deletion(transaction).await
    }

    fn content_key(&self, owner: &Owner, id: Uuid) -> Key {
        keys::resource(self.tenant(), owner, ResourceKind::Document, id, ItemPart::Content)
    }
}

impl Stored<Document> {
    fn is_ready(&self) -> bool {
        self.resource.status == DocumentStatus::Ready
    }
}
