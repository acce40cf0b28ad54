//! Replacement of the key that signs a tenant's tokens.
//!
//! It goes like the rotation of the tenant secret (see [`super::rotate_secret`]), in a secret of its own: the key set
//! is read, a label leased, a new key stored, and the table says what it is for. It stands by after the rotation; the
//! one that stood by before is in the set already, and signs from now on. Only in the place of keys that are dropped,
//! or if a tenant has no standby key and is not to wait for one, the new key signs at once, and one that was made with
//! it stands by.
//!
//! Hot item and key set are written in one transaction, each on the condition that it is as it was read. So one key
//! signs, it is in the set, and of two rotations at once the second finds a standby key that is too young. A crash
//! before the transaction leaves a version that nothing names, as that of a tenant secret. The public halves of keys
//! that were replaced stay in the set for as long as tokens signed with them can be valid.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Tenants;
use super::key_set::{self, KeySet};
use crate::domain::{
    Action, AuditEvent, ChangeContext, KeyRotation, KeyRotationStep, PublishedKey, SecretVersion, SigningKey,
    SigningPointer, StandbyKey, StandbyTooYoung, TenantId, Timestamp, known_everywhere_at, random_uuid,
};
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
    /// The id of the key that signs now.
    pub kid: String,
    pub rotated_at: Timestamp,
    /// Until when the key of before is published; `None` if it was dropped.
    pub previous_served_until: Option<Timestamp>,
    /// The id of the key that stands by now. It and its time are `None` in what was stored before there were any.
    #[serde(default)]
    pub standby_kid: Option<String>,
    /// From when that may sign.
    #[serde(default)]
    pub standby_promotable_at: Option<Timestamp>,
    /// Until when caches may lack the key that signs; `None` if none should.
    #[serde(default)]
    pub caches_may_refuse_until: Option<Timestamp>,
}

/// Keys that are stored and that the table does not name yet.
struct Candidate {
    version: SecretVersion,
    /// The one that stands by, or signs.
    key: SigningKey,
    /// The one that stands by if the other signs.
    spare: Option<SigningKey>,
}

/// What the table is to say.
struct Outcome {
    /// The key that signs, if it is to be another one than before.
    signing: Option<SigningPointer>,
    set: KeySet,
    event: AuditEvent,
    /// What is answered; a refusal that says when to try again if all that was done is to publish.
    answer: Result<RotatedSigningKey>,
}

impl Tenants<'_> {
    /// Lets a tenant's standby key sign its tokens, and gives it a new standby key. Tokens of the key of before stay
    /// valid, unless that is dropped: then they are refused from now on, here at once and elsewhere when the key set is
    /// fetched again.
    ///
    /// # Errors
    /// If there is no such tenant, its standby key is too young (a tenant that had none has one then), a store fails,
    /// the set is full, or others kept changing the tenant in between.
    pub async fn rotate_signing_key(
        self,
        id: &TenantId,
        rotation: KeyRotation,
        change: &ChangeContext,
    ) -> Result<RotatedSigningKey> {
        let attempt = random_uuid(self.random)?;
        if let Some(replay) = self.reserve(id, change, attempt).await? {
            return replay.read();
        }
        let rotated = self.rotate_reserved_key(id, rotation, change, attempt).await;
        idempotency::give_back(self.table, change, attempt, rotated).await
    }

    async fn rotate_reserved_key(
        self,
        id: &TenantId,
        rotation: KeyRotation,
        change: &ChangeContext,
        attempt: Uuid,
    ) -> Result<RotatedSigningKey> {
        let mut stored = None;
        for _ in 0..ATTEMPTS {
            // The set before the state: if either has changed since then, the conditions of the transaction say so.
            let set = self.key_set(id, change.at).await?.ok_or(Error::TenantNotFound)?;
            let step = rotation.step(set.standby.as_ref(), change.at)?;
            let kept = if rotation.drop_previous { 0 } else { set.keys.len() };
            if kept + step.new_keys() > MOST {
                return Err(Error::RotatedTooOften);
            }
            let (candidate, state) = match stored.take() {
                Some(candidate) => (candidate, self.table.get(keys::state(id)).await?.ok_or(Error::TenantNotFound)?),
                None => self.store_candidate(id, &set, &step).await?,
            };
            let outcome = candidate.outcome(&set, &step, rotation, change)?;
            if self.decide(id, &state, &set, &outcome, change, attempt).await? {
                return outcome.answer;
            }
            stored = Some(candidate);
        }
        Err(Error::StaleUpdate)
    }

    /// Stores the keys that a step needs. With them comes the tenant's state of that moment.
    async fn store_candidate(
        self,
        id: &TenantId,
        set: &KeySet,
        step: &KeyRotationStep<'_>,
    ) -> Result<(Candidate, Item)> {
        let standby = set.standby.as_ref().map(|standby| standby.pointer.version.label);
        let (label, state) = self.lease_label(id, SecretKind::SigningKey, standby).await?;
        let key = SigningKey::generate(self.random)?;
        let spare = (step.new_keys() > 1).then(|| SigningKey::generate(self.random)).transpose()?;
        let version = SecretVersion { id: random_uuid(self.random)?, label };
        self.secrets.add(id, &version, NewVersion::SigningKeys(&key, spare.as_ref())).await?;
        Ok((Candidate { version, key, spare }, state))
    }

    /// Lets the table say it. `false` if somebody else has changed the tenant since it was read.
    async fn decide(
        self,
        id: &TenantId,
        state: &Item,
        read: &KeySet,
        outcome: &Outcome,
        change: &ChangeContext,
        attempt: Uuid,
    ) -> Result<bool> {
        let revision: u64 = Reader::of(state).number("revision")?;
        let update = Update::of(keys::state(id)).set("updated_at", millis(change.at)).increment("revision");
        let update = match &outcome.signing {
            None => update,
            Some(SigningPointer { version, kid }) => update
                .set("token_key_version", text(version.id))
                .set("token_key_label", text(version.label))
                .set("token_kid", text(kid)),
        };
        let mut transaction = Transaction::new();
        transaction.update(update, Condition::new("revision = :before", [(":before", number(revision))]));
        put_event(&mut transaction, id, &outcome.event)?;
        transaction.put(outcome.set.item(id)?, read.is_unchanged()?);
        let stored = match &outcome.answer {
            Ok(rotated) => {
                Some(idempotency::store(&mut transaction, change, Some(attempt), rotated, None, self.random)?)
            }
            // A refusal is not stored: whoever tries again is to get further.
            Err(_) => None,
        };
        match self.table.commit(transaction).await? {
            Commit::Done => Ok(true),
            Commit::Refused(refused) if stored.is_some_and(|stored| stored.failed(&refused)) => {
                Err(Error::unavailable("the rotation took longer than its lease"))
            }
            Commit::Refused(_) => Ok(false),
        }
    }
}

impl Candidate {
    fn pointer(&self, key: &SigningKey) -> SigningPointer {
        SigningPointer { version: self.version.clone(), kid: key.kid().to_owned() }
    }

    fn standing_by(&self, key: &SigningKey, since: Timestamp) -> StandbyKey {
        StandbyKey { pointer: self.pointer(key), published_at: since }
    }

    /// What a step makes of a tenant's keys.
    fn outcome(
        &self,
        read: &KeySet,
        step: &KeyRotationStep<'_>,
        rotation: KeyRotation,
        change: &ChangeContext,
    ) -> Result<Outcome> {
        let now = change.at;
        match step {
            KeyRotationStep::Promote(standby) => {
                let promoted = read.keys.iter().find(|key| key.kid == standby.pointer.kid);
                let promoted = promoted.ok_or_else(|| Error::internal("a standby key is not in its key set"))?;
                let signing = (standby.pointer.clone(), promoted.clone(), standby.promotable_at());
                Ok(rotated(read, signing, (self.standing_by(&self.key, now), &self.key), rotation, change))
            }
            KeyRotationStep::Replace => {
                // Without a spare key the candidate was made for another step, which somebody else came before.
                let spare = self.spare.as_ref().ok_or(Error::StaleUpdate)?;
                let signing = (self.pointer(&self.key), PublishedKey::of(&self.key), known_everywhere_at(now));
                Ok(rotated(read, signing, (self.standing_by(spare, now), spare), rotation, change))
            }
            KeyRotationStep::Publish => {
                let [in_force, replaced @ ..] = read.keys.as_slice() else {
                    return Err(Error::internal("a key set is empty"));
                };
                let keys = [&[in_force.clone(), PublishedKey::of(&self.key)], replaced].concat();
                let standby = self.standing_by(&self.key, now);
                Ok(Outcome {
                    event: change.event_about(Action::StandbyKeyPublished, &self.key.kid()),
                    answer: Err(StandbyTooYoung::until(standby.promotable_at(), now).into()),
                    set: KeySet { keys, standby: Some(standby) },
                    signing: None,
                })
            }
        }
    }
}

/// The outcome in which a key signs that caches can lack until a time, and another stands by.
fn rotated(
    read: &KeySet,
    (signing, in_force, known_at): (SigningPointer, PublishedKey, Timestamp),
    (standby, next): (StandbyKey, &SigningKey),
    rotation: KeyRotation,
    change: &ChangeContext,
) -> Outcome {
    let now = change.at;
    let mut keys = vec![in_force, PublishedKey::of(next)];
    if !rotation.drop_previous {
        let others = read.keys.iter().filter(|key| key.kid != signing.kid).cloned();
        keys.extend(others.map(|old| PublishedKey { retired_at: old.retired_at.or(Some(now)), ..old }));
    }
    let event = change.event_about(Action::SigningKeyRotated, &signing.kid);
    Outcome {
        event: event.with("drop_previous", rotation.drop_previous).with("force", rotation.force),
        answer: Ok(RotatedSigningKey {
            kid: signing.kid.clone(),
            rotated_at: now,
            previous_served_until: (!rotation.drop_previous).then(|| key_set::served_until(now)),
            standby_kid: Some(standby.pointer.kid.clone()),
            standby_promotable_at: Some(standby.promotable_at()),
            caches_may_refuse_until: Some(known_at).filter(|known_at| now < *known_at),
        }),
        set: KeySet { keys, standby: Some(standby) },
        signing: Some(signing),
    }
}
