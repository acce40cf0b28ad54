//! The keys that sign tokens: ES256 (ECDSA on P-256 with SHA-256, RFC 7518 §3.4). Of each tenant one signs, and one
//! stands by.

use std::fmt;

use aws_lc_rs::agreement::{self, ECDH_P256};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsBigEndian, EcPrivateKeyBin};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::domain::time::clock::Timestamp;
use crate::domain::values::random::{Random, RandomnessUnavailable, draw};

/// The only signature algorithm.
pub const ALGORITHM: Algorithm = Algorithm::ES256;
/// Its name in headers.
pub const ALGORITHM_NAME: &str = "ES256";

/// Bytes of a coordinate, and of the private number.
const COORDINATE: usize = 32;
/// The first byte of an uncompressed point (SEC 1 §2.3.3).
const UNCOMPRESSED: u8 = 4;
/// The number of attempts: drawing a number that is no private key happens once in 2^32 draws.
const DRAWS: usize = 4;

/// A tenant's private key.
pub struct SigningKey {
    /// Parsed once. Refused alternative: an `EncodingKey`, which the JWT library parses and checks again for each
    /// signature; a login then costs two fifths more instructions.
    pair: EcdsaKeyPair,
    public: PublicKey,
    kid: String,
}

/// A private key as JSON Web Key (RFC 7517, RFC 7518 §6.2.2), which is how the secret store keeps it.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct PrivateJwk {
    kty: String,
    crv: String,
    x: String,
    y: String,
    d: String,
}

impl fmt::Debug for PrivateJwk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PrivateJwk")
    }
}

impl PrivateJwk {
    /// The id of its public half, as it was stored.
    pub fn kid(&self) -> String {
        PublicKey { x: self.x.clone(), y: self.y.clone() }.thumbprint()
    }
}

impl SigningKey {
    /// A new key. Its private number comes from `random`; the library's own way to make a key would take it from the
    /// system whatever the caller says.
    ///
    /// # Errors
    /// If no randomness is available.
    pub fn generate(random: &dyn Random) -> Result<Self, RandomnessUnavailable> {
        for _ in 0..DRAWS {
            let number = Zeroizing::new(draw::<COORDINATE>(random)?);
            let private = agreement::PrivateKey::from_private_key(&ECDH_P256, &*number);
            let point = private.ok().and_then(|private| private.compute_public_key().ok());
            if let Some(key) = point.and_then(|point| Self::of(&*number, point.as_ref())) {
                return Ok(key);
            }
        }
        Err(RandomnessUnavailable)
    }

    fn of(number: &[u8], point: &[u8]) -> Option<Self> {
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pair = EcdsaKeyPair::from_private_key_and_public_key(algorithm, number, point).ok()?;
        let public = PublicKey::of_point(pair.public_key().as_ref())?;
        let kid = public.thumbprint();
        Some(Self { pair, public, kid })
    }

    /// The key for the secret store.
    ///
    /// # Errors
    /// If the library can't give its number, for lack of memory.
    pub fn to_jwk(&self) -> Result<PrivateJwk, RandomnessUnavailable> {
        let private = self.pair.private_key();
        let number: EcPrivateKeyBin<'_> = private.as_be_bytes().map_err(|_| RandomnessUnavailable)?;
        Ok(PrivateJwk {
            kty: "EC".to_owned(),
            crv: "P-256".to_owned(),
            x: self.public.x.clone(),
            y: self.public.y.clone(),
            d: BASE64URL_NOPAD.encode(number.as_ref()),
        })
    }

    /// Takes back what [`SigningKey::to_jwk`] gave. `None` if that is no key, or if its halves don't belong together.
    pub fn from_jwk(jwk: &PrivateJwk) -> Option<Self> {
        let public = PublicKey { x: jwk.x.clone(), y: jwk.y.clone() };
        let number = Zeroizing::new(BASE64URL_NOPAD.decode(jwk.d.as_bytes()).ok()?);
        Self::of(&number, &public.point()?)
    }

    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The key's id in headers and in the key set.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Signs a message: 64 bytes, r and s.
    ///
    /// # Errors
    /// If no randomness is available.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, RandomnessUnavailable> {
        let signature = self.pair.sign(&SystemRandom::new(), message).map_err(|_| RandomnessUnavailable)?;
        Ok(signature.as_ref().to_vec())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SigningKey")
    }
}

/// A public key: the coordinates of its point, in base64url.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PublicKey {
    /// The x coordinate, 32 bytes in base64url.
    pub x: String,
    /// The y coordinate, 32 bytes in base64url.
    pub y: String,
}

impl PublicKey {
    fn of_point(point: &[u8]) -> Option<Self> {
        let coordinates = point.strip_prefix(&[UNCOMPRESSED]).filter(|rest| rest.len() == 2 * COORDINATE)?;
        let (x, y) = coordinates.split_at_checked(COORDINATE)?;
        Some(Self { x: BASE64URL_NOPAD.encode(x), y: BASE64URL_NOPAD.encode(y) })
    }

    fn point(&self) -> Option<Vec<u8>> {
        let [x, y] = [&self.x, &self.y].map(|text| BASE64URL_NOPAD.decode(text.as_bytes()).ok());
        Some([vec![UNCOMPRESSED], x?, y?].concat())
    }

    /// The key's id: its thumbprint by RFC 7638, SHA-256 in base64url.
    pub fn thumbprint(&self) -> String {
        let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, self.x, self.y);
        BASE64URL_NOPAD.encode(digest(&SHA256, canonical.as_bytes()).as_ref())
    }

    /// Whether the signature (64 bytes, r and s, in base64url) is this key's, over that message. The algorithm is the
    /// key's own, and never what a token says.
    pub fn verify(&self, message: &[u8], signature: &str) -> bool {
        let key = DecodingKey::from_ec_components(&self.x, &self.y);
        key.is_ok_and(|key| crypto::verify(signature, message, &key, ALGORITHM).unwrap_or(false))
    }
}

/// A key of a tenant's key set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedKey {
    /// Its key id.
    pub kid: String,
    #[serde(flatten)]
    pub key: PublicKey,
    /// Time at which another key replaced it; `None` for the key in force, and for the one that stands by.
    pub retired_at: Option<Timestamp>,
}

impl PublishedKey {
    /// The record of a key that was not replaced.
    pub fn of(key: &SigningKey) -> Self {
        Self { kid: key.kid().to_owned(), key: key.public().clone(), retired_at: None }
    }
}

#[cfg(test)]
mod wycheproof;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::values::random::SystemRandomness;

    fn key() -> SigningKey {
        SigningKey::generate(&SystemRandomness::new()).unwrap()
    }

    fn sign(key: &SigningKey, message: &[u8]) -> String {
        BASE64URL_NOPAD.encode(&key.sign(message).unwrap())
    }

    #[test]
    fn a_signature_verifies_with_its_key_and_message_only() {
        let (key, other) = (key(), key());
        let signature = sign(&key, b"message");
        assert_eq!(BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap().len(), 64);
        assert!(key.public().verify(b"message", &signature));
        assert!(!key.public().verify(b"another", &signature));
        assert!(!other.public().verify(b"message", &signature));
        assert!(!key.public().verify(b"message", &signature[..84]) && !key.public().verify(b"message", ""));
    }

    #[test]
    fn a_stored_key_is_the_same_key() {
        let key = key();
        let stored = serde_json::to_string(&key.to_jwk().unwrap()).unwrap();
        let read = SigningKey::from_jwk(&serde_json::from_str(&stored).unwrap()).unwrap();
        assert_eq!((read.kid(), read.public()), (key.kid(), key.public()));
        assert_eq!(key.to_jwk().unwrap().kid(), key.kid());
        assert!(key.public().verify(b"m", &sign(&read, b"m")));
    }

    #[test]
    fn halves_of_two_keys_are_no_key() {
        let (one, other) = (key().to_jwk().unwrap(), key().to_jwk().unwrap());
        let mixed = PrivateJwk {
            d: other.d.clone(),
            kty: "EC".into(),
            crv: "P-256".into(),
            x: one.x.clone(),
            y: one.y.clone(),
        };
        assert!(SigningKey::from_jwk(&mixed).is_none());
    }

    /// The example key of RFC 7517 appendix A.1, whose thumbprint other implementations agree on.
    #[test]
    fn the_id_is_the_thumbprint_of_rfc_7638() {
        let public = PublicKey {
            x: "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4".to_owned(),
            y: "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM".to_owned(),
        };
        assert_eq!(public.thumbprint(), "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s");
    }

    /// RFC 7515 appendix A.3: a key and an ES256 signature that others made.
    #[test]
    fn the_signature_of_rfc_7515_verifies() {
        let public = PublicKey {
            x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU".to_owned(),
            y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0".to_owned(),
        };
        let message = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9\
                       pc19yb290Ijp0cnVlfQ";
        let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
        assert!(public.verify(message.as_bytes(), signature));
    }

    #[test]
    fn a_point_that_is_not_on_the_curve_verifies_nothing() {
        let key = key();
        let signature = sign(&key, b"m");
        for x in ["", "AA", &"A".repeat(43), "====", "é"] {
            let public = PublicKey { x: x.to_owned(), y: key.public().y.clone() };
            assert!(!public.verify(b"m", &signature), "{x}");
        }
    }

    #[test]
    fn a_private_key_does_not_print_itself() {
        let key = key();
        assert_eq!(format!("{key:?} {:?}", key.to_jwk().unwrap()), "SigningKey PrivateJwk");
    }
}
