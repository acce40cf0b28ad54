//! Documents: their content, and the workspaces that they are in.

use std::collections::HashSet;

use uuid::Uuid;

use super::expression::{Condition, delete, put};
use super::item::{Item, Reader, text};
use super::keys::Key;
use super::resources::{Resources, Stored};
use super::row_keys::{self, ItemPart, List, Owner, ResourceKind};
use super::table::primary_key;
use crate::domain::{Document, DocumentStatus, Markdown, OffsetPage, PageRequest, Problem, Workspace};
use crate::error::{Error, Result};

/// The attribute that holds a document's content.
const CONTENT: &str = "markdown_content";

impl Resources<'_> {
    /// Makes a document, in the workspaces that it names. One call.
    ///
    /// # Errors
    /// If the view doesn't see one of the workspaces.
    pub async fn create_document(self, document: &Document, content: Option<&Markdown>) -> Result<()> {
        let (owner, mut writes) = (Owner::of(self.viewpoint), Vec::new());
        let unknown = |position: usize| {
            let problem = Problem::new("must be the id of a workspace that the end user sees");
            Error::invalid(format!("workspace_ids[{position}]"), problem)
        };
        // First, so that the number of a refused condition is that of the workspace.
        let workspaces: Vec<_> = document.workspace_ids.positions().collect();
        for (position, id) in workspaces.iter().copied() {
            let (owned_by, _) = self.owner_of(ResourceKind::Workspace, id).map_err(|error| match error {
                Error::ResourceNotFound => unknown(position),
                other => other,
            })?;
            writes.push(self.is_there(&owned_by, ResourceKind::Workspace, id)?);
        }
        for id in document.workspace_ids.iter() {
            writes.extend(self.enter(&owner, List::DocumentsIn(id), document.id)?);
        }
        writes.extend(self.creation(document)?);
        if let Some(content) = content {
            let mut item = self.content_key(&owner, document.id);
            item.insert(CONTENT.to_owned(), text(content.as_str()));
            writes.push(put(&self.table.name, item, Condition::is_new())?);
        }
        let Some(refused) = self.commit(writes).await? else { return Ok(()) };
        let mut numbered = workspaces.iter().enumerate();
        let gone = numbered.find_map(|(number, (position, _))| refused.failed(number).then_some(*position));
        Err(gone.map_or_else(|| Error::internal("the id of a new document is taken"), unknown))
    }

    /// A document, and its content if it has any. No call for an end user unless it is in workspaces, two or three for the
    /// account.
    ///
    /// # Errors
    /// If the view sees no such document.
    pub async fn document(self, id: Uuid) -> Result<(Document, Option<Markdown>)> {
        let stored = self.get(id).await?;
        let content = self.content(&stored).await?;
        let document = self.within_view(vec![stored]).await?.pop();
        Ok((document.ok_or_else(|| Error::internal("no view of a document"))?, content))
    }

    /// A page of the documents that the view sees, without their content. Two calls, and one for each fifty different workspaces
    /// that they are in.
    ///
    /// # Errors
    /// As [`Resources::list`].
    pub async fn documents(self, paging: PageRequest) -> Result<OffsetPage<Document>> {
        self.documents_of(List::Of(ResourceKind::Document), paging).await
    }

    async fn documents_of(self, list: List, paging: PageRequest) -> Result<OffsetPage<Document>> {
        let OffsetPage { items, total, paging } = self.page(list, paging).await?;
        Ok(OffsetPage { items: self.within_view(items).await?, total, paging })
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
        let read = |item: &Item| Reader(item).text(CONTENT).map(Markdown::from_stored);
        item.as_ref().map(read).transpose()
    }

    /// The documents in a workspace that the view sees.
    ///
    /// # Errors
    /// If the view doesn't see the workspace.
    pub async fn documents_in(self, workspace: Uuid, paging: PageRequest) -> Result<OffsetPage<Document>> {
        self.get::<Workspace>(workspace).await?;
        self.documents_of(List::DocumentsIn(workspace), paging).await
    }

    /// Documents with only those of their workspaces that are still there and that the view sees. No call if they have none.
    async fn within_view(self, mut documents: Vec<Stored<Document>>) -> Result<Vec<Document>> {
        let list = List::Of(ResourceKind::Workspace);
        let entries = |id| -> Vec<Key> {
            let owners = Owner::visible(self.viewpoint, ResourceKind::Workspace);
            owners.iter().map(|owner| row_keys::entry(self.tenant(), owner, list, id)).collect()
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
    /// If the view sees no such document or may not change it.
    pub async fn delete_document(self, id: Uuid) -> Result<()> {
        let stored = self.changeable::<Document>(id).await?;
        let mut writes = self.deletion(&stored)?;
        writes.push(delete(&self.table.name, self.content_key(&stored.owner, id), Condition::none())?);
        // Also from those that are gone: what is left of them are these entries.
        for workspace in stored.resource.workspace_ids.iter() {
            writes.extend(self.leave(&stored.owner, List::DocumentsIn(workspace), id)?);
        }
        self.commit_deletion(writes).await
    }

    fn content_key(&self, owner: &Owner, id: Uuid) -> Key {
        row_keys::resource(self.tenant(), owner, ResourceKind::Document, id, ItemPart::Content)
    }
}

impl Stored<Document> {
    fn is_ready(&self) -> bool {
        self.resource.status == DocumentStatus::Ready
    }
}
