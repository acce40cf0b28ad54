//! The key set of a tenant: the public keys that its tokens can be verified with, now or after the next rotation.
//!
//! The item also names the version with the private half of the standby key. The hot item, which names that of the key
//! in force, has no room for it: it is written with each signed call, for one unit up to 1 KB.

use std::time::Duration;

use super::Tenants;
use super::items;
use crate::domain::{PublishedKey, SecretVersion, SigningPointer, StandbyKey, TenantId, Timestamp, TokenLifetime};
use crate::error::{Error, Result};
use crate::store::dynamodb::{Condition, Item, NewItem, Reader, millis, text};
use crate::store::keys;

/// How much longer than the longest token a replaced key is published: clocks of two machines differ by less.
const MARGIN: Duration = Duration::from_mins(1);

/// The public keys, as JSON.
const KEYS: &str = "key_set";
/// Key id of the key in force.
const KID: &str = "kid";
/// Key id of the standby key; not there in sets from before there were any.
const STANDBY_KID: &str = "standby_kid";

/// When a key that was replaced leaves the set.
pub fn served_until(retired_at: Timestamp) -> Timestamp {
    retired_at.plus(TokenLifetime::LONGEST).plus(MARGIN)
}

/// What is published of a tenant's keys.
#[derive(Debug, Clone)]
pub struct KeySet {
    /// The key in force, then the standby key if there is one, then those that were replaced.
    pub keys: Vec<PublishedKey>,
    /// Which of them stands by. `None` for a tenant that was provisioned before there were standby keys, until its next
    /// rotation.
    pub standby: Option<StandbyKey>,
}

impl KeySet {
    /// The item of it.
    pub fn item(&self, id: &TenantId) -> Result<NewItem> {
        let mut item = NewItem::from(keys::key_set(id));
        item.insert(KEYS.to_owned(), text(serde_json::to_string(&self.keys).map_err(Error::internal)?));
        item.extend(self.keys.first().map(|in_force| (KID.to_owned(), text(&in_force.kid))));
        let standby = self.standby.iter().flat_map(|StandbyKey { pointer, published_at }| {
            [
                (STANDBY_KID.to_owned(), text(&pointer.kid)),
                ("standby_version".to_owned(), text(pointer.version.id)),
                ("standby_label".to_owned(), text(pointer.version.label)),
                ("standby_published_at".to_owned(), millis(*published_at)),
            ]
        });
        item.extend(standby);
        Ok(item)
    }

    /// A set, without the keys that no token can be verified with any more at that time.
    ///
    /// # Errors
    /// If the item can't be read.
    pub fn read(item: &Item, now: Timestamp) -> Result<Self> {
        let reader = Reader::of(item);
        let keys: Vec<PublishedKey> = serde_json::from_str(reader.text(KEYS)?).map_err(|_| reader.unreadable(KEYS))?;
        let is_served = |key: &PublishedKey| key.retired_at.is_none_or(|retired| now < served_until(retired));
        Ok(Self { keys: keys.into_iter().filter(is_served).collect(), standby: standby(item)? })
    }

    /// The keys that tokens can have been signed with. A token of the standby key is a forgery: whoever made it has the
    /// key from elsewhere. Only here can that be told, because elsewhere nobody knows which key it is.
    pub fn signers(self) -> Vec<PublishedKey> {
        let Self { keys, standby } = self;
        let signs = |key: &PublishedKey| standby.as_ref().is_none_or(|standby| standby.pointer.kid != key.kid);
        keys.into_iter().filter(signs).collect()
    }

    /// That a set is still this one: each change of a set changes which key is in force, or which stands by, and none
    /// of them comes again.
    pub fn is_unchanged(&self) -> Result<Condition> {
        let in_force = self.keys.first().ok_or_else(|| Error::internal("a key set is empty"))?;
        let in_force = (":kid", text(&in_force.kid));
        Ok(match &self.standby {
            None => Condition::new("kid = :kid AND attribute_not_exists(standby_kid)", [in_force]),
            Some(standby) => Condition::new(
                "kid = :kid AND standby_kid = :standby",
                [in_force, (":standby", text(&standby.pointer.kid))],
            ),
        })
    }
}

/// The standby key of a key set.
pub fn standby(item: &Item) -> Result<Option<StandbyKey>> {
    let reader = Reader::of(item);
    let Some(kid) = reader.optional_text(STANDBY_KID)? else { return Ok(None) };
    let id = reader.parsed("standby_version", items::version_id)?;
    let version = SecretVersion { id, label: reader.parsed("standby_label", items::version_label)? };
    let pointer = SigningPointer { version, kid: kid.to_owned() };
    Ok(Some(StandbyKey { pointer, published_at: reader.millis("standby_published_at")? }))
}

/// Whether a tenant's items are of one moment with its key set, if that was read.
pub fn is_of_one_moment(set: Option<&Item>, in_force: &SigningPointer) -> Result<bool> {
    Ok(set.map(|set| Reader::of(set).text(KID)).transpose()?.is_none_or(|kid| kid == in_force.kid))
}

impl Tenants<'_> {
    /// A tenant's public keys; `None` if there is no such tenant. One call.
    ///
    /// # Errors
    /// If the table fails or the item can't be read.
    pub async fn public_keys(self, id: &TenantId, now: Timestamp) -> Result<Option<Vec<PublishedKey>>> {
        Ok(self.key_set(id, now).await?.map(|set| set.keys))
    }

    /// The same, with which of them stands by.
    pub(super) async fn key_set(self, id: &TenantId, now: Timestamp) -> Result<Option<KeySet>> {
        // A tenant that was not provisioned to the end has no set.
        self.table.get(keys::key_set(id)).await?.map(|item| KeySet::read(&item, now)).transpose()
    }
}
