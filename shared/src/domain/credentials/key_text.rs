//! The text of credentials that check themselves: API keys, and the tokens of device sessions.
//!
//! It is a prefix and lower-case base32 (RFC 4648 §6) of an id, the 16 bytes of the tenant's, 32 random ones, and a
//! CRC-32 over all before. So a malformed one is refused without asking a store, a store is asked for exactly what is
//! named, and a scanner that finds one in a repository can tell it from noise.

use data_encoding::BASE32_NOPAD;
use zeroize::Zeroizing;

use crate::domain::values::random::{Random, RandomnessUnavailable, draw};

/// Bytes of the id of a key or a device.
pub const ID: usize = 8;
/// Bytes of the tenant's id.
pub const TENANT: usize = 16;
/// Random bytes.
const SECRET: usize = 32;
/// Bytes of the checksum.
const CHECKSUM: usize = 4;

/// What a text says without its secret: an id of `N` bytes, and whose it is.
#[derive(Debug, Clone, Copy)]
pub struct KeyText<const N: usize> {
    pub id: [u8; N],
    pub tenant: [u8; TENANT],
}

/// Characters behind the prefix. Where they are no whole number of base32 groups, the bits that are left over are zero,
/// and the decoder refuses any others: a text has exactly one spelling.
const fn encoded(id: usize) -> usize {
    ((id + TENANT + SECRET + CHECKSUM) * 8).div_ceil(5)
}

/// A text with a new secret.
///
/// # Errors
/// If no randomness is available.
pub fn write<const N: usize>(
    prefix: &str,
    named: KeyText<N>,
    random: &dyn Random,
) -> Result<String, RandomnessUnavailable> {
    let secret = Zeroizing::new(draw::<SECRET>(random)?);
    let mut bytes = Zeroizing::new(Vec::with_capacity(N + TENANT + SECRET + CHECKSUM));
    bytes.extend_from_slice(&named.id);
    bytes.extend_from_slice(&named.tenant);
    bytes.extend_from_slice(&*secret);
    let checksum = checksum(prefix, &bytes);
    bytes.extend_from_slice(&checksum);
    // Room for all of it from the start: a text that grows leaves copies of itself behind.
    let mut text = String::with_capacity(prefix.len() + encoded(N));
    text.push_str(prefix);
    BASE32_NOPAD.encode_append(&bytes, &mut text);
    text.make_ascii_lowercase();
    Ok(text)
}

/// Reads a text: `None` if it has not the shape of one with this prefix, or its checksum is wrong.
pub fn read<const N: usize>(prefix: &str, text: &str) -> Option<KeyText<N>> {
    let characters = text.strip_prefix(prefix)?;
    if characters.len() != encoded(N) || !characters.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7')) {
        return None;
    }
    let upper = Zeroizing::new(characters.to_ascii_uppercase());
    let bytes = Zeroizing::new(BASE32_NOPAD.decode(upper.as_bytes()).ok()?);
    let (summed, sum) = bytes.split_at_checked(N + TENANT + SECRET)?;
    if checksum(prefix, summed) != sum {
        return None;
    }
    let (id, rest) = summed.split_first_chunk::<N>()?;
    Some(KeyText { id: *id, tenant: *rest.first_chunk::<TENANT>()? })
}

/// The CRC-32 of prefix and bytes. It covers the prefix, so that a text relabelled as one of another kind is refused.
fn checksum(prefix: &str, bytes: &[u8]) -> [u8; CHECKSUM] {
    let mut crc = crc32fast::Hasher::new();
    crc.update(prefix.as_bytes());
    crc.update(bytes);
    crc.finalize().to_be_bytes()
}
