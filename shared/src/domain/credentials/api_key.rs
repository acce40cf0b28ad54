//! API keys as they are stored, and the check of a presented key.

use schemars::JsonSchema;
use serde::Serialize;

use super::api_key_secret::{ApiKeyClaims, ApiKeySecret};
use super::key_hash::KeyHash;
use super::secrets::KeySlot;
use crate::domain::tenants::origin::Origin;
use crate::domain::tenants::origins::Origins;
use crate::domain::time::clock::{Day, Timestamp};
use crate::domain::values::text::KeyName;

/// An API key as it is stored, without the hashes of its secrets.
#[derive(Debug, Clone)]
pub struct ApiKey {
    pub claims: ApiKeyClaims,
    /// Name of the key, 1 to 120 characters.
    pub name: KeyName,
    /// Prefix and next four characters of the key.
    pub start: String,
    /// Origins from which browsers may send the key; empty if any may.
    pub allowed_origins: Origins,
    /// Whether these origins are asked for the tokens minted with the key, too.
    pub origins_apply_to_tokens: bool,
    pub created_at: Timestamp,
    /// Time from which the key is refused.
    pub expires_at: Option<Timestamp>,
    /// Time at which the key was last rotated.
    pub rotated_at: Option<Timestamp>,
    /// Time until which the secret from before the last rotation is accepted too.
    pub previous_until: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    /// Number of times that the tokens minted with the key have been revoked.
    pub epoch: u64,
    /// Time at which these tokens were last revoked.
    pub tokens_revoked_at: Option<Timestamp>,
    /// Last day on which the key was used.
    pub last_used_on: Option<Day>,
    /// Last day on which a token was minted with the key.
    pub last_token_on: Option<Day>,
    /// Last day on which the key asked about a token that was active.
    pub last_introspected_on: Option<Day>,
}

/// State of an API key: `active`, or refused because it is `expired` or `revoked`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    Active,
    Expired,
    Revoked,
}

impl ApiKey {
    /// The state of the key at that time.
    pub fn state(&self, now: Timestamp) -> KeyState {
        match (self.revoked_at, self.expires_at) {
            (Some(_), _) => KeyState::Revoked,
            (None, Some(expires_at)) if expires_at <= now => KeyState::Expired,
            (None, _) => KeyState::Active,
        }
    }

    /// Whether a browser page of that origin may send the key. A request without an `Origin` header comes from no page
    /// of another site.
    pub fn allows(&self, origin: Option<&str>) -> bool {
        let allowed = self.allowed_origins.as_slice();
        let Some(origin) = origin else { return true };
        allowed.is_empty() || allowed.iter().map(Origin::as_str).any(|allowed| allowed == origin)
    }

    /// Whether a browser page of that origin may send a token minted with the key: as the key itself, if its origins
    /// apply to tokens.
    pub fn allows_tokens_from(&self, origin: Option<&str>) -> bool {
        !self.origins_apply_to_tokens || self.allows(origin)
    }
}

/// The hashes of a key's secrets. Apart from [`ApiKey`], because nothing but the check of a credential reads them.
#[derive(Debug)]
pub struct KeyHashes {
    pub current: KeyHash,
    /// Hash of the secret from before a rotation, and the time until which it is accepted: one long past, if it had no
    /// overlap.
    pub previous: Option<(KeyHash, Timestamp)>,
}

impl KeyHashes {
    /// The one that the presented key matches, whether that is still in force or not. Each comparison takes constant
    /// time; that there is a second one is no secret.
    pub fn slot(&self, presented: &ApiKeySecret) -> Option<KeySlot> {
        let hash = presented.hash();
        let is_previous = |(previous, _): &(KeyHash, Timestamp)| previous.is(&hash);
        if self.current.is(&hash) {
            Some(KeySlot::Current)
        } else {
            self.previous.as_ref().filter(|previous| is_previous(previous)).map(|_| KeySlot::Previous)
        }
    }

    /// Whether that one is in force.
    pub fn is_in_force(&self, slot: KeySlot, now: Timestamp) -> bool {
        slot == KeySlot::Current || self.previous.as_ref().is_some_and(|(_, until)| now < *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{KeyKind, SystemRandomness, TenantId};

    fn of(origins: &[&str], origins_apply_to_tokens: bool) -> ApiKey {
        ApiKey {
            claims: key(KeyKind::Account).claims().clone(),
            name: KeyName::from_stored("Page"),
            start: String::new(),
            allowed_origins: Origins::from_stored(origins.iter().map(|origin| Origin::from_stored(origin)).collect()),
            origins_apply_to_tokens,
            created_at: Timestamp::from_millis(0),
            expires_at: None,
            rotated_at: None,
            previous_until: None,
            revoked_at: None,
            epoch: 0,
            tokens_revoked_at: None,
            last_used_on: None,
            last_token_on: None,
            last_introspected_on: None,
        }
    }

    #[test]
    fn origins_go_for_tokens_if_they_apply_to_them_and_there_are_any() {
        let page = ["https://app.example.com"];
        for (origins, applies, elsewhere) in
            [(&page[..], true, false), (&page, false, true), (&[], true, true), (&[], false, true)]
        {
            let key = of(origins, applies);
            for origin in ["https://evil.example", "http://app.example.com", "null", ""] {
                assert_eq!(key.allows_tokens_from(Some(origin)), elsewhere, "{origin}");
            }
            assert!(key.allows_tokens_from(Some(page[0])) && key.allows_tokens_from(None));
        }
    }

    fn key(kind: KeyKind) -> ApiKeySecret {
        let random = SystemRandomness::new();
        ApiKeySecret::generate(&TenantId::generate(&random).unwrap(), kind, &random).unwrap().unwrap()
    }

    #[test]
    fn the_secret_of_before_is_accepted_until_the_end_of_the_overlap_and_not_at_it() {
        let (old, new) = (key(KeyKind::Embed), key(KeyKind::Embed));
        let at = Timestamp::from_millis;
        let hashes = KeyHashes { current: new.hash(), previous: Some((old.hash(), at(1000))) };
        let slots = [&old, &new, &key(KeyKind::Embed)].map(|key| hashes.slot(key));
        assert_eq!(slots, [Some(KeySlot::Previous), Some(KeySlot::Current), None]);
        for (slot, now, in_force) in [
            (KeySlot::Previous, 999, true),
            (KeySlot::Previous, 1000, false),
            (KeySlot::Current, 999, true),
            (KeySlot::Current, 1000, true),
        ] {
            assert_eq!(hashes.is_in_force(slot, at(now)), in_force, "{slot:?} at {now}");
        }
        let alone = KeyHashes { current: new.hash(), previous: None };
        assert!(alone.slot(&old).is_none() && !alone.is_in_force(KeySlot::Previous, at(0)));
    }

    #[test]
    fn a_key_is_expired_from_its_last_moment_and_revoked_for_ever() {
        let at = Timestamp::from_millis;
        for (expires_at, revoked_at, state) in [
            (None, None, KeyState::Active),
            (Some(at(11)), None, KeyState::Active),
            (Some(at(10)), None, KeyState::Expired),
            (Some(at(9)), None, KeyState::Expired),
            (None, Some(at(11)), KeyState::Revoked),
            (Some(at(9)), Some(at(1)), KeyState::Revoked),
        ] {
            let key = ApiKey { expires_at, revoked_at, ..of(&[], true) };
            assert_eq!(key.state(at(10)), state, "{expires_at:?} {revoked_at:?}");
        }
    }
}
