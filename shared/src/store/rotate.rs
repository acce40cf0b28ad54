//! Rotation of a tenant's secret: the new version is stored first, and becomes the valid one when the table says so.
//!
//! 1. The table: which versions are valid now.
//! 2. With an idempotency key only, the table: the key is reserved.
//! 3. Secrets Manager: the new version, under a label that no valid version has.
//! 4. The table: the pointer, if nobody has moved it since step 1, with the audit event and the remembered outcome.
//!
//! A crash before the last step leaves a version that the table doesn't name. It never becomes valid, and the next rotations
//! take its label away, upon which AWS discards it.

use serde::{Deserialize, Serialize};
use std::time::Duration;
use uuid::Uuid;

use super::expression::{Condition, Update};
use super::item::{Item, Reader, millis, number, text};
use super::keys;
use super::outcomes::{self, Outcome, Replay};
use super::table::{ATTEMPTS, Commit};
use super::tenant_items;
use super::tenants::Tenants;
use crate::domain::{
    Action, Change, OverlapSeconds, SecretPointer, SecretVersion, TenantId, TenantSecret, Timestamp, draw, random_uuid,
};
use crate::error::{Error, Result};

/// A rotation that was made.
#[derive(Debug)]
pub struct Rotated {
    /// The new secret. `None` when the answer is a replay and the secret can't be shown again.
    pub secret: Option<TenantSecret>,
    /// When and how.
    pub facts: RotationFacts,
}

/// When and how a rotation was made, as it is remembered under an idempotency key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RotationFacts {
    /// When the new secret became valid.
    pub rotated_at: Timestamp,
    /// Until when the old one stays valid; `None` if it is dead.
    pub previous_until: Option<Timestamp>,
}

impl Tenants<'_> {
    /// Gives a tenant a new secret. Without an overlap the old one is dead when this returns; with one, both are valid until
    /// it ends, and a secret of before the old one is dead at once, so that there are never three.
    ///
    /// # Errors
    /// If there is no such tenant, a store fails, or others kept rotating in between.
    pub async fn rotate(self, id: &TenantId, overlap: OverlapSeconds, change: &Change) -> Result<Rotated> {
        let attempt = random_uuid(self.random)?;
        let mut reserved = false;
        for _ in 0..ATTEMPTS {
            let state = self.table.get(keys::state(id)).await?.ok_or(Error::TenantNotFound)?;
            tenant_items::summary(&state)?.ok_or(Error::TenantNotFound)?;
            if !reserved && let Some(replay) = self.reserve(change, attempt).await? {
                let facts = serde_json::from_str(&replay.facts).map_err(Error::internal)?;
                return Ok(Rotated { secret: replay.secret, facts });
            }
            reserved = true;
            let pointer = tenant_items::secret_pointer(&state)?;
            let [random] = draw(self.random)?;
            let version = SecretVersion { id: random_uuid(self.random)?, label: pointer.free_label(random) };
            let secret = TenantSecret::generate(self.random)?;
            self.secrets.add(id, &version, &secret).await?;
            let until = change.at.plus(Duration::from_secs(overlap.get().into()));
            let facts = RotationFacts { rotated_at: change.at, previous_until: (overlap.get() > 0).then_some(until) };
            let update = moved(id, &pointer, &version, &facts);
            if self.point(id, &state, update, change, attempt, (&facts, &secret)).await? {
                return Ok(Rotated { secret: Some(secret), facts });
            }
        }
        Err(Error::StaleUpdate)
    }

    async fn reserve(self, change: &Change, attempt: Uuid) -> Result<Option<Replay>> {
        let Some(once) = &change.once else { return Ok(None) };
        let write = outcomes::reserve(&self.table.name, change, once, attempt)?;
        match self.table.commit(vec![write]).await? {
            Commit::Done => Ok(None),
            Commit::Refused(refused) => {
                let item =
                    refused.item(0).ok_or_else(|| Error::unavailable("the idempotency key could not be reserved"))?;
                outcomes::replay(item, once, change.at).map(Some)
            }
        }
    }

    /// Step 4. `false` if somebody else has changed the tenant since it was read.
    async fn point(
        self,
        id: &TenantId,
        read: &Item,
        update: Update,
        change: &Change,
        attempt: Uuid,
        (facts, secret): (&RotationFacts, &TenantSecret),
    ) -> Result<bool> {
        let table = &self.table.name;
        let before: u64 = Reader(read).number("revision")?;
        let unchanged = Condition::new("revision = :before", [(":before", number(before))]);
        let mut writes = vec![
            update.in_transaction(table, unchanged)?,
            self.event(id, &change.event(Action::TenantSecretRotated, Vec::new()))?,
        ];
        if let Some(once) = &change.once {
            let facts = serde_json::to_string(facts).map_err(Error::internal)?;
            let outcome = Outcome { facts, secret: Some(secret) };
            writes.push(outcomes::remember(table, change, once, Some(attempt), &outcome, self.random)?);
        }
        match self.table.commit(writes).await? {
            Commit::Done => Ok(true),
            Commit::Refused(refused) if refused.failed(2) => {
                Err(Error::unavailable("the rotation took longer than its lease"))
            }
            Commit::Refused(_) => Ok(false),
        }
    }
}

/// The update that makes `version` the valid one.
fn moved(id: &TenantId, pointer: &SecretPointer, version: &SecretVersion, facts: &RotationFacts) -> Update {
    let previous = facts.previous_until.map(|until| (&pointer.current, until));
    Update::of(keys::state(id))
        .set("secret_version", text(version.id))
        .set("secret_label", text(version.label))
        .set("secret_rotated_at", millis(facts.rotated_at))
        .set_or_remove("previous_secret_version", previous.map(|(version, _)| text(version.id)))
        .set_or_remove("previous_secret_label", previous.map(|(version, _)| text(version.label)))
        .set_or_remove("previous_secret_until", previous.map(|(_, until)| millis(until)))
        .set("updated_at", millis(facts.rotated_at))
        .increment("revision")
}
