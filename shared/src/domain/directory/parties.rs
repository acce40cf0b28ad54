//! What a tenant registers: organizations, their users, and customers of the older kind.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use uuid::Uuid;

use super::properties::Properties;
use crate::domain::ids::external_id::{ExternalId, Reference};
use crate::domain::time::clock::{Day, Timestamp};
use crate::domain::tokens::lifetime::TokenLifetime;
use crate::domain::values::text::PartyName;

/// An organization: a customer of the tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct Organization {
    pub id: Uuid,
    /// The tenant's own id of it.
    pub external_id: Option<ExternalId>,
    pub name: PartyName,
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
    pub name: PartyName,
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
pub struct OrganizationFields {
    pub id: Option<Uuid>,
    pub external_id: Option<ExternalId>,
    pub name: PartyName,
    /// `None` leaves what is registered.
    pub properties: Option<Properties>,
}

/// What registering a user says of it.
#[derive(Debug, Clone, PartialEq)]
pub struct UserFields {
    pub id: Option<Uuid>,
    pub external_id: Option<ExternalId>,
    pub organization: Reference,
    pub role_id: Uuid,
    pub name: PartyName,
    pub properties: Properties,
}

/// What a login of a registered tenant says of it.
#[derive(Debug, Clone, PartialEq)]
pub struct RegisteredTenantFields {
    pub key: RegisteredKey,
    pub name: PartyName,
    /// What its tokens carry.
    pub payload: Properties,
    /// The end user that the token is to speak for.
    pub user: Option<ExternalId>,
    /// The organization that it belongs to; left out, the project.
    pub organization_id: Option<Uuid>,
    pub lifetime: TokenLifetime,
}

/// A customer of the older kind: no organization and no user, but whatever the tenant says of it at each login.
#[derive(Debug, Clone, PartialEq)]
pub struct RegisteredTenant {
    pub key: RegisteredKey,
    pub name: PartyName,
    /// What was registered with it.
    pub payload: Properties,
    pub created_at: Timestamp,
    /// When something else was registered last; `None` until then.
    pub updated_at: Option<Timestamp>,
    /// The last day on which a token was issued for it.
    pub last_token_on: Option<Day>,
}

/// What a customer of the older kind goes by. The two are kept apart: a display name is what anybody may call itself, and must
/// not lead to what is registered under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegisteredKey {
    /// The tenant's own id of it.
    Key(ExternalId),
    /// Its display name, for want of a key.
    Name(PartyName),
}

impl RegisteredKey {
    /// As its tokens have it: never a uuid, which is what users' have.
    pub fn subject(&self) -> String {
        match self {
            Self::Key(key) => format!("key:{key}"),
            Self::Name(name) => format!("name:{name}"),
        }
    }

    /// SHA-256 of the subject, in lower-case hexadecimal: what stands for it in keys of the table.
    pub fn digest(&self) -> String {
        HEXLOWER.encode(digest(&SHA256, self.subject().as_bytes()).as_ref())
    }

    /// The key, if there is one.
    pub fn key(&self) -> Option<&ExternalId> {
        match self {
            Self::Key(key) => Some(key),
            Self::Name(_) => None,
        }
    }
}

impl RegisteredTenant {
    /// What is registered with a login on that day, after what was before.
    pub fn registered(
        before: Option<&Self>,
        key: RegisteredKey,
        name: PartyName,
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
    pub fn new(id: Uuid, entry: OrganizationFields, now: Timestamp) -> Self {
        Self {
            id,
            external_id: entry.external_id,
            name: entry.name,
            properties: entry.properties.unwrap_or_default(),
            record: Record::new(now),
        }
    }

    /// This one as the entry has it; what the entry doesn't say stays. `None` if nothing is different.
    pub fn changed(&self, entry: OrganizationFields, now: Timestamp) -> Option<Self> {
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
    pub fn new(id: Uuid, organization_id: Uuid, entry: UserFields, now: Timestamp) -> Self {
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
    pub fn changed(&self, organization_id: Uuid, entry: UserFields, now: Timestamp) -> Option<Self> {
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
        let mut record = self.record.updated(now);
        // What a token says of where the user belongs is not true any more, even if it comes to be again.
        record.epoch += u64::from((changed.organization_id, changed.role_id) != (self.organization_id, self.role_id));
        (changed != *self).then_some(Self { record, ..changed })
    }
}

impl Record {
    /// The record after a change.
    fn updated(&self, now: Timestamp) -> Self {
        Self { updated_at: Some(now), revision: self.revision + 1, ..self.clone() }
    }
}
