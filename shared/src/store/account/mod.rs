//! Resources of the account surface: making, reading, changing and deleting them, always in the caller's view.

mod documents;
mod executions;
pub(super) mod keys;
mod pages;
mod sessions;
mod workspaces;

pub use keys::{List, ResourceKind};

use std::fmt;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use uuid::Uuid;

use self::keys::Owner;
use super::audit::put_event;
use super::dynamodb::{
    Commit, Condition, Item, Key, NewItem, Reader, Refused, Table, Transaction, Update, Write, number, text,
};
use super::idempotency;
use super::prefetch::Prefetched;
use crate::domain::{
    Action, AgentSession, ChangeContext, Document, FieldUpdates, Message, Person, Random, RowQuotas, TenantId,
    Timestamp, ToolExecution, TraceKey, Viewpoint, Workspace, new_resource_id,
};
use crate::error::{Error, Result};

/// What attributes of fields begin with: no field's name is then one that DynamoDB reserves.
const FIELD: &str = "field_";

/// In which owner a resource is, on its entry in the account's list.
const OWNED_BY: &str = "owned_by";

/// What is kept as resources.
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

/// A resource that the viewpoint sees.
#[derive(Debug, Clone)]
pub struct Stored<R> {
    pub resource: R,
    owner: Owner,
    item: Item,
}

/// The resources of a tenant that a viewpoint sees and writes. There is no way to one that does not pass through the
/// viewpoint.
#[derive(Clone, Copy)]
pub struct Resources<'a> {
    pub(crate) table: &'a Table,
    pub(crate) random: &'a dyn Random,
    pub(crate) viewpoint: &'a Viewpoint,
    /// How many rows of each kind may be kept.
    pub(crate) quotas: RowQuotas,
    /// What was read together with the credential.
    pub(crate) prefetched: &'a Prefetched,
    /// Who changes what is kept, and what the outcome is remembered under.
    pub(crate) change: &'a ChangeContext,
    pub(crate) trace_key: &'a TraceKey,
}

impl fmt::Debug for Resources<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Resources")
    }
}

impl<'a> Resources<'a> {
    /// Whose resources they are.
    fn tenant(&self) -> &'a TenantId {
        self.prefetched.tenant_id()
    }

    /// An id for a new resource.
    ///
    /// # Errors
    /// If there is no randomness to be had.
    pub fn new_id(self, at: Timestamp) -> Result<Uuid> {
        Ok(new_resource_id(self.random, at)?)
    }

    /// A resource. No call for an end user, one for the account.
    ///
    /// # Errors
    /// If the viewpoint sees no such resource.
    async fn get<R: Resource>(self, id: Uuid) -> Result<Stored<R>> {
        let (owner, item) = match self.owner_of(R::KIND, id)? {
            (owner, Some(item)) => (owner, item.clone()),
            (owner, None) => {
                let key = self.resource_key(&owner, List::Of(R::KIND), id);
                (owner, self.table.get(key).await?.ok_or(Error::ResourceNotFound)?)
            }
        };
        Ok(Stored { resource: read(&item)?, owner, item })
    }

    /// Whose a resource is, and the resource if it was read already.
    fn owner_of(&self, kind: ResourceKind, id: Uuid) -> Result<(Owner, Option<&Item>)> {
        for owner in Owner::visible(self.viewpoint, kind) {
            if owner == Owner::Account {
                let entry = self.prefetched.at(&keys::entry(self.tenant(), &owner, List::Of(kind), id))?;
                return Ok((pages::owned_by(entry.ok_or(Error::ResourceNotFound)?)?, None));
            }
            if let Some(item) = self.prefetched.at(&self.resource_key(&owner, List::Of(kind), id))? {
                return Ok((owner, Some(item)));
            }
        }
        Err(Error::ResourceNotFound)
    }

    /// Makes a resource. One call. What is answered is the resource that was made, now or by the same request before.
    async fn create<R: Resource>(self, resource: R) -> Result<R> {
        let mut transaction = Transaction::new();
        let counted = self.put_new(&mut transaction, &resource)?;
        self.commit_creation(transaction, counted, resource).await
    }

    async fn commit_creation<T: Serialize + DeserializeOwned>(
        self,
        transaction: Transaction,
        counted: Counted,
        answer: T,
    ) -> Result<T> {
        let made = self.commit_once(transaction, answer).await?;
        made.map_err(|refused| counted.refusal(&refused))
    }

    /// Commits what makes something, and remembers its answer.
    async fn commit_once<T: Serialize + DeserializeOwned>(
        self,
        transaction: Transaction,
        answer: T,
    ) -> Result<Result<T, Refused>> {
        idempotency::commit(self.table, transaction, self.change.idempotency_key.as_ref(), answer).await
    }

    /// The outcome, unless it is a refusal of a request that was carried out before.
    async fn or_earlier<T: DeserializeOwned>(self, outcome: Result<T>) -> Result<T> {
        idempotency::or_earlier(self.table, self.change.idempotency_key.as_ref(), outcome).await
    }

    /// Writes some fields of a resource, and when that was. One call, or two for the account.
    ///
    /// # Errors
    /// If the viewpoint sees no such resource or may not change it.
    async fn write_fields<R: Resource>(self, id: Uuid, changes: &FieldUpdates, at: Timestamp) -> Result<Stored<R>> {
        let stored = self.changeable::<R>(id).await?;
        let changes = changes.clone().set("updated_at", &at);
        // Only a resource that is there: nobody's change may bring back what another has just deleted.
        let item = self.write(&stored, &changes, Condition::exists()).await?.ok_or(Error::ResourceNotFound)?;
        Ok(Stored { resource: read(&item)?, item, owner: stored.owner })
    }

    /// A resource that the viewpoint may change.
    async fn changeable<R: Resource>(self, id: Uuid) -> Result<Stored<R>> {
        let stored = self.get::<R>(id).await?;
        if stored.owner == Owner::Global && *self.viewpoint != Viewpoint::Account {
            return Err(Error::GlobalResource);
        }
        Ok(stored)
    }

    /// Writes fields of a resource; `None` if the condition failed.
    async fn write<R: Resource>(
        self,
        stored: &Stored<R>,
        changes: &FieldUpdates,
        condition: Condition,
    ) -> Result<Option<Item>> {
        Ok(self.table.update(self.update_of(stored, changes), condition).await?.done())
    }

    fn update_of<R: Resource>(&self, stored: &Stored<R>, changes: &FieldUpdates) -> Update {
        let update = Update::of(self.resource_key(&stored.owner, List::Of(R::KIND), stored.resource.id()));
        let write = |update: Update, (name, value): (&str, Option<&Value>)| {
            update.set_or_remove(format_args!("{FIELD}{name}"), value.map(text))
        };
        changes.fields().fold(update, write)
    }

    /// A resource as it is now.
    async fn read_again<R: Resource>(self, stored: Stored<R>) -> Result<Stored<R>> {
        let key = self.resource_key(&stored.owner, List::Of(R::KIND), stored.resource.id());
        let item = self.table.get(key).await?.ok_or(Error::ResourceNotFound)?;
        Ok(Stored { resource: read(&item)?, item, owner: stored.owner })
    }

    /// Deletes a resource. One call, or two for the account.
    ///
    /// # Errors
    /// If the viewpoint sees no such resource or may not change it.
    async fn delete<R: Resource>(self, id: Uuid) -> Result<()> {
        let stored = self.changeable::<R>(id).await?;
        let mut transaction = Transaction::new();
        self.delete_stored(&mut transaction, &stored)?;
        self.commit_deletion(transaction).await
    }

    fn resource_key(&self, owner: &Owner, list: List, id: Uuid) -> Key {
        keys::resource(self.tenant(), owner, list, id)
    }

    /// Makes a resource, of the owner for whom the viewpoint writes.
    fn put_new<R: Resource>(&self, transaction: &mut Transaction, resource: &R) -> Result<Counted> {
        let (owner, list) = (Owner::of(self.viewpoint), List::Of(R::KIND));
        self.put_resource(transaction, &owner, list, resource)?;
        Ok(self.enter(transaction, &owner, list, resource.id(), &[]))
    }

    fn put_resource<R: Resource>(
        &self,
        transaction: &mut Transaction,
        owner: &Owner,
        list: List,
        resource: &R,
    ) -> Result<Write> {
        let mut item = NewItem::from(self.resource_key(owner, list, resource.id()));
        item.extend(fields(resource)?);
        Ok(transaction.put(item, Condition::is_new()))
    }

    /// Deletes a resource, takes it out of the lists of its kind, and says so in an audit event.
    fn delete_stored<R: Resource>(&self, transaction: &mut Transaction, stored: &Stored<R>) -> Result<()> {
        let (owner, id) = (&stored.owner, stored.resource.id());
        transaction.delete(self.resource_key(owner, List::Of(R::KIND), id), Condition::exists());
        self.leave(transaction, owner, List::Of(R::KIND), id);
        let end_user = self.viewpoint.external_user_id();
        let end_user = end_user.map(|id| self.trace_key.person(self.tenant(), Person::EndUser(id)));
        let event = self.change.event_about(Action::ResourceDeleted, &id).with("kind", R::KIND.name());
        put_event(transaction, self.tenant(), &event.with("end_user", end_user))?;
        Ok(())
    }

    async fn commit_deletion(self, transaction: Transaction) -> Result<()> {
        self.commit(transaction).await?.map_or(Ok(()), |_| Err(Error::ResourceNotFound))
    }

    /// That a resource is there when a transaction is made.
    fn is_there(&self, transaction: &mut Transaction, owner: &Owner, kind: ResourceKind, id: Uuid) -> Write {
        transaction.check(self.resource_key(owner, List::Of(kind), id), Condition::exists())
    }

    /// Puts a resource into a list of its owner, and into the account's, if the quotas have room for it; with what its
    /// entries show.
    fn enter(
        &self,
        transaction: &mut Transaction,
        owner: &Owner,
        list: List,
        id: Uuid,
        shown: &[(String, AttributeValue)],
    ) -> Counted {
        let [own, mut of_account] =
            [owner, &Owner::Account].map(|owner| NewItem::from(keys::entry(self.tenant(), owner, list, id)));
        of_account.insert(OWNED_BY.to_owned(), text(owner));
        for mut entry in [own, of_account] {
            entry.extend(shown.iter().cloned());
            transaction.put(entry, Condition::is_new());
        }
        Counted([owner, &Owner::Account].map(|owner| {
            let room = keys::quota(owner, list, self.quotas).map_or_else(Condition::none, has_room);
            self.count(transaction, owner, list, id, 1, room)
        }))
    }

    /// Takes it out of them.
    fn leave(&self, transaction: &mut Transaction, owner: &Owner, list: List, id: Uuid) {
        for owner in [owner, &Owner::Account] {
            transaction.delete(keys::entry(self.tenant(), owner, list, id), Condition::none());
            self.count(transaction, owner, list, id, -1, Condition::none());
        }
    }

    fn count(
        &self,
        transaction: &mut Transaction,
        owner: &Owner,
        list: List,
        id: Uuid,
        amount: i32,
        condition: Condition,
    ) -> Write {
        let update = Update::of(keys::counter(self.tenant(), owner, list, id)).add(RESOURCE_COUNT, amount);
        transaction.update(update, condition)
    }

    /// Makes all writes or none; `Some` says which condition failed.
    async fn commit(self, transaction: Transaction) -> Result<Option<Refused>> {
        match self.table.commit(transaction).await? {
            Commit::Done => Ok(None),
            Commit::Refused(refused) => Ok(Some(refused)),
        }
    }
}

/// How many entries a list has.
const RESOURCE_COUNT: &str = "resource_count";

/// That a counter is below its quota. It is asked of the counter as the same transaction writes it, so the quota is
/// exact however many write at once.
fn has_room(quota: u32) -> Condition {
    let room = format!("(attribute_not_exists({RESOURCE_COUNT}) OR {RESOURCE_COUNT} < :quota)");
    Condition::new(room, [(":quota", number(quota))])
}

/// The writes that count a new resource, of its owner and of the account.
struct Counted([Write; 2]);

impl Counted {
    /// Why a resource was not made, if nothing but its id and the quotas could be in the way.
    fn refusal(&self, refused: &Refused) -> Error {
        if self.0.iter().any(|write| refused.failed(*write)) {
            Error::QuotaExceeded
        } else {
            Error::internal("the id of a new resource is taken")
        }
    }
}

/// A resource's fields as attributes, each as JSON. What is null is not there.
fn fields(row: &impl Serialize) -> Result<Vec<(String, AttributeValue)>> {
    let Value::Object(fields) = serde_json::to_value(row).map_err(Error::internal)? else {
        return Err(Error::internal("a row is no object"));
    };
    let present = fields.into_iter().filter(|(_, value)| !value.is_null());
    Ok(present.map(|(name, value)| (format!("{FIELD}{name}"), text(value))).collect())
}

/// A resource from its item.
fn read<R: Resource>(item: &Item) -> Result<R> {
    let mut row = Map::new();
    for (name, value) in item.iter() {
        let Some(field) = name.strip_prefix(FIELD) else { continue };
        let value = value.as_s().and_then(|text| serde_json::from_str(text).ok());
        row.insert(field.to_owned(), value.ok_or_else(|| Reader::of(item).unreadable("field"))?);
    }
    serde_json::from_value(Value::Object(row)).map_err(|_| Reader::of(item).unreadable("row"))
}
