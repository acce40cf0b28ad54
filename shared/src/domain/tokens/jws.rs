//! What is signed with a tenant's key: how it is written and read. Every rule is set here, and what no rule allows is
//! refused.
//!
//! A JWT library's defaults are no policy (RFC 8725): those of `jsonwebtoken` take any `typ`, a minute of leeway, a
//! `nbf` in the future, a member that is null for one that is absent. So the library verifies signatures, and the rules
//! are here: the algorithm is the key's and never the token's, a header has the three members that ours have and no
//! other, each claim has its one type and is there once, and the clock is a parameter. Refused alternative: the
//! library's `Validation`, which has a clock of its own and would read the claims twice more.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::credentials::signing_key::{ALGORITHM, ALGORITHM_NAME, PublishedKey, SigningKey};
use crate::domain::time::clock::Timestamp;
use crate::domain::values::random::RandomnessUnavailable;

/// The largest difference, in seconds, by which the clock of the issuing machine may be ahead. There is no leeway at
/// the end of a token's validity.
const LEEWAY: u64 = 5;

/// The time after its replacement, in seconds, in which a key may still have signed: a request was under way, on a
/// machine with another clock.
const RETIRING: u64 = 60;

/// Bytes of an ES256 signature.
const SIGNATURE: usize = 64;

/// The reason for which a token is not accepted. For tests and logs: the caller who presents the token learns only that
/// it is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused(pub &'static str);

/// A signed token, on its way into one answer. Not a string, so that it cannot be printed by accident: whoever has it
/// is the user.
#[derive(Serialize)]
#[serde(transparent)]
pub struct SignedToken(String);

impl SignedToken {
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SignedToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SignedToken")
    }
}

impl JsonSchema for SignedToken {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SignedToken".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[\\w-]+\\.[\\w-]+\\.[\\w-]+$" })
    }
}

/// The token of this type with these claims: JWS compact serialization (RFC 7515 §3.1).
///
/// # Errors
/// If no randomness is available.
pub fn sign(typ: &str, claims: &impl Serialize, key: &SigningKey) -> Result<SignedToken, RandomnessUnavailable> {
    let (typ, kid) = (Some(typ.to_owned()), Some(key.kid().to_owned()));
    let header = jsonwebtoken::Header { typ, kid, ..jsonwebtoken::Header::new(ALGORITHM) };
    // Both can always be written as JSON.
    let [header, claims] = [serde_json::to_vec(&header), serde_json::to_vec(claims)].map(Result::unwrap_or_default);
    let mut token = format!("{}.{}", BASE64URL_NOPAD.encode(&header), BASE64URL_NOPAD.encode(&claims));
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    BASE64URL_NOPAD.encode_append(&signature, &mut token);
    Ok(SignedToken(token))
}

/// The header: exactly these members. So there is no `crit` to ignore, and no `jwk`, `jku` or `x5u` to follow.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

/// A token of the right form, with its claims. Who signed it is not known yet.
pub struct Jws<C> {
    message: String,
    signature: String,
    kid: String,
    pub claims: C,
}

impl<C: for<'de> Deserialize<'de>> Jws<C> {
    /// Parses a token of this type.
    ///
    /// # Errors
    /// If it is not exactly the form of our tokens.
    pub fn parse(token: &str, typ: &str) -> Result<Self, Refused> {
        let (message, signature) = token.rsplit_once('.').ok_or(Refused("not three parts"))?;
        let (header, claims) = message.split_once('.').ok_or(Refused("not three parts"))?;
        let decode = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| Refused("not base64url"));
        let (header, claims) = (decode(header)?, decode(claims)?);
        if decode(signature)?.len() != SIGNATURE {
            return Err(Refused("signature of another length"));
        }
        let header: Header = object(&header).ok_or(Refused("header has other members"))?;
        if header.alg != ALGORITHM_NAME {
            return Err(Refused("another algorithm"));
        }
        if header.typ != typ {
            return Err(Refused("another type"));
        }
        let claims = object(&claims).ok_or(Refused("claims are not those of a token"))?;
        Ok(Self { message: message.to_owned(), signature: signature.to_owned(), kid: header.kid, claims })
    }
}

impl<C> Jws<C> {
    /// The key among these that signed the token.
    ///
    /// # Errors
    /// If none did.
    pub fn signed_by<'k>(&self, keys: &'k [PublishedKey]) -> Result<&'k PublishedKey, Refused> {
        let key = keys.iter().find(|key| key.kid == self.kid).ok_or(Refused("unknown key"))?;
        let is_right = key.key.verify(self.message.as_bytes(), &self.signature);
        if is_right { Ok(key) } else { Err(Refused("wrong signature")) }
    }
}

/// The times in a token's claims, in Unix seconds.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    pub iat: u64,
    pub nbf: Option<u64>,
    pub exp: u64,
}

impl Times {
    /// Checks that the token is valid now. `is_lifetime` says which lifetimes such a token can have, in seconds; `key`
    /// signed it.
    ///
    /// # Errors
    /// If it is not.
    pub fn check(self, is_lifetime: impl Fn(u64) -> bool, key: &PublishedKey, now: Timestamp) -> Result<(), Refused> {
        let Self { iat, nbf, exp } = self;
        let now = now.as_seconds();
        let latest_start = now.saturating_add(LEEWAY);
        if iat > latest_start {
            return Err(Refused("issued in the future"));
        }
        if nbf.is_some_and(|nbf| nbf > latest_start) {
            return Err(Refused("not valid yet"));
        }
        if exp <= now {
            return Err(Refused("expired"));
        }
        if !exp.checked_sub(iat).is_some_and(is_lifetime) {
            return Err(Refused("lifetime out of bounds"));
        }
        // A replaced key signs no more: whoever got hold of it cannot make new tokens.
        if key.retired_at.is_some_and(|retired| iat > retired.as_seconds().saturating_add(RETIRING)) {
            return Err(Refused("issued after its key was retired"));
        }
        Ok(())
    }
}

/// A JSON object and nothing else: a derived decoder would take an array too.
fn object<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Option<T> {
    let starts_as_object = bytes.first() == Some(&b'{');
    serde_json::from_slice(bytes).ok().filter(|_| starts_as_object)
}
