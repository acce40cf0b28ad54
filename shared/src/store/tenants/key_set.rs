//! The key set of a tenant: the public keys that its tokens can be verified with.

use std::time::Duration;

use super::Tenants;
use crate::domain::{PublishedKey, TenantId, Timestamp, TokenLifetime};
use crate::error::{Error, Result};
use crate::store::dynamodb::{Item, Reader, text};
use crate::store::keys;

/// How much longer than the longest token a replaced key is published: clocks of two machines differ by less.
const MARGIN: Duration = Duration::from_mins(1);

/// When a key that was replaced leaves the set.
pub fn served_until(retired_at: Timestamp) -> Timestamp {
    retired_at.plus(TokenLifetime::LONGEST).plus(MARGIN)
}

/// A key set as an item; the first is the one in force.
pub fn item(id: &TenantId, keys: &[PublishedKey]) -> Result<Item> {
    let mut item = keys::key_set(id);
    item.insert("key_set".to_owned(), text(serde_json::to_string(keys).map_err(Error::internal)?));
    item.extend(keys.first().map(|in_force| ("kid".to_owned(), text(&in_force.kid))));
    Ok(item)
}

/// The keys of a set that tokens can be verified with at that time.
pub fn read(item: &Item, now: Timestamp) -> Result<Vec<PublishedKey>> {
    let reader = Reader::of(item);
    let keys: Vec<PublishedKey> =
        serde_json::from_str(reader.text("key_set")?).map_err(|_| reader.unreadable("key_set"))?;
    Ok(keys.into_iter().filter(|key| key.retired_at.is_none_or(|retired| now < served_until(retired))).collect())
}

impl Tenants<'_> {
    /// A tenant's public keys; `None` if there is no such tenant. One call.
    ///
    /// # Errors
    /// If the table fails or the item can't be read.
    pub async fn public_keys(self, id: &TenantId, now: Timestamp) -> Result<Option<Vec<PublishedKey>>> {
        // A tenant that was not provisioned to the end has no set.
        self.table.get(keys::key_set(id)).await?.map(|item| read(&item, now)).transpose()
    }
}
