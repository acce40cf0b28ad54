//! Workspaces: which one is the default, and how many documents the viewer sees in each.

use std::collections::{HashMap, HashSet};

use aws_sdk_dynamodb::types::TransactWriteItem;
use uuid::Uuid;

use super::expression::{Condition, Update};
use super::item::{Item, Reader, text};
use super::keys::Key;
use super::row_keys::{self, List, Owner, RowKind};
use super::row_lists::row_count;
use super::rows::{Rows, Seen};
use super::table::place;
use crate::domain::{FieldUpdates, OffsetPage, PageRequest, Timestamp, Workspace, WorkspaceView};
use crate::error::{Error, Result};

/// Which workspace of a owner is the default: an item of its own, so there is never a second one. One that is deleted is the
/// default of nothing, because no id comes back.
const DEFAULT: &str = "default_row";

impl Rows<'_> {
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
        let seen = self.get(id).await?;
        self.view_one(seen).await
    }

    /// A page of the workspaces that the view sees. Three calls.
    ///
    /// # Errors
    /// As [`Rows::list`].
    pub async fn workspaces(self, paging: PageRequest) -> Result<OffsetPage<WorkspaceView>> {
        let OffsetPage { items, total, paging } = self.page(List::Of(RowKind::Workspace), paging).await?;
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
        let seen = match is_default {
            Some(true) => self.change_to_default(id, changes, at).await?,
            Some(false) => {
                let seen: Seen<Workspace> = self.change(id, changes, at).await?;
                let update = Update::of(self.default_key(&seen.owner)).remove(DEFAULT);
                let is_this = Condition::new("default_row = :id", [(":id", text(id))]);
                self.table.update(update, is_this).await?;
                seen
            }
            None => self.change(id, changes, at).await?,
        };
        self.view_one(seen).await
    }

    /// Both or nothing: a workspace that is deleted meanwhile must not take the place of the default.
    async fn change_to_default(self, id: Uuid, changes: &FieldUpdates, at: Timestamp) -> Result<Seen<Workspace>> {
        let seen = self.changeable::<Workspace>(id).await?;
        let update = self.update(&seen, &changes.clone().set("updated_at", &at));
        let writes =
            vec![update.in_transaction(&self.table.name, Condition::exists())?, self.make_default(&seen.owner, id)?];
        match self.commit(writes).await? {
            None => self.read_again(seen).await,
            Some(_) => Err(Error::RowNotFound),
        }
    }

    fn make_default(&self, owner: &Owner, id: Uuid) -> Result<TransactWriteItem> {
        let update = Update::of(self.default_key(owner)).set(DEFAULT, text(id));
        update.in_transaction(&self.table.name, Condition::none())
    }

    fn default_key(&self, owner: &Owner) -> Key {
        row_keys::default_workspace(self.tenant, owner)
    }

    async fn view_one(self, seen: Seen<Workspace>) -> Result<WorkspaceView> {
        self.view(vec![seen]).await?.pop().ok_or_else(|| Error::internal("no view of a workspace"))
    }

    /// Workspaces as the viewer sees them. One call, or two or three for many.
    async fn view(self, seen: Vec<Seen<Workspace>>) -> Result<Vec<WorkspaceView>> {
        let counters = |id| row_keys::counters(self.tenant, self.viewpoint, List::DocumentsIn(id));
        let owners: HashSet<_> = seen.iter().map(|seen| &seen.owner).collect();
        let keys = owners.into_iter().map(|owner| self.default_key(owner));
        let keys = keys.chain(seen.iter().flat_map(|seen| counters(seen.row.id)));
        let items = self.table.get_all(keys.collect()).await?;
        let items: HashMap<_, Item> = items.into_iter().map(|item| (place(&item), item)).collect();
        let view = |seen: Seen<Workspace>| -> Result<WorkspaceView> {
            let default = items.get(&place(&self.default_key(&seen.owner)));
            let default = default.map(|item| Reader(item).optional_text(DEFAULT)).transpose()?.flatten();
            let counters = counters(seen.row.id);
            let counts = counters.iter().filter_map(|key| items.get(&place(key))).map(row_count);
            let document_count = counts.sum::<Result<u64>>()?;
            let is_default = default == Some(seen.row.id.to_string().as_str());
            Ok(WorkspaceView { workspace: seen.row, is_default, document_count })
        };
        seen.into_iter().map(view).collect()
    }
}
