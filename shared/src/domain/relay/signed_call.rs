//! Signatures of tenants' calls: what they cover, how they are written, and how they are checked.
//!
//! | Version | Header | What is signed |
//! |---|---|---|
//! | v1 | 64 lower-case hexadecimal digits | `timestamp "." hex(SHA-256(body))` |
//! | v2 | `v2=` and the same | `timestamp "." METHOD "." path ["?" query] "." nonce "." hex(SHA-256(body))` |
//!
//! The signature is HMAC-SHA-256 (RFC 2104) under the UTF-8 bytes of the whole secret text, `sk_` included. v1 is the
//! public interface's own: a call with a body is accepted once, wherever it is sent; one without can be sent again
//! while its timestamp is accepted. v2 covers all of the call, and each of its nonces is accepted once. Neither signed
//! text can be read as the other, or in two ways: a nonce has no dot, and what stands before and behind it has a fixed
//! number of them or a fixed length.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::callbacks::event::is_event_body;
use crate::domain::credentials::secrets::TenantSecret;
use crate::domain::ids::tenant_id::TenantId;
use crate::domain::time::clock::Timestamp;

/// The largest difference between a caller's clock and ours, inclusive.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(30);

/// Version of the signature of a relay call, which decides what the signature covers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SigningVersion {
    /// The signature covers timestamp and body.
    #[default]
    V1,
    /// The signature covers timestamp, method, path, query, nonce and body.
    V2,
}

impl SigningVersion {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }

    /// Reads what [`SigningVersion::as_str`] gives.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::V1, Self::V2].into_iter().find(|version| version.as_str() == text)
    }

    /// Whether a tenant that is configured for this version takes signatures of `other`. One on v1 takes v2 too: its
    /// signers move one by one, and when the last has, the tenant is set to v2.
    pub fn takes(self, other: Self) -> bool {
        self == Self::V1 || other == Self::V2
    }
}

impl fmt::Display for SigningVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What a call is accepted once under. That of a v2 call is the client's: 16 to 64 ASCII letters, digits, `+`, `/`,
/// `=`, `-` and `_`, which is room for a UUID, for hexadecimal, and for either Base64. No dot, because dots separate
/// the parts that are signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nonce(String);

impl Nonce {
    /// Reads a nonce. `None` if it hasn't the shape of one.
    pub fn parse(text: &str) -> Option<Self> {
        let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=-_".contains(&byte);
        ((16..=64).contains(&text.len()) && text.bytes().all(alphabet)).then(|| Self(text.to_owned()))
    }

    /// That of a v1 call: its timestamp and its signature, which covers the body. Of the signature a digest, because a
    /// call that was not accepted yet must not be found in the table. With its dot it is no nonce of a client's.
    fn of_v1(millis: i64, mac: &[u8]) -> Self {
        Self(format!("{millis}.{}", HEXLOWER.encode(digest(&SHA256, mac).as_ref())))
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The headers of a signed call, as they were sent.
#[derive(Clone, Copy)]
pub struct SignatureHeaders<'a> {
    pub tenant_id: &'a str,
    /// Unix milliseconds.
    pub timestamp: &'a str,
    pub signature: &'a str,
    /// Required by v2 only.
    pub nonce: Option<&'a str>,
}

/// The parts of a request that a signature can cover.
#[derive(Clone, Copy)]
pub struct SignedParts<'a> {
    pub method: &'a str,
    /// The path as the gateway passes it on, decoded.
    pub path: &'a str,
    /// The query as it was sent, without the question mark; empty if there was none.
    pub query: &'a str,
    /// The bytes that were received.
    pub body: &'a [u8],
}

impl fmt::Debug for SignatureHeaders<'_> {
    /// Its name only: for as long as the timestamp is accepted, a signature is as good as a password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SignatureHeaders")
    }
}

impl fmt::Debug for SignedParts<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SignedParts({})", self.method)
    }
}

/// The claim of a caller about who it is, in the right shape. Verifying it takes the tenant's secret.
pub struct SignedCall {
    pub tenant_id: TenantId,
    pub version: SigningVersion,
    pub timestamp: Timestamp,
    /// With v1 only if there is a body.
    pub nonce: Option<Nonce>,
    mac: [u8; 32],
    text: String,
}

impl fmt::Debug for SignedCall {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SignedCall({})", self.tenant_id)
    }
}

impl SignedCall {
    /// Reads the headers.
    ///
    /// # Errors
    /// A text for the log, about the first malformed header.
    pub fn read(headers: SignatureHeaders<'_>, parts: SignedParts<'_>) -> Result<Self, &'static str> {
        let tenant_id = TenantId::parse(headers.tenant_id).map_err(|_| "no tenant id in its header")?;
        let millis = exact(headers.timestamp).ok_or("timestamp is no whole number of milliseconds")?;
        let (version, digits) = match headers.signature.strip_prefix("v2=") {
            Some(digits) => (SigningVersion::V2, digits),
            None => (SigningVersion::V1, headers.signature),
        };
        let mac = HEXLOWER.decode(digits.as_bytes()).ok().and_then(|mac| <[u8; 32]>::try_from(mac).ok());
        let mac = mac.ok_or("signature is not 64 lower-case hexadecimal digits")?;
        // A callback is signed with the same secret, and its v1 text has no direction: without this, whoever sees one
        // could send it back as a call of the tenant's.
        if is_event_body(parts.body) {
            return Err("body is that of a callback");
        }
        let (text, nonce) = match version {
            SigningVersion::V1 => {
                // Without a body a call asks and changes nothing, and remembering it would cost each of them a write.
                let nonce = (!parts.body.is_empty()).then(|| Nonce::of_v1(millis, &mac));
                (v1_text(millis, parts.body), nonce)
            }
            SigningVersion::V2 => {
                let nonce = headers.nonce.and_then(Nonce::parse).ok_or("no nonce of 16 to 64 characters")?;
                (v2_text(millis, parts, nonce.0.as_str()), Some(nonce))
            }
        };
        Ok(Self { tenant_id, version, timestamp: Timestamp::from_millis(millis), nonce, mac, text })
    }

    /// Whether the caller's clock is close enough to ours.
    pub fn is_of_now(&self, now: Timestamp) -> bool {
        let (one, other) = (self.timestamp.as_millis(), now.as_millis());
        Duration::from_millis(one.abs_diff(other)) <= CLOCK_TOLERANCE
    }

    /// Whether it was signed with this secret.
    pub fn is_signed_with(&self, secret: &TenantSecret) -> bool {
        secret.signed(self.text.as_bytes(), &self.mac)
    }
}

/// The text that a v1 signature covers.
pub(in crate::domain) fn v1_text(millis: i64, body: &[u8]) -> String {
    format!("{millis}.{}", HEXLOWER.encode(digest(&SHA256, body).as_ref()))
}

/// The text that a v2 signature covers.
pub(in crate::domain) fn v2_text(millis: i64, parts: SignedParts<'_>, nonce: &str) -> String {
    let SignedParts { method, path, query, body } = parts;
    let mark = if query.is_empty() { "" } else { "?" };
    let body = HEXLOWER.encode(digest(&SHA256, body).as_ref());
    format!("{millis}.{method}.{path}{mark}{query}.{nonce}.{body}")
}

/// A number in its only accepted spelling: no sign, no leading zero, no space. So the number that is checked is written
/// exactly as it was signed.
fn exact(text: &str) -> Option<i64> {
    i64::from_str(text).ok().filter(|number| *number >= 0 && number.to_string() == text)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::hmac;
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    const TENANT: &str = "tnt_00000000000000000000000000000000";
    const SECRET: &str = "sk_test_vector";
    const MILLIS: &str = "1718966400000";
    const NONCE: &str = "6f0c8a1e2b3d4f50";

    fn secret() -> TenantSecret {
        TenantSecret::restore(SECRET).unwrap()
    }

    fn mac(text: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        HEXLOWER.encode(hmac::sign(&key, text.as_bytes()).as_ref())
    }

    fn parts(body: &str) -> SignedParts<'_> {
        SignedParts { method: "GET", path: "/api/v1/relay/whoami", query: "", body: body.as_bytes() }
    }

    fn headers(signature: &str) -> SignatureHeaders<'_> {
        SignatureHeaders { tenant_id: TENANT, timestamp: MILLIS, signature, nonce: Some(NONCE) }
    }

    #[test]
    fn the_published_vectors_verify_and_nothing_near_them_does() {
        let file: Value = serde_json::from_str(include_str!("../../../../tests/vectors/relay-v1.json")).unwrap();
        let vectors = file["vectors"].as_array().unwrap();
        assert_eq!(vectors.len(), 4);
        for vector in vectors {
            let text = |name: &str| vector[name].as_str().unwrap();
            let (timestamp, secret) = (vector["timestamp_ms"].to_string(), text("secret"));
            let headers = SignatureHeaders { timestamp: &timestamp, ..headers(text("signature")) };
            let secret = TenantSecret::restore(secret).unwrap();
            let call = SignedCall::read(headers, parts(text("body"))).unwrap();
            assert_eq!((call.version, call.nonce.is_some()), (SigningVersion::V1, !text("body").is_empty()));
            assert!(call.text.ends_with(text("body_sha256")) && call.is_signed_with(&secret));
            let longer = format!("{} ", text("body"));
            assert!(!SignedCall::read(headers, parts(&longer)).unwrap().is_signed_with(&secret));
            let later = SignatureHeaders { timestamp: "1718966400001", ..headers };
            assert!(!SignedCall::read(later, parts(text("body"))).unwrap().is_signed_with(&secret));
            assert!(!call.is_signed_with(&TenantSecret::restore("sk_test_vectoR").unwrap()));
        }
    }

    #[test]
    fn a_v1_call_with_a_body_has_its_timestamp_and_signature_for_a_nonce_and_one_without_has_none() {
        let nonce = |timestamp: &'static str, body: &'static str, parts: SignedParts<'static>| {
            let empty = HEXLOWER.encode(digest(&SHA256, body.as_bytes()).as_ref());
            let signature = mac(&format!("{timestamp}.{empty}"));
            let headers = SignatureHeaders { timestamp, nonce: None, ..headers(&signature) };
            let call = SignedCall::read(headers, SignedParts { body: body.as_bytes(), ..parts }).unwrap();
            let nonce = call.nonce.map(|nonce| nonce.to_string());
            assert!(!nonce.as_ref().is_some_and(|nonce| nonce.contains(&signature)), "as good as a password");
            nonce
        };
        assert_eq!(nonce(MILLIS, "", parts("")), None);
        let first = nonce(MILLIS, "{}", parts(""));
        // No client can send it as a v2 nonce, and so use it up before.
        assert!(first.as_deref().is_some_and(|nonce| Nonce::parse(nonce).is_none()));
        // What is not signed makes it no other call.
        let elsewhere = SignedParts { method: "POST", path: "/api/v1/relay/other", query: "a=1", body: b"" };
        assert_eq!(nonce(MILLIS, "{}", elsewhere), first);
        assert_ne!(nonce("1718966400001", "{}", parts("")), first);
        assert_ne!(nonce(MILLIS, "{} ", parts("")), first);
    }

    #[test]
    fn the_second_version_covers_method_path_query_nonce_and_body() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let plain = mac(&format!("{MILLIS}.GET./api/v1/relay/whoami.{NONCE}.{empty}"));
        let query = mac(&format!("{MILLIS}.GET./api/v1/relay/whoami?a=%20b.{NONCE}.{empty}"));
        let reads = |signature: &str, parts| {
            let signature = format!("v2={signature}");
            SignedCall::read(headers(&signature), parts).unwrap().is_signed_with(&secret())
        };
        assert!(reads(&plain, parts("")));
        assert!(reads(&query, SignedParts { query: "a=%20b", ..parts("") }));
        assert!(!reads(&query, parts("")) && !reads(&plain, SignedParts { query: "a=%20b", ..parts("") }));
        assert!(!reads(&query, SignedParts { query: "a= b", ..parts("") }));
        assert!(!reads(&plain, SignedParts { method: "POST", ..parts("") }));
        assert!(!reads(&plain, SignedParts { path: "/api/v1/relay/whoam", ..parts("") }));
        assert!(!reads(&plain, parts("{}")));
        // Without its version it is another text's.
        assert!(!SignedCall::read(headers(&plain), parts("")).unwrap().is_signed_with(&secret()));
    }

    #[test]
    fn headers_that_are_not_exactly_so_are_refused() {
        let good = "a".repeat(64);
        assert!(SignedCall::read(headers(&good), parts("")).is_ok());
        for timestamp in ["", " 1", "1 ", "+1", "-1", "01", "1.0", "1e3", "0x1", "1,1", "99999999999999999999", "é"] {
            let headers = SignatureHeaders { timestamp, ..headers(&good) };
            assert!(SignedCall::read(headers, parts("")).is_err(), "{timestamp}");
        }
        let upper = "A".repeat(64);
        let twice = format!("{good},{good}");
        let (v1, v3, space, spaces) =
            (format!("v1={good}"), format!("v3={good}"), format!(" {good}"), format!("v2= {good}"));
        for signature in ["", "v2=", &good[1..], &upper, &twice, &v1, &v3, &space, &spaces, &"é".repeat(32)] {
            assert!(SignedCall::read(headers(signature), parts("")).is_err(), "{signature}");
        }
        for tenant_id in ["", "tnt_", " tnt_1", "tnt_1 ", "tnt_1,tnt_1", "tnt_#"] {
            let headers = SignatureHeaders { tenant_id, ..headers(&good) };
            assert!(SignedCall::read(headers, parts("")).is_err(), "{tenant_id}");
        }
        let v2 = format!("v2={good}");
        let long = "n".repeat(65);
        for nonce in
            [None, Some(""), Some("short"), Some(long.as_str()), Some("aaaaaaaaaaaaaaa."), Some("aaaaaaaa aaaaaaaa")]
        {
            let headers = SignatureHeaders { nonce, ..headers(&v2) };
            assert!(SignedCall::read(headers, parts("")).is_err(), "{nonce:?}");
        }
    }

    #[test]
    fn thirty_seconds_on_either_side_are_near_enough_and_a_millisecond_more_is_not() {
        let signature = "a".repeat(64);
        let call = SignedCall::read(headers(&signature), parts("")).unwrap();
        for (off, is_near) in [(0, true), (30_000, true), (-30_000, true), (30_001, false), (-30_001, false)] {
            assert_eq!(call.is_of_now(Timestamp::from_millis(1_718_966_400_000 + off)), is_near, "{off}");
        }
        let seconds = SignatureHeaders { timestamp: "1718966400", ..headers(&signature) };
        let call = SignedCall::read(seconds, parts("")).unwrap();
        assert!(!call.is_of_now(Timestamp::from_millis(1_718_966_400_000)));
    }

    proptest! {
        /// What was signed can be taken apart again, and so no two calls have the same text.
        #[test]
        fn a_signed_text_can_be_read_in_one_way_only(
            method in "[A-Z]{1,7}",
            path in "/[a-z./]{0,12}",
            query in "[a-z=&.?/]{0,12}",
            nonce in "[A-Za-z0-9+/=_-]{16,64}",
        ) {
            let signature = format!("v2={}", "a".repeat(64));
            let headers = SignatureHeaders { nonce: Some(&nonce), ..headers(&signature) };
            let parts = SignedParts { method: &method, path: &path, query: &query, body: b"" };
            let text = SignedCall::read(headers, parts).unwrap().text;
            let (rest, body) = text.rsplit_once('.').unwrap();
            let (rest, read_nonce) = rest.rsplit_once('.').unwrap();
            let (read_timestamp, rest) = rest.split_once('.').unwrap();
            let (read_method, target) = rest.split_once('.').unwrap();
            let (read_path, read_query) = target.split_once('?').unwrap_or((target, ""));
            prop_assert_eq!((read_timestamp, body.len()), (MILLIS, 64));
            prop_assert_eq!((read_method, read_path, read_query, read_nonce), (&*method, &*path, &*query, &*nonce));
        }

        #[test]
        fn any_headers_are_read_or_refused(
            tenant_id in "\\PC{0,40}",
            timestamp in "\\PC{0,20}",
            signature in "\\PC{0,70}",
        ) {
            let (tenant_id, timestamp) = (&tenant_id, &timestamp);
            let headers = SignatureHeaders { tenant_id, timestamp, signature: &signature, nonce: None };
            let read = SignedCall::read(headers, parts(""));
            prop_assert!(read.is_err() || signature.len() == 64);
        }
    }

    #[test]
    fn a_tenant_on_v1_takes_both_versions_and_one_on_v2_that_only() {
        use SigningVersion::{V1, V2};
        for (tenant, call, takes) in [(V1, V1, true), (V1, V2, true), (V2, V1, false), (V2, V2, true)] {
            assert_eq!(tenant.takes(call), takes, "{tenant} {call}");
        }
        assert_eq!(format!("{V1} {V2}"), "v1 v2");
    }

    #[test]
    fn no_signature_prints_itself() {
        let (headers, signature) = (headers(NONCE), "a".repeat(64));
        let call = SignedCall::read(SignatureHeaders { signature: &signature, ..headers }, parts("")).unwrap();
        let printed = format!("{headers:?} {:?} {call:?}", parts(""));
        assert_eq!(printed, format!("SignatureHeaders SignedParts(GET) SignedCall({TENANT})"));
    }
}
