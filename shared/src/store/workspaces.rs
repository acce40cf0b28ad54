//! Workspaces: which one is the default, and how many documents the viewer sees in each.

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::types::TransactWriteItem;
use uuid::Uuid;

use super::expression::{Condition, Update};
use super::item::{Item, Reader, text};
use super::keys::Key;
use super::resources::{Resources, Stored};
use super::row_keys::{self, List, Owner, ResourceKind};
use super::row_lists::resource_count;
use super::table::primary_key;
use crate::domain::{FieldUpdates, OffsetPage, PageRequest, Timestamp, Workspace, WorkspaceView};
use crate::error::{Error, Result};

/// Which workspace of a owner is the default: an item of its own, so there is never a second one. One that is deleted is the
/// default of nothing, because no id comes back.
const DEFAULT: &str = "default_workspace";

impl Resources<'_> {
    /// Makes a workspace, as the default of its owner if asked for. One call.
    pub async fn create_workspace(self, workspace: Workspace, is_default: bool) -> Result<WorkspaceView> {
        let mut writes = self.creation(&workspace)?;
        if is_default {
            writes.push(self.make_default(&Owner::of(self.viewpoint), workspace.id)?);
        }
        self.commit_creation(writes).await?;
        Ok(WorkspaceView { workspace, is_default, document_count: 0 })
    }

    /// A workspace. One call, or two for the account.
    ///
    /// # Errors
    /// If the view sees no such workspace.
    pub async fn workspace(self, id: Uuid) -> Result<WorkspaceView> {
        let stored = self.get(id).await?;
        self.view_one(stored).await
    }

    /// A page of the workspaces that the view sees. Three calls.
    ///
    /// # Errors
    /// As [`Resources::list`].
    pub async fn workspaces(self, paging: PageRequest) -> Result<OffsetPage<WorkspaceView>> {
        let OffsetPage { items, total, paging } = self.page(List::Of(ResourceKind::Workspace), paging).await?;
        Ok(OffsetPage { items: self.view(items).await?, total, paging })
    }

    /// Writes fields of a workspace, and whether it is the default, as far as they are given.
    ///
    /// # Errors
    /// If the view sees no such workspace or may not change it.
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
                let stored: Stored<Workspace> = self.change(id, changes, at).await?;
                let update = Update::of(self.default_key(&stored.owner)).remove(DEFAULT);
                let is_this = Condition::new("default_workspace = :id", [(":id", text(id))]);
                self.table.update(update, is_this).await?;
                stored
            }
            None => self.change(id, changes, at).await?,
        };
        self.view_one(stored).await
    }

    /// Both or nothing: a workspace that is deleted meanwhile must not take the place of the default.
    async fn change_to_default(self, id: Uuid, changes: &FieldUpdates, at: Timestamp) -> Result<Stored<Workspace>> {
        let stored = self.changeable::<Workspace>(id).await?;
        let update = self.update(&stored, &changes.clone().set("updated_at", &at));
        let writes =
            vec![update.in_transaction(&self.table.name, Condition::exists())?, self.make_default(&stored.owner, id)?];
        match self.commit(writes).await? {
            None => self.read_again(stored).await,
            Some(_) => Err(Error::ResourceNotFound),
        }
    }

    fn make_default(&self, owner: &Owner, id: Uuid) -> Result<TransactWriteItem> {
        let update = Update::of(self.default_key(owner)).set(DEFAULT, text(id));
        update.in_transaction(&self.table.name, Condition::none())
    }

    fn default_key(&self, owner: &Owner) -> Key {
        row_keys::default_workspace(self.tenant(), owner)
    }

    async fn view_one(self, stored: Stored<Workspace>) -> Result<WorkspaceView> {
        self.view(vec![stored]).await?.pop().ok_or_else(|| Error::internal("no view of a workspace"))
    }

    /// Workspaces as the viewer sees them. One call, or two or three for many.
    async fn view(self, stored: Vec<Stored<Workspace>>) -> Result<Vec<WorkspaceView>> {
        let counters = |id| row_keys::counters(self.tenant(), self.viewpoint, List::DocumentsIn(id));
        let owners: HashSet<_> = stored.iter().map(|stored| &stored.owner).collect();
        let keys = owners.into_iter().map(|owner| self.default_key(owner));
        let keys = keys.chain(stored.iter().flat_map(|stored| counters(stored.resource.id)));
        let items = self.table.get_all(keys.collect()).await?;
        let items: HashMap<_, Item> = items.into_iter().map(|item| (primary_key(&item), item)).collect();
        let view = |stored: Stored<Workspace>| -> Result<WorkspaceView> {
            let default = items.get(&primary_key(&self.default_key(&stored.owner)));
            let default = default.map(|item| Reader(item).optional_text(DEFAULT)).transpose()?.flatten();
            let counters = counters(stored.resource.id);
            let counts = counters.iter().filter_map(|key| items.get(&primary_key(key))).map(resource_count);
            let document_count = counts.sum::<Result<u64>>()?;
            let is_default = default == Some(stored.resource.id.to_string().as_str());
            Ok(WorkspaceView { workspace: stored.resource, is_default, document_count })
        };
        stored.into_iter().map(view).collect()
    }
}
