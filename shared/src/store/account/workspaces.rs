//! Workspaces: which one is the default, and how many documents the viewer sees in each.

use std::collections::{BTreeSet, HashMap, HashSet};

use futures_util::future::{try_join, try_join_all};
use uuid::Uuid;

use super::keys::{self, List, Owner, ResourceKind};
use super::pages::resource_count;
use super::{Resources, Stored};
use crate::domain::{FieldUpdates, OffsetPage, PageRequest, Timestamp, Workspace, WorkspaceView};
use crate::error::{Error, Result};
use crate::store::dynamodb::{Condition, Item, Key, Reader, Transaction, Update, primary_key, text};

/// Which workspace of an owner is the default: an item of its own, so there is never a second one. One that is deleted
/// is the default of nothing, because no id comes back.
const DEFAULT: &str = "default_workspace";

impl Resources<'_> {
    /// Makes a workspace, as the default of its owner if asked for. One call.
    pub async fn create_workspace(self, workspace: Workspace, is_default: bool) -> Result<WorkspaceView> {
        let mut transaction = Transaction::new();
        let counted = self.put_new(&mut transaction, &workspace)?;
        if is_default {
            self.make_default(&mut transaction, &Owner::of(self.viewpoint), workspace.id);
        }
        let (workspace, is_default) = self.commit_creation(transaction, counted, (workspace, is_default)).await?;
        Ok(WorkspaceView { workspace, is_default, document_count: 0 })
    }

    /// A workspace. One call, or two for the account.
    ///
    /// # Errors
    /// If the viewpoint sees no such workspace.
    pub async fn workspace(self, id: Uuid) -> Result<WorkspaceView> {
        let stored = self.get(id).await?;
        self.describe_one(stored).await
    }

    /// A page of the workspaces that the viewpoint sees. Five calls for an end user, three at once and then two.
    ///
    /// # Errors
    /// If the table fails, or what it has can't be read.
    pub async fn workspaces(self, request: PageRequest) -> Result<OffsetPage<WorkspaceView>> {
        let mut page = self.page(List::Of(ResourceKind::Workspace), request).await?;
        let items = self.describe(std::mem::take(&mut page.items)).await?;
        Ok(page.with(items))
    }

    /// Writes fields of a workspace, and whether it is the default, as far as they are given.
    ///
    /// # Errors
    /// If the viewpoint sees no such workspace or may not change it.
    pub async fn change_workspace(
        self,
        id: Uuid,
        changes: &FieldUpdates,
        is_default: Option<bool>,
        at: Timestamp,
    ) -> Result<WorkspaceView> {
        let stored = match is_default {
            Some(true) => self.change_to_default(id, changes, at).await?,
            Some(false) => {
                let stored: Stored<Workspace> = self.write_fields(id, changes, at).await?;
                let update = Update::of(self.default_key(&stored.owner)).remove(DEFAULT);
                let is_this = Condition::new("default_workspace = :id", [(":id", text(id))]);
                self.table.update(update, is_this).await?;
                stored
            }
            None => self.write_fields(id, changes, at).await?,
        };
        self.describe_one(stored).await
    }

    /// Both or nothing: a workspace that is deleted meanwhile must not take the place of the default.
    async fn change_to_default(self, id: Uuid, changes: &FieldUpdates, at: Timestamp) -> Result<Stored<Workspace>> {
        let stored = self.changeable::<Workspace>(id).await?;
        let mut transaction = Transaction::new();
        let update = self.update_of(&stored, &changes.clone().set("updated_at", &at));
        transaction.update(update, Condition::exists());
        self.make_default(&mut transaction, &stored.owner, id);
        match self.commit(transaction).await? {
            None => self.read_again(stored).await,
            Some(_) => Err(Error::ResourceNotFound),
        }
    }

    fn make_default(&self, transaction: &mut Transaction, owner: &Owner, id: Uuid) {
        let update = Update::of(self.default_key(owner)).set(DEFAULT, text(id));
        transaction.update(update, Condition::none());
    }

    /// Deletes a workspace. One call, or two for the account.
    ///
    /// # Errors
    /// If the viewpoint sees no such workspace or may not change it.
    pub async fn delete_workspace(self, id: Uuid) -> Result<()> {
        self.delete::<Workspace>(id).await
    }

    fn default_key(&self, owner: &Owner) -> Key {
        keys::default_workspace(self.tenant(), owner)
    }

    async fn describe_one(self, stored: Stored<Workspace>) -> Result<WorkspaceView> {
        self.describe(vec![stored]).await?.pop().ok_or_else(|| Error::internal("no view of a workspace"))
    }

    /// Workspaces as the viewer sees them. One call, or for several workspaces one for each owner of documents in them,
    /// and one for what is left.
    async fn describe(self, stored: Vec<Stored<Workspace>>) -> Result<Vec<WorkspaceView>> {
        let items = self.about(&stored).await?;
        let items: HashMap<_, Item> = items.into_iter().map(|item| (primary_key(&item), item)).collect();
        let described = |stored: Stored<Workspace>| -> Result<WorkspaceView> {
            let default = items.get(&self.default_key(&stored.owner));
            let default = default.map(|item| Reader::of(item).optional_text(DEFAULT)).transpose()?.flatten();
            let counters = self.counters(stored.resource.id);
            let counts = counters.iter().filter_map(|key| items.get(key)).map(resource_count);
            let document_count = counts.sum::<Result<u64>>()?;
            let is_default = default == Some(stored.resource.id.to_string().as_str());
            Ok(WorkspaceView { workspace: stored.resource, is_default, document_count })
        };
        stored.into_iter().map(described).collect()
    }

    /// Where the documents in a workspace are counted that the viewpoint sees.
    fn counters(self, workspace: Uuid) -> Vec<Key> {
        keys::counters(self.tenant(), self.viewpoint, List::DocumentsIn(workspace))
    }

    /// What there is of these workspaces' counts, and which are the default ones of their owners.
    async fn about(self, stored: &[Stored<Workspace>]) -> Result<Vec<Item>> {
        let owners: HashSet<_> = stored.iter().map(|stored| &stored.owner).collect();
        let defaults = owners.into_iter().map(|owner| self.default_key(owner));
        let (read, mut unread): (Vec<_>, Vec<_>) = defaults.partition(|key| self.prefetched.was_read(key));
        let mut items = Vec::new();
        for key in &read {
            items.extend(self.prefetched.at(key)?.cloned());
        }
        if let [one] = stored {
            unread.extend(self.counters(one.resource.id));
            items.extend(self.table.get_all(&unread).await?);
            return Ok(items);
        }
        let wanted: BTreeSet<_> = stored.iter().map(|one| keys::counter_of_workspace(one.resource.id)).collect();
        let owners = Owner::visible(self.viewpoint, ResourceKind::Document);
        let partitions: Vec<_> =
            owners.iter().map(|owner| keys::documents_in_workspaces(self.tenant(), owner)).collect();
        let counters = try_join_all(partitions.iter().map(|partition| self.table.get_near(partition, &wanted)));
        let (counters, unread) = try_join(counters, self.table.get_all(&unread)).await?;
        items.extend(counters.into_iter().flatten().chain(unread));
        Ok(items)
    }
}
