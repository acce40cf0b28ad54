//! Frames: what a code shows. With rotation there is a new one every ten seconds, so that a picture of the code that
//! was sent elsewhere is of no use by the time that it is looked at.
//!
//! A frame is a number and its MAC. Its secret is derived from the deployment's key and the session's id, so that it is
//! in no item and no answer, and a frame that we did not show is refused before anything of the login is written.

use std::fmt;
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;
use serde::{Serialize, Serializer};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::ids::QrSessionId;
use crate::domain::credentials::trace_key::TraceKey;
use crate::domain::time::clock::Timestamp;
use crate::domain::values::limits::FrameNumber;
use crate::domain::values::newtype::string_newtype;
use crate::domain::values::problem::Problem;

/// For how long a frame is shown.
const SHOWN: Duration = Duration::from_secs(10);
/// For how long a frame is good from when it is shown first: a camera, a page and a tap take a while.
const GOOD: Duration = Duration::from_secs(15);

/// What tells this key apart from all others that are derived from the same secret.
const INFO: &[u8] = b"latchkey qr frame v1";

impl FrameNumber {
    /// The frame that is shown at that time by a session that began then.
    pub fn at(now: Timestamp, began: Timestamp) -> Self {
        let passed = u128::try_from(now.as_millis().saturating_sub(began.as_millis())).unwrap_or_default();
        u64::try_from(passed / SHOWN.as_millis()).ok().and_then(|number| Self::new(number).ok()).unwrap_or(Self::FIRST)
    }

    /// Whether the frame, of a session that began then, is still good at that time. That it was shown follows from its
    /// MAC: one that is of later was shown by a machine whose clock is ahead.
    pub fn is_good(self, now: Timestamp, began: Timestamp) -> bool {
        now < began.plus(SHOWN.saturating_mul(self.get())).plus(GOOD)
    }
}

/// The MAC of a frame: the first 16 bytes of HMAC-SHA-256 under the session's frame secret, over
/// `<session id>.<number>`, in base64url.
#[derive(Clone, PartialEq, Eq)]
pub struct FrameMac(String);

impl FrameMac {
    const BYTES: usize = 16;

    /// Reads a MAC.
    ///
    /// # Errors
    /// If the text is not 16 bytes in base64url, in its only spelling.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        match BASE64URL_NOPAD.decode(text.as_bytes()) {
            Ok(bytes) if bytes.len() == Self::BYTES => Ok(Self(text.to_owned())),
            _ => Err(Problem::new("must be the second part of a code's fragment, 22 characters")),
        }
    }
}

impl fmt::Debug for FrameMac {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("FrameMac")
    }
}

string_newtype! { FrameMac, expected: "a string", schema: {
    "type": "string",
    "pattern": "^[A-Za-z0-9_-]{22}$",
    "description": "What shows that a code was read: what follows the dot in its fragment.",
} }

/// The deployment's key to frames.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct FrameKey([u8; 32]);

impl FrameKey {
    /// The key that goes with the deployment's trace key. `None` if the cryptographic library fails, for which it has
    /// no reason.
    pub fn of(trace_key: &TraceKey) -> Option<Self> {
        let mut key = Self([0; 32]);
        trace_key.derive(INFO, &mut key.0)?;
        Some(key)
    }

    /// The MAC of a session's frame.
    pub fn mac(&self, session: &QrSessionId, frame: FrameNumber) -> FrameMac {
        FrameMac(BASE64URL_NOPAD.encode(self.tag(session, frame).get(..FrameMac::BYTES).unwrap_or_default()))
    }

    /// Whether it is the MAC of that frame, in constant time.
    pub fn is_mac(&self, session: &QrSessionId, frame: FrameNumber, mac: &FrameMac) -> bool {
        verify_slices_are_equal(self.mac(session, frame).0.as_bytes(), mac.0.as_bytes()).is_ok()
    }

    fn tag(&self, session: &QrSessionId, frame: FrameNumber) -> Vec<u8> {
        let sign = |key: &[u8], text: &str| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes());
        let secret = sign(&self.0, session.as_str());
        sign(secret.as_ref(), &format!("{session}.{}", frame.get())).as_ref().to_vec()
    }
}

impl fmt::Debug for FrameKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("FrameKey")
    }
}

/// What a code holds: the address that a phone opens, `<address>/q/<session>#<frame>.<mac>`. What is good for a scan is
/// in the fragment, which no browser sends to a server.
#[derive(Clone, PartialEq, Eq)]
pub struct QrLoginUrl(String);

impl QrLoginUrl {
    /// The longest one, in bytes: its code then has 45 modules a side, which cameras read from a screen.
    pub const LONGEST: usize = 120;

    /// The address of a frame at the service's address, which has no slash at its end. `None` if it is too long.
    pub fn new(base_url: &str, session: &QrSessionId, frame: FrameNumber, mac: &FrameMac) -> Option<Self> {
        let url = Self(format!("{base_url}/q/{session}#{}.{mac}", frame.get()));
        (url.0.len() <= Self::LONGEST).then_some(url)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for QrLoginUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("QrLoginUrl")
    }
}

impl Serialize for QrLoginUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::tenant_id::TenantId;

    const SESSION: &str = "AQEBAQEBAQEBAQEBAQEBAQaaaaaaaaaa";

    fn key() -> FrameKey {
        FrameKey::of(&TraceKey::parse("LatchkeyTestTraceKey000000000000000000000000000A").unwrap()).unwrap()
    }

    fn session() -> QrSessionId {
        QrSessionId::parse(SESSION).unwrap()
    }

    fn frame(number: u64) -> FrameNumber {
        FrameNumber::new(number).unwrap()
    }

    /// Computed with Python: `hmac.digest(hkdf, session)` as key, then `hmac.digest(key, session + ".12")[:16]`.
    #[test]
    fn a_mac_is_what_others_compute() {
        assert_eq!(key().mac(&session(), frame(12)).as_str(), "jWuqgVRA02bMjeKgOv8mvg");
    }

    #[test]
    fn a_mac_is_of_one_frame_of_one_session() {
        let other = QrSessionId::parse(&SESSION.replace("aaa", "aab")).unwrap();
        let mac = key().mac(&session(), frame(1));
        assert!(key().is_mac(&session(), frame(1), &mac));
        assert!(!key().is_mac(&session(), frame(0), &mac) && !key().is_mac(&session(), frame(11), &mac));
        assert!(!key().is_mac(&other, frame(1), &mac));
        let another = FrameKey::of(&TraceKey::parse(&"b".repeat(48)).unwrap()).unwrap();
        assert!(!another.is_mac(&session(), frame(1), &mac));
        assert_eq!(FrameMac::parse(mac.as_str()), Ok(mac.clone()));
        assert_eq!(format!("{mac:?} {:?}", key()), "FrameMac FrameKey");
        for text in ["", &"A".repeat(21), &"A".repeat(23), &"/".repeat(22), &format!("{}B", "A".repeat(21))] {
            assert!(FrameMac::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_frame_is_shown_for_ten_seconds_and_good_for_fifteen() {
        let began = Timestamp::from_millis(1_000_000);
        let at = |millis: i64| Timestamp::from_millis(1_000_000 + millis);
        for (millis, number) in [(0, 0), (9_999, 0), (10_000, 1), (119_999, 11), (-1, 0)] {
            assert_eq!(FrameNumber::at(at(millis), began), frame(number), "{millis}");
        }
        for (millis, number, is_good) in [
            (0, 0, true),
            (14_999, 0, true),
            (15_000, 0, false),
            (9_999, 1, true),
            (10_000, 1, true),
            (24_999, 1, true),
            (25_000, 1, false),
        ] {
            assert_eq!(frame(number).is_good(at(millis), began), is_good, "{millis} {number}");
        }
    }

    #[test]
    fn the_longest_address_of_a_gateway_has_room_in_a_code() {
        let mac = key().mac(&session(), frame(29));
        let id = QrSessionId::generate(&TenantId::of(&[7; 16]), &crate::domain::SystemRandomness::new());
        let id = id.unwrap().unwrap();
        let base = "https://abcdefghij.execute-api.ap-southeast-1.amazonaws.com";
        assert_eq!(QrLoginUrl::new(base, &id, frame(29), &mac).unwrap().as_str().len(), 120);
        assert!(QrLoginUrl::new(&format!("{base}a"), &id, frame(29), &mac).is_none());
        let url = QrLoginUrl::new("https://a.example", &session(), frame(3), &mac).unwrap();
        assert_eq!(url.as_str(), format!("https://a.example/q/{SESSION}#3.{mac}"));
        assert_eq!(format!("{url:?}"), "QrLoginUrl");
    }
}
