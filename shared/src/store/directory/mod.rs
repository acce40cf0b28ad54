//! Organizations, users and registered tenants: registering them, and noting that tokens were issued for them.

pub(super) mod items;
pub mod organization_cache;
mod pages;
mod registered_tenants;

pub use registered_tenants::Registration;

use std::fmt;

use futures_util::future::join;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::items::{Common, DirectoryRecord};
use self::organization_cache::OrganizationHints;
use super::audit::put_event;
use super::dynamodb::{
    ATTEMPTS, Commit, Condition, Key, NewItem, Table, Transaction, Update, Write, number, text, time_to_live,
};
use super::idempotency;
use super::keys::{self, Kind, LISTING_ORDER, TENANT_LISTING};
use super::prefetch::{Prefetched, Read};
use super::tenants::RevokedTokens;

use crate::domain::{
    Action, AuditEvent, ChangeContext, Claims, Day, ExternalId, Handle, IdempotencyKey, Organization,
    OrganizationFields, Person, Random, Reference, TenantId, TraceKey, User, UserFields, Viewpoint, random_uuid,
};
use crate::error::{Error, Result};

/// What a tenant has registered.
#[derive(Clone, Copy)]
pub struct Directory<'a> {
    pub(crate) table: &'a Table,
    pub(crate) random: &'a dyn Random,
    pub(crate) hints: &'a OrganizationHints,
    /// What was read together with the credential.
    pub(crate) prefetched: &'a Prefetched,
    /// Who changes what is registered, and what the outcome is remembered under.
    pub(crate) change: &'a ChangeContext,
    pub(crate) trace_key: &'a TraceKey,
}

impl fmt::Debug for Directory<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Directory")
    }
}

impl<'a> Directory<'a> {
    /// Whose it is.
    pub(super) fn tenant(&self) -> &'a TenantId {
        self.prefetched.tenant_id()
    }

    fn idempotency_key(&self) -> Option<&'a IdempotencyKey> {
        self.change.idempotency_key.as_ref()
    }

    /// Registers an organization, or registers it again with what is different: by its uuid, or else by its external
    /// id.
    ///
    /// # Errors
    /// If uuid and external id are of two different ones, or one of them would be the other kind of id of another.
    pub async fn register_organization(self, fields: OrganizationFields) -> Result<Registered> {
        let registered = self.registered_organization(fields).await;
        idempotency::or_earlier(self.table, self.idempotency_key(), registered).await
    }

    async fn registered_organization(self, fields: OrganizationFields) -> Result<Registered> {
        let now = self.change.at;
        let mut newer = None;
        for _ in 0..ATTEMPTS {
            let seen = newer.as_ref().unwrap_or(self.prefetched);
            let before = existing(fields.id, fields.external_id.as_ref(), |handle| seen.organization(handle))?;
            let after = match &before {
                None => Organization::new(self.id(fields.id)?, fields.clone(), now),
                Some(before) => match before.changed(fields.clone(), now) {
                    Some(after) => after,
                    None => before.clone(),
                },
            };
            if let Some(registered) = self.write(before.as_ref(), &after, fields.id).await? {
                return Ok(registered);
            }
            let handles = Handle::of(fields.id, fields.external_id.as_ref());
            newer = Some(self.read(handles.map(Read::Organization)).await?);
        }
        Err(Error::StaleUpdate)
    }

    /// Registers a user of an organization, or registers it again with what is different: by its uuid, or else by its
    /// external id.
    ///
    /// # Errors
    /// If there is no such organization, if uuid and external id are of two different users, if one of them would be
    /// the other kind of id of another user, or if a token could not carry the properties of both.
    pub async fn register_user(self, fields: UserFields) -> Result<Registered> {
        let registered = self.registered_user(fields).await;
        idempotency::or_earlier(self.table, self.idempotency_key(), registered).await
    }

    async fn registered_user(self, fields: UserFields) -> Result<Registered> {
        let now = self.change.at;
        let organization = self.prefetched.organization_of(&fields.organization)?.ok_or(Error::OrganizationNotFound)?;
        organization.properties.overlaid_with(&fields.properties).ok_or(Error::PropertiesTooLarge)?;
        let mut newer = None;
        for _ in 0..ATTEMPTS {
            let seen = newer.as_ref().unwrap_or(self.prefetched);
            let before = existing(fields.id, fields.external_id.as_ref(), |handle| seen.user(handle))?;
            let after = match &before {
                None => User::new(self.id(fields.id)?, organization.id, fields.clone(), now),
                Some(before) => match before.changed(organization.id, fields.clone(), now) {
                    Some(after) => after,
                    None => before.clone(),
                },
            };
            if let Some(registered) = self.write(before.as_ref(), &after, fields.id).await? {
                return Ok(registered);
            }
            let handles = Handle::of(fields.id, fields.external_id.as_ref());
            newer = Some(self.read(handles.map(Read::User)).await?);
        }
        Err(Error::StaleUpdate)
    }

    async fn read(self, reads: impl Iterator<Item = Read>) -> Result<Prefetched> {
        self.table.prefetch(self.tenant(), &Viewpoint::Account, reads.collect()).await
    }

    /// The user that a reference means, and its organization, which has to be the one that is named if one is. Both
    /// were read together with the credential. One call if no organization is named and the user was found in another
    /// one last, or never: which one it is is known only then.
    ///
    /// # Errors
    /// [`Error::UserNotFound`], whichever of the two there isn't: who asks is not told of what others have.
    /// [`Error::AmbiguousId`] if one of the references means two.
    pub async fn member(self, user: &Reference, organization: Option<&Reference>) -> Result<(User, Organization)> {
        let found = self.prefetched.user_of(user)?.ok_or(Error::UserNotFound)?;
        let organization = match organization {
            Some(reference) => self.prefetched.organization_of(reference)?,
            None => self.organization_of(user, found.organization_id).await?,
        };
        let organization = organization.filter(|organization| organization.id == found.organization_id);
        Ok((found, organization.ok_or(Error::UserNotFound)?))
    }

    /// The organization of a user that was asked for without it.
    async fn organization_of(self, user: &Reference, id: Uuid) -> Result<Option<Organization>> {
        let handle = Handle::Uuid(id);
        if self.prefetched.was_read(&self.key::<Organization>(&handle))
            && let Some(organization) = self.prefetched.organization(&handle)?
        {
            return Ok(Some(organization));
        }
        let organization = self.read([Read::Organization(handle.clone())].into_iter()).await?.organization(&handle)?;
        if organization.is_some() {
            user.meanings().for_each(|meaning| self.hints.remember(self.tenant(), meaning, id));
        }
        Ok(organization)
    }

    fn id(self, given: Option<Uuid>) -> Result<Uuid> {
        Ok(given.map_or_else(|| random_uuid(self.random), Ok)?)
    }

    /// Writes what is registered under its handles, if it is still as `before`. `None` if it isn't. If nothing is
    /// different there is nothing to write but the answer: under the same idempotency key, nothing may change later.
    ///
    /// # Errors
    /// [`Error::AmbiguousId`] if one of its ids is or would be the other kind of id of another. `chosen` is the uuid
    /// that the caller chose: one that is drawn is nobody's.
    async fn write<R: DirectoryRecord + PartialEq>(
        self,
        before: Option<&R>,
        after: &R,
        chosen: Option<Uuid>,
    ) -> Result<Option<Registered>> {
        let mut transaction = match before {
            None => self.creation(after),
            Some(before) if before == after => Transaction::new(),
            Some(before) => self.change(before, after),
        };
        let claims = self.claims(&mut transaction, before, after, chosen);
        if before != Some(after) {
            put_event(&mut transaction, self.tenant(), &self.event(before, after))?;
        }
        let Common { id, external_id, .. } = after.common();
        let registered = Registered { id, external_id: external_id.cloned() };
        match idempotency::commit(self.table, transaction, self.idempotency_key(), registered).await? {
            Ok(registered) => Ok(Some(registered)),
            // With another write that failed, it is what has changed since it was read that was in the way.
            Err(refused) if refused.is_due_to(&claims) => Err(Error::AmbiguousId),
            Err(_) => Ok(None),
        }
    }

    /// The event that says that it was registered.
    fn event<R: DirectoryRecord>(self, before: Option<&R>, after: &R) -> AuditEvent {
        let id = after.common().id;
        let event = match R::KIND {
            Kind::User => {
                let user = self.trace_key.person(self.tenant(), Person::User(id));
                self.change.event_about(Action::UserRegistered, &user)
            }
            _ => self.change.event_about(Action::OrganizationRegistered, &id),
        };
        let fields = before.map(|before| items::differing(before, after)).unwrap_or_default();
        AuditEvent { fields, ..event }.with("is_new", before.is_none())
    }

    fn key<R: DirectoryRecord>(self, handle: &Handle) -> Key {
        keys::of_handle(self.tenant(), R::KIND, handle)
    }

    /// The item under the external id: all that the one under the uuid has, but its position in the list.
    fn copy<R: DirectoryRecord>(self, registered: &R, external_id: &ExternalId) -> NewItem {
        let mut item = NewItem::from(self.key::<R>(&Handle::External(external_id.clone())));
        item.extend(items::new(registered));
        item
    }

    fn creation<R: DirectoryRecord>(self, registered: &R) -> Transaction {
        let mut item = NewItem::from(self.key::<R>(&Handle::Uuid(registered.common().id)));
        item.extend(items::new(registered));
        let position = keys::list_position(registered.common().record.created_at, registered.common().id);
        item.insert(TENANT_LISTING.to_owned(), text(keys::partition_of_list(self.tenant(), R::KIND)));
        item.insert(LISTING_ORDER.to_owned(), text(position));
        let mut transaction = Transaction::new();
        transaction.put(item, Condition::is_new());
        if let Some(external_id) = registered.common().external_id {
            transaction.put(self.copy(registered, external_id), Condition::is_new());
        }
        transaction
    }

    /// Claims an external id that is a uuid, and gives up the one from before. The writes that fail if an id of the one
    /// kind is another's of the other kind.
    fn claims<R: DirectoryRecord>(
        self,
        transaction: &mut Transaction,
        before: Option<&R>,
        after: &R,
        chosen: Option<Uuid>,
    ) -> Vec<Write> {
        let id = after.common().id;
        let claim = |uuid| keys::claim(self.tenant(), R::KIND, uuid);
        let own = || Condition::new("attribute_not_exists(pk) OR record_id = :own", [(":own", text(id))]);
        let external = |party: &R| party.common().external_id.and_then(ExternalId::uuid);
        let (old, new) = (before.and_then(external), external(after));
        let mut claims = Vec::new();
        if let Some(uuid) = new.filter(|_| old != new) {
            let mut item = NewItem::from(claim(uuid));
            item.insert("record_id".to_owned(), text(id));
            claims.push(transaction.put(item, own()));
            if uuid != id {
                claims.push(transaction.check(self.key::<R>(&Handle::Uuid(uuid)), Condition::is_new()));
            }
        }
        if before.is_none() && chosen.is_some() && new != Some(id) {
            claims.push(transaction.check(claim(id), Condition::is_new()));
        }
        if let Some(uuid) = old.filter(|_| old != new) {
            transaction.delete(claim(uuid), Condition::none());
        }
        claims
    }

    fn change<R: DirectoryRecord>(self, before: &R, after: &R) -> Transaction {
        let mut transaction = Transaction::new();
        let record = before.common().record;
        let update = |handle: &Handle| items::changed(Update::of(self.key::<R>(handle)), after);
        transaction.update(update(&Handle::Uuid(after.common().id)), items::unchanged(record));
        match (before.common().external_id, after.common().external_id) {
            (Some(old), Some(new)) if old == new => {
                transaction.update(update(&Handle::External(new.clone())), items::unchanged(record));
            }
            (old, new) => {
                if let Some(new) = new {
                    transaction.put(self.copy(after, new), Condition::is_new());
                }
                if let Some(old) = old {
                    let gone = Condition::new("details.revision = :before", [(":before", number(record.revision))]);
                    transaction.delete(self.key::<R>(&Handle::External(old.clone())), gone);
                }
            }
        }
        transaction
    }

    /// Notes that a token was issued for a user of an organization on that day. Best effort: a failure is ignored.
    pub async fn note_token(self, user: &User, organization: &Organization, day: &Day) {
        // Two transactions: at the first logins of a day, many want to note their organization.
        join(self.note_token_of(user, day), self.note_token_of(organization, day)).await;
    }

    /// The same for one of the two, under both of its handles.
    async fn note_token_of<R: DirectoryRecord>(self, record: &R, day: &Day) {
        if record.last_token_on() == Some(day) {
            return;
        }
        let Common { id, external_id, .. } = record.common();
        let mut transaction = Transaction::new();
        for handle in Handle::of(Some(id), external_id) {
            let due = Condition::new(
                "attribute_exists(pk) \
                 AND (attribute_not_exists(details.last_token_on) OR details.last_token_on < :today)",
                [(":today", text(day))],
            );
            transaction.update(Update::of(self.key::<R>(&handle)).set("details.last_token_on", text(day)), due);
        }
        // Once: where many logins meet, one of them notes the day, and none waits for it.
        let _: Result<Option<Commit>> = self.table.commit_once(transaction).await;
    }

    /// Whose tokens are revoked, if a party's are. It was read together with the credential, under whatever its
    /// reference can mean.
    ///
    /// # Errors
    /// If there is no such user or organization, or the reference means two.
    pub fn revoked(self, party: &Party) -> Result<RevokedTokens> {
        Ok(match party {
            Party::User(user) => RevokedTokens::User(self.prefetched.user_of(user)?.ok_or(Error::UserNotFound)?.id),
            Party::Organization(reference) => {
                let organization = self.prefetched.organization_of(reference)?;
                RevokedTokens::Organization(organization.ok_or(Error::OrganizationNotFound)?.id)
            }
            Party::ExternalUser(id) => RevokedTokens::ExternalUser(id.clone()),
        })
    }

    /// Revokes one token until it expires. Twice is as once, and has one event.
    ///
    /// # Errors
    /// If the table fails.
    pub async fn revoke_token(self, claims: &Claims) -> Result<()> {
        let update = Update::of(keys::of_kind(self.tenant(), Kind::Token, claims.jti));
        let update = update.set("purge_at", time_to_live(claims.expires_at()));
        let event = self.change.event_about(Action::TokenRevoked, &claims.jti);
        let event = event.with("scope", claims.scope).with("minted_by", &claims.key_id);
        self.commit_with(event, update, Condition::is_new()).await.map(|_| ())
    }

    /// Writes an item, and the event that says so.
    async fn commit_with(self, event: AuditEvent, update: Update, condition: Condition) -> Result<Commit> {
        let mut transaction = Transaction::new();
        transaction.update(update, condition);
        put_event(&mut transaction, self.tenant(), &event)?;
        self.table.commit(transaction).await
    }
}

/// One of a tenant's parties, as the tenant names it.
#[derive(Debug, Clone)]
pub enum Party {
    User(Reference),
    Organization(Reference),
    ExternalUser(ExternalId),
}

/// Under which names an organization or a user is registered: what the answer to its registration says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Registered {
    pub id: Uuid,
    pub external_id: Option<ExternalId>,
}

/// What is registered already under one of these names.
fn existing<R: DirectoryRecord>(
    id: Option<Uuid>,
    external_id: Option<&ExternalId>,
    find: impl Fn(&Handle) -> Result<Option<R>>,
) -> Result<Option<R>> {
    let by_id = id.map(|id| find(&Handle::Uuid(id))).transpose()?.flatten();
    let by_external_id = external_id.map(|id| find(&Handle::External(id.clone()))).transpose()?.flatten();
    // The external id may be free, or this one's, and nobody else's.
    match (&by_external_id, id) {
        (Some(other), Some(id)) if other.common().id != id => Err(Error::ExternalIdTaken),
        _ => Ok(by_id.or(by_external_id)),
    }
}
