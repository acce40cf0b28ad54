//! Parties that a tenant registers: organizations, their users, and customers of the legacy registration.

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
    /// The organization's id in the tenant's own system.
    pub external_id: Option<ExternalId>,
    pub name: PartyName,
    /// Properties that the tokens of all of its users carry.
    pub properties: Properties,
    pub record: Record,
    /// The last day on which a token was issued for a user of it.
    pub last_token_on: Option<Day>,
}

/// A user of an organization.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    pub id: Uuid,
    /// The user's id in the tenant's own system.
    pub external_id: Option<ExternalId>,
    pub organization_id: Uuid,
    pub role_id: Uuid,
    pub name: PartyName,
    /// Properties that its tokens carry. They override the organization's properties of the same name.
    pub properties: Properties,
    pub record: Record,
    /// The last day on which a token was issued for the user.
    pub last_token_on: Option<Day>,
}

/// The part of the data that every registered party has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub created_at: Timestamp,
    /// Time at which a later registration last changed it; `None` until then.
    pub updated_at: Option<Timestamp>,
    /// Counter of changes, so that a change made from an old reading is noticed.
    pub revision: u64,
    /// Number of times that its tokens have been revoked.
    pub epoch: u64,
    /// Time at which they were last revoked.
    pub tokens_revoked_at: Option<Timestamp>,
}

impl Record {
    /// The record of a new party.
    pub fn new(created_at: Timestamp) -> Self {
        Self { created_at, updated_at: None, revision: 0, epoch: 0, tokens_revoked_at: None }
    }
}

/// The fields with which an organization is registered.
#[derive(Debug, Clone, PartialEq)]
pub struct OrganizationFields {
    pub id: Option<Uuid>,
    pub external_id: Option<ExternalId>,
    pub name: PartyName,
    /// `None` leaves the registered properties as they are.
    pub properties: Option<Properties>,
}

/// The fields with which a user is registered.
#[derive(Debug, Clone, PartialEq)]
pub struct UserFields {
    pub id: Option<Uuid>,
    pub external_id: Option<ExternalId>,
    pub organization: Reference,
    pub role_id: Uuid,
    pub name: PartyName,
    pub properties: Properties,
}

/// The fields with which a customer is registered in the legacy way, at each of its logins.
#[derive(Debug, Clone, PartialEq)]
pub struct RegisteredTenantFields {
    pub key: RegisteredKey,
    pub name: PartyName,
    /// Contents of its tokens.
    pub payload: Properties,
    /// The end user that the token is to speak for.
    pub user: Option<ExternalId>,
    /// The organization that the customer belongs to; `None` if it belongs to the project.
    pub organization_id: Option<Uuid>,
    pub lifetime: TokenLifetime,
}

/// A customer of the legacy registration: no organization and no user, but what the tenant says of it at each login.
#[derive(Debug, Clone, PartialEq)]
pub struct RegisteredTenant {
    pub key: RegisteredKey,
    pub name: PartyName,
    /// Contents of its tokens.
    pub payload: Properties,
    pub created_at: Timestamp,
    /// Time at which a later registration last changed it; `None` until then.
    pub updated_at: Option<Timestamp>,
    /// The last day on which a token was issued for the customer.
    pub last_token_on: Option<Day>,
}

/// The key of a customer of the legacy registration. The two kinds are kept apart: anybody may choose any display name,
/// and it must not lead to what is registered under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegisteredKey {
    /// The customer's id in the tenant's own system.
    Key(ExternalId),
    /// Its display name, if it has no such id.
    Name(PartyName),
}

impl RegisteredKey {
    /// The subject of its tokens: never a UUID, which is the subject of users' tokens.
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
    /// The customer after a login, given what was registered before.
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
    /// A new organization.
    pub fn new(id: Uuid, entry: OrganizationFields, now: Timestamp) -> Self {
        Self {
            id,
            external_id: entry.external_id,
            name: entry.name,
            properties: entry.properties.unwrap_or_default(),
            record: Record::new(now),
            last_token_on: None,
        }
    }

    /// The organization with the new fields; a field that is `None` stays as it is. `None` if nothing changes.
    pub fn changed(&self, entry: OrganizationFields, now: Timestamp) -> Option<Self> {
        let changed = Self {
            id: self.id,
            external_id: entry.external_id.or_else(|| self.external_id.clone()),
            name: entry.name,
            properties: entry.properties.unwrap_or_else(|| self.properties.clone()),
            record: self.record.clone(),
            last_token_on: self.last_token_on,
        };
        (changed != *self).then(|| Self { record: self.record.updated(now), ..changed })
    }
}

impl User {
    /// A new user.
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

    /// The user with the new fields; a field that is `None` stays as it is. `None` if nothing changes.
    pub fn changed(&self, organization_id: Uuid, entry: UserFields, now: Timestamp) -> Option<Self> {
        let changed = Self {
            id: self.id,
            external_id: entry.external_id.or_else(|| self.external_id.clone()),
            organization_id,
            role_id: entry.role_id,
            name: entry.name,
            properties: entry.properties,
            record: self.record.clone(),
            last_token_on: self.last_token_on,
        };
        let mut record = self.record.updated(now);
        // Tokens that name the old organization or role must stay revoked, even if the user gets both back.
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn uuid(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    fn name(text: &str) -> PartyName {
        PartyName::parse(text).unwrap()
    }

    fn external(text: &str) -> ExternalId {
        ExternalId::parse(text).unwrap()
    }

    fn properties(number: u8) -> Properties {
        serde_json::from_value(json!({ "a": number })).unwrap()
    }

    #[test]
    fn an_organization_changes_if_a_field_does_and_keeps_what_is_not_said() {
        let entry = |id: Option<&str>, text, properties: Option<u8>| OrganizationFields {
            id: None,
            external_id: id.map(external),
            name: name(text),
            properties: properties.map(self::properties),
        };
        let before = Organization::new(uuid(1), entry(Some("acme"), "Acme", Some(1)), at(1));
        assert_eq!((before.id, &before.record), (uuid(1), &Record::new(at(1))));
        for same in [entry(None, "Acme", None), entry(Some("acme"), "Acme", Some(1))] {
            assert_eq!(before.changed(same, at(2)), None);
        }
        for (other, field) in [
            (
                entry(Some("acme-2"), "Acme", None),
                Organization { external_id: Some(external("acme-2")), ..before.clone() },
            ),
            (entry(None, "Acme Inc", None), Organization { name: name("Acme Inc"), ..before.clone() }),
            (entry(None, "Acme", Some(2)), Organization { properties: properties(2), ..before.clone() }),
        ] {
            let record = Record { updated_at: Some(at(2)), revision: 1, ..before.record.clone() };
            assert_eq!(before.changed(other, at(2)), Some(Organization { record, ..field }));
        }
    }

    #[test]
    fn a_user_that_moves_or_gets_another_role_has_another_epoch() {
        let entry = |role, text| UserFields {
            id: None,
            external_id: Some(external("ada")),
            organization: external("acme").into(),
            role_id: uuid(role),
            name: name(text),
            properties: properties(1),
        };
        let new = User::new(uuid(1), uuid(2), entry(3, "Ada"), at(1));
        assert_eq!((new.organization_id, new.role_id, &new.last_token_on), (uuid(2), uuid(3), &None));
        let day = Some(at(1).day());
        let before = User { last_token_on: day, record: Record { epoch: 5, revision: 7, ..new.record }, ..new };
        assert_eq!(before.changed(uuid(2), entry(3, "Ada"), at(2)), None);
        for (organization, role, text, epoch) in
            [(2, 3, "Ada L.", 5), (4, 3, "Ada", 6), (2, 4, "Ada", 6), (4, 4, "Ada L.", 6)]
        {
            let after = before.changed(uuid(organization), entry(role, text), at(2)).unwrap();
            let record = Record { epoch, revision: 8, updated_at: Some(at(2)), ..before.record.clone() };
            assert_eq!((&after.record, &after.last_token_on), (&record, &day), "{organization} {role} {text}");
        }
        let unnamed = UserFields { external_id: None, ..entry(3, "Ada") };
        assert_eq!(before.changed(uuid(2), unnamed, at(2)), None);
    }

    #[test]
    fn a_customer_keeps_its_first_time_and_the_time_of_its_last_change() {
        let key = RegisteredKey::Key(external("acme"));
        let login = |before: Option<&RegisteredTenant>, text, number, millis| {
            RegisteredTenant::registered(before, key.clone(), name(text), properties(number), at(millis))
        };
        let first = login(None, "Acme", 1, 1);
        assert_eq!((first.created_at, first.updated_at, &first.last_token_on), (at(1), None, &Some(at(1).day())));
        assert_eq!(login(Some(&first), "Acme", 1, 2), first);
        for (text, number) in [("Acme Inc", 1), ("Acme", 2)] {
            let changed = login(Some(&first), text, number, 2);
            assert_eq!((changed.created_at, changed.updated_at), (at(1), Some(at(2))));
            assert_eq!(login(Some(&changed), text, number, 3), changed);
        }
    }

    #[test]
    fn a_name_is_no_key() {
        let (key, called) = (RegisteredKey::Key(external("acme")), RegisteredKey::Name(name("acme")));
        assert_eq!((key.subject().as_str(), called.subject().as_str()), ("key:acme", "name:acme"));
        assert_eq!((key.key(), called.key()), (Some(&external("acme")), None));
        // printf %s key:acme | sha256sum
        assert_eq!(key.digest(), "f43ea0ba45574b07ff43c905413fbf6e54b89e29ae2890b9a1fe950400b0c8a3");
        assert_ne!(key.digest(), called.digest());
    }
}
