//! Documents: their content, and the workspaces that they are in.

use std::collections::{BTreeSet, HashSet};

use uuid::Uuid;

use super::keys::{self, ItemPart, List, Owner, ResourceKind};
use super::{Resources, Stored, fields};
use crate::domain::{Document, DocumentStatus, Markdown, OffsetPage, PageRequest, Problem, Workspace};
use crate::error::{Error, Result};
use crate::store::dynamodb::{Condition, Item, Key, NewItem, Reader, Transaction, primary_key, text};

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
        let shown = fields(&document)?;
        for id in document.workspace_ids.iter() {
            self.enter(&mut transaction, &owner, List::DocumentsIn(id), document.id, &shown);
        }
        let counted = self.put_new(&mut transaction, &document)?;
        if let Some(content) = &content {
            let mut item = NewItem::from(self.content_key(&owner, document.id));
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

    /// A page of the documents that the viewpoint sees, without their content. Three calls, and if they are in
    /// workspaces one to four more.
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
        let ids: BTreeSet<Uuid> = documents.iter().flat_map(|stored| stored.resource.workspace_ids.iter()).collect();
        let there = if documents.len() == 1 { self.there(&ids).await? } else { self.there_among(ids).await? };
        for stored in &mut documents {
            stored.resource.workspace_ids = stored.resource.workspace_ids.only(|id| there.contains(&id.to_string()));
        }
        Ok(documents.into_iter().map(|stored| stored.resource).collect())
    }

    /// Which of these workspaces are there. One call.
    async fn there(self, ids: &BTreeSet<Uuid>) -> Result<HashSet<String>> {
        let owners = Owner::visible(self.viewpoint, ResourceKind::Workspace);
        let entry = |owner, id| keys::entry(self.tenant(), owner, List::Of(ResourceKind::Workspace), id);
        let keys = owners.iter().flat_map(|owner| ids.iter().map(move |id| entry(owner, *id)));
        let entries = self.table.get_all(&keys.collect::<Vec<_>>()).await?;
        Ok(entries.iter().map(|entry| primary_key(entry).sort).collect())
    }

    /// Which of many workspaces are there: those of the documents of a page, which an end user has for the most part
    /// made one after the other. One call, and one more for each owner and for those that lie far apart.
    async fn there_among(self, ids: BTreeSet<Uuid>) -> Result<HashSet<String>> {
        let mut wanted: BTreeSet<_> = ids.iter().map(Uuid::to_string).collect();
        let mut there = HashSet::new();
        for owner in Owner::visible(self.viewpoint, ResourceKind::Workspace) {
            let list = keys::partition_of_list(self.tenant(), &owner, List::Of(ResourceKind::Workspace));
            for entry in self.table.get_near(&list, &wanted).await? {
                let id = primary_key(&entry).sort;
                wanted.remove(&id);
                there.insert(id);
            }
        }
        Ok(there)
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
        keys::part(self.tenant(), owner, ResourceKind::Document, id, ItemPart::Content)
    }
}

impl Stored<Document> {
    fn is_ready(&self) -> bool {
        self.resource.status == DocumentStatus::Ready
    }
}
