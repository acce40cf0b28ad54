//! What a tenant registers: organizations, their users, and customers of the older kind.

use uuid::Uuid;

use super::clock::{Day, Timestamp};
use super::external_id::{ExternalId, Reference};
use super::properties::Properties;
use super::text::EntryName;

/// An organization: a customer of the tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct Organization {
    pub id: Uuid,
    /// The tenant's own id of it.
    pub external_id: Option<ExternalId>,
    pub name: EntryName,
    /// What all of its users' tokens carry.
    pub properties: Properties,
    pub record: Record,
}

/// A user of an organization.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    pub id: Uuid,
    /// The tenant's own id of it.
    pub external_id: Option<ExternalId>,
    pub organization_id: Uuid,
    pub role_id: Uuid,
    pub name: EntryName,
    /// What its tokens carry, before the organization's where both have a field.
    pub properties: Properties,
    pub record: Record,
    /// The last day on which a token was issued for it.
    pub last_token_on: Option<Day>,
}

/// What is kept of everything that is registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub created_at: Timestamp,
    /// When it was last registered again with something else; `None` until then.
    pub updated_at: Option<Timestamp>,
    /// Counts the changes, so that a change made from an old reading is noticed.
    pub revision: u64,
    /// How often its tokens have been revoked.
    pub epoch: u64,
    /// When they were last revoked.
    pub tokens_revoked_at: Option<Timestamp>,
}

impl Record {
    /// That of something new.
    pub fn new(created_at: Timestamp) -> Self {
        Self { created_at, updated_at: None, revision: 0, epoch: 0, tokens_revoked_at: None }
    }
}

/// What registering an organization says of it.
#[derive(Debug, Clone, PartialEq)]
pub struct OrganizationEntry {
    pub id: Option<Uuid>,
    pub external_id: Option<ExternalId>,
    pub name: EntryName,
    /// `None` leaves what is registered.
    pub properties: Option<Properties>,
}

/// What registering a user says of it.
#[derive(Debug, Clone, PartialEq)]
pub struct UserEntry {
    pub id: Option<Uuid>,
    pub external_id: Option<ExternalId>,
    pub organization: Reference,
    pub role_id: Uuid,
    pub name: EntryName,
    pub properties: Properties,
}

/// A customer of the older kind: no organization and no user, but whatever the tenant says of it at each login.
#[derive(Debug, Clone, PartialEq)]
pub struct RegisteredTenant {
    /// The tenant's own id of it.
    pub key: ExternalId,
    pub name: EntryName,
    /// What was registered with it.
    pub payload: Properties,
    pub created_at: Timestamp,
    /// When something else was registered last; `None` until then.
    pub updated_at: Option<Timestamp>,
    /// The last day on which a token was issued for it.
    pub last_token_on: Option<Day>,
}

impl RegisteredTenant {
    /// What is registered with a login on that day, after what was before.
    pub fn registered(
        before: Option<&Self>,
        key: ExternalId,
        name: EntryName,
        payload: Properties,
        at: Timestamp,
    ) -> Self {
        let changed = before.filter(|before| before.name != name || before.payload != payload);
        Self {
            key,
            name,
            payload,
            created_at: before.map_or(at, |before| before.created_at),
            updated_at: changed.map(|_| at).or(before.and_then(|before| before.updated_at)),
            last_token_on: Some(at.day()),
        }
    }
}

impl Organization {
    /// A new one.
    pub fn new(id: Uuid, entry: OrganizationEntry, now: Timestamp) -> Self {
        Self {
            id,
            external_id: entry.external_id,
            name: entry.name,
            properties: entry.properties.unwrap_or_default(),
            record: Record::new(now),
        }
    }

    /// This one as the entry has it; what the entry doesn't say stays. `None` if nothing is different.
    pub fn changed(&self, entry: OrganizationEntry, now: Timestamp) -> Option<Self> {
        let changed = Self {
            id: self.id,
            external_id: entry.external_id.or_else(|| self.external_id.clone()),
            name: entry.name,
            properties: entry.properties.unwrap_or_else(|| self.properties.clone()),
            record: self.record.clone(),
        };
        (changed != *self).then(|| Self { record: self.record.updated(now), ..changed })
    }
}

impl User {
    /// A new one.
    pub fn new(id: Uuid, organization_id: Uuid, entry: UserEntry, now: Timestamp) -> Self {
        Self {
            id,
            external_id: entry.external_id,
            organization_id,
            role_id: entry.role_id,
            name: entry.name,
            properties: entry.properties,
            record: Record::new(now),
            last_token_on: None,
        }
    }

    /// This one as the entry has it; what the entry doesn't say stays. `None` if nothing is different.
    pub fn changed(&self, organization_id: Uuid, entry: UserEntry, now: Timestamp) -> Option<Self> {
        let changed = Self {
            id: self.id,
            external_id: entry.external_id.or_else(|| self.external_id.clone()),
            organization_id,
            role_id: entry.role_id,
            name: entry.name,
            properties: entry.properties,
            record: self.record.clone(),
            last_token_on: self.last_token_on.clone(),
        };
        (changed != *self).then(|| Self { record: self.record.updated(now), ..changed })
    }
}

impl Record {
    /// The record after a change.
    fn updated(&self, now: Timestamp) -> Self {
        Self { updated_at: Some(now), revision: self.revision + 1, ..self.clone() }
    }
}
