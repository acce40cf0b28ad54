//! What the registry answers about API keys, signing keys and the revocation of tokens.

use schemars::JsonSchema;
use serde::Serialize;

use crate::api::operation::Output;
use crate::domain::{
    ApiKey, ApiKeyId, ApiKeySecret, Cursor, CursorPage, Day, KeyKind, KeyState, Origins, PageLimit, RevealedSecret,
    Timestamp,
};
use crate::store::{IssuedApiKey, RotatedSigningKey};

/// A new API key.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ProvisionedApiKey {
    /// Its id.
    pub key_id: ApiKeyId,
    /// The key, shown once; null in a replay that can't show it again.
    pub api_key: Option<RevealedSecret>,
    /// What it may be used for.
    pub kind: KeyKind,
    /// What the operator calls it.
    pub name: String,
    /// When it was provisioned.
    pub created_at: Timestamp,
    /// From when on it is refused; null = never.
    pub expires_at: Option<Timestamp>,
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

/// A new secret of an API key.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RotatedApiKey {
    /// Its id, the same as before.
    pub key_id: ApiKeyId,
    /// The key, shown once; null in a replay that can't show it again.
    pub api_key: Option<RevealedSecret>,
    /// When it became valid.
    pub rotated_at: Option<Timestamp>,
    /// Until when the old one is valid too; null if it is dead.
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

/// The key is revoked; there is nothing else to say.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RevokedApiKey;

impl Output for RevokedApiKey {
    fn message(&self) -> &'static str {
        "API key revoked"
    }
}

/// An API key as the list shows it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ApiKeyRow {
    /// Its id.
    pub key_id: ApiKeyId,
    /// What the operator calls it.
    pub name: String,
    /// What it may be used for.
    pub kind: KeyKind,
    /// Its prefix and four characters: what a person knows it by.
    pub start: String,
    /// Whether it can be used.
    pub state: KeyState,
    /// Web origins from which browsers may send it; empty = any.
    pub allowed_origins: Origins,
    /// When it was provisioned.
    pub created_at: Timestamp,
    /// From when on it is refused; null = never.
    pub expires_at: Option<Timestamp>,
    /// When its secret was last replaced; null = never.
    pub rotated_at: Option<Timestamp>,
    /// Until when the secret of before is valid too.
    pub previous_valid_until: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When the tokens that it minted were last revoked.
    pub tokens_revoked_before: Option<Timestamp>,
    /// The last day on which it was used; null = never.
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

/// A page of API keys.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ApiKeysPage {
    /// The keys, newest first.
    pub api_keys: Vec<ApiKeyRow>,
    /// For the next page; null on the last.
    pub next_cursor: Option<Cursor>,
    /// Rows that were asked for.
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

/// A new signing key.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SigningKeyView {
    /// The id of the new key, in the headers of tokens and in the key set.
    pub kid: String,
    /// When it came into force.
    pub rotated_at: Timestamp,
    /// Until when the key of before is in the key set; null if it was dropped.
    pub previous_served_until: Option<Timestamp>,
}

impl From<RotatedSigningKey> for SigningKeyView {
    fn from(rotated: RotatedSigningKey) -> Self {
        Self { kid: rotated.kid, rotated_at: rotated.rotated_at, previous_served_until: rotated.previous_served_until }
    }
}

impl Output for SigningKeyView {
    fn message(&self) -> &'static str {
        match self.previous_served_until {
            Some(_) => "Signing key rotated. Tokens of the old key stay valid until they expire.",
            None => "Signing key rotated. Tokens of the old keys are refused.",
        }
    }
}

/// A revocation of tokens.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TokensRevoked {
    /// When they were revoked. Tokens that are asked for from now on are not affected.
    pub revoked_before: Timestamp,
}

impl Output for TokensRevoked {
    fn message(&self) -> &'static str {
        "Tokens revoked"
    }
}
