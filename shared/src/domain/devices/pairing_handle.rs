//! The handle of a pairing: what is in the code that a person scans.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde::de::{self, Deserialize, Deserializer};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::domain::values::newtype::{Text, string_newtype};
use crate::domain::values::problem::Problem;
use crate::domain::values::random::{Random, RandomnessUnavailable, draw};

/// Random bytes of a handle.
const BYTES: usize = 16;

/// The handle of a pairing: 128 random bits in base64url, 22 characters. Whoever has it can pair a device, once.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct PairingHandle(String);

impl PairingHandle {
    /// A new handle.
    ///
    /// # Errors
    /// If no randomness is available.
    pub fn generate(random: &dyn Random) -> Result<Self, RandomnessUnavailable> {
        let bytes = Zeroizing::new(draw::<BYTES>(random)?);
        Ok(Self(BASE64URL_NOPAD.encode(&*bytes)))
    }

    /// Reads a handle.
    ///
    /// # Errors
    /// If the text is not 16 bytes in base64url, in its only spelling.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        match BASE64URL_NOPAD.decode(text.as_bytes()).map(Zeroizing::new) {
            Ok(bytes) if bytes.len() == BYTES => Ok(Self(text.to_owned())),
            _ => Err(Problem::new("must be a pairing handle, 22 letters, digits, - and _")),
        }
    }

    /// The pairing that it is the handle of.
    pub fn pairing_id(&self) -> PairingId {
        let hash = digest(&SHA256, self.0.as_bytes());
        PairingId(HEXLOWER.encode(hash.as_ref().get(..PairingId::BYTES).unwrap_or_default()))
    }
}

impl fmt::Debug for PairingHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PairingHandle")
    }
}

impl<'de> Deserialize<'de> for PairingHandle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(deserializer.deserialize_str(Text("a string"))?);
        Self::parse(&text).map_err(de::Error::custom)
    }
}

impl JsonSchema for PairingHandle {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PairingHandle".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[A-Za-z0-9_-]{22}$",
            "description": "Handle of a pairing, which pairs one device.",
        })
    }
}

/// The name of a pairing in the table, and the `jti` of its proof: half of the SHA-256 of its handle, 32 hexadecimal
/// digits. So handle and proof are used up by the same write, and neither table nor log has what opens it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PairingId(String);

impl PairingId {
    const BYTES: usize = 16;

    /// Reads an id.
    ///
    /// # Errors
    /// If the text is not 32 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        match HEXLOWER.decode(text.as_bytes()) {
            Ok(bytes) if bytes.len() == Self::BYTES => Ok(Self(text.to_owned())),
            _ => Err(Problem::new("must be the id of a pairing, 32 lower-case hexadecimal digits")),
        }
    }
}

string_newtype! { PairingId, expected: "a string", schema: { "type": "string", "pattern": "^[0-9a-f]{32}$" } }

/// The address that a phone opens to pair: `<address>/p#<handle>`. The handle is in the fragment, which no browser
/// sends to a server and none writes into a `Referer`.
#[derive(Serialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
pub struct PairingUrl(String);

impl PairingUrl {
    /// The longest one, in bytes: its QR code then has 45 modules a side, which cameras read from a screen.
    pub const LONGEST: usize = 120;

    /// The address of a pairing at the service's address, which has no slash at its end. `None` if it is too long.
    pub fn new(base_url: &str, handle: &PairingHandle) -> Option<Self> {
        let url = Self(format!("{base_url}/p#{}", handle.0));
        (url.0.len() <= Self::LONGEST).then_some(url)
    }

    /// The text, for the QR code.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PairingUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PairingUrl")
    }
}

impl JsonSchema for PairingUrl {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PairingUrl".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "uri",
            "maxLength": Self::LONGEST,
            "description": "Address that a phone opens to be paired.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::values::random::SystemRandomness;

    fn handle() -> PairingHandle {
        PairingHandle::generate(&SystemRandomness::new()).unwrap()
    }

    #[test]
    fn a_handle_has_22_characters_and_one_spelling() {
        let (one, other) = (handle(), handle());
        assert!(one.0.len() == 22 && one.0 != other.0);
        let read: PairingHandle = serde_json::from_value(one.0.as_str().into()).unwrap();
        assert_eq!(read.pairing_id(), one.pairing_id());
        assert_ne!(other.pairing_id(), one.pairing_id());
        // The last character has four bits that belong to no byte.
        let spelled = format!("{}B", "A".repeat(21));
        for text in ["", "A", &"A".repeat(21), &"A".repeat(23), &format!("{}=", one.0), &spelled, &"+".repeat(22)] {
            assert!(PairingHandle::parse(text).is_err(), "{text}");
        }
    }

    /// `printf AAAAAAAAAAAAAAAAAAAAAA | sha256sum`
    #[test]
    fn a_pairing_is_named_by_the_hash_of_its_handle() {
        let id = PairingHandle::parse(&"A".repeat(22)).unwrap().pairing_id();
        assert_eq!(id.as_str(), "8a5bdb4cc15164126c6ef2668de9dd24");
        assert_eq!(PairingId::parse(id.as_str()), Ok(id.clone()));
        for text in ["", "00", &id.as_str()[1..], &id.as_str().to_uppercase(), &format!("{id}00"), &"g".repeat(32)] {
            assert!(PairingId::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_has_at_most_120_bytes() {
        let of = |length: usize| PairingUrl::new(&format!("https://{}", "a".repeat(length)), &handle());
        assert_eq!(of(87).unwrap().expose().len(), 120);
        assert!(of(88).is_none());
        let handle = handle();
        let url = PairingUrl::new("https://auth.example.com", &handle).unwrap();
        assert_eq!(serde_json::to_value(&url).unwrap(), format!("https://auth.example.com/p#{}", handle.0));
    }

    #[test]
    fn clients_are_told_the_shape_of_both() {
        let schema = serde_json::to_value(schemars::schema_for!(PairingHandle)).unwrap();
        assert_eq!((&schema["title"], &schema["pattern"]), (&"PairingHandle".into(), &"^[A-Za-z0-9_-]{22}$".into()));
        let schema = serde_json::to_value(schemars::schema_for!(PairingUrl)).unwrap();
        assert_eq!((&schema["title"], &schema["maxLength"]), (&"PairingUrl".into(), &120.into()));
    }

    #[test]
    fn neither_handle_nor_address_prints_itself() {
        let handle = handle();
        let url = PairingUrl::new("https://auth.example.com", &handle);
        assert_eq!(format!("{handle:?} {url:?}"), "PairingHandle Some(PairingUrl)");
    }
}
