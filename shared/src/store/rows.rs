//! Rows of the account surface: making, reading, changing and deleting them, always in the caller's view.

use std::fmt;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::expression::{Condition, Update, check, delete, put};
use super::item::{Item, Reader, text};
use super::keys::Key;
use super::prefetch::Prefetched;
use super::row_keys::{self, List, Owner, Part, RowKind};
use super::table::{Commit, Refused, Table};
use crate::domain::{
    AgentSession, Document, FieldUpdates, Message, Random, TenantId, Timestamp, ToolExecution, Viewpoint, Workspace,
    new_row_id,
};
use crate::error::{Error, Result};

/// What attributes of fields begin with: no field's name is then one that DynamoDB reserves.
const FIELD: &str = "field_";

/// In which owner a row is, on its entry in the account's list.
pub const OWNED_BY: &str = "owned_by";

/// What is kept as rows.
pub trait Row: Serialize + DeserializeOwned + Send + Sync {
    const KIND: RowKind;
    fn id(&self) -> Uuid;
}

impl Row for AgentSession {
    const KIND: RowKind = RowKind::AgentSession;

    fn id(&self) -> Uuid {
        self.id
    }
}

impl Row for Message {
    const KIND: RowKind = RowKind::Message;

    fn id(&self) -> Uuid {
        self.id
    }
}

impl Row for ToolExecution {
    const KIND: RowKind = RowKind::ToolExecution;

    fn id(&self) -> Uuid {
        self.id.get()
    }
}

impl Row for Workspace {
    const KIND: RowKind = RowKind::Workspace;

    fn id(&self) -> Uuid {
        self.id
    }
}

impl Row for Document {
    const KIND: RowKind = RowKind::Document;

    fn id(&self) -> Uuid {
        self.id
    }
}

/// A row that the view sees.
#[derive(Debug, Clone)]
pub struct Seen<R> {
    pub row: R,
    pub(super) owner: Owner,
    pub(super) item: Item,
}

/// The rows of a tenant that a view sees and writes. There is no way to one that does not pass through the view.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    pub(crate) table: &'a Table,
    pub(crate) random: &'a dyn Random,
    pub(crate) tenant: &'a TenantId,
    pub(crate) viewpoint: &'a Viewpoint,
    /// What was read together with the credential.
    pub(crate) found: &'a Prefetched,
}

impl fmt::Debug for Rows<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Rows")
    }
}

impl Rows<'_> {
    /// An id for a new row.
    ///
    /// # Errors
    /// If there is no randomness to be had.
    pub fn new_id(self, at: Timestamp) -> Result<Uuid> {
        Ok(new_row_id(self.random, at)?)
    }

    /// A row. No call for an end user, one for the account.
    ///
    /// # Errors
    /// If the view sees no such row.
    pub async fn get<R: Row>(self, id: Uuid) -> Result<Seen<R>> {
        let (owner, item) = match self.owner_of(R::KIND, id)? {
            (owner, Some(item)) => (owner, item.clone()),
            (owner, None) => {
                let key = self.row_key(&owner, R::KIND, id);
                (owner, self.table.get(key).await?.ok_or(Error::RowNotFound)?)
            }
        };
        Ok(Seen { row: read(&item)?, owner, item })
    }

    /// In which owner a row is, and the row if it was read already.
    pub(super) fn owner_of(&self, kind: RowKind, id: Uuid) -> Result<(Owner, Option<&Item>)> {
        for owner in Owner::seen(self.viewpoint, kind) {
            if owner == Owner::Account {
                let entry = self.found.at(&row_keys::entry(self.tenant, &owner, List::Of(kind), id));
                let entry = Reader(entry.ok_or(Error::RowNotFound)?);
                let owned_by = Owner::parse(entry.text(OWNED_BY)?).ok_or_else(|| entry.unreadable(OWNED_BY))?;
                return Ok((owned_by, None));
            }
            if let Some(item) = self.found.at(&self.row_key(&owner, kind, id)) {
                return Ok((owner, Some(item)));
            }
        }
        Err(Error::RowNotFound)
    }

    /// Makes a row. One call.
    pub async fn create<R: Row>(self, row: &R) -> Result<()> {
        self.commit_creation(self.creation(row)?).await
    }

    pub(super) async fn commit_creation(self, writes: Vec<TransactWriteItem>) -> Result<()> {
        self.commit(writes).await?.map_or(Ok(()), |_| Err(Error::internal("the id of a new row is taken")))
    }

    /// Writes some fields of a row, and when that was. One call, or two for the account.
    ///
    /// # Errors
    /// If the view sees no such row or may not change it.
    pub async fn change<R: Row>(self, id: Uuid, changes: &FieldUpdates, at: Timestamp) -> Result<Seen<R>> {
        let seen = self.changeable::<R>(id).await?;
        let changes = changes.clone().set("updated_at", &at);
        // Only a row that is there: nobody's change may bring back what another has just deleted.
        let item = self.write(&seen, &changes, Condition::exists()).await?.ok_or(Error::RowNotFound)?;
        Ok(Seen { row: read(&item)?, item, owner: seen.owner })
    }

    /// A row that the view may change.
    pub(super) async fn changeable<R: Row>(self, id: Uuid) -> Result<Seen<R>> {
        let seen = self.get::<R>(id).await?;
        if seen.owner == Owner::Global && *self.viewpoint != Viewpoint::Account {
            return Err(Error::GlobalRow);
        }
        Ok(seen)
    }

    /// Writes fields of a row; `None` if the condition failed.
    pub(super) async fn write<R: Row>(
        self,
        seen: &Seen<R>,
        changes: &FieldUpdates,
        condition: Condition,
    ) -> Result<Option<Item>> {
        Ok(self.table.update(self.update(seen, changes), condition).await?.done())
    }

    pub(super) fn update<R: Row>(&self, seen: &Seen<R>, changes: &FieldUpdates) -> Update {
        let update = Update::of(self.row_key(&seen.owner, R::KIND, seen.row.id()));
        let write = |update: Update, (name, value): (&str, Option<&Value>)| {
            update.set_or_remove(format_args!("{FIELD}{name}"), value.map(text))
        };
        changes.fields().fold(update, write)
    }

    /// A row as it is now.
    pub(super) async fn read_again<R: Row>(self, seen: Seen<R>) -> Result<Seen<R>> {
        let key = self.row_key(&seen.owner, R::KIND, seen.row.id());
        let item = self.table.get(key).await?.ok_or(Error::RowNotFound)?;
        Ok(Seen { row: read(&item)?, item, owner: seen.owner })
    }

    /// Deletes a row. One call, or two for the account.
    ///
    /// # Errors
    /// If the view sees no such row or may not change it.
    pub async fn delete<R: Row>(self, id: Uuid) -> Result<()> {
        let seen = self.changeable::<R>(id).await?;
        self.commit_deletion(self.deletion(&seen)?).await
    }

    pub(super) fn row_key(&self, owner: &Owner, kind: RowKind, id: Uuid) -> Key {
        row_keys::row(self.tenant, owner, kind, id, Part::Row)
    }

    /// The writes that make a row, in the owner where the view writes.
    pub(super) fn creation<R: Row>(&self, row: &R) -> Result<Vec<TransactWriteItem>> {
        let owner = Owner::of(self.viewpoint);
        let mut writes = vec![self.put_row(&owner, row)?];
        writes.extend(self.enter(&owner, List::Of(R::KIND), row.id())?);
        Ok(writes)
    }

    pub(super) fn put_row<R: Row>(&self, owner: &Owner, row: &R) -> Result<TransactWriteItem> {
        let mut item = self.row_key(owner, R::KIND, row.id());
        item.extend(fields(row)?);
        put(&self.table.name, item, Condition::is_new())
    }

    /// The writes that delete a row, that of the row itself first.
    pub(super) fn deletion<R: Row>(&self, seen: &Seen<R>) -> Result<Vec<TransactWriteItem>> {
        let (owner, id) = (&seen.owner, seen.row.id());
        let mut writes = vec![delete(&self.table.name, self.row_key(owner, R::KIND, id), Condition::exists())?];
        writes.extend(self.leave(owner, List::Of(R::KIND), id)?);
        Ok(writes)
    }

    pub(super) async fn commit_deletion(self, writes: Vec<TransactWriteItem>) -> Result<()> {
        self.commit(writes).await?.map_or(Ok(()), |_| Err(Error::RowNotFound))
    }

    /// That a row is there when a transaction is made.
    pub(super) fn is_there(&self, owner: &Owner, kind: RowKind, id: Uuid) -> Result<TransactWriteItem> {
        check(&self.table.name, self.row_key(owner, kind, id), Condition::exists())
    }

    /// The writes that put a row into a list of its owner, and into the account's.
    pub(super) fn enter(&self, owner: &Owner, list: List, id: Uuid) -> Result<Vec<TransactWriteItem>> {
        let mut account = row_keys::entry(self.tenant, &Owner::Account, list, id);
        account.insert(OWNED_BY.to_owned(), text(owner));
        Ok(vec![
            put(&self.table.name, row_keys::entry(self.tenant, owner, list, id), Condition::is_new())?,
            put(&self.table.name, account, Condition::is_new())?,
            self.count(owner, list, id, 1)?,
            self.count(&Owner::Account, list, id, 1)?,
        ])
    }

    /// The writes that take it out of them.
    pub(super) fn leave(&self, owner: &Owner, list: List, id: Uuid) -> Result<Vec<TransactWriteItem>> {
        let remove = |owner| delete(&self.table.name, row_keys::entry(self.tenant, owner, list, id), Condition::none());
        Ok(vec![
            remove(owner)?,
            remove(&Owner::Account)?,
            self.count(owner, list, id, -1)?,
            self.count(&Owner::Account, list, id, -1)?,
        ])
    }

    fn count(&self, owner: &Owner, list: List, id: Uuid, amount: i32) -> Result<TransactWriteItem> {
        let update = Update::of(row_keys::counter(self.tenant, owner, list, id)).add(ROW_COUNT, amount);
        update.in_transaction(&self.table.name, Condition::none())
    }

    /// Makes all writes or none; `Some` says which condition failed.
    pub(super) async fn commit(self, writes: Vec<TransactWriteItem>) -> Result<Option<Refused>> {
        match self.table.commit(writes).await? {
            Commit::Done => Ok(None),
            Commit::Refused(refused) => Ok(Some(refused)),
        }
    }
}

/// How many entries a list has.
pub const ROW_COUNT: &str = "row_count";

/// A row's fields as attributes, each as JSON. What is null is not there.
fn fields(row: &impl Serialize) -> Result<Vec<(String, AttributeValue)>> {
    let Value::Object(fields) = serde_json::to_value(row).map_err(Error::internal)? else {
        return Err(Error::internal("a row is no object"));
    };
    let present = fields.into_iter().filter(|(_, value)| !value.is_null());
    Ok(present.map(|(name, value)| (format!("{FIELD}{name}"), text(value))).collect())
}

/// A row from its item.
pub fn read<R: Row>(item: &Item) -> Result<R> {
    let mut row = Map::new();
    for (name, value) in item {
        let Some(field) = name.strip_prefix(FIELD) else { continue };
        let value = value.as_s().ok().and_then(|text| serde_json::from_str(text).ok());
        row.insert(field.to_owned(), value.ok_or_else(|| Reader(item).unreadable("field"))?);
    }
    serde_json::from_value(Value::Object(row)).map_err(|_| Reader(item).unreadable("row"))
}
