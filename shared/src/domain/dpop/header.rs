//! The header of a proof: its type, its algorithm and its key.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;

use super::cause::DpopCause;
use crate::domain::credentials::signing_key::{ALGORITHM_NAME, PublicKey};
use crate::domain::values::members::Members;

/// The `typ` of the header (RFC 9449 §4.2): no other JWT can be taken for a proof.
const TYPE: &str = "dpop+jwt";

/// Members that only a private or a symmetric key has (RFC 7518 §6.2.2, §6.3.2, §6.4.1).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Bytes of a coordinate.
const COORDINATE: usize = 32;

/// The thumbprint of a device's public key (RFC 7638): SHA-256 in base64url, 43 characters. A session has it as the
/// name of the key that it is bound to (`jkt`, RFC 9449 §6).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Thumbprint(String);

impl Thumbprint {
    /// The thumbprint of a key.
    pub(super) fn of(key: &PublicKey) -> Self {
        Self(key.thumbprint())
    }

    /// Reads what was stored. `None` if it is no SHA-256 in base64url.
    pub fn parse(text: &str) -> Option<Self> {
        is_32_bytes(text).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The key in a header that has the type and the algorithm of a proof.
///
/// Members that are not looked at are accepted: libraries add `kid`, and none of them (`jku`, `x5u`) is followed.
///
/// # Errors
/// If it is not the header of a proof.
pub fn read(json: &str) -> Result<PublicKey, DpopCause> {
    let header = Members::read(json, DpopCause::HeaderMalformed, DpopCause::HeaderDoubled)?;
    let typ: String = header.required("typ", DpopCause::TypMissing, DpopCause::TypMalformed)?;
    if typ != TYPE {
        return Err(DpopCause::TypWrong);
    }
    let alg: String = header.required("alg", DpopCause::AlgMissing, DpopCause::AlgMalformed)?;
    if alg != ALGORITHM_NAME {
        return Err(DpopCause::AlgWrong);
    }
    if header.raw("crit").is_some() {
        return Err(DpopCause::CriticalExtension);
    }
    read_jwk(header.raw("jwk").ok_or(DpopCause::JwkMissing)?)
}

/// A public key on P-256. More members are accepted: what `WebCrypto` exports has `ext` and `key_ops`.
fn read_jwk(json: &str) -> Result<PublicKey, DpopCause> {
    let jwk = Members::read(json, DpopCause::JwkMalformed, DpopCause::JwkDoubled)?;
    // Whatever its value: a client that sends one mixes its keys up, and its next proof could have the real one.
    if PRIVATE.iter().any(|name| jwk.raw(name).is_some()) {
        return Err(DpopCause::JwkPrivate);
    }
    for (name, value) in [("kty", "EC"), ("crv", "P-256")] {
        let text: String = jwk.required(name, DpopCause::JwkNotP256, DpopCause::JwkNotP256)?;
        if text != value {
            return Err(DpopCause::JwkNotP256);
        }
    }
    // A coordinate in another spelling would give the same key another thumbprint.
    let coordinate = |name| {
        let text: String = jwk.required(name, DpopCause::JwkNoPoint, DpopCause::JwkNoPoint)?;
        if is_32_bytes(&text) { Ok(text) } else { Err(DpopCause::JwkNoPoint) }
    };
    // Whether the point is on the curve shows when it has to verify a signature.
    Ok(PublicKey { x: coordinate("x")?, y: coordinate("y")? })
}

fn is_32_bytes(text: &str) -> bool {
    BASE64URL_NOPAD.decode(text.as_bytes()).is_ok_and(|bytes| bytes.len() == COORDINATE)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of RFC 9449 §4.2 and its thumbprint, `cnf.jkt` in §6.1.
    #[test]
    fn the_thumbprint_is_that_of_rfc_9449() {
        let key = PublicKey {
            x: "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs".to_owned(),
            y: "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA".to_owned(),
        };
        let thumbprint = Thumbprint::of(&key);
        assert_eq!(thumbprint.as_str(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
        assert_eq!(Thumbprint::parse(&thumbprint.to_string()), Some(thumbprint));
    }

    #[test]
    fn what_is_no_sha_256_is_no_thumbprint() {
        let padded = format!("{}=", "A".repeat(43));
        for text in ["", "A", &"A".repeat(42), &"A".repeat(44), &"/".repeat(43), &padded, &"B".repeat(43)] {
            assert_eq!(Thumbprint::parse(text), None, "{text}");
        }
    }
}
