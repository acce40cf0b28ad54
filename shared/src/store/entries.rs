//! What tenants register, as items and back.

use aws_sdk_dynamodb::types::AttributeValue;
use uuid::Uuid;

use super::item::{Item, Reader, millis, number, text};
use super::keys::Kind;
use crate::domain::{
    Day, ExternalId, Organization, PartyName, Problem, Properties, Record, RegisteredKey, RegisteredTenant, User,
    parse_uuid,
};
use crate::error::Result;

/// An attribute and its value; `None` takes it away.
pub type Attribute = (&'static str, Option<AttributeValue>);

/// Something that is registered under a uuid, and under an external id if it has one.
pub trait DirectoryRecord {
    const KIND: Kind;
    fn id(&self) -> Uuid;
    fn external_id(&self) -> Option<&ExternalId>;
    fn record(&self) -> &Record;
    /// What a registration writes, beside what is common to all entries.
    fn attributes(&self) -> Vec<Attribute>;
    /// The last day on which a token was issued, of what tokens are issued for.
    fn last_token_on(&self) -> Option<&Day> {
        None
    }
}

impl DirectoryRecord for Organization {
    const KIND: Kind = Kind::Organization;

    fn id(&self) -> Uuid {
        self.id
    }

    fn external_id(&self) -> Option<&ExternalId> {
        self.external_id.as_ref()
    }

    fn record(&self) -> &Record {
        &self.record
    }

    fn attributes(&self) -> Vec<Attribute> {
        vec![("display_name", Some(text(&self.name))), ("properties", Some(text(self.properties.to_text())))]
    }
}

impl DirectoryRecord for User {
    const KIND: Kind = Kind::User;

    fn id(&self) -> Uuid {
        self.id
    }

    fn external_id(&self) -> Option<&ExternalId> {
        self.external_id.as_ref()
    }

    fn record(&self) -> &Record {
        &self.record
    }

    fn attributes(&self) -> Vec<Attribute> {
        vec![
            ("display_name", Some(text(&self.name))),
            ("organization_id", Some(text(self.organization_id))),
            ("role_id", Some(text(self.role_id))),
            ("properties", Some(text(self.properties.to_text()))),
        ]
    }

    fn last_token_on(&self) -> Option<&Day> {
        self.last_token_on.as_ref()
    }
}

/// Everything that a registration writes but what stays for ever.
pub fn written(entry: &impl DirectoryRecord) -> Vec<Attribute> {
    let record = entry.record();
    let mut attributes = entry.attributes();
    attributes.extend([
        ("external_id", entry.external_id().map(text)),
        ("updated_at", record.updated_at.map(millis)),
        ("revision", Some(number(record.revision))),
        ("epoch", Some(number(record.epoch))),
    ]);
    attributes
}

/// The attributes of a new item. Those that [`written`] has not are written by revocations and tokens only, from then on.
pub fn new(entry: &impl DirectoryRecord) -> Item {
    let record = entry.record();
    let whole = [
        ("record_id", Some(text(entry.id()))),
        ("created_at", Some(millis(record.created_at))),
        ("tokens_revoked_at", record.tokens_revoked_at.map(millis)),
        ("last_token_on", entry.last_token_on().map(text)),
    ];
    let attributes = written(entry).into_iter().chain(whole);
    attributes.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// An organization, from its item.
pub fn organization(item: &Item) -> Result<Organization> {
    let row = Reader(item);
    Ok(Organization {
        id: uuid(row, "record_id")?,
        external_id: row.optional("external_id", ExternalId::parse)?,
        name: PartyName::from_stored(row.text("display_name")?),
        properties: properties(row, "properties")?,
        record: record(row)?,
    })
}

/// A user, from its item.
pub fn user(item: &Item) -> Result<User> {
    let row = Reader(item);
    Ok(User {
        id: uuid(row, "record_id")?,
        external_id: row.optional("external_id", ExternalId::parse)?,
        organization_id: uuid(row, "organization_id")?,
        role_id: uuid(row, "role_id")?,
        name: PartyName::from_stored(row.text("display_name")?),
        properties: properties(row, "properties")?,
        record: record(row)?,
        last_token_on: row.optional_text("last_token_on")?.map(Day::from_stored),
    })
}

/// The kinds of what registered tenants go by.
pub const BY_KEY: &str = "key";
pub const BY_NAME: &str = "name";

/// A registered tenant, from its item.
pub fn registered_tenant(item: &Item) -> Result<RegisteredTenant> {
    let row = Reader(item);
    Ok(RegisteredTenant {
        key: match row.text("kind")? {
            BY_KEY => RegisteredKey::Key(row.parsed("external_id", ExternalId::parse)?),
            _ => RegisteredKey::Name(PartyName::from_stored(row.text("external_id")?)),
        },
        name: PartyName::from_stored(row.text("display_name")?),
        payload: properties(row, "properties")?,
        created_at: row.millis("created_at")?,
        updated_at: row.optional_millis("updated_at")?,
        last_token_on: row.optional_text("last_token_on")?.map(Day::from_stored),
    })
}

fn record(row: Reader<'_>) -> Result<Record> {
    Ok(Record {
        created_at: row.millis("created_at")?,
        updated_at: row.optional_millis("updated_at")?,
        revision: row.number("revision")?,
        epoch: row.number("epoch")?,
        tokens_revoked_at: row.optional_millis("tokens_revoked_at")?,
    })
}

fn uuid(row: Reader<'_>, name: &'static str) -> Result<Uuid> {
    row.parsed(name, parse_uuid)
}

/// The rows of lists have no properties: they are read by whoever asks what is registered, not what is in it.
fn properties(row: Reader<'_>, name: &'static str) -> Result<Properties> {
    let read = |text: &str| Properties::from_stored(text).ok_or_else(|| Problem::new("are no JSON object"));
    Ok(row.optional(name, read)?.unwrap_or_default())
}
