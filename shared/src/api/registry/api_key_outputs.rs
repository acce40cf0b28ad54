//! Answers of the registry about API keys, signing keys and the revocation of tokens.

use schemars::JsonSchema;
use serde::Serialize;

use crate::api::operation::Output;
use crate::domain::{
    ApiKey, ApiKeyId, ApiKeySecret, Cursor, CursorPage, Day, KeyKind, KeyState, Origins, PageLimit, RevealedSecret,
    Timestamp,
};
use crate::store::{IssuedApiKey, RotatedSigningKey};

/// New API key, with its secret text.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ProvisionedApiKey {
    /// Id of the API key: `key_` and 16 hexadecimal digits.
    pub key_id: ApiKeyId,
    /// The API key itself, shown once. Null in a repeated answer to the same `Idempotency-Key` that can no longer show
    /// it.
    pub api_key: Option<RevealedSecret>,
    /// Kind of the key, which decides what it may be used for.
    pub kind: KeyKind,
    /// Name of the key, 1 to 120 characters.
    pub name: String,
    /// Time at which the key was issued.
    pub created_at: Timestamp,
    /// Time from which the key is refused; null if it does not expire.
    pub expires_at: Option<Timestamp>,
    /// Whether the key's `allowed_origins` also applies to the scoped tokens that it mints.
    pub origins_apply_to_tokens: bool,
}

impl From<IssuedApiKey> for ProvisionedApiKey {
    fn from(IssuedApiKey { secret, summary }: IssuedApiKey) -> Self {
        Self {
            key_id: summary.id,
            api_key: secret.map(ApiKeySecret::reveal),
            kind: summary.kind,
            name: summary.name,
            created_at: summary.created_at,
            expires_at: summary.expires_at,
            origins_apply_to_tokens: summary.origins_apply_to_tokens,
        }
    }
}

impl Output for ProvisionedApiKey {
    fn message(&self) -> &'static str {
        match self.api_key {
            Some(_) => "API key provisioned. Save api_key now — it will not be shown again.",
            None => "API key provisioned. It was shown before and can't be shown again.",
        }
    }
}

/// API key after its rotation, with its new secret text.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RotatedApiKey {
    /// Id of the API key, which a rotation does not change.
    pub key_id: ApiKeyId,
    /// The new API key, shown once. Null in a repeated answer to the same `Idempotency-Key` that can no longer show it.
    pub api_key: Option<RevealedSecret>,
    /// Time at which the new key became valid.
    pub rotated_at: Option<Timestamp>,
    /// Time until which the old key stays valid; null if it is already invalid.
    pub previous_valid_until: Option<Timestamp>,
}

impl From<IssuedApiKey> for RotatedApiKey {
    fn from(IssuedApiKey { secret, summary }: IssuedApiKey) -> Self {
        Self {
            key_id: summary.id,
            api_key: secret.map(ApiKeySecret::reveal),
            rotated_at: summary.rotated_at,
            previous_valid_until: summary.previous_until,
        }
    }
}

impl Output for RotatedApiKey {
    fn message(&self) -> &'static str {
        match (&self.api_key, self.previous_valid_until) {
            (Some(_), None) => "API key rotated. Save the new api_key — the old one is now invalid.",
            (Some(_), Some(_)) => {
                "API key rotated. Save the new api_key — the old one stays valid until previous_valid_until."
            }
            (None, _) => "API key rotated. The new one was shown before and can't be shown again.",
        }
    }
}

/// Empty result of a revocation: always null.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RevokedApiKey;

impl Output for RevokedApiKey {
    fn message(&self) -> &'static str {
        "API key revoked"
    }
}

/// API key in a list, without its secret text.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ApiKeyRow {
    /// Id of the API key: `key_` and 16 hexadecimal digits.
    pub key_id: ApiKeyId,
    /// Name of the key, 1 to 120 characters.
    pub name: String,
    /// Kind of the key, which decides what it may be used for.
    pub kind: KeyKind,
    /// Prefix and next four characters of the key, by which people recognize it. They reveal nothing secret.
    pub start: String,
    /// Whether the key is active, expired or revoked now.
    pub state: KeyState,
    /// Web origins from which browsers may send the key; empty if any origin may.
    pub allowed_origins: Origins,
    /// Whether `allowed_origins` also applies to the scoped tokens that the key mints.
    pub origins_apply_to_tokens: bool,
    /// Time at which the key was issued.
    pub created_at: Timestamp,
    /// Time from which the key is refused; null if it does not expire.
    pub expires_at: Option<Timestamp>,
    /// Time at which the key was last rotated; null if never.
    pub rotated_at: Option<Timestamp>,
    /// Time until which the key from before the last rotation is valid; null if the rotation had no overlap.
    pub previous_valid_until: Option<Timestamp>,
    /// Time at which the key was revoked; null if it was not.
    pub revoked_at: Option<Timestamp>,
    /// Time at which the tokens minted with this key were last revoked; null if never.
    pub tokens_revoked_before: Option<Timestamp>,
    /// Last day (UTC) on which the key was used; null if never.
    pub last_used_at: Option<Day>,
}

impl ApiKeyRow {
    fn at(key: ApiKey, now: Timestamp) -> Self {
        Self {
            state: key.state(now),
            key_id: key.claims.id,
            name: key.name.to_string(),
            kind: key.claims.kind,
            start: key.start,
            allowed_origins: key.allowed_origins,
            origins_apply_to_tokens: key.origins_apply_to_tokens,
            created_at: key.created_at,
            expires_at: key.expires_at,
            rotated_at: key.rotated_at,
            previous_valid_until: key.previous_until,
            revoked_at: key.revoked_at,
            tokens_revoked_before: key.tokens_revoked_at,
            last_used_at: key.last_used_on,
        }
    }
}

/// One page of a tenant's API keys.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ApiKeysPage {
    /// API keys of the page, newest first.
    pub api_keys: Vec<ApiKeyRow>,
    /// Cursor of the next page; null on the last page.
    pub next_cursor: Option<Cursor>,
    /// Maximum number of API keys on a page, as requested.
    pub limit: PageLimit,
}

impl ApiKeysPage {
    /// The answer, with states as of that time.
    pub fn new(page: CursorPage<ApiKey>, limit: PageLimit, now: Timestamp) -> Self {
        let api_keys = page.rows.into_iter().map(|key| ApiKeyRow::at(key, now)).collect();
        Self { api_keys, next_cursor: page.next, limit }
    }
}

impl Output for ApiKeysPage {}

/// Keys of a tenant after a rotation.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SigningKeyView {
    /// Key id (`kid`) of the key that signs now, as in the headers of tokens and in the tenant's key set.
    pub kid: String,
    /// Time at which the key came into force.
    pub rotated_at: Timestamp,
    /// Time until which the old key stays in the key set; null if it was dropped.
    pub previous_served_until: Option<Timestamp>,
    /// Key id of the new standby key, which is in the key set already and signs after the next rotation. It and its
    /// time are null if the answer is that of a rotation from before there were standby keys, repeated.
    pub standby_kid: Option<String>,
    /// Time from which the standby key can be made to sign without `force`.
    pub standby_promotable_at: Option<Timestamp>,
    /// Time until which verifiers may refuse fresh tokens, because their caches may lack the key that signs; null if it
    /// was published for long enough before.
    pub caches_may_refuse_until: Option<Timestamp>,
}

impl From<RotatedSigningKey> for SigningKeyView {
    fn from(rotated: RotatedSigningKey) -> Self {
        Self {
            kid: rotated.kid,
            rotated_at: rotated.rotated_at,
            previous_served_until: rotated.previous_served_until,
            standby_kid: rotated.standby_kid,
            standby_promotable_at: rotated.standby_promotable_at,
            caches_may_refuse_until: rotated.caches_may_refuse_until,
        }
    }
}

impl Output for SigningKeyView {
    fn message(&self) -> &'static str {
        match (self.previous_served_until, self.caches_may_refuse_until) {
            (Some(_), None) => "Signing key rotated. Tokens of the old key stay valid until they expire.",
            (Some(_), Some(_)) => {
                "Signing key rotated. Verifiers may refuse fresh tokens until caches_may_refuse_until."
            }
            (None, _) => {
                "Signing key rotated. Tokens of the old keys are refused, and verifiers may refuse fresh ones until \
                 caches_may_refuse_until."
            }
        }
    }
}

/// Revocation of issued tokens.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TokensRevoked {
    /// Time of the revocation. Tokens issued after it are not affected.
    pub revoked_before: Timestamp,
    /// Whether anything is kept of whom the request names: a registration, rows, passkeys or devices. An end user who
    /// had tokens only leaves nothing; if it is false otherwise, look for a typo in the id.
    pub known: bool,
}

impl Output for TokensRevoked {
    fn message(&self) -> &'static str {
        if self.known { "Tokens revoked" } else { "Tokens revoked, of an end user of whom nothing else is known" }
    }
}
