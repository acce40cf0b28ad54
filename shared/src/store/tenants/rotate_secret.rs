//! Rotation of a tenant's secret: the new version is stored first, and becomes the valid one when the table says so.
//!
//! 1. With an idempotency key only, the table: the key is reserved, if there is such a tenant. A refusal in one of the
//!    steps below gives it back.
//! 2. The table: a label is leased.
//! 3. Secrets Manager: the new version, under that label.
//! 4. The table: the tenant is read, and the pointer moved if nobody has changed the tenant since, with the audit
//!    event, the callback and the stored response.
//!
//! A crash before the last step leaves a version that the table doesn't name. It never becomes valid, and a later
//! rotation takes its label away, upon which AWS discards it. Labels are leased in turn, so that of two rotations at
//! once, or of one whose request arrives late, none takes the label of a valid version away. The signing key is another
//! secret, with labels and turns of its own.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{Tenants, items};
use crate::domain::{
    Action, ChangeContext, EventType, NewEvent, OverlapSeconds, SecretLabel, SecretPointer, SecretVersion, Tenant,
    TenantId, TenantSecret, Timestamp, random_uuid,
};
use crate::error::{Error, Result};
use crate::store::audit::put_event;
use crate::store::callbacks::owe;
use crate::store::dynamodb::{ATTEMPTS, Commit, Condition, Item, Reader, Transaction, Update, millis, number, text};
use crate::store::idempotency::{self, Replay};
use crate::store::keys;
use crate::store::secrets_manager::{NewVersion, SecretKind};

/// A rotation that was made.
#[derive(Debug)]
pub struct Rotated {
    /// The new secret. `None` when the answer is a replay and the secret can't be shown again.
    pub secret: Option<TenantSecret>,
    /// When and how.
    pub rotation: SecretRotation,
}

/// When and how a secret was rotated, as it is stored under an idempotency key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SecretRotation {
    /// When the new secret became valid.
    pub rotated_at: Timestamp,
    /// Until when the old one stays valid; `None` if it is dead.
    pub previous_until: Option<Timestamp>,
}

/// A version on its way to being the valid one.
struct Candidate {
    version: SecretVersion,
    secret: TenantSecret,
    rotation: SecretRotation,
    attempt: Uuid,
}

impl Tenants<'_> {
    /// Gives a tenant a new secret. Without an overlap the old one is dead when this returns; with one, both are valid
    /// until it ends, and a secret of before the old one is dead at once, so that there are never three.
    ///
    /// # Errors
    /// If there is no such tenant, a store fails, or others kept changing the tenant in between.
    pub async fn rotate_secret(
        self,
        id: &TenantId,
        overlap: OverlapSeconds,
        change: &ChangeContext,
    ) -> Result<Rotated> {
        let attempt = random_uuid(self.random)?;
        if let Some(replay) = self.reserve(id, change, attempt).await? {
            self.note_replay(id, change.event(Action::TenantSecretRotated, Vec::new()), &replay).await?;
            let secret = replay.secret.as_deref().and_then(|text| TenantSecret::restore(text));
            return Ok(Rotated { rotation: replay.read()?, secret });
        }
        let rotated = self.rotate_reserved(id, overlap, change, attempt).await;
        idempotency::give_back(self.table, change, attempt, rotated).await
    }

    /// Steps 2 to 4.
    async fn rotate_reserved(
        self,
        id: &TenantId,
        overlap: OverlapSeconds,
        change: &ChangeContext,
        attempt: Uuid,
    ) -> Result<Rotated> {
        let (label, _) = self.lease_label(id, SecretKind::TenantSecret, None).await?;
        let until = change.at.plus(Duration::from_secs(overlap.get().into()));
        let candidate = Candidate {
            version: SecretVersion { id: random_uuid(self.random)?, label },
            secret: TenantSecret::generate(self.random)?,
            rotation: SecretRotation { rotated_at: change.at, previous_until: (overlap.get() > 0).then_some(until) },
            attempt,
        };
        self.secrets.add(id, &candidate.version, NewVersion::TenantSecret(&candidate.secret)).await?;
        for _ in 0..ATTEMPTS {
            // All of it anew each time: also whether the tenant is to be told may have changed.
            let tenant = self.get(id).await?.ok_or(Error::TenantNotFound)?;
            if self.move_pointer(&tenant, &candidate, change).await? {
                return Ok(Rotated { secret: Some(candidate.secret), rotation: candidate.rotation });
            }
        }
        Err(Error::StaleUpdate)
    }

    /// Step 1. The earlier response, if there is one.
    pub(super) async fn reserve(self, id: &TenantId, change: &ChangeContext, attempt: Uuid) -> Result<Option<Replay>> {
        let mut transaction = Transaction::new();
        let reserved = idempotency::reserve(&mut transaction, change, attempt);
        if transaction.is_empty() {
            return Ok(None);
        }
        transaction.check(keys::state(id), items::provisioned());
        match self.table.commit(transaction).await? {
            Commit::Done => Ok(None),
            Commit::Refused(refused) => reserved.replay(&refused, change)?.map(Some).ok_or(Error::TenantNotFound),
        }
    }

    /// Step 2. Each rotation gets the label after that of the one before of its kind, whether that was finished or not.
    /// Those of the two versions that are needed are passed over: of a tenant secret those in force, of a signing key
    /// that in force and `standby`, which the tenant's item does not name. So a label comes again only after thirteen
    /// others.
    pub(super) async fn lease_label(
        self,
        id: &TenantId,
        kind: SecretKind,
        standby: Option<SecretLabel>,
    ) -> Result<(SecretLabel, Item)> {
        let leased = items::labels_leased(kind);
        for _ in 0..=ATTEMPTS {
            let update = Update::of(keys::state(id)).increment(leased);
            let state = self.table.update(update, items::provisioned()).await?.done().ok_or(Error::TenantNotFound)?;
            let label = SecretLabel::of_turn(Reader::of(&state).number(leased)?);
            if standby != Some(label) && !items::has_label(&state, kind, label)? {
                return Ok((label, state));
            }
        }
        Err(Error::internal("four labels in turn are on versions that are needed"))
    }

    /// Step 4. Whether it was made: not if somebody else has changed the tenant since it was read.
    async fn move_pointer(self, tenant: &Tenant, candidate: &Candidate, change: &ChangeContext) -> Result<bool> {
        let id = &tenant.summary.id;
        let unchanged = Condition::new("revision = :before", [(":before", number(tenant.revision))]);
        let mut transaction = Transaction::new();
        transaction.update(pointing_to(candidate, id, &tenant.secret), unchanged);
        let Candidate { secret, rotation, attempt, .. } = candidate;
        let event = change.event(Action::TenantSecretRotated, Vec::new());
        put_event(&mut transaction, id, &event.with("previous_valid_until", rotation.previous_until))?;
        let told = NewEvent {
            event_type: EventType::TenantSecretRotated,
            tenant_id: id,
            created_at: change.at,
            sequence: tenant.revision + 1,
            data: json!({
                "secret_rotated_at": rotation.rotated_at, "previous_secret_valid_until": rotation.previous_until,
            }),
        };
        owe(&mut transaction, &tenant.configuration, self.random, told)?;
        let secret = Some(secret.expose());
        let stored = idempotency::store(&mut transaction, change, Some(*attempt), rotation, secret, self.random)?;
        match self.table.commit(transaction).await? {
            Commit::Done => Ok(true),
            Commit::Refused(refused) if stored.failed(&refused) => {
                Err(Error::unavailable("the rotation took longer than its lease"))
            }
            Commit::Refused(_) => Ok(false),
        }
    }
}

/// The update that makes the candidate the valid version.
fn pointing_to(Candidate { version, rotation, .. }: &Candidate, id: &TenantId, pointer: &SecretPointer) -> Update {
    let previous = rotation.previous_until.map(|until| (&pointer.current, until));
    Update::of(keys::state(id))
        .set("secret_version", text(version.id))
        .set("secret_label", text(version.label))
        .set("secret_rotated_at", millis(rotation.rotated_at))
        .set_or_remove("previous_secret_version", previous.map(|(version, _)| text(version.id)))
        .set_or_remove("previous_secret_label", previous.map(|(version, _)| text(version.label)))
        .set_or_remove("previous_secret_until", previous.map(|(_, until)| millis(until)))
        .remove(items::PREVIOUS_USED)
        .set("updated_at", millis(rotation.rotated_at))
        .increment("revision")
}
