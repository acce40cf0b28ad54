//! Resources of the account surface: making, reading, changing and deleting them, always in the caller's view.

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
use super::row_keys::{self, ItemPart, List, Owner, ResourceKind};
use super::table::{Commit, Refused, Table};
use crate::domain::{
    AgentSession, Document, FieldUpdates, Message, Random, TenantId, Timestamp, ToolExecution, Viewpoint, Workspace,
    new_resource_id,
};
use crate::error::{Error, Result};

/// What attributes of fields begin with: no field's name is then one that DynamoDB reserves.
const FIELD: &str = "field_";

/// In which owner a row is, on its entry in the account's list.
pub const OWNED_BY: &str = "owned_by";

/// What is kept as rows.
pub trait Resource: Serialize + DeserializeOwned + Send + Sync {
    const KIND: ResourceKind;
    fn id(&self) -> Uuid;
}

impl Resource for AgentSession {
    const KIND: ResourceKind = ResourceKind::AgentSession;

    fn id(&self) -> Uuid {
        self.id
    }
}

impl Resource for Message {
    const KIND: ResourceKind = ResourceKind::Message;

    fn id(&self) -> Uuid {
        self.id
    }
}

impl Resource for ToolExecution {
    const KIND: ResourceKind = ResourceKind::ToolExecution;

    fn id(&self) -> Uuid {
        self.id.get()
    }
}

impl Resource for Workspace {
    const KIND: ResourceKind = ResourceKind::Workspace;

    fn id(&self) -> Uuid {
        self.id
    }
}

impl Resource for Document {
    const KIND: ResourceKind = ResourceKind::Document;

    fn id(&self) -> Uuid {
        self.id
    }
}

/// A row that the view sees.
#[derive(Debug, Clone)]
pub struct Stored<R> {
    pub resource: R,
    pub(super) owner: Owner,
    pub(super) item: Item,
}

/// The rows of a tenant that a view sees and writes. There is no way to one that does not pass through the view.
#[derive(Clone, Copy)]
pub struct Resources<'a> {
    pub(crate) table: &'a Table,
    pub(crate) random: &'a dyn Random,
    pub(crate) viewpoint: &'a Viewpoint,
    /// What was read together with the credential.
    pub(crate) prefetched: &'a Prefetched,
}

impl fmt::Debug for Resources<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Resources")
    }
}

impl<'a> Resources<'a> {
    /// Whose resources they are.
    pub(super) fn tenant(&self) -> &'a TenantId {
        self.prefetched.tenant_id()
    }

    /// An id for a new row.
    ///
    /// # Errors
    /// If there is no randomness to be had.
    pub fn new_id(self, at: Timestamp) -> Result<Uuid> {
        Ok(new_resource_id(self.random, at)?)
    }

    /// A row. No call for an end user, one for the account.
    ///
    /// # Errors
    /// If the view sees no such row.
    pub async fn get<R: Resource>(self, id: Uuid) -> Result<Stored<R>> {
        let (owner, item) = match self.owner_of(R::KIND, id)? {
            (owner, Some(item)) => (owner, item.clone()),
            (owner, None) => {
                let key = self.resource_key(&owner, R::KIND, id);
                (owner, self.table.get(key).await?.ok_or(Error::ResourceNotFound)?)
            }
        };
        Ok(Stored { resource: read(&item)?, owner, item })
    }

    /// In which owner a row is, and the row if it was read already.
    pub(super) fn owner_of(&self, kind: ResourceKind, id: Uuid) -> Result<(Owner, Option<&Item>)> {
        for owner in Owner::visible(self.viewpoint, kind) {
            if owner == Owner::Account {
                let entry = self.prefetched.at(&row_keys::entry(self.tenant(), &owner, List::Of(kind), id))?;
                let entry = Reader(entry.ok_or(Error::ResourceNotFound)?);
                let owned_by = Owner::parse(entry.text(OWNED_BY)?).ok_or_else(|| entry.unreadable(OWNED_BY))?;
                return Ok((owned_by, None));
            }
            if let Some(item) = self.prefetched.at(&self.resource_key(&owner, kind, id))? {
                return Ok((owner, Some(item)));
            }
        }
        Err(Error::ResourceNotFound)
    }

    /// Makes a row. One call.
    pub async fn create<R: Resource>(self, row: &R) -> Result<()> {
        self.commit_creation(self.creation(row)?).await
    }

    pub(super) async fn commit_creation(self, writes: Vec<TransactWriteItem>) -> Result<()> {
        self.commit(writes).await?.map_or(Ok(()), |_| Err(Error::internal("the id of a new row is taken")))
    }

    /// Writes some fields of a row, and when that was. One call, or two for the account.
    ///
    /// # Errors
    /// If the view sees no such row or may not change it.
    pub async fn change<R: Resource>(self, id: Uuid, changes: &FieldUpdates, at: Timestamp) -> Result<Stored<R>> {
        let stored = self.changeable::<R>(id).await?;
        let changes = changes.clone().set("updated_at", &at);
        // Only a row that is there: nobody's change may bring back what another has just deleted.
        let item = self.write(&stored, &changes, Condition::exists()).await?.ok_or(Error::ResourceNotFound)?;
        Ok(Stored { resource: read(&item)?, item, owner: stored.owner })
    }

    /// A row that the view may change.
    pub(super) async fn changeable<R: Resource>(self, id: Uuid) -> Result<Stored<R>> {
        let stored = self.get::<R>(id).await?;
        if stored.owner == Owner::Global && *self.viewpoint != Viewpoint::Account {
            return Err(Error::GlobalResource);
        }
        Ok(stored)
    }

    /// Writes fields of a row; `None` if the condition failed.
    pub(super) async fn write<R: Resource>(
        self,
        stored: &Stored<R>,
        changes: &FieldUpdates,
        condition: Condition,
    ) -> Result<Option<Item>> {
        Ok(self.table.update(self.update(stored, changes), condition).await?.done())
    }

    pub(super) fn update<R: Resource>(&self, stored: &Stored<R>, changes: &FieldUpdates) -> Update {
        let update = Update::of(self.resource_key(&stored.owner, R::KIND, stored.resource.id()));
        let write = |update: Update, (name, value): (&str, Option<&Value>)| {
            update.set_or_remove(format_args!("{FIELD}{name}"), value.map(text))
        };
        changes.fields().fold(update, write)
    }

    /// A row as it is now.
    pub(super) async fn read_again<R: Resource>(self, stored: Stored<R>) -> Result<Stored<R>> {
        let key = self.resource_key(&stored.owner, R::KIND, stored.resource.id());
        let item = self.table.get(key).await?.ok_or(Error::ResourceNotFound)?;
        Ok(Stored { resource: read(&item)?, item, owner: stored.owner })
    }

    /// Deletes a row. One call, or two for the account.
    ///
    /// # Errors
    /// If the view sees no such row or may not change it.
    pub async fn delete<R: Resource>(self, id: Uuid) -> Result<()> {
        let stored = self.changeable::<R>(id).await?;
        self.commit_deletion(self.deletion(&stored)?).await
    }

    pub(super) fn resource_key(&self, owner: &Owner, kind: ResourceKind, id: Uuid) -> Key {
        row_keys::resource(self.tenant(), owner, kind, id, ItemPart::Resource)
    }

    /// The writes that make a row, in the owner where the view writes.
    pub(super) fn creation<R: Resource>(&self, row: &R) -> Result<Vec<TransactWriteItem>> {
        let owner = Owner::of(self.viewpoint);
        let mut writes = vec![self.put_resource(&owner, row)?];
        writes.extend(self.enter(&owner, List::Of(R::KIND), row.id())?);
        Ok(writes)
    }

    pub(super) fn put_resource<R: Resource>(&self, owner: &Owner, row: &R) -> Result<TransactWriteItem> {
        let mut item = self.resource_key(owner, R::KIND, row.id());
        item.extend(fields(row)?);
        put(&self.table.name, item, Condition::is_new())
    }

    /// The writes that delete a row, that of the row itself first.
    pub(super) fn deletion<R: Resource>(&self, stored: &Stored<R>) -> Result<Vec<TransactWriteItem>> {
        let (owner, id) = (&stored.owner, stored.resource.id());
        let mut writes = vec![delete(&self.table.name, self.resource_key(owner, R::KIND, id), Condition::exists())?];
        writes.extend(self.leave(owner, List::Of(R::KIND), id)?);
        Ok(writes)
    }

    pub(super) async fn commit_deletion(self, writes: Vec<TransactWriteItem>) -> Result<()> {
        self.commit(writes).await?.map_or(Ok(()), |_| Err(Error::ResourceNotFound))
    }

    /// That a row is there when a transaction is made.
    pub(super) fn is_there(&self, owner: &Owner, kind: ResourceKind, id: Uuid) -> Result<TransactWriteItem> {
        check(&self.table.name, self.resource_key(owner, kind, id), Condition::exists())
    }

    /// The writes that put a row into a list of its owner, and into the account's.
    pub(super) fn enter(&self, owner: &Owner, list: List, id: Uuid) -> Result<Vec<TransactWriteItem>> {
        let mut account = row_keys::entry(self.tenant(), &Owner::Account, list, id);
        account.insert(OWNED_BY.to_owned(), text(owner));
        Ok(vec![
            put(&self.table.name, row_keys::entry(self.tenant(), owner, list, id), Condition::is_new())?,
            put(&self.table.name, account, Condition::is_new())?,
            self.count(owner, list, id, 1)?,
            self.count(&Owner::Account, list, id, 1)?,
        ])
    }

    /// The writes that take it out of them.
    pub(super) fn leave(&self, owner: &Owner, list: List, id: Uuid) -> Result<Vec<TransactWriteItem>> {
        let remove =
            |owner| delete(&self.table.name, row_keys::entry(self.tenant(), owner, list, id), Condition::none());
        Ok(vec![
            remove(owner)?,
            remove(&Owner::Account)?,
            self.count(owner, list, id, -1)?,
            self.count(&Owner::Account, list, id, -1)?,
        ])
    }

    fn count(&self, owner: &Owner, list: List, id: Uuid, amount: i32) -> Result<TransactWriteItem> {
        let update = Update::of(row_keys::counter(self.tenant(), owner, list, id)).add(RESOURCE_COUNT, amount);
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
pub const RESOURCE_COUNT: &str = "resource_count";

/// A row's fields as attributes, each as JSON. What is null is not there.
fn fields(row: &impl Serialize) -> Result<Vec<(String, AttributeValue)>> {
    let Value::Object(fields) = serde_json::to_value(row).map_err(Error::internal)? else {
        return Err(Error::internal("a row is no object"));
    };
    let present = fields.into_iter().filter(|(_, value)| !value.is_null());
    Ok(present.map(|(name, value)| (format!("{FIELD}{name}"), text(value))).collect())
}

/// A row from its item.
pub fn read<R: Resource>(item: &Item) -> Result<R> {
    let mut row = Map::new();
    for (name, value) in item {
        let Some(field) = name.strip_prefix(FIELD) else { continue };
        let value = value.as_s().ok().and_then(|text| serde_json::from_str(text).ok());
        row.insert(field.to_owned(), value.ok_or_else(|| Reader(item).unreadable("field"))?);
    }
    serde_json::from_value(Value::Object(row)).map_err(|_| Reader(item).unreadable("row"))
}
