//! What is stored of a credential in its place.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;

/// SHA-256 of an API key, or of another credential of 256 random bits or more. No salt and no stretching: there is
/// nothing to guess in so many.
#[derive(Clone)]
pub struct KeyHash(Vec<u8>);

impl KeyHash {
    /// The hash of a credential's text.
    pub(in crate::domain) fn of(text: &str) -> Self {
        Self(digest(&SHA256, text.as_bytes()).as_ref().to_vec())
    }

    /// Reads what [`KeyHash::to_text`] gave.
    pub fn parse(text: &str) -> Option<Self> {
        HEXLOWER.decode(text.as_bytes()).ok().filter(|bytes| bytes.len() == 32).map(Self)
    }

    /// Lower-case hexadecimal.
    pub fn to_text(&self) -> String {
        HEXLOWER.encode(&self.0)
    }

    /// Whether both hashes are the same, in constant time.
    pub fn is(&self, other: &Self) -> bool {
        verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KeyHash")
    }
}
