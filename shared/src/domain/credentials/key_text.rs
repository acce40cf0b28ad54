//! The text of credentials that check themselves: API keys, and the tokens of device sessions.
//!
//! It is a prefix and 96 characters of lower-case base32 (RFC 4648 §6), which are 60 bytes: 8 of an id, 16 of the
//! tenant's, 32 random ones, and a CRC-32 over all before. So a malformed one is refused without asking a store, a
//! store is asked for exactly one item, and a scanner that finds one in a repository can tell it from noise.

use data_encoding::BASE32_NOPAD;
use zeroize::Zeroizing;

use crate::domain::values::random::{Random, RandomnessUnavailable, draw};

/// Bytes of the id.
pub const ID: usize = 8;
/// Bytes of the tenant's id.
pub const TENANT: usize = 16;
/// Random bytes.
const SECRET: usize = 32;
/// Bytes of the checksum.
const CHECKSUM: usize = 4;
/// Characters behind the prefix: a whole number of base32 groups, so that a text has exactly one spelling.
const ENCODED: usize = (ID + TENANT + SECRET + CHECKSUM) * 8 / 5;

/// What a text says without its secret.
#[derive(Debug, Clone, Copy)]
pub struct KeyText {
    pub id: [u8; ID],
    pub tenant: [u8; TENANT],
}

/// A text with a new secret.
///
/// # Errors
/// If no randomness is available.
pub fn write(prefix: &str, named: KeyText, random: &dyn Random) -> Result<String, RandomnessUnavailable> {
    let secret = Zeroizing::new(draw::<SECRET>(random)?);
    let mut bytes = Zeroizing::new(Vec::with_capacity(ID + TENANT + SECRET + CHECKSUM));
    bytes.extend_from_slice(&named.id);
    bytes.extend_from_slice(&named.tenant);
    bytes.extend_from_slice(&*secret);
    let checksum = checksum(prefix, &bytes);
    bytes.extend_from_slice(&checksum);
    // Room for all of it from the start: a text that grows leaves copies of itself behind.
    let mut text = String::with_capacity(prefix.len() + ENCODED);
    text.push_str(prefix);
    BASE32_NOPAD.encode_append(&bytes, &mut text);
    text.make_ascii_lowercase();
    Ok(text)
}

/// Reads a text: `None` if it has not the shape of one with this prefix, or its checksum is wrong.
pub fn read(prefix: &str, text: &str) -> Option<KeyText> {
    let encoded = text.strip_prefix(prefix)?;
    if encoded.len() != ENCODED || !encoded.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7')) {
        return None;
    }
    let upper = Zeroizing::new(encoded.to_ascii_uppercase());
    let bytes = Zeroizing::new(BASE32_NOPAD.decode(upper.as_bytes()).ok()?);
    let (summed, sum) = bytes.split_at_checked(ID + TENANT + SECRET)?;
    if checksum(prefix, summed) != sum {
        return None;
    }
    let (id, rest) = summed.split_first_chunk::<ID>()?;
    Some(KeyText { id: *id, tenant: *rest.first_chunk::<TENANT>()? })
}

/// The CRC-32 of prefix and bytes. It covers the prefix, so that a text relabelled as one of another kind is refused.
fn checksum(prefix: &str, bytes: &[u8]) -> [u8; CHECKSUM] {
    let mut crc = crc32fast::Hasher::new();
    crc.update(prefix.as_bytes());
    crc.update(bytes);
    crc.finalize().to_be_bytes()
}
