//! Workspaces: which one is the default, and how many documents the viewer sees in each.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::expression::{Condition, Update};
use super::item::{Item, Reader, text};
use super::keys::Key;
use super::row_keys::{self, List, RowKind, Space};
use super::row_lists::row_count;
use super::rows::{Rows, Seen};
use super::table::place;
use crate::domain::{Changes, Listing, Paging, Timestamp, Workspace};
use crate::error::{Error, Result};

/// On the counter of the workspaces of one space: which of them is the default. So there is never a second one.
const DEFAULT: &str = "default_row";

const WORKSPACES: List = List::Of(RowKind::Workspace);

/// A workspace as somebody sees it.
#[derive(Debug, Clone)]
pub struct WorkspaceView {
    pub workspace: Workspace,
    /// Whether it is the default of its owner.
    pub is_default: bool,
    /// How many of the documents in it the viewer sees.
    pub document_count: u64,
}

impl Rows<'_> {
    /// Makes a workspace. One call; a second, if it is to be the default of its space.
    pub async fn create_workspace(self, workspace: &Workspace, is_default: bool) -> Result<WorkspaceView> {
        self.create(workspace).await?;
        let space = Space::of(self.view);
        if is_default {
            self.set_default(&space, workspace.id).await?;
        }
        Ok(WorkspaceView { workspace: workspace.clone(), is_default, document_count: 0 })
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
    pub async fn workspaces(self, paging: Paging) -> Result<Listing<WorkspaceView>> {
        let Listing { items, total, paging } = self.page(WORKSPACES, paging).await?;
        Ok(Listing { items: self.view(items).await?, total, paging })
    }

    /// Writes fields of a workspace, and whether it is the default, as far as they are given.
    ///
    /// # Errors
    /// If the view sees no such workspace or may not change it.
    pub async fn change_workspace(
        self,
        id: Uuid,
        changes: &Changes,
        is_default: Option<bool>,
        at: Timestamp,
    ) -> Result<WorkspaceView> {
        let seen: Seen<Workspace> = self.change(id, changes, at).await?;
        match is_default {
            Some(true) => self.set_default(&seen.space, id).await?,
            Some(false) => self.unset_default(&seen.space, id).await?,
            None => {}
        }
        self.view_one(seen).await
    }

    // A workspace that is deleted needs no such write: no id comes back.
    async fn unset_default(self, space: &Space, id: Uuid) -> Result<()> {
        let update = Update::of(self.default_key(space)).remove(DEFAULT);
        let is_this = Condition::new("default_row = :id", [(":id", text(id))]);
        self.table.update(update, is_this).await.map(|_| ())
    }

    // The counter is there, as it counts this workspace.
    async fn set_default(self, space: &Space, id: Uuid) -> Result<()> {
        let update = Update::of(self.default_key(space)).set(DEFAULT, text(id));
        self.table.update(update, Condition::exists()).await.map(|_| ())
    }

    fn default_key(&self, space: &Space) -> Key {
        row_keys::only_counter(self.tenant, space, WORKSPACES)
    }

    async fn view_one(self, seen: Seen<Workspace>) -> Result<WorkspaceView> {
        self.view(vec![seen]).await?.pop().ok_or_else(|| Error::internal("no view of a workspace"))
    }

    /// Workspaces as the viewer sees them. One call, or two or three for many.
    async fn view(self, seen: Vec<Seen<Workspace>>) -> Result<Vec<WorkspaceView>> {
        let counters = |id| row_keys::counters(self.tenant, self.view, &List::DocumentsIn(id));
        let spaces: HashSet<_> = seen.iter().map(|seen| &seen.space).collect();
        let keys = spaces.into_iter().map(|space| self.default_key(space));
        let keys = keys.chain(seen.iter().flat_map(|seen| counters(seen.row.id)));
        let items = self.table.get_all(keys.collect()).await?;
        let items: HashMap<_, Item> = items.into_iter().map(|item| (place(&item), item)).collect();
        let view = |seen: Seen<Workspace>| -> Result<WorkspaceView> {
            let default = items.get(&place(&self.default_key(&seen.space)));
            let default = default.map(|item| Reader(item).optional_text(DEFAULT)).transpose()?.flatten();
            let counts = counters(seen.row.id)
                .iter()
                .filter_map(|key| items.get(&place(key)))
                .map(row_count)
                .sum::<Result<u64>>()?;
            let is_default = default == Some(seen.row.id.to_string().as_str());
            Ok(WorkspaceView { workspace: seen.row, is_default, document_count: counts })
        };
        seen.into_iter().map(view).collect()
    }
}
