//! What a statement names as shown: the digest of an answer.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64URL_NOPAD;

use crate::domain::values::newtype::string_newtype;
use crate::domain::values::problem::Problem;

/// SHA-256 of an answer's body, in base64url: what a statement names as shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerDigest(String);

impl AnswerDigest {
    /// That of these bytes.
    pub fn of(body: &[u8]) -> Self {
        Self(BASE64URL_NOPAD.encode(digest(&SHA256, body).as_ref()))
    }

    /// Reads a digest.
    ///
    /// # Errors
    /// If it is no SHA-256 in base64url.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        match BASE64URL_NOPAD.decode(text.as_bytes()) {
            Ok(bytes) if bytes.len() == 32 => Ok(Self(text.to_owned())),
            _ => Err(Problem::new("must be a SHA-256 in base64url")),
        }
    }
}

string_newtype! { AnswerDigest, expected: "a string", schema: { "type": "string", "pattern": "^[A-Za-z0-9_-]{43}$" } }

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf shown | openssl dgst -sha256 -binary | base64 | tr '+/' '-_' | tr -d =`
    #[test]
    fn a_digest_is_that_of_the_bytes() {
        let digest = AnswerDigest::of(b"shown");
        assert_eq!(digest.as_str(), "uq9TYipR2XUjXydih73BtkqkZAx3FCy8oHaHfZ6saBU");
        assert_eq!(AnswerDigest::parse(digest.as_str()), Ok(digest));
        assert!(AnswerDigest::parse("").is_err() && AnswerDigest::parse(&"A".repeat(42)).is_err());
    }
}
