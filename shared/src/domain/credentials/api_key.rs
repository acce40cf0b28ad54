//! API keys as they are stored: what is known of one, and whether a presented one is it.

use schemars::JsonSchema;
use serde::Serialize;

use super::api_key_secret::{ApiKeyClaims, ApiKeySecret, KeyHash};
use crate::domain::tenants::origin::Origin;
use crate::domain::tenants::tenant::Origins;
use crate::domain::time::clock::{Day, Timestamp};
use crate::domain::values::text::KeyName;

/// What is stored of an API key.
#[derive(Debug, Clone)]
pub struct ApiKey {
    pub claims: ApiKeyClaims,
    /// What the operator calls it.
    pub name: KeyName,
    /// Its first characters.
    pub start: String,
    /// Origins from which browsers may send it; empty = any.
    pub allowed_origins: Origins,
    pub created_at: Timestamp,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// When its secret was last replaced.
    pub rotated_at: Option<Timestamp>,
    /// Until when the secret of before is accepted too.
    pub previous_until: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    /// How often the tokens that it minted have been revoked.
    pub epoch: u64,
    /// When they were last revoked.
    pub tokens_revoked_at: Option<Timestamp>,
    /// The last day on which it was used.
    pub last_used_on: Option<Day>,
}

/// Whether a key can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    Active,
    Expired,
    Revoked,
}

impl ApiKey {
    /// Whether it can be used at that time.
    pub fn state(&self, now: Timestamp) -> KeyState {
        match (self.revoked_at, self.expires_at) {
            (Some(_), _) => KeyState::Revoked,
            (None, Some(expires_at)) if expires_at <= now => KeyState::Expired,
            (None, _) => KeyState::Active,
        }
    }

    /// Whether a browser page of that origin may send it. Without an `Origin` header it is no browser page of another site.
    pub fn allows(&self, origin: Option<&str>) -> bool {
        let allowed = self.allowed_origins.as_slice();
        let Some(origin) = origin else { return true };
        allowed.is_empty() || allowed.iter().map(Origin::as_str).any(|allowed| allowed == origin)
    }
}

/// The hashes of a key's secrets. Apart from [`ApiKey`], because nothing but the check of a credential reads them.
#[derive(Debug)]
pub struct KeyHashes {
    pub current: KeyHash,
    /// The hash of before a rotation, and until when it is accepted.
    pub previous: Option<(KeyHash, Timestamp)>,
}

impl KeyHashes {
    /// Whether the presented key is one of them. Each comparison takes constant time; that there is a second one is no secret.
    pub fn accept(&self, presented: &ApiKeySecret, now: Timestamp) -> bool {
        let hash = presented.hash();
        let previous = self.previous.as_ref().filter(|(_, until)| now < *until);
        self.current.is(&hash) || previous.is_some_and(|(previous, _)| previous.is(&hash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{KeyKind, SystemRandomness, TenantId};

    fn key(kind: KeyKind) -> ApiKeySecret {
        let random = SystemRandomness::new();
        ApiKeySecret::generate(&TenantId::generate(&random).unwrap(), kind, &random).unwrap().unwrap()
    }

    #[test]
    fn the_secret_of_before_is_accepted_until_the_end_of_the_overlap_and_not_at_it() {
        let (old, new) = (key(KeyKind::Embed), key(KeyKind::Embed));
        let at = Timestamp::from_millis;
        let hashes = KeyHashes { current: new.hash(), previous: Some((old.hash(), at(1000))) };
        assert!(hashes.accept(&old, at(999)) && !hashes.accept(&old, at(1000)));
        assert!(hashes.accept(&new, at(999)) && hashes.accept(&new, at(1000)));
        assert!(!hashes.accept(&key(KeyKind::Embed), at(0)));
    }
}
