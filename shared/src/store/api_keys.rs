//! API keys: provisioning, rotation, revocation. Each is one transaction: the key, that its tenant exists, the audit event, and
//! what is remembered under an idempotency key.

use std::fmt;
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use serde::{Deserialize, Serialize};

use super::expression::{Condition, Update, check, put};
use super::idempotency::{Replay, StoredResponse};
use super::item::{Item, Reader, millis, number, text};
use super::keys::{self, Kind, LISTING_ORDER, TENANT_LISTING};
use super::prefetch::Read;
use super::table::{Table, Updated};
use super::tenant_items;
use super::tenants::{Committed, Tenants};
use crate::domain::{
    Action, ApiKey, ApiKeyClaims, ApiKeyId, ApiKeySecret, ChangeContext, Day, KeyHash, KeyHashes, KeyKind, KeyName,
    Origin, Origins, OverlapSeconds, Problem, TenantId, Timestamp, Viewpoint,
};
use crate::error::{Error, Result};

/// What a key is to be.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    pub name: KeyName,
    pub kind: KeyKind,
    pub expires_at: Option<Timestamp>,
    pub allowed_origins: Origins,
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
            created_at: change.at,
            expires_at: new.expires_at,
            rotated_at: None,
            previous_until: None,
            revoked_at: None,
            epoch: 0,
            tokens_revoked_at: None,
            last_used_on: None,
        };
        let new = put(&self.table.name, item(&key, &secret), Condition::is_new())?;
        let summary = IssuedKeySummary::from(&key);
        let shown = Some((&summary, &secret));
        match self.change_key(id, &key.claims.id, new, Action::ApiKeyProvisioned, shown, change).await? {
            Committed::Done => Ok(IssuedApiKey { secret: Some(secret), summary }),
            Committed::Replay(replay) => issued(&replay),
            Committed::Refused(_) => Err(Error::unavailable("a new key id was taken already")),
        }
    }

    /// Gives an API key a new secret; its id, name and expiry stay. Without an overlap the old secret is refused when this
    /// returns.
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
        let place = keys::of_kind(tenant, Kind::ApiKey, id);
        let seen = self.table.prefetch(tenant, &Viewpoint::Account, &[Read::ApiKey(id.clone())]).await?;
        seen.tenant_state()?.ok_or(Error::TenantNotFound)?;
        let (mut key, _) = seen.api_key(id)?.ok_or(Error::ApiKeyNotFound)?;
        let secret = ApiKeySecret::regenerate(&key.claims, self.random)?.ok_or(Error::ApiKeyNotFound)?;
        key.rotated_at = Some(change.at);
        key.previous_until = (overlap.get() > 0).then(|| change.at.plus(Duration::from_secs(overlap.get().into())));
        // Inside an update, the attributes on the right are those of before it.
        let update = Update::of(place)
            .set("key_hash", text(secret.hash().to_text()))
            .set("rotated_at", millis(change.at))
            .set_or_remove("previous_until", key.previous_until.map(millis));
        let update = if key.previous_until.is_some() {
            update.copy("previous_hash", "key_hash")
        } else {
            update.remove("previous_hash")
        };
        let usable = Condition::new(
            "attribute_exists(pk) AND attribute_not_exists(revoked_at) AND (attribute_not_exists(expires_at) OR expires_at > :now)",
            [(":now", millis(change.at))],
        );
        let write = update.in_transaction(&self.table.name, usable)?;
        let summary = IssuedKeySummary::from(&key);
        match self.change_key(tenant, id, write, Action::ApiKeyRotated, Some((&summary, &secret)), change).await? {
            Committed::Done => Ok(IssuedApiKey { secret: Some(secret), summary }),
            Committed::Replay(replay) => issued(&replay),
            Committed::Refused(_) => Err(Error::ApiKeyGone),
        }
    }

    /// Revokes an API key, and with it every token that it minted. Revoking twice changes nothing.
    ///
    /// # Errors
    /// If there is no such key or tenant.
    pub async fn revoke_api_key(self, tenant: &TenantId, id: &ApiKeyId, change: &ChangeContext) -> Result<()> {
        let update = Update::of(keys::of_kind(tenant, Kind::ApiKey, id)).set("revoked_at", millis(change.at));
        let unrevoked = Condition::new("attribute_exists(pk) AND attribute_not_exists(revoked_at)", []);
        let write = update.in_transaction(&self.table.name, unrevoked)?;
        match self.change_key(tenant, id, write, Action::ApiKeyRevoked, None, change).await? {
            Committed::Done | Committed::Replay(_) => Ok(()),
            // Revoked already, and even that is an outcome: the same idempotency key must not change anything later.
            Committed::Refused(refused) if refused.item(0).is_some() => {
                self.commit(change, Vec::new(), &StoredResponse::default()).await.map(|_| ())
            }
            Committed::Refused(_) => Err(Error::ApiKeyNotFound),
        }
    }

    /// Commits the write of a key, if there is its tenant. What it shows is remembered under the idempotency key.
    async fn change_key(
        self,
        tenant: &TenantId,
        id: &ApiKeyId,
        write: TransactWriteItem,
        action: Action,
        shown: Option<(&IssuedKeySummary, &ApiKeySecret)>,
        change: &ChangeContext,
    ) -> Result<Committed> {
        let writes = vec![
            write,
            check(&self.table.name, keys::state(tenant), tenant_items::provisioned())?,
            self.event(tenant, &change.event_about(action, id))?,
        ];
        let body = shown.map(|(summary, _)| serde_json::to_string(summary)).transpose().map_err(Error::internal)?;
        let response =
            StoredResponse { body: body.unwrap_or_default(), secret: shown.map(|(_, secret)| secret.expose()) };
        match self.commit(change, writes, &response).await? {
            Committed::Refused(refused) if refused.failed(1) => Err(Error::TenantNotFound),
            committed => Ok(committed),
        }
    }
}

/// A key that was issued before, under the same idempotency key.
fn issued(replay: &Replay) -> Result<IssuedApiKey> {
    let secret = replay.secret.as_deref().and_then(|text| ApiKeySecret::parse(text));
    Ok(IssuedApiKey { secret, summary: replay.read()? })
}

impl Table {
    /// Notes that a key was used on that day, if that is not noted yet. What is noted decides nothing, so that it can't be
    /// noted refuses nothing.
    pub async fn note_use(&self, key: &ApiKey, day: &Day) {
        if key.last_used_on.as_ref() == Some(day) {
            return;
        }
        let update = Update::of(keys::of_kind(&key.claims.tenant_id, Kind::ApiKey, &key.claims.id));
        let due = Condition::new(
            "attribute_exists(pk) AND (attribute_not_exists(last_used_on) OR last_used_on < :today)",
            [(":today", text(day))],
        );
        let _: Result<Updated> = self.update(update.set("last_used_on", text(day)), due).await;
    }
}

fn item(key: &ApiKey, secret: &ApiKeySecret) -> Item {
    let summary = &key.claims;
    let mut item = keys::of_kind(&summary.tenant_id, Kind::ApiKey, &summary.id);
    let origins = key.allowed_origins.as_slice().iter().map(text).collect();
    item.extend([
        (TENANT_LISTING.to_owned(), text(keys::listing(&summary.tenant_id, Kind::ApiKey))),
        (LISTING_ORDER.to_owned(), text(keys::listed(key.created_at, &summary.id))),
        ("key_id".to_owned(), text(&summary.id)),
        ("kind".to_owned(), text(summary.kind.as_str())),
        ("key_hash".to_owned(), text(secret.hash().to_text())),
        ("key_start".to_owned(), text(&key.start)),
        ("display_name".to_owned(), text(&key.name)),
        ("allowed_origins".to_owned(), AttributeValue::L(origins)),
        ("created_at".to_owned(), millis(key.created_at)),
        ("epoch".to_owned(), number(0)),
    ]);
    item.extend(key.expires_at.map(|expires_at| ("expires_at".to_owned(), millis(expires_at))));
    item
}

/// A key, from its item or its row in the list.
pub fn read(item: &Item) -> Result<ApiKey> {
    let row = Reader(item);
    let kind = |text: &str| KeyKind::parse(text).ok_or_else(|| Problem::new("is no kind"));
    let origins = row.texts("allowed_origins")?.into_iter().map(Origin::from_stored).collect();
    Ok(ApiKey {
        claims: ApiKeyClaims {
            kind: row.parsed("kind", kind)?,
            id: row.parsed("key_id", ApiKeyId::parse)?,
            tenant_id: tenant_items::tenant_id(item)?,
        },
        name: KeyName::from_stored(row.text("display_name")?),
        start: row.text("key_start")?.to_owned(),
        allowed_origins: Origins::from_stored(origins),
        created_at: row.millis("created_at")?,
        expires_at: row.optional_millis("expires_at")?,
        rotated_at: row.optional_millis("rotated_at")?,
        previous_until: row.optional_millis("previous_until")?,
        revoked_at: row.optional_millis("revoked_at")?,
        epoch: row.number("epoch")?,
        tokens_revoked_at: row.optional_millis("tokens_revoked_at")?,
        last_used_on: row.optional_text("last_used_on")?.map(Day::from_stored),
    })
}

/// The hashes of a key's secrets, from its item.
pub fn hashes(item: &Item) -> Result<KeyHashes> {
    let row = Reader(item);
    let hash = |text: &str| KeyHash::parse(text).ok_or_else(|| Problem::new("is no hash"));
    let previous = row.optional("previous_hash", hash)?.zip(row.optional_millis("previous_until")?);
    Ok(KeyHashes { current: row.parsed("key_hash", hash)?, previous })
}
