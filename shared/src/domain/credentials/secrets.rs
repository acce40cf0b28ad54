//! Secrets: types that cannot be printed, compared with `==` or serialized by accident, and are wiped when dropped.

use std::borrow::Cow;
use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use data_encoding::HEXLOWER;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::key_hash::KeyHash;
use crate::domain::values::random::{Random, RandomnessUnavailable, draw};

/// Whether two texts are the same, in a time that depends on neither. Comparing digests makes the lengths equal.
fn same(one: &str, other: &str) -> bool {
    let [one, other] = [one, other].map(|text| digest(&SHA256, text.as_bytes()));
    verify_slices_are_equal(one.as_ref(), other.as_ref()).is_ok()
}

/// A tenant's secret, with which it signs its calls: `sk_` and 256 random bits in hexadecimal. The whole text, as
/// UTF-8, is the HMAC key.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct TenantSecret(String);

impl TenantSecret {
    pub(super) const PREFIX: &'static str = "sk_";

    /// A new secret.
    ///
    /// # Errors
    /// If no randomness is available.
    pub fn generate(random: &dyn Random) -> Result<Self, RandomnessUnavailable> {
        let bytes = Zeroizing::new(draw::<32>(random)?);
        // Room for all of it from the start: a text that grows leaves copies of itself behind.
        let mut text = String::with_capacity(Self::PREFIX.len() + 2 * bytes.len());
        text.push_str(Self::PREFIX);
        HEXLOWER.encode_append(&*bytes, &mut text);
        Ok(Self(text))
    }

    /// Takes back what [`TenantSecret::expose`] gave. `None` if that is no tenant secret.
    pub fn restore(text: &str) -> Option<Self> {
        text.starts_with(Self::PREFIX).then(|| Self(text.to_owned()))
    }

    /// The secret text, for the places that store or seal it. Answers to a caller use [`TenantSecret::reveal`].
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `mac` is the HMAC-SHA-256 of `text` under this secret, in a time that does not depend on where they
    /// differ.
    pub fn signed(&self, text: &[u8], mac: &[u8; 32]) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_bytes());
        hmac::verify(&key, text, mac).is_ok()
    }

    /// HMAC-SHA-256 (RFC 2104) of `text` under this secret.
    pub fn sign(&self, text: &[u8]) -> impl AsRef<[u8]> + use<> {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, self.0.as_bytes()), text)
    }

    /// Shows the secret to the caller, once: the secret is consumed, and only what this returns can be serialized.
    pub fn reveal(mut self) -> RevealedSecret {
        RevealedSecret(std::mem::take(&mut self.0))
    }
}

impl fmt::Debug for TenantSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TenantSecret")
    }
}

/// A secret on its way into one response body. The only secret type that serializes.
#[derive(Serialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
pub struct RevealedSecret(String);

impl RevealedSecret {
    /// For the `reveal` of the secret types.
    pub(super) fn new(text: String) -> Self {
        Self(text)
    }
}

impl JsonSchema for RevealedSecret {
    fn schema_name() -> Cow<'static, str> {
        "RevealedSecret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "password",
            "pattern": "^(sk_[0-9a-f]{64}|(up_embed|up_admin|ak)_[a-z2-7]{96}|whsec_[A-Za-z0-9+/]{43}=)$",
            "description": "A tenant secret, webhook secret or API key. It is in this answer only: store it where it \
                            is kept secret.",
        })
    }
}

impl fmt::Debug for RevealedSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RevealedSecret")
    }
}

/// The operator's key as a caller presented it: 48 ASCII letters and digits, as CloudFormation generates it (about 285
/// bits). Its shape is checked before any store is asked, so guesses of another shape cost nothing.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct OperatorKey(String);

impl OperatorKey {
    /// The number of characters of the key.
    pub const LENGTH: usize = 48;

    /// Reads a key. `None` if it hasn't the shape of one.
    pub fn parse(text: &str) -> Option<Self> {
        let shaped = text.len() == Self::LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        shaped.then(|| Self(text.to_owned()))
    }

    /// The bytes, for deriving keys from them.
    pub fn expose(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Its SHA-256, by which a console session remembers it.
    pub fn hash(&self) -> KeyHash {
        KeyHash::of(&self.0)
    }
}

impl fmt::Debug for OperatorKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("OperatorKey")
    }
}

/// The one that a caller used of two secrets, of which one is being rotated out: so it can be seen when the last user
/// of the old one has moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySlot {
    /// The secret that is to be used.
    Current,
    /// The secret from before the rotation.
    Previous,
}

impl KeySlot {
    /// Its name. The log has the older one's only.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Previous => "previous",
        }
    }
}

/// The operator's keys in force, as the secret store holds them: `{"current": "…", "previous": "…"}`, where
/// `previous` is present only while a rotation lasts.
#[derive(Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct OperatorKeys {
    current: String,
    previous: Option<String>,
}

impl OperatorKeys {
    /// The slot of the key `presented`; `None` if it is neither key. Both comparisons are always made, each in constant
    /// time. A malformed stored key (an empty text, say) never equals a presented one, which is well-formed.
    pub fn verify(&self, presented: &OperatorKey) -> Option<KeySlot> {
        let current = same(&self.current, &presented.0);
        let previous = same(self.previous.as_deref().unwrap_or_default(), &presented.0);
        match (current, previous) {
            (true, _) => Some(KeySlot::Current),
            (false, true) => Some(KeySlot::Previous),
            (false, false) => None,
        }
    }

    /// The slot of the key with this hash; `None` if it is in force no more. Both comparisons are always made.
    pub fn slot_of(&self, hash: &KeyHash) -> Option<KeySlot> {
        let is_it = |key: &str| OperatorKey::parse(key).is_some_and(|key| key.hash().is(hash));
        let [current, previous] = [self.current.as_str(), self.previous.as_deref().unwrap_or_default()].map(is_it);
        match (current, previous) {
            (true, _) => Some(KeySlot::Current),
            (false, true) => Some(KeySlot::Previous),
            (false, false) => None,
        }
    }
}

impl fmt::Debug for OperatorKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("OperatorKeys")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::values::random::SystemRandomness;

    fn keys(json: &str) -> OperatorKeys {
        serde_json::from_str(json).unwrap()
    }

    fn key(letter: &str) -> OperatorKey {
        OperatorKey::parse(&letter.repeat(48)).unwrap()
    }

    #[test]
    fn no_secret_prints_itself() {
        let secret = TenantSecret::generate(&SystemRandomness::new()).unwrap();
        let stored = keys(&format!(r#"{{"current":"{}"}}"#, "a".repeat(48)));
        let printed = format!("{secret:?} {:?} {stored:?} {:#?}", key("a"), secret);
        assert_eq!(printed, "TenantSecret OperatorKey OperatorKeys TenantSecret");
        assert_eq!(format!("{:?}", secret.reveal()), "RevealedSecret");
    }

    #[test]
    fn a_tenant_secret_has_256_random_bits() {
        let [one, other] = [(), ()].map(|()| TenantSecret::generate(&SystemRandomness::new()).unwrap());
        assert_eq!(one.expose().len(), 3 + 64);
        assert_ne!(one.expose(), other.expose());
    }

    #[test]
    fn an_admin_key_of_another_shape_is_none() {
        for text in ["", "short", &"a".repeat(47), &"a".repeat(49), &"é".repeat(24), &format!("{} ", "a".repeat(47))] {
            assert!(OperatorKey::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn both_keys_are_valid_while_a_rotation_lasts() {
        let rotating = keys(&format!(r#"{{"current":"{}","previous":"{}"}}"#, "b".repeat(48), "a".repeat(48)));
        assert_eq!(rotating.verify(&key("b")), Some(KeySlot::Current));
        assert_eq!(rotating.verify(&key("a")), Some(KeySlot::Previous));
        assert_eq!(rotating.verify(&key("c")), None);
        let finished = keys(&format!(r#"{{"current":"{}"}}"#, "b".repeat(48)));
        assert_eq!(finished.verify(&key("a")), None);
    }

    #[test]
    fn a_key_is_found_by_its_hash_while_it_is_in_force() {
        let rotating = keys(&format!(r#"{{"current":"{}","previous":"{}"}}"#, "b".repeat(48), "a".repeat(48)));
        assert_eq!(rotating.slot_of(&key("b").hash()), Some(KeySlot::Current));
        assert_eq!(rotating.slot_of(&key("a").hash()), Some(KeySlot::Previous));
        assert_eq!(rotating.slot_of(&key("c").hash()), None);
        // printf 'a%.0s' {1..48} | sha256sum
        let hash = "97daac0ee9998dfcad6c9c0970da5ca411c86233a944c25b47566f6a7bc1ddd5";
        let stored = KeyHash::parse(hash).unwrap();
        assert_eq!((key("a").hash().to_text().as_str(), rotating.slot_of(&stored)), (hash, Some(KeySlot::Previous)));
    }

    #[test]
    fn an_empty_stored_key_opens_nothing() {
        assert_eq!(keys(r#"{"current":"","previous":""}"#).verify(&key("a")), None);
    }

    #[test]
    fn a_call_is_signed_with_the_whole_text_of_the_secret() {
        // printf %s text | openssl dgst -sha256 -hmac sk_test
        let mac = HEXLOWER
            .decode(b"81a022162e5db5d8f3d4c499d465fef595a5c2581cd8f0a0930bddad94e9deeb")
            .unwrap()
            .try_into()
            .unwrap();
        let secret = TenantSecret::restore("sk_test").unwrap();
        assert_eq!(secret.expose(), "sk_test");
        assert!(secret.signed(b"text", &mac) && !secret.signed(b"texts", &mac));
        assert!(!TenantSecret::restore("sk_tesT").unwrap().signed(b"text", &mac));
        for text in ["", "sk", "test", "SK_test"] {
            assert!(TenantSecret::restore(text).is_none(), "{text}");
        }
        assert_eq!(serde_json::to_string(&secret.reveal()).unwrap(), r#""sk_test""#);
    }

    #[test]
    fn an_operators_key_is_48_letters_and_digits() {
        assert_eq!(key("a").expose(), "a".repeat(48).as_bytes());
        assert_eq!([KeySlot::Current, KeySlot::Previous].map(KeySlot::as_str), ["current", "previous"]);
    }
}
