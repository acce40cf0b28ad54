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
use crate::domain::credentials::fault::CredentialFault;
use crate::domain::credentials::secrets::TenantSecret;
use crate::domain::ids::tenant_id::TenantId;
use crate::domain::time::clock::Timestamp;

/// The largest difference between a caller's clock and ours, inclusive.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(30);

/// What can be meant for milliseconds: 13 digits, from the year 2001 to 2286. Seconds of our time have 10, microseconds
/// 16.
const MILLISECONDS: std::ops::Range<i64> = 1_000_000_000_000..10_000_000_000_000;

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
    /// The first header that is malformed.
    pub fn read(headers: SignatureHeaders<'_>, parts: SignedParts<'_>) -> Result<Self, CredentialFault> {
        let tenant_id = TenantId::parse(headers.tenant_id).map_err(|_| CredentialFault::TenantIdMalformed)?;
        let millis = exact(headers.timestamp).ok_or(CredentialFault::TimestampNotMilliseconds)?;
        let (version, digits) = match headers.signature.strip_prefix("v2=") {
            Some(digits) => (SigningVersion::V2, digits),
            None => (SigningVersion::V1, headers.signature),
        };
        let mac = HEXLOWER.decode(digits.as_bytes()).ok().and_then(|mac| <[u8; 32]>::try_from(mac).ok());
        let mac = mac.ok_or(CredentialFault::SignatureNotLowerHex)?;
        // A callback is signed with the same secret, and its v1 text has no direction: without this, whoever sees one
        // could send it back as a call of the tenant's.
        if is_event_body(parts.body) {
            return Err(CredentialFault::BodyOfCallback);
        }
        let (text, nonce) = match version {
            // It would not be heeded: whoever sends one means v2, and would look for the fault in the text.
            SigningVersion::V1 if headers.nonce.is_some() => return Err(CredentialFault::VersionPrefixMissing),
            SigningVersion::V1 => {
                // Without a body a call asks and changes nothing, and remembering it would cost each of them a write.
                let nonce = (!parts.body.is_empty()).then(|| Nonce::of_v1(millis, &mac));
                (v1_text(millis, parts.body), nonce)
            }
            SigningVersion::V2 => {
                let nonce = headers.nonce.and_then(Nonce::parse).ok_or(CredentialFault::NonceMalformed)?;
                (v2_text(millis, parts, nonce.0.as_str()), Some(nonce))
            }
        };
        Ok(Self { tenant_id, version, timestamp: Timestamp::from_millis(millis), nonce, mac, text })
    }

    /// Checks that the caller's clock is close enough to ours.
    ///
    /// # Errors
    /// If it is not, or the timestamp is in another unit.
    pub fn check_time(&self, now: Timestamp) -> Result<(), CredentialFault> {
        let (one, other) = (self.timestamp.as_millis(), now.as_millis());
        if Duration::from_millis(one.abs_diff(other)) <= CLOCK_TOLERANCE {
            Ok(())
        } else if MILLISECONDS.contains(&one) {
            Err(CredentialFault::TimestampOutOfWindow { server_time_ms: other })
        } else {
            Err(CredentialFault::TimestampNotMilliseconds)
        }
    }

    /// How far the caller's clock is ahead of ours, in milliseconds; negative if it is behind.
    pub fn ahead_ms(&self, now: Timestamp) -> i64 {
        self.timestamp.as_millis().saturating_sub(now.as_millis())
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
mod tests;
