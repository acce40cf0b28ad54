//! The names of a QR login.

use std::borrow::Cow;
use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::domain::credentials::key_hash::KeyHash;
use crate::domain::credentials::trace_key::TraceKey;
use crate::domain::dpop::Thumbprint;
use crate::domain::ids::tenant_id::TenantId;
use crate::domain::values::newtype::string_newtype;
use crate::domain::values::problem::Problem;
use crate::domain::values::random::{Random, RandomnessUnavailable, draw};

/// Characters of a tenant's 128 bits in base64url.
const TENANT: usize = 22;
/// Characters that tell the sessions of a tenant apart: 60 random bits. A session's id is no secret, and with more of
/// them its address would not fit into a code together with that of an API Gateway.
const RANDOM: usize = 10;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The id of a QR login: its tenant's 128 bits in base64url, and 10 more characters. It is in the code, and opens
/// nothing by itself.
///
/// Any other text of 10 to 64 characters of that alphabet parses too: it is then simply unknown.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QrSessionId(String);

impl QrSessionId {
    /// A new id; `None` if the tenant's own was not made by us.
    ///
    /// # Errors
    /// If no randomness is available.
    pub fn generate(tenant: &TenantId, random: &dyn Random) -> Result<Option<Self>, RandomnessUnavailable> {
        let Some(uuid) = tenant.project_id() else { return Ok(None) };
        let mut id = BASE64URL_NOPAD.encode(uuid.as_bytes());
        // A byte has each of the 64 characters equally often.
        let characters = draw::<RANDOM>(random)?.map(|byte| ALPHABET.get(usize::from(byte % 64)).copied());
        id.extend(characters.into_iter().flatten().map(char::from));
        Ok(Some(Self(id)))
    }

    /// Reads an id.
    ///
    /// # Errors
    /// If the text is not 10 to 64 characters of base64url.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let is_shaped = (10..=64).contains(&text.len()) && text.bytes().all(|byte| ALPHABET.contains(&byte));
        if is_shaped { Ok(Self(text.to_owned())) } else { Err(Problem::new("must be the id of a QR login")) }
    }

    /// Whether it is a session of this tenant. No other tenant's is ever looked for.
    pub fn is_of(&self, tenant: &TenantId) -> bool {
        self.tenant().is_some_and(|named| named == *tenant)
    }

    /// The tenant that it names. `None` if it is none of ours.
    fn tenant(&self) -> Option<TenantId> {
        let (tenant, random) = self.0.split_at_checked(TENANT)?;
        let bytes = BASE64URL_NOPAD.decode(tenant.as_bytes()).ok()?.try_into().ok()?;
        (random.len() == RANDOM).then(|| TenantId::of(&bytes))
    }
}

string_newtype! { QrSessionId, expected: "the id of a QR login", schema: {
    "type": "string",
    "pattern": "^[A-Za-z0-9_-]{10,64}$",
    "description": "Id of a QR login. It names its tenant, and is no secret.",
} }

/// The id of a scan: 128 random bits in base64url. A decision names it, so that none is good for another scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanId(String);

impl ScanId {
    /// A new id.
    ///
    /// # Errors
    /// If no randomness is available.
    pub fn generate(random: &dyn Random) -> Result<Self, RandomnessUnavailable> {
        Ok(Self(BASE64URL_NOPAD.encode(&draw::<16>(random)?)))
    }

    /// Reads an id.
    ///
    /// # Errors
    /// If the text is not 22 characters of base64url.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let is_shaped = text.len() == 22 && text.bytes().all(|byte| ALPHABET.contains(&byte));
        if is_shaped { Ok(Self(text.to_owned())) } else { Err(Problem::new("must be the id of a scan")) }
    }
}

string_newtype! { ScanId, expected: "the id of a scan", schema: {
    "type": "string",
    "pattern": "^[A-Za-z0-9_-]{22}$",
    "description": "Id of a scan. A decision has to name it.",
} }

/// The thumbprint of a key that a browser made for its login (RFC 7638). It comes back with the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowserKey(String);

impl BrowserKey {
    /// Reads a thumbprint.
    ///
    /// # Errors
    /// If the text is no SHA-256 in base64url.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let thumbprint = Thumbprint::parse(text).map(|_| Self(text.to_owned()));
        thumbprint.ok_or_else(|| Problem::new("must be a JWK thumbprint, a SHA-256 in base64url"))
    }

    /// The name under which the logins of a browser's key are counted.
    pub fn counted_as(&self, tenant: &TenantId, key: &TraceKey) -> String {
        key.counted(tenant, "browser_key", &self.0)
    }
}

string_newtype! { BrowserKey, expected: "a JWK thumbprint", schema: {
    "type": "string",
    "pattern": "^[A-Za-z0-9_-]{43}$",
    "description": "JWK thumbprint (RFC 7638) of a key of the browser.",
} }

/// The token with which a tenant polls a session: 256 random bits. It is not in the code.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct PollToken(String);

impl PollToken {
    const PREFIX: &'static str = "qrp_";

    /// A new token.
    ///
    /// # Errors
    /// If no randomness is available.
    pub fn generate(random: &dyn Random) -> Result<Self, RandomnessUnavailable> {
        let bytes = Zeroizing::new(draw::<32>(random)?);
        Ok(Self(format!("{}{}", Self::PREFIX, BASE64URL_NOPAD.encode(&*bytes))))
    }

    /// SHA-256 of a token, which is what is stored; of any text, since a wrong token is one like any other.
    pub fn hash_of(text: &str) -> KeyHash {
        KeyHash::of(text)
    }

    /// SHA-256 of this one.
    pub fn hash(&self) -> KeyHash {
        Self::hash_of(&self.0)
    }

    /// Shows the token to the tenant, once.
    pub fn reveal(mut self) -> RevealedPollToken {
        RevealedPollToken(std::mem::take(&mut self.0))
    }
}

impl fmt::Debug for PollToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PollToken")
    }
}

/// A token on its way into one response body.
#[derive(Serialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
pub struct RevealedPollToken(String);

impl fmt::Debug for RevealedPollToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RevealedPollToken")
    }
}

impl JsonSchema for RevealedPollToken {
    fn schema_name() -> Cow<'static, str> {
        "RevealedPollToken".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "password",
            "pattern": "^qrp_[A-Za-z0-9_-]{43}$",
            "description": "Token for `X-QR-Poll-Token`, shown once.",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::values::random::SystemRandomness;

    fn random() -> SystemRandomness {
        SystemRandomness::new()
    }

    #[test]
    fn an_id_names_its_tenant_and_no_other() {
        let [one, other] = [1, 2].map(|byte| TenantId::of(&[byte; 16]));
        let id = QrSessionId::generate(&one, &random()).unwrap().unwrap();
        assert!(id.is_of(&one) && !id.is_of(&other));
        assert_eq!((id.as_str().len(), &id.as_str()[..22]), (32, "AQEBAQEBAQEBAQEBAQEBAQ"));
        assert_ne!(QrSessionId::generate(&one, &random()).unwrap().unwrap(), id);
        assert_eq!(QrSessionId::generate(&TenantId::parse("tnt_foreign").unwrap(), &random()).unwrap(), None);
    }

    #[test]
    fn whatever_has_the_alphabet_parses_and_is_nobodys_unless_it_has_the_form() {
        let tenant = TenantId::of(&[1; 16]);
        let ours = format!("AQEBAQEBAQEBAQEBAQEBAQ{}", "a".repeat(10));
        assert!(QrSessionId::parse(&ours).unwrap().is_of(&tenant));
        // The last character of a tenant has four bits that belong to no byte.
        let spelled = ours.replacen("AQaaa", "ARaaa", 1);
        for text in [&ours[..31], &format!("{ours}a"), "aaaaaaaaaa", &"a".repeat(64), &spelled] {
            assert!(!QrSessionId::parse(text).unwrap().is_of(&tenant), "{text}");
        }
        for text in ["", "aaaaaaaaa", &"a".repeat(65), "aaaaaaaaa.", "aaaaaaaaa ", "aaaaaaaaa=", "aaaaaaaaaä"] {
            assert!(QrSessionId::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_random_part_of_an_id_has_the_whole_alphabet() {
        let tenant = TenantId::generate(&random()).unwrap();
        let ids = (0..200).map(|_| QrSessionId::generate(&tenant, &random()).unwrap().unwrap());
        let seen: BTreeSet<_> = ids.flat_map(|id| id.as_str()[22..].bytes().collect::<Vec<_>>()).collect();
        assert_eq!(seen.len(), 64);
    }

    #[test]
    fn a_scan_has_an_id_of_its_own() {
        let (one, other) = (ScanId::generate(&random()).unwrap(), ScanId::generate(&random()).unwrap());
        assert!(one != other && ScanId::parse(one.as_str()) == Ok(one));
        for text in ["", &"A".repeat(21), &"A".repeat(23), &"/".repeat(22)] {
            assert!(ScanId::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_poll_token_is_known_by_its_hash_and_prints_its_name() {
        let token = PollToken::generate(&random()).unwrap();
        let hash = token.hash();
        assert_eq!(format!("{token:?}"), "PollToken");
        let revealed = token.reveal();
        assert_eq!(format!("{revealed:?}"), "RevealedPollToken");
        let text: String = serde_json::from_value(serde_json::to_value(&revealed).unwrap()).unwrap();
        assert!(text.starts_with("qrp_") && text.len() == 47 && PollToken::hash_of(&text).is(&hash));
        assert!(!PollToken::hash_of(&text[..46]).is(&hash));
    }

    #[test]
    fn a_browser_key_is_a_thumbprint() {
        assert!(BrowserKey::parse("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I").is_ok());
        for text in ["", "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4", &"/".repeat(43)] {
            assert!(BrowserKey::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_browsers_key_is_counted_under_a_digest_of_each_tenant() {
        let key = TraceKey::parse(&"k".repeat(32)).unwrap();
        let [one, other] = ["A", "E"].map(|letter| BrowserKey::parse(&letter.repeat(43)).unwrap());
        let [acme, globex] = [[1; 16], [2; 16]].map(|bytes| TenantId::of(&bytes));
        let counted = one.counted_as(&acme, &key);
        assert_eq!(counted, key.counted(&acme, "browser_key", one.as_str()));
        assert!(!counted.contains(one.as_str()));
        assert!(counted != one.counted_as(&globex, &key) && counted != other.counted_as(&acme, &key));
    }
}
