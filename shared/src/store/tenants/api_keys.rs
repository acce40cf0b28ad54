//! API keys: provisioning, rotation, revocation. Each is one transaction: the key, that its tenant exists, the audit
//! event, and what is remembered under an idempotency key.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::api_key_items::{LAST_INTROSPECTED_ON, LAST_TOKEN_ON, LAST_USED_ON};
use super::{Committed, Tenants, api_key_items, items};
use crate::domain::{
    Action, ApiKey, ApiKeyId, ApiKeySecret, AuditEvent, ChangeContext, Day, KeyKind, KeyName, Origins, OverlapSeconds,
    TenantId, Timestamp, Viewpoint,
};
use crate::error::{Error, Result};
use crate::store::audit::put_event;
use crate::store::dynamodb::{Condition, Table, Transaction, Update, Updated, millis, text};
use crate::store::idempotency::Replay;
use crate::store::keys::{self, DETAILS, Kind};
use crate::store::prefetch::Read;

/// What a key is to be.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    pub name: KeyName,
    pub kind: KeyKind,
    pub expires_at: Option<Timestamp>,
    pub allowed_origins: Origins,
    pub origins_apply_to_tokens: bool,
}

/// A key that was provisioned or rotated.
pub struct IssuedApiKey {
    /// The new secret. `None` when the answer is a replay and the secret can't be shown again.
    pub secret: Option<ApiKeySecret>,
    pub summary: IssuedKeySummary,
}

impl fmt::Debug for IssuedApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("IssuedApiKey")
    }
}

/// What the answer to a change of a key says, as it is remembered under an idempotency key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IssuedKeySummary {
    pub id: ApiKeyId,
    pub kind: KeyKind,
    pub name: String,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    /// Absent in what was remembered of keys that did not have it, and whose tokens it does not go for.
    #[serde(default)]
    pub origins_apply_to_tokens: bool,
    pub rotated_at: Option<Timestamp>,
    /// Until when the secret of before is accepted too.
    pub previous_until: Option<Timestamp>,
}

impl From<&ApiKey> for IssuedKeySummary {
    fn from(key: &ApiKey) -> Self {
        Self {
            id: key.claims.id.clone(),
            kind: key.claims.kind,
            name: key.name.to_string(),
            created_at: key.created_at,
            expires_at: key.expires_at,
            origins_apply_to_tokens: key.origins_apply_to_tokens,
            rotated_at: key.rotated_at,
            previous_until: key.previous_until,
        }
    }
}

impl Tenants<'_> {
    /// Gives a tenant a new API key.
    ///
    /// # Errors
    /// If there is no such tenant.
    pub async fn provision_api_key(
        self,
        id: &TenantId,
        new: NewApiKey,
        change: &ChangeContext,
    ) -> Result<IssuedApiKey> {
        // An id that we did not make is no tenant's.
        let secret = ApiKeySecret::generate(id, new.kind, self.random)?.ok_or(Error::TenantNotFound)?;
        let key = ApiKey {
            claims: secret.claims().clone(),
            name: new.name,
            start: secret.start(),
            allowed_origins: new.allowed_origins,
            origins_apply_to_tokens: new.origins_apply_to_tokens,
            created_at: change.at,
            expires_at: new.expires_at,
            rotated_at: None,
            previous_until: None,
            revoked_at: None,
            epoch: 0,
            tokens_revoked_at: None,
            last_used_on: None,
            last_token_on: None,
            last_introspected_on: None,
        };
        let mut transaction = Transaction::new();
        transaction.put(api_key_items::item(&key, &secret), Condition::is_new());
        let summary = IssuedKeySummary::from(&key);
        let issued = IssuedApiKey { secret: Some(secret), summary };
        let event = change.event_about(Action::ApiKeyProvisioned, &key.claims.id);
        let event = event.with("name", &key.name).with("kind", key.claims.kind).with("expires_at", key.expires_at);
        let event = event.with("allowed_origins", &key.allowed_origins);
        let event = event.with("origins_apply_to_tokens", key.origins_apply_to_tokens);
        match self.change_key(id, transaction, &event, Some(&issued), change).await? {
            Committed::Done => Ok(issued),
            Committed::Replay(replay) => self.reissued(id, &event, &replay).await,
            Committed::Refused(_) => Err(Error::unavailable("a new key id was taken already")),
        }
    }

    /// Gives an API key a new secret; its id, name and expiry stay. Without an overlap the old secret is refused when
    /// this returns.
    ///
    /// # Errors
    /// If there is no such key or tenant, or the key can't be used any more.
    pub async fn rotate_api_key(
        self,
        tenant: &TenantId,
        id: &ApiKeyId,
        overlap: OverlapSeconds,
        change: &ChangeContext,
    ) -> Result<IssuedApiKey> {
        let seen = self.table.prefetch(tenant, &Viewpoint::Account, vec![Read::ApiKey(id.clone())]).await?;
        seen.tenant_state()?.ok_or(Error::TenantNotFound)?;
        let (mut key, _) = seen.api_key(id)?.ok_or(Error::ApiKeyNotFound)?;
        let secret = ApiKeySecret::regenerate(&key.claims, self.random)?.ok_or(Error::ApiKeyNotFound)?;
        key.rotated_at = Some(change.at);
        key.previous_until = (overlap.get() > 0).then(|| change.at.plus(Duration::from_secs(overlap.get().into())));
        // Inside an update, the attributes on the right are those of before it. Without an overlap the hash of the old
        // secret is kept too: whoever still sends it is known by it, in the log and the set-up.
        let update = Update::of(keys::of_kind(tenant, Kind::ApiKey, id))
            .set("key_hash", text(secret.hash().to_text()))
            .copy("previous_hash", "key_hash")
            .set("details.rotated_at", millis(change.at))
            .set_or_remove("details.previous_until", key.previous_until.map(millis));
        let usable = Condition::new("attribute_exists(pk) AND attribute_not_exists(details.revoked_at)", []).and(
            "(attribute_not_exists(details.expires_at) OR details.expires_at > :now)",
            [(":now", millis(change.at))],
        );
        let mut transaction = Transaction::new();
        transaction.update(update, usable);
        let summary = IssuedKeySummary::from(&key);
        let issued = IssuedApiKey { secret: Some(secret), summary };
        let event = change.event_about(Action::ApiKeyRotated, id).with("previous_valid_until", key.previous_until);
        match self.change_key(tenant, transaction, &event, Some(&issued), change).await? {
            Committed::Done => Ok(issued),
            Committed::Replay(replay) => self.reissued(tenant, &event, &replay).await,
            Committed::Refused(_) => Err(Error::ApiKeyGone),
        }
    }

    /// Revokes an API key, and with it every token that it minted. Revoking twice changes nothing.
    ///
    /// # Errors
    /// If there is no such key or tenant.
    pub async fn revoke_api_key(self, tenant: &TenantId, id: &ApiKeyId, change: &ChangeContext) -> Result<()> {
        let update = Update::of(keys::of_kind(tenant, Kind::ApiKey, id)).set("details.revoked_at", millis(change.at));
        let mut transaction = Transaction::new();
        let unrevoked = Condition::new("attribute_exists(pk) AND attribute_not_exists(details.revoked_at)", []);
        let revoked = transaction.update(update, unrevoked);
        let event = change.event_about(Action::ApiKeyRevoked, id);
        match self.change_key(tenant, transaction, &event, None, change).await? {
            Committed::Done | Committed::Replay(_) => Ok(()),
            Committed::Refused(refused) if refused.item(revoked).is_some() => self.commit_nothing(change).await,
            Committed::Refused(_) => Err(Error::ApiKeyNotFound),
        }
    }

    /// Commits the write of a key, if there is its tenant. What was issued is stored under the idempotency key.
    async fn change_key(
        self,
        tenant: &TenantId,
        mut transaction: Transaction,
        event: &AuditEvent,
        issued: Option<&IssuedApiKey>,
        change: &ChangeContext,
    ) -> Result<Committed> {
        let exists = transaction.check(keys::state(tenant), items::provisioned());
        put_event(&mut transaction, tenant, event)?;
        let summary = issued.map(|issued| &issued.summary);
        let secret = issued.and_then(|issued| issued.secret.as_ref()).map(ApiKeySecret::expose);
        match self.commit(change, transaction, &summary, secret).await? {
            Committed::Refused(refused) if refused.failed(exists) => Err(Error::TenantNotFound),
            committed => Ok(committed),
        }
    }

    /// A key that was issued before, under the same idempotency key. Its id is that of then.
    async fn reissued(self, tenant: &TenantId, event: &AuditEvent, replay: &Replay) -> Result<IssuedApiKey> {
        let summary: IssuedKeySummary = replay.read()?;
        let event =
            AuditEvent { subject: Some(summary.id.to_string()), details: serde_json::Map::new(), ..event.clone() };
        self.note_replay(tenant, event, replay).await?;
        let secret = replay.secret.as_deref().and_then(|text| ApiKeySecret::parse(text));
        Ok(IssuedApiKey { secret, summary })
    }
}

impl Table {
    /// Notes that a key was used on that day, if that is not noted yet. Best effort: a failure is ignored.
    pub async fn note_use(&self, key: &ApiKey, day: &Day) {
        self.note_key(key, LAST_USED_ON, key.last_used_on.as_ref(), day).await;
    }

    /// The same of a token that was minted with it.
    pub async fn note_minted(&self, key: &ApiKey, day: &Day) {
        self.note_key(key, LAST_TOKEN_ON, key.last_token_on.as_ref(), day).await;
    }

    /// The same of an active token that it asked about.
    pub async fn note_introspection(&self, key: &ApiKey, day: &Day) {
        self.note_key(key, LAST_INTROSPECTED_ON, key.last_introspected_on.as_ref(), day).await;
    }

    async fn note_key(&self, key: &ApiKey, attribute: &'static str, noted: Option<&Day>, day: &Day) {
        if noted == Some(day) {
            return;
        }
        let place = format!("{DETAILS}.{attribute}");
        let update = Update::of(keys::of_kind(&key.claims.tenant_id, Kind::ApiKey, &key.claims.id));
        let due = Condition::new(
            format!("attribute_exists(pk) AND (attribute_not_exists({place}) OR {place} < :today)"),
            [(":today", text(day))],
        );
        let _: Result<Updated> = self.update(update.set(place, text(day)), due).await;
    }
}
