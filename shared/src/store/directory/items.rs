//! What tenants register, as items and back. Everything but the properties is in the map [`DETAILS`], which is what
//! lists show.

use aws_sdk_dynamodb::types::AttributeValue;
use uuid::Uuid;

use crate::domain::{
    Day, ExternalId, Organization, PartyName, Problem, Properties, Record, RegisteredKey, RegisteredTenant, User,
    parse_uuid,
};
use crate::error::Result;
use crate::store::dynamodb::{Condition, Item, NewItem, Reader, Update, millis, number, text};
use crate::store::keys::{self, DETAILS, Kind, LISTING_ORDER};

/// The properties of what is registered, which no list shows.
const PROPERTIES: &str = "properties";

/// An attribute of a record and its value; `None` takes it away.
pub type Attribute = (&'static str, Option<AttributeValue>);

/// Something that is registered under a uuid, and under an external id if it has one.
pub trait DirectoryRecord {
    const KIND: Kind;
    fn common(&self) -> Common<'_>;
    /// What a registration writes, beside what is common to all records.
    fn attributes(&self) -> Vec<Attribute>;
    /// The last day on which a token was issued for it.
    fn last_token_on(&self) -> Option<&Day>;
}

/// What all that is registered has.
pub struct Common<'a> {
    pub id: Uuid,
    pub external_id: Option<&'a ExternalId>,
    pub record: &'a Record,
    pub properties: &'a Properties,
}

impl DirectoryRecord for Organization {
    const KIND: Kind = Kind::Organization;

    fn common(&self) -> Common<'_> {
        let Self { id, external_id, record, properties, .. } = self;
        Common { id: *id, external_id: external_id.as_ref(), record, properties }
    }

    fn attributes(&self) -> Vec<Attribute> {
        vec![("display_name", Some(text(&self.name)))]
    }

    fn last_token_on(&self) -> Option<&Day> {
        self.last_token_on.as_ref()
    }
}

impl DirectoryRecord for User {
    const KIND: Kind = Kind::User;

    fn common(&self) -> Common<'_> {
        let Self { id, external_id, record, properties, .. } = self;
        Common { id: *id, external_id: external_id.as_ref(), record, properties }
    }

    fn attributes(&self) -> Vec<Attribute> {
        vec![
            ("display_name", Some(text(&self.name))),
            ("organization_id", Some(text(self.organization_id))),
            ("role_id", Some(text(self.role_id))),
        ]
    }

    fn last_token_on(&self) -> Option<&Day> {
        self.last_token_on.as_ref()
    }
}

/// The names of what a registration writes, and what is not the same in two records.
pub fn differing<R: DirectoryRecord>(before: &R, after: &R) -> Vec<String> {
    let (old, new) = (before.common(), after.common());
    let attributes = before.attributes().into_iter().zip(after.attributes());
    let mut differing: Vec<&str> = attributes.filter(|(old, new)| old != new).map(|((name, _), _)| name).collect();
    differing.extend((old.external_id != new.external_id).then_some("external_id"));
    differing.extend((old.properties != new.properties).then_some(PROPERTIES));
    differing.into_iter().map(str::to_owned).collect()
}

/// Everything in a record that a registration writes, but what stays for ever.
fn written(registered: &impl DirectoryRecord) -> Vec<Attribute> {
    let Common { external_id, record, .. } = registered.common();
    let mut attributes = registered.attributes();
    attributes.extend([
        ("external_id", external_id.map(text)),
        ("updated_at", record.updated_at.map(millis)),
        ("revision", Some(number(record.revision))),
        ("epoch", Some(number(record.epoch))),
    ]);
    attributes
}

/// The attributes of a new item. Those that a change doesn't write are written by revocations and tokens only, from
/// then on.
pub fn new(registered: &impl DirectoryRecord) -> NewItem {
    let Common { id, record, properties, .. } = registered.common();
    let whole = [
        ("record_id", Some(text(id))),
        ("created_at", Some(millis(record.created_at))),
        ("tokens_revoked_at", record.tokens_revoked_at.map(millis)),
        ("last_token_on", registered.last_token_on().map(text)),
    ];
    let attributes = written(registered).into_iter().chain(whole);
    let record = attributes.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    NewItem::from([
        (DETAILS.to_owned(), AttributeValue::M(record)),
        (PROPERTIES.to_owned(), text(properties.to_text())),
    ])
}

/// The update that makes an item what is registered now.
pub fn changed(update: Update, registered: &impl DirectoryRecord) -> Update {
    let update = update.set(PROPERTIES, text(registered.common().properties.to_text()));
    let write =
        |update: Update, (name, value): Attribute| update.set_or_remove(format_args!("{DETAILS}.{name}"), value);
    written(registered).into_iter().fold(update, write)
}

/// That an item is as it was read. With the epoch, because a revocation counts without being a change: a copy that is
/// made anew must not forget it.
pub fn unchanged(record: &Record) -> Condition {
    let as_read = [(":before", number(record.revision)), (":epoch", number(record.epoch))];
    Condition::new("details.revision = :before AND details.epoch = :epoch", as_read)
}

/// An organization, from its item or from the list.
pub fn organization(item: &Item) -> Result<Organization> {
    let reader = Reader::within(item, DETAILS)?;
    Ok(Organization {
        id: reader.parsed("record_id", parse_uuid)?,
        external_id: reader.optional("external_id", ExternalId::parse)?,
        name: PartyName::from_stored(reader.text("display_name")?),
        properties: properties(item)?,
        record: record(reader)?,
        last_token_on: reader.optional("last_token_on", Day::from_stored)?,
    })
}

/// A user, from its item or from the list.
pub fn user(item: &Item) -> Result<User> {
    let reader = Reader::within(item, DETAILS)?;
    Ok(User {
        id: reader.parsed("record_id", parse_uuid)?,
        external_id: reader.optional("external_id", ExternalId::parse)?,
        organization_id: reader.parsed("organization_id", parse_uuid)?,
        role_id: reader.parsed("role_id", parse_uuid)?,
        name: PartyName::from_stored(reader.text("display_name")?),
        properties: properties(item)?,
        record: record(reader)?,
        last_token_on: reader.optional("last_token_on", Day::from_stored)?,
    })
}

/// What a token for a user or an organization is compared with: nothing else of their items is read for it.
#[derive(Debug)]
pub struct Standing {
    pub id: Uuid,
    pub external_id: Option<ExternalId>,
    /// Whose a user is.
    pub organization_id: Option<Uuid>,
    /// How often its tokens were revoked.
    pub epoch: u64,
}

/// How a user or an organization stands, from its item.
pub fn standing(item: &Item) -> Result<Standing> {
    let reader = Reader::within(item, DETAILS)?;
    Ok(Standing {
        id: reader.parsed("record_id", parse_uuid)?,
        external_id: reader.optional("external_id", ExternalId::parse)?,
        organization_id: reader.optional("organization_id", parse_uuid)?,
        epoch: reader.number("epoch")?,
    })
}

/// The kinds of what registered tenants go by.
const BY_KEY: &str = "key";
const BY_NAME: &str = "name";

/// The update that writes a registered tenant as it is now, whether there was one or not. When it was first registered
/// is in its position in the list, which is written once: of two first logins at once, the first to arrive says when it
/// was.
pub fn registered(update: Update, registered: &RegisteredTenant) -> Update {
    let (kind, external_id) = match &registered.key {
        RegisteredKey::Key(key) => (BY_KEY, text(key)),
        RegisteredKey::Name(name) => (BY_NAME, text(name)),
    };
    let optional = [
        ("updated_at", registered.updated_at.map(millis)),
        ("last_token_on", registered.last_token_on.as_ref().map(text)),
    ];
    let mut record = NewItem::from([
        ("external_id".to_owned(), external_id),
        ("kind".to_owned(), text(kind)),
        ("display_name".to_owned(), text(&registered.name)),
    ]);
    record.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    update
        .set(DETAILS, AttributeValue::M(record))
        .set(PROPERTIES, text(registered.payload.to_text()))
        .set_once(LISTING_ORDER, text(keys::list_position(registered.created_at, registered.key.digest())))
}

/// A registered tenant, from its item or from the list.
pub fn registered_tenant(item: &Item) -> Result<RegisteredTenant> {
    let reader = Reader::within(item, DETAILS)?;
    let created = |position: &str| keys::created_at(position).ok_or_else(|| Problem::new("is no position in a list"));
    Ok(RegisteredTenant {
        key: match reader.text("kind")? {
            BY_KEY => RegisteredKey::Key(reader.parsed("external_id", ExternalId::parse)?),
            _ => RegisteredKey::Name(PartyName::from_stored(reader.text("external_id")?)),
        },
        name: PartyName::from_stored(reader.text("display_name")?),
        payload: properties(item)?,
        created_at: Reader::of(item).parsed(LISTING_ORDER, created)?,
        updated_at: reader.optional_millis("updated_at")?,
        last_token_on: reader.optional("last_token_on", Day::from_stored)?,
    })
}

fn record(reader: Reader<'_>) -> Result<Record> {
    Ok(Record {
        created_at: reader.millis("created_at")?,
        updated_at: reader.optional_millis("updated_at")?,
        revision: reader.number("revision")?,
        epoch: reader.number("epoch")?,
        tokens_revoked_at: reader.optional_millis("tokens_revoked_at")?,
    })
}

/// Lists have no properties: they are read by whoever asks what is registered, not what is in it.
fn properties(item: &Item) -> Result<Properties> {
    let read = |text: &str| Properties::from_stored(text).ok_or_else(|| Problem::new("are no JSON object"));
    Ok(Reader::of(item).optional(PROPERTIES, read)?.unwrap_or_default())
}
