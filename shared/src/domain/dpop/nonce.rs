//! Nonces that a proof has to carry (RFC 9449 §8): made from the time, and checked without a store.
//!
//! | Bytes | What |
//! |---|---|
//! | 8 | when it was made, in Unix milliseconds, the most significant byte first |
//! | 16 | the first half of the HMAC-SHA-256 of those under the deployment's key |
//!
//! In base64url they are 32 characters. So making one writes nothing, and every function knows those of every other. A
//! nonce tells that a proof was not made long before, by somebody who had the key for a moment; that the proof is used
//! once is for its `jti`.

use std::fmt;
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::domain::credentials::trace_key::TraceKey;
use crate::domain::time::clock::Timestamp;

/// For how long a nonce is accepted. Each answer has a new one, so only a device that was silent for longer is asked
/// again.
pub const ACCEPTED: Duration = Duration::from_mins(5);

/// The largest difference by which the clock of the machine that made it may be ahead.
pub const LEEWAY: Duration = Duration::from_secs(5);

/// What tells this key apart from all others that are derived from the same secret.
const INFO: &[u8] = b"latchkey dpop nonce v1";

/// Bytes of the time, and of the MAC.
const TIME: usize = 8;
const MAC: usize = 16;

/// The deployment's key to nonces.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct NonceKey([u8; 32]);

impl NonceKey {
    /// The key that goes with the deployment's trace key. `None` if the cryptographic library fails, for which it has
    /// no reason: nonces under a key that was not derived would be anybody's.
    pub fn of(trace_key: &TraceKey) -> Option<Self> {
        let mut key = Self([0; 32]);
        trace_key.derive(INFO, &mut key.0)?;
        Some(key)
    }

    /// The nonce of this moment.
    pub fn issue(&self, now: Timestamp) -> DpopNonce {
        let time = now.as_millis().to_be_bytes();
        DpopNonce(BASE64URL_NOPAD.encode(&[&time[..], &self.mac(time)].concat()))
    }

    /// When a nonce was made. `None` if it was not made with this key.
    pub fn issued_at(&self, nonce: &str) -> Option<Timestamp> {
        let bytes = BASE64URL_NOPAD.decode(nonce.as_bytes()).ok()?;
        let (time, mac) = bytes.split_first_chunk::<TIME>()?;
        verify_slices_are_equal(&self.mac(*time), mac).ok()?;
        Some(Timestamp::from_millis(i64::from_be_bytes(*time)))
    }

    fn mac(&self, time: [u8; TIME]) -> [u8; MAC] {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.0), &time);
        let mut mac = [0; MAC];
        mac.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
        mac
    }
}

impl fmt::Debug for NonceKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("NonceKey")
    }
}

/// A nonce on its way to a device, in the header `DPoP-Nonce`. No secret: whoever asks gets one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DpopNonce(String);

impl DpopNonce {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DpopNonce {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
