//! The keys that sign a tenant's tokens: the set that is published, and the replacement of the one in force.
//!
//! Replacing goes like the rotation of the secret (see [`super::rotate`]): the new key is stored first and signs when the table
//! says so. The public halves of keys that were replaced stay in the set for as long as tokens signed with them can be valid.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::expression::{Condition, Update, put};
use super::idempotency::{self, StoredResponse};
use super::item::{Item, Reader, millis, number, text};
use super::keys;
use super::secrets::NewVersion;
use super::table::{ATTEMPTS, Commit};
use super::tenant_items;
use super::tenants::Tenants;
use crate::domain::{
    Action, ChangeContext, PublishedKey, SecretVersion, SigningKey, TenantId, Timestamp, TokenLifetime, random_uuid,
};
use crate::error::{Error, Result};

/// How much longer than the longest token a replaced key is published: clocks of two machines differ by less.
const MARGIN: Duration = Duration::from_mins(1);

/// The most keys in a set. It is read with each token that is looked at, so it may not grow without bound.
const MOST: usize = 16;

/// A replacement that was made, as it is remembered under an idempotency key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RotatedSigningKey {
    /// The id of the new key.
    pub kid: String,
    pub rotated_at: Timestamp,
    /// Until when the key of before is published; `None` if it was dropped.
    pub previous_served_until: Option<Timestamp>,
}

/// When a key that was replaced leaves the set.
fn served_until(retired_at: Timestamp) -> Timestamp {
    retired_at.plus(TokenLifetime::LONGEST).plus(MARGIN)
}

/// A key set as an item; the first is the one in force.
pub fn item(id: &TenantId, keys: &[PublishedKey]) -> Result<Item> {
    let mut item = keys::signing(id);
    item.insert("key_set".to_owned(), text(serde_json::to_string(keys).map_err(Error::internal)?));
    item.extend(keys.first().map(|in_force| ("kid".to_owned(), text(&in_force.kid))));
    Ok(item)
}

/// The keys of a set that tokens can be verified with at that time.
pub fn read(item: &Item, now: Timestamp) -> Result<Vec<PublishedKey>> {
    let row = Reader(item);
    let keys: Vec<PublishedKey> = serde_json::from_str(row.text("key_set")?).map_err(|_| row.unreadable("key_set"))?;
    Ok(keys.into_iter().filter(|key| key.retired_at.is_none_or(|retired| now < served_until(retired))).collect())
}

impl Tenants<'_> {
    /// A tenant's public keys; `None` if there is no such tenant. One call.
    ///
    /// # Errors
    /// If the table fails or the item can't be read.
    pub async fn public_keys(self, id: &TenantId, now: Timestamp) -> Result<Option<Vec<PublishedKey>>> {
        // A tenant that was not provisioned to the end has no set.
        self.table.get(keys::signing(id)).await?.map(|item| read(&item, now)).transpose()
    }

    /// Gives a tenant a new key to sign tokens with. Tokens of the old one stay valid, unless it is dropped: then they are
    /// refused from now on, here at once and elsewhere when the key set is fetched again.
    ///
    /// # Errors
    /// If there is no such tenant, a store fails, the set is full, or others kept changing the tenant in between.
    pub async fn rotate_signing_key(
        self,
        id: &TenantId,
        drop: bool,
        change: &ChangeContext,
    ) -> Result<RotatedSigningKey> {
        let attempt = random_uuid(self.random)?;
        if let Some(replay) = self.reserve(id, change, attempt).await? {
            return replay.read();
        }
        let (label, mut state) = self.lease_label(id).await?;
        let key = SigningKey::generate(self.random)?;
        let version = SecretVersion { id: random_uuid(self.random)?, label };
        let rotated = RotatedSigningKey {
            kid: key.kid().to_owned(),
            rotated_at: change.at,
            previous_served_until: (!drop).then(|| served_until(change.at)),
        };
        for turn in 0..ATTEMPTS {
            let set = self.replaced(id, &state, &key, &rotated).await?;
            if turn == 0 {
                self.secrets.add(id, &version, NewVersion::SigningKey(&key)).await?;
            }
            let revision: u64 = Reader(&state).number("revision")?;
            // The set was read after the state: this is that it was of the same moment.
            let before = tenant_items::signing_pointer(&state)?.kid;
            let update = Update::of(keys::state(id))
                .set("token_key_version", text(version.id))
                .set("token_key_label", text(version.label))
                .set("token_kid", text(key.kid()))
                .set("updated_at", millis(change.at))
                .increment("revision");
            let table = &self.table.name;
            let unchanged = Condition::new("revision = :before", [(":before", number(revision))]);
            let mut writes = vec![
                update.in_transaction(table, unchanged)?,
                self.event(id, &change.event_about(Action::SigningKeyRotated, &key.kid()))?,
                put(table, item(id, &set)?, Condition::new("kid = :kid", [(":kid", text(before))]))?,
            ];
            if let Some(idempotency_key) = &change.idempotency_key {
                let body = serde_json::to_string(&rotated).map_err(Error::internal)?;
                let response = StoredResponse { body, secret: None };
                writes.push(idempotency::store(table, change, idempotency_key, Some(attempt), &response, self.random)?);
            }
            match self.table.commit(writes).await? {
                Commit::Done => return Ok(rotated),
                Commit::Refused(refused) if refused.failed(3) => {
                    return Err(Error::unavailable("the rotation took longer than its lease"));
                }
                Commit::Refused(_) => state = self.table.get(keys::state(id)).await?.ok_or(Error::TenantNotFound)?,
            }
        }
        Err(Error::StaleUpdate)
    }

    /// The set with `key` in force.
    async fn replaced(
        self,
        id: &TenantId,
        state: &Item,
        key: &SigningKey,
        rotated: &RotatedSigningKey,
    ) -> Result<Vec<PublishedKey>> {
        let kid = tenant_items::signing_pointer(state)?.kid;
        let present = self.public_keys(id, rotated.rotated_at).await?.ok_or(Error::TenantNotFound)?;
        let mut set = vec![PublishedKey::of(key)];
        if rotated.previous_served_until.is_some() {
            let retired = |old: PublishedKey| PublishedKey {
                retired_at: old.retired_at.or((old.kid == kid).then_some(rotated.rotated_at)),
                ..old
            };
            set.extend(present.into_iter().map(retired));
        }
        if set.len() > MOST { Err(Error::RotatedTooOften) } else { Ok(set) }
    }
}
