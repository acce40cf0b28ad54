//! Repeating a change safely: the caller's idempotency key, what is remembered under it, and the seal on remembered
//! secrets.
//!
//! The header is that of the IETF draft "The Idempotency-Key HTTP Header Field". A key belongs to its caller and to one
//! request: the fingerprint tells another request under the same key apart.

use std::fmt;
use std::time::Duration;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use super::random::{Random, RandomnessUnavailable, draw};

/// The time for which an outcome is remembered.
pub const REMEMBERED: Duration = Duration::from_hours(24);

/// The time for which a remembered secret can be opened: long enough for a client's retries, short enough that a key
/// which ends up in a log opens nothing.
pub const SECRET_REMEMBERED: Duration = Duration::from_mins(10);

/// One request under an idempotency key, as far as the server may remember it: a digest of the key, a digest of the
/// request, and (in this process's memory only) the key that seals a secret answer.
pub struct IdempotencyKey {
    scope: String,
    digest: String,
    fingerprint: String,
    seal: LessSafeKey,
}

impl IdempotencyKey {
    /// Reads the header: 1 to 255 visible ASCII characters.
    ///
    /// `scope` names whose key it is, so that two callers' equal keys never meet. `request` is what has to be the same
    /// when the key comes again. `credential` is the secret that authenticated the caller; with it in the derivation, a
    /// copy of the table is not enough to open a sealed answer even when the idempotency key is as guessable as "1".
    ///
    /// `None` if the header breaks the rule.
    pub fn new(key: &str, scope: &str, request: &[&[u8]], credential: &[u8]) -> Option<Self> {
        if !(1..=255).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let material = Salt::new(HKDF_SHA256, credential).extract(key.as_bytes());
        let info = [b"latchkey idempotency seal".as_slice(), scope.as_bytes()];
        let seal = LessSafeKey::new(UnboundKey::from(material.expand(&info, &AES_256_GCM).ok()?));
        Some(Self {
            scope: scope.to_owned(),
            digest: hash(&[b"latchkey idempotency key", scope.as_bytes(), key.as_bytes()]),
            fingerprint: hash(request),
            seal,
        })
    }

    /// The caller that the key belongs to.
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// The name under which the outcome is stored: a digest of scope and key.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// A digest of the request.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Seals `secret` (AES-256-GCM, random nonce in front), so that only a request with the same key can open it.
    ///
    /// # Errors
    /// If no randomness is available.
    pub fn seal(&self, secret: &str, random: &dyn Random) -> Result<Vec<u8>, RandomnessUnavailable> {
        let nonce = draw::<NONCE_LEN>(random)?;
        let mut sealed = secret.as_bytes().to_vec();
        self.seal
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(&self.digest), &mut sealed)
            .map_err(|_| RandomnessUnavailable)?;
        Ok([nonce.as_slice(), sealed.as_slice()].concat())
    }

    /// Opens what [`IdempotencyKey::seal`] made under the same key. `None` if it was made under another, or was
    /// changed.
    pub fn open(&self, sealed: &[u8]) -> Option<String> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN)?;
        let mut sealed = Zeroizing::new(sealed.to_vec());
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let opened = self.seal.open_in_place(nonce, Aad::from(&self.digest), &mut sealed).ok()?;
        String::from_utf8(opened.to_vec()).ok()
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("IdempotencyKey")
    }
}

/// SHA-256 over parts, each preceded by its length so that no two lists of parts give the same bytes; lower-case
/// hexadecimal.
fn hash(parts: &[&[u8]]) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(part);
    }
    HEXLOWER.encode(context.finish().as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::random::SystemRandomness;

    fn idempotency_key(key: &str, scope: &str, credential: &[u8]) -> IdempotencyKey {
        IdempotencyKey::new(key, scope, &[b"POST", b"{}"], credential).unwrap()
    }

    #[test]
    fn a_key_is_1_to_255_visible_ascii_characters() {
        for key in ["1", &"k".repeat(255), "8e03978e-40d5-43dd-bc93-6894a57f9324", "!~"] {
            assert!(IdempotencyKey::new(key, "s", &[], b"c").is_some(), "{key}");
        }
        for key in ["", &"k".repeat(256), "a b", "é", "a\tb", "a\u{7f}"] {
            assert!(IdempotencyKey::new(key, "s", &[], b"c").is_none(), "{key}");
        }
    }

    #[test]
    fn equal_keys_of_two_callers_never_meet() {
        assert_ne!(idempotency_key("1", "operator", b"c").digest(), idempotency_key("1", "tenant", b"c").digest());
    }

    #[test]
    fn parts_of_a_request_cannot_run_into_each_other() {
        let fingerprint =
            |parts: &[&[u8]]| IdempotencyKey::new("1", "s", parts, b"c").unwrap().fingerprint().to_owned();
        assert_ne!(fingerprint(&[b"ab", b"c"]), fingerprint(&[b"a", b"bc"]));
        assert_eq!(fingerprint(&[b"ab", b"c"]), fingerprint(&[b"ab", b"c"]));
    }

    #[test]
    fn a_sealed_secret_opens_only_under_the_same_key_scope_and_credential() {
        let sealed = idempotency_key("1", "operator", b"admin").seal("sk_secret", &SystemRandomness::new()).unwrap();
        assert_eq!(idempotency_key("1", "operator", b"admin").open(&sealed).as_deref(), Some("sk_secret"));
        for other in [
            idempotency_key("2", "operator", b"admin"),
            idempotency_key("1", "tenant", b"admin"),
            idempotency_key("1", "operator", b"stolen"),
        ] {
            assert_eq!(other.open(&sealed), None);
        }
    }

    #[test]
    fn a_sealed_secret_that_was_changed_does_not_open() {
        let idempotency_key = idempotency_key("1", "operator", b"admin");
        let sealed = idempotency_key.seal("sk_secret", &SystemRandomness::new()).unwrap();
        for position in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[position] ^= 1;
            assert_eq!(idempotency_key.open(&changed), None, "byte {position}");
        }
        assert_eq!(idempotency_key.open(&sealed[..11]), None);
        assert!(!String::from_utf8_lossy(&sealed).contains("secret"));
    }
}
