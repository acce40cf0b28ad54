//! Replacement of the key that signs a tenant's tokens.
//!
//! It goes like the rotation of the tenant secret (see [`super::rotate_secret`]), in a secret of its own: the new key
//! is stored first and signs when the table says so. The public halves of keys that were replaced stay in the set for
//! as long as tokens signed with them can be valid.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Tenants, items, key_set};
use crate::domain::{Action, ChangeContext, PublishedKey, SecretVersion, SigningKey, TenantId, Timestamp, random_uuid};
use crate::error::{Error, Result};
use crate::store::audit::put_event;
use crate::store::dynamodb::{ATTEMPTS, Commit, Condition, Item, Reader, Transaction, Update, millis, number, text};
use crate::store::idempotency;
use crate::store::keys;
use crate::store::secrets_manager::{NewVersion, SecretKind};

/// The most keys in a set. It is read with each token that is looked at, so it may not grow without bound.
const MOST: usize = 16;

/// A replacement that was made, as it is stored under an idempotency key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RotatedSigningKey {
    /// The id of the new key.
    pub kid: String,
    pub rotated_at: Timestamp,
    /// Until when the key of before is published; `None` if it was dropped.
    pub previous_served_until: Option<Timestamp>,
}

/// A key on its way to being the one that signs.
struct Candidate {
    key: SigningKey,
    version: SecretVersion,
    rotated: RotatedSigningKey,
    attempt: Uuid,
}

impl Tenants<'_> {
    /// Gives a tenant a new key to sign tokens with. Tokens of the old one stay valid, unless it is dropped: then they
    /// are refused from now on, here at once and elsewhere when the key set is fetched again.
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
        let rotated = self.replace_reserved(id, drop, change, attempt).await;
        idempotency::give_back(self.table, change, attempt, rotated).await
    }

    async fn replace_reserved(
        self,
        id: &TenantId,
        drop: bool,
        change: &ChangeContext,
        attempt: Uuid,
    ) -> Result<RotatedSigningKey> {
        let (label, mut state) = self.lease_label(id, SecretKind::SigningKey).await?;
        let key = SigningKey::generate(self.random)?;
        let rotated = RotatedSigningKey {
            kid: key.kid().to_owned(),
            rotated_at: change.at,
            previous_served_until: (!drop).then(|| key_set::served_until(change.at)),
        };
        let version = SecretVersion { id: random_uuid(self.random)?, label };
        let candidate = Candidate { key, version, rotated, attempt };
        for turn in 0..ATTEMPTS {
            let set = self.replaced(id, &state, &candidate).await?;
            if turn == 0 {
                self.secrets.add(id, &candidate.version, NewVersion::SigningKey(&candidate.key)).await?;
            }
            if self.publish(id, &state, &set, &candidate, change).await? {
                return Ok(candidate.rotated);
            }
            state = self.table.get(keys::state(id)).await?.ok_or(Error::TenantNotFound)?;
        }
        Err(Error::StaleUpdate)
    }

    /// Makes the candidate the key that signs. `false` if somebody else has changed the tenant since it was read.
    async fn publish(
        self,
        id: &TenantId,
        read: &Item,
        set: &[PublishedKey],
        candidate: &Candidate,
        change: &ChangeContext,
    ) -> Result<bool> {
        let Candidate { key, version, rotated, attempt } = candidate;
        let revision: u64 = Reader::of(read).number("revision")?;
        // The set was read after the state: this is that it was of the same moment.
        let before = items::signing_pointer(read)?.kid;
        let update = Update::of(keys::state(id))
            .set("token_key_version", text(version.id))
            .set("token_key_label", text(version.label))
            .set("token_kid", text(key.kid()))
            .set("updated_at", millis(change.at))
            .increment("revision");
        let mut transaction = Transaction::new();
        transaction.update(update, Condition::new("revision = :before", [(":before", number(revision))]));
        let event = change.event_about(Action::SigningKeyRotated, &key.kid());
        put_event(&mut transaction, id, &event.with("drop_previous", rotated.previous_served_until.is_none()))?;
        transaction.put(key_set::item(id, set)?, Condition::new("kid = :kid", [(":kid", text(before))]));
        let stored = idempotency::store(&mut transaction, change, Some(*attempt), rotated, None, self.random)?;
        match self.table.commit(transaction).await? {
            Commit::Done => Ok(true),
            Commit::Refused(refused) if stored.failed(&refused) => {
                Err(Error::unavailable("the rotation took longer than its lease"))
            }
            Commit::Refused(_) => Ok(false),
        }
    }

    /// The set with the candidate in force.
    async fn replaced(self, id: &TenantId, state: &Item, candidate: &Candidate) -> Result<Vec<PublishedKey>> {
        let Candidate { key, rotated, .. } = candidate;
        let kid = items::signing_pointer(state)?.kid;
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
