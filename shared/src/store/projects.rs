//! Organizations, users and registered tenants: registering them, and noting that tokens were issued for them.

use std::fmt;

use aws_sdk_dynamodb::types::{Delete, TransactWriteItem};
use uuid::Uuid;

use super::entries::{self, Attribute, DirectoryRecord};
use super::expression::{Condition, Update, put};
use super::item::{millis, number, text, time_to_live};
use super::keys::{self, Key, Kind, LISTING_ORDER, TENANT_LISTING};
use super::prefetch::{Prefetched, Read};
use super::table::{ATTEMPTS, Commit, Table};
use crate::domain::{
    Day, ExternalId, Handle, Organization, OrganizationFields, Random, Reference, RegisteredKey, RegisteredTenant,
    TenantId, Timestamp, User, UserFields, Viewpoint, random_uuid,
};
use crate::error::{Error, Result};

/// What a tenant has registered.
#[derive(Clone, Copy)]
pub struct Projects<'a> {
    pub(crate) table: &'a Table,
    pub(crate) random: &'a dyn Random,
    /// Whose.
    pub(crate) tenant: &'a TenantId,
}

impl fmt::Debug for Projects<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Projects")
    }
}

/// The names under which an entry may be registered already.
pub fn names(id: Option<Uuid>, external_id: Option<&ExternalId>) -> impl Iterator<Item = Handle> {
    let external_id = external_id.cloned().map(Handle::External);
    id.map(Handle::Uuid).into_iter().chain(external_id)
}

impl Projects<'_> {
    /// Registers an organization, or registers it again with what is different: by its uuid, or else by its external id.
    ///
    /// # Errors
    /// If uuid and external id are of two different ones.
    pub async fn register_organization(
        self,
        mut seen: Prefetched,
        entry: OrganizationFields,
        now: Timestamp,
    ) -> Result<Organization> {
        for _ in 0..ATTEMPTS {
            let before = existing(entry.id, entry.external_id.as_ref(), |handle| seen.organization(handle))?;
            let after = match &before {
                None => Organization::new(self.id(entry.id)?, entry.clone(), now),
                Some(before) => match before.changed(entry.clone(), now) {
                    Some(after) => after,
                    None => return Ok(before.clone()),
                },
            };
            if self.write(before.as_ref(), &after).await? {
                return Ok(after);
            }
            let names = names(entry.id, entry.external_id.as_ref());
            seen = self
                .table
                .prefetch(self.tenant, &Viewpoint::Account, &names.map(Read::Organization).collect::<Vec<_>>())
                .await?;
        }
        Err(Error::StaleUpdate)
    }

    /// Registers a user of an organization, or registers it again with what is different: by its uuid, or else by its external
    /// id.
    ///
    /// # Errors
    /// If there is no such organization, if uuid and external id are of two different users, or if a token could not carry
    /// the properties of both.
    pub async fn register_user(self, mut seen: Prefetched, entry: UserFields, now: Timestamp) -> Result<User> {
        let organization = seen.organization_of(&entry.organization)?.ok_or(Error::OrganizationNotFound)?;
        organization.properties.overlaid_with(&entry.properties).ok_or(Error::PropertiesTooLarge)?;
        for _ in 0..ATTEMPTS {
            let before = existing(entry.id, entry.external_id.as_ref(), |handle| seen.user(handle))?;
            let after = match &before {
                None => User::new(self.id(entry.id)?, organization.id, entry.clone(), now),
                Some(before) => match before.changed(organization.id, entry.clone(), now) {
                    Some(after) => after,
                    None => return Ok(before.clone()),
                },
            };
            if self.write(before.as_ref(), &after).await? {
                return Ok(after);
            }
            let names = names(entry.id, entry.external_id.as_ref());
            seen = self
                .table
                .prefetch(self.tenant, &Viewpoint::Account, &names.map(Read::User).collect::<Vec<_>>())
                .await?;
        }
        Err(Error::StaleUpdate)
    }

    /// The user that a reference means, and its organization, which has to be the one that is named if one is. `seen` has
    /// whatever both references can mean. One call if no organization is named and the user was found in another one last, or
    /// never: which one it is is known only then.
    ///
    /// # Errors
    /// [`Error::UserNotFound`], whichever of the two there isn't: who asks is not told of what others have.
    pub async fn member(
        self,
        seen: &Prefetched,
        user: &Reference,
        organization: Option<&Reference>,
    ) -> Result<(User, Organization)> {
        let found = seen.user_of(user)?.ok_or(Error::UserNotFound)?;
        let organization = match organization {
            Some(reference) => seen.organization_of(reference)?,
            None => self.home(seen, user, found.organization_id).await?,
        };
        let organization = organization.filter(|organization| organization.id == found.organization_id);
        Ok((found, organization.ok_or(Error::UserNotFound)?))
    }

    /// The organization of a user that was asked for without it.
    async fn home(self, seen: &Prefetched, user: &Reference, id: Uuid) -> Result<Option<Organization>> {
        let home = Handle::Uuid(id);
        if let Some(organization) = seen.organization(&home)? {
            return Ok(Some(organization));
        }
        let organization = self
            .table
            .prefetch(self.tenant, &Viewpoint::Account, &[Read::Organization(home.clone())])
            .await?
            .organization(&home)?;
        if organization.is_some() {
            user.meanings().for_each(|meaning| self.table.organization_hints.remember(self.tenant, meaning, id));
        }
        Ok(organization)
    }

    fn id(self, given: Option<Uuid>) -> Result<Uuid> {
        Ok(given.map_or_else(|| random_uuid(self.random), Ok)?)
    }

    /// Writes an entry under its names, if it is still as `before`. `false` if it isn't.
    async fn write<E: DirectoryRecord>(self, before: Option<&E>, after: &E) -> Result<bool> {
        let writes = match before {
            None => self.creation(after)?,
            Some(before) => self.change(before, after)?,
        };
        Ok(matches!(self.table.commit(writes).await?, Commit::Done))
    }

    fn place<E: DirectoryRecord>(self, handle: &Handle) -> Key {
        keys::named(self.tenant, E::KIND, handle)
    }

    /// The item under the external id: all that the one under the uuid has, but its place in the list.
    fn copy<E: DirectoryRecord>(self, entry: &E, external_id: &ExternalId) -> Result<TransactWriteItem> {
        let mut item = self.place::<E>(&Handle::External(external_id.clone()));
        item.extend(entries::new(entry));
        put(&self.table.name, item, Condition::is_new())
    }

    fn creation<E: DirectoryRecord>(self, entry: &E) -> Result<Vec<TransactWriteItem>> {
        let mut item = self.place::<E>(&Handle::Uuid(entry.id()));
        item.extend(entries::new(entry));
        item.insert(TENANT_LISTING.to_owned(), text(keys::listing(self.tenant, E::KIND)));
        item.insert(LISTING_ORDER.to_owned(), text(keys::listed(entry.record().created_at, entry.id())));
        let mut writes = vec![put(&self.table.name, item, Condition::is_new())?];
        if let Some(external_id) = entry.external_id() {
            writes.push(self.copy(entry, external_id)?);
        }
        Ok(writes)
    }

    fn change<E: DirectoryRecord>(self, before: &E, after: &E) -> Result<Vec<TransactWriteItem>> {
        let table = &self.table.name;
        // With the epoch, because a revocation counts without being a change: a copy that is made anew must not forget it.
        let record = before.record();
        let unchanged = || {
            let as_read = [(":before", number(record.revision)), (":epoch", number(record.epoch))];
            Condition::new("revision = :before AND epoch = :epoch", as_read)
        };
        let update = |handle: &Handle| {
            set_all(Update::of(self.place::<E>(handle)), entries::written(after)).in_transaction(table, unchanged())
        };
        let mut writes = vec![update(&Handle::Uuid(after.id()))?];
        match (before.external_id(), after.external_id()) {
            (Some(old), Some(new)) if old == new => writes.push(update(&Handle::External(new.clone()))?),
            (old, new) => {
                writes.extend(new.map(|new| self.copy(after, new)).transpose()?);
                let gone = old.map(|old| delete(table, self.place::<E>(&Handle::External(old.clone())), before));
                writes.extend(gone.transpose()?);
            }
        }
        Ok(writes)
    }

    /// Notes that a token was issued for a user on that day, under both of its names. It decides nothing, so that it can't be
    /// noted refuses nothing.
    pub async fn note_token(self, user: &User, day: &Day) {
        if user.last_token_on.as_ref() == Some(day) {
            return;
        }
        let note = |handle: Handle| {
            let due = Condition::new(
                "attribute_exists(pk) AND (attribute_not_exists(last_token_on) OR last_token_on < :today)",
                [(":today", text(day))],
            );
            Update::of(self.place::<User>(&handle))
                .set("last_token_on", text(day))
                .in_transaction(&self.table.name, due)
        };
        let names = names(Some(user.id), user.external_id.as_ref());
        if let Ok(writes) = names.map(note).collect::<Result<Vec<_>>>() {
            let _: Result<Commit> = self.table.commit(writes).await;
        }
    }

    /// Registers a tenant of the older kind, or registers it again with what is different. Nothing is written when nothing is,
    /// and a token was issued for it on the same day before.
    ///
    /// # Errors
    /// If the table fails.
    pub async fn register_tenant(self, before: Option<&RegisteredTenant>, after: &RegisteredTenant) -> Result<()> {
        if before == Some(after) {
            return Ok(());
        }
        let id = after.key.digest();
        let (kind, external_id) = match &after.key {
            RegisteredKey::Key(key) => (entries::BY_KEY, text(key)),
            RegisteredKey::Name(name) => (entries::BY_NAME, text(name)),
        };
        let update = Update::of(keys::of_kind(self.tenant, Kind::RegisteredTenant, &id))
            .set("external_id", external_id)
            .set("kind", text(kind))
            .set("display_name", text(&after.name))
            .set("properties", text(after.payload.to_text()))
            .set_or_remove("updated_at", after.updated_at.map(millis))
            .set_or_remove("last_token_on", after.last_token_on.as_ref().map(text))
            // Of two first logins at once, the first to arrive says when it was.
            .set_once("created_at", millis(after.created_at))
            .set_once(TENANT_LISTING, text(keys::listing(self.tenant, Kind::RegisteredTenant)))
            .set_once(LISTING_ORDER, text(keys::listed(after.created_at, &id)));
        self.table.upsert(update).await
    }

    /// Revokes one token until it expires.
    ///
    /// # Errors
    /// If the table fails.
    pub async fn revoke_token(self, jti: Uuid, expires_at: Timestamp) -> Result<()> {
        let update = Update::of(keys::of_kind(self.tenant, Kind::Token, jti));
        self.table.upsert(update.set("purge_at", time_to_live(expires_at))).await
    }
}

/// What is registered already under one of these names.
fn existing<E: DirectoryRecord>(
    id: Option<Uuid>,
    external_id: Option<&ExternalId>,
    find: impl Fn(&Handle) -> Result<Option<E>>,
) -> Result<Option<E>> {
    let by_id = id.map(|id| find(&Handle::Uuid(id))).transpose()?.flatten();
    let by_external_id = external_id.map(|id| find(&Handle::External(id.clone()))).transpose()?.flatten();
    // The external id may be free, or this one's, and nobody else's.
    match (&by_external_id, id) {
        (Some(other), Some(id)) if other.id() != id => Err(Error::ExternalIdTaken),
        _ => Ok(by_id.or(by_external_id)),
    }
}

fn set_all(update: Update, attributes: Vec<Attribute>) -> Update {
    attributes.into_iter().fold(update, |update, (name, value)| update.set_or_remove(name, value))
}

fn delete(table: &str, key: Key, before: &impl DirectoryRecord) -> Result<TransactWriteItem> {
    let delete = Delete::builder()
        .table_name(table)
        .set_key(Some(key))
        .condition_expression("revision = :before")
        .expression_attribute_values(":before", number(before.record().revision))
        .build()
        .map_err(Error::internal)?;
    Ok(TransactWriteItem::builder().delete(delete).build())
}
