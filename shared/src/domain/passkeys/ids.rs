//! Byte strings of passkeys, which JSON has as unpadded base64url (RFC 4648 §5).

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use uuid::Uuid;

use crate::domain::values::newtype::string_newtype;
use crate::domain::values::problem::Problem;
use crate::domain::values::random::{Random, RandomnessUnavailable, draw};

/// Reads base64url in its only spelling: no padding, no other characters, and no bits left over that say nothing.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64URL_NOPAD.decode(text.as_bytes()).ok()
}

/// 32 bytes as their 43 characters.
fn parse_32(text: &str) -> Result<String, Problem> {
    if decode(text).is_some_and(|bytes| bytes.len() == 32) {
        Ok(text.to_owned())
    } else {
        Err(Problem::new("must be 32 bytes in base64url without padding"))
    }
}

/// The challenge of one ceremony: 32 random bytes, held as base64url, which is how the client data has them. It names
/// the ceremony, so nobody has to send an id beside it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Challenge(String);

impl Challenge {
    /// A new challenge.
    ///
    /// # Errors
    /// If no randomness is available.
    pub fn generate(random: &dyn Random) -> Result<Self, RandomnessUnavailable> {
        Ok(Self(BASE64URL_NOPAD.encode(&draw::<32>(random)?)))
    }

    /// Reads a challenge.
    ///
    /// # Errors
    /// If the text is not base64url of 32 bytes.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        parse_32(text).map(Self)
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        decode(&self.0).unwrap_or_default()
    }
}

string_newtype! { Challenge, expected: "a challenge", schema: {
    "type": "string",
    "pattern": "^[A-Za-z0-9_-]{43}$",
    "description": "The challenge of a ceremony: 32 random bytes in base64url."
} }

/// What an authenticator knows a person by (`user.id`): 32 random bytes, the same for all passkeys of a person at a
/// tenant.
///
/// Random because authenticators hand it out without asking the person (§14.6.1); our own ids would let two tenants
/// compare notes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UserHandle(String);

impl UserHandle {
    /// A new user handle.
    ///
    /// # Errors
    /// If no randomness is available.
    pub fn generate(random: &dyn Random) -> Result<Self, RandomnessUnavailable> {
        Ok(Self(BASE64URL_NOPAD.encode(&draw::<32>(random)?)))
    }

    /// Reads a user handle.
    ///
    /// # Errors
    /// If the text is not base64url of 32 bytes.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        parse_32(text).map(Self)
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        decode(&self.0).unwrap_or_default()
    }
}

string_newtype! { UserHandle, expected: "a user handle", schema: {
    "type": "string",
    "pattern": "^[A-Za-z0-9_-]{43}$",
    "description": "What authenticators know a person by: 32 random bytes in base64url."
} }

/// The id that an authenticator gave to a passkey: 1 to 1023 bytes, held as base64url.
///
/// Two tenants may see the same id: it is random only if the authenticator is honest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CredentialId(String);

impl CredentialId {
    /// The longest id, in bytes (§4, "Credential ID").
    pub const LONGEST: usize = 1023;

    /// Reads an id.
    ///
    /// # Errors
    /// If the text is not base64url of 1 to 1023 bytes.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        if decode(text).is_some_and(|bytes| (1..=Self::LONGEST).contains(&bytes.len())) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Problem::new("must be 1 to 1023 bytes in base64url without padding"))
        }
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        decode(&self.0).unwrap_or_default()
    }

    /// What it is found by.
    pub fn digest(&self) -> CredentialDigest {
        CredentialDigest(HEXLOWER.encode(digest(&SHA256, &self.to_bytes()).as_ref()))
    }
}

string_newtype! { CredentialId, expected: "a credential id", schema: {
    "type": "string",
    "pattern": "^[A-Za-z0-9_-]{2,1364}$",
    "description": "The id of a passkey, as the browser gave it: 1 to 1023 bytes in base64url."
} }

/// SHA-256 of the bytes of a credential id, 64 hexadecimal digits: a sort key has room for 1024 bytes, which a long id
/// in base64url is over.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CredentialDigest(String);

impl CredentialDigest {
    /// Reads a digest.
    ///
    /// # Errors
    /// If the text is not 64 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        match HEXLOWER.decode(text.as_bytes()) {
            Ok(bytes) if bytes.len() == 32 => Ok(Self(text.to_owned())),
            _ => Err(Problem::new("must be 64 lower-case hexadecimal digits")),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CredentialDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The model of an authenticator, as it claims: a UUID, all zeros if it does not say. Nothing is attested, so nothing
/// may depend on it but what a list shows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Aaguid(String);

impl Aaguid {
    /// The model with these 16 bytes.
    pub fn of(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes).hyphenated().to_string())
    }

    /// Reads a model: a UUID in lower case.
    ///
    /// # Errors
    /// If the text is none.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let uuid = Uuid::try_parse(text).ok().map(|uuid| uuid.hyphenated().to_string());
        uuid.filter(|canonical| canonical == text).map(Self).ok_or(Problem::new("must be a UUID in lower case"))
    }
}

string_newtype! { Aaguid, expected: "a UUID", schema: {
    "type": "string",
    "format": "uuid",
    "description": "The model of the authenticator, as it claims; all zeros if it does not say."
} }

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::values::random::SystemRandomness;

    #[test]
    fn challenges_and_user_handles_are_32_random_bytes() {
        let random = SystemRandomness::new();
        let challenge = Challenge::generate(&random).unwrap();
        assert_eq!(Challenge::parse(challenge.as_str()), Ok(challenge.clone()));
        assert_eq!(challenge.to_bytes().len(), 32);
        assert_ne!(Challenge::generate(&random).unwrap(), challenge);
        let handle = UserHandle::generate(&random).unwrap();
        assert_eq!(UserHandle::parse(handle.as_str()), Ok(handle.clone()));
        assert_eq!(handle.to_bytes().len(), 32);
        assert_ne!(UserHandle::generate(&random).unwrap(), handle);
    }

    #[test]
    fn a_digest_of_a_credential_has_64_lower_case_digits() {
        assert!(CredentialDigest::parse(&"0a".repeat(32)).is_ok());
        for text in ["", &"0a".repeat(31), &"0a".repeat(33), &"0A".repeat(32), &"0g".repeat(32), &"a".repeat(63)] {
            assert!(CredentialDigest::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn bytes_have_one_spelling() {
        let right = "A".repeat(43);
        assert!(Challenge::parse(&right).is_ok() && UserHandle::parse(&right).is_ok());
        let (short, long, spare) = ("A".repeat(42), "A".repeat(44), format!("{}B", "A".repeat(42)));
        for wrong in ["", &short, &long, &spare, &format!("{right}="), &format!("+{short}"), &format!(" {short}")] {
            assert!(Challenge::parse(wrong).is_err(), "{wrong}");
            assert!(UserHandle::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_credential_id_has_1_to_1023_bytes() {
        let id = |length| CredentialId::parse(&BASE64URL_NOPAD.encode(&vec![7; length]));
        assert!(id(0).is_err());
        assert_eq!(id(1).unwrap().to_bytes(), [7]);
        assert_eq!(id(1023).unwrap().to_bytes(), [7; 1023]);
        assert!(id(1024).is_err());
        for wrong in ["A", "AB", "AA==", "AA=", "A+", "A/", "AAAAA"] {
            assert!(CredentialId::parse(wrong).is_err(), "{wrong}");
        }
    }

    /// FIPS 180-2, Appendix B.1.
    #[test]
    fn a_credential_is_found_by_the_digest_of_its_bytes() {
        let digest = CredentialId::parse(&BASE64URL_NOPAD.encode(b"abc")).unwrap().digest();
        assert_eq!(digest.as_str(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(digest.to_string(), digest.as_str());
    }

    #[test]
    fn a_model_is_a_uuid_in_lower_case() {
        let model = Aaguid::of([0xab; 16]);
        assert_eq!(model.as_str(), "abababab-abab-abab-abab-abababababab");
        assert_eq!(Aaguid::parse(model.as_str()), Ok(model));
        assert_eq!(Aaguid::of([0; 16]).as_str(), "00000000-0000-0000-0000-000000000000");
        for wrong in ["", "ABABABAB-abab-abab-abab-abababababab", "abababababababababababababababab"] {
            assert!(Aaguid::parse(wrong).is_err(), "{wrong}");
        }
    }
}
