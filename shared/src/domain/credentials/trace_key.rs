//! People in logs and audit events: as digests under a key of the deployment.
//!
//! A plain hash would hide nobody: ids of people are e-mail addresses and small numbers, so whoever has the lines could
//! hash all of them and compare. With the key it takes the lines and the key.

use std::fmt;

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::hmac;
use data_encoding::HEXLOWER;
use uuid::Uuid;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::domain::ids::external_id::ExternalId;
use crate::domain::ids::tenant_id::TenantId;
use crate::domain::values::newtype::string_newtype;
use crate::domain::values::problem::Problem;

/// The deployment's key to the digests of people: at least 32 ASCII letters and digits (190 bits). The whole text is
/// the HMAC key: it is random, so deriving another from it would only make a digest harder to compute by hand. Keys for
/// anything else are derived.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct TraceKey {
    text: String,
    /// Made once: two blocks of hashing less for each digest. The library does not wipe it, and it is needed for as
    /// long as its process lives.
    #[zeroize(skip)]
    key: hmac::Key,
}

impl TraceKey {
    const SHORTEST: usize = 32;

    /// Reads a key. `None` if it is too short, or has other characters: a reference to the secret that nobody resolved
    /// must not become a key that everybody knows.
    pub fn parse(text: &str) -> Option<Self> {
        let shaped = text.len() >= Self::SHORTEST && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        shaped.then(|| Self { text: text.to_owned(), key: hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes()) })
    }

    /// Fills `key` with a key for another use: HKDF-SHA-256 (RFC 5869) of the text, without salt, under `info`. `None`
    /// if the cryptographic library fails, and `key` must then not be used.
    pub(in crate::domain) fn derive(&self, info: &[u8], key: &mut [u8; 32]) -> Option<()> {
        let material = Salt::new(HKDF_SHA256, &[]).extract(self.text.as_bytes());
        material.expand(&[info], HKDF_SHA256).ok()?.fill(key).ok()
    }

    /// The digest of a person of this tenant: the first 16 bytes of the HMAC-SHA-256 of tenant id, kind and id, a line
    /// feed between them. Neither tenant ids nor kinds have one, so no two people have the same text. The tenant is in
    /// it so that nobody sees from digests which tenants have the same customer.
    pub fn person(&self, tenant: &TenantId, person: Person<'_>) -> PersonDigest {
        let text = match person {
            Person::Organization(id) => format!("{tenant}\norganization\n{id}"),
            Person::User(id) => format!("{tenant}\nuser\n{id}"),
            Person::RegisteredTenant(subject) => format!("{tenant}\nregistered_tenant\n{subject}"),
            Person::EndUser(id) => format!("{tenant}\nend_user\n{id}"),
        };
        PersonDigest(self.digest(&text))
    }

    /// The digest of what logins are counted by, such as a browser's address: like that of a person, of a kind of its
    /// own.
    pub(in crate::domain) fn counted(&self, tenant: &TenantId, kind: &'static str, counted: &str) -> String {
        self.digest(&format!("{tenant}\n{kind}\n{counted}"))
    }

    fn digest(&self, text: &str) -> String {
        let mac = hmac::sign(&self.key, text.as_bytes());
        HEXLOWER.encode(mac.as_ref().get(..PersonDigest::BYTES).unwrap_or_default())
    }
}

impl fmt::Debug for TraceKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TraceKey")
    }
}

/// A person, or what stands for people, as a digest is made of it. Not printable: only the digest is.
#[derive(Clone, Copy)]
pub enum Person<'a> {
    /// An organization, by the id that we gave.
    Organization(Uuid),
    /// A user of an organization, by the id that we gave.
    User(Uuid),
    /// A customer of the legacy registration, by the subject of its tokens.
    RegisteredTenant(&'a str),
    /// An end user, by the id that the tenant gave.
    EndUser(&'a ExternalId),
}

impl fmt::Debug for Person<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Person")
    }
}

/// What [`TraceKey::person`] makes of a person: 32 hexadecimal digits. Equal ones are the same person of the same
/// tenant, as long as the key is the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PersonDigest(String);

impl PersonDigest {
    /// Half of the HMAC: two of a million people have the same with a chance of 2⁻⁸⁹.
    const BYTES: usize = 16;

    /// Reads a digest.
    ///
    /// # Errors
    /// If the text is not 32 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        match HEXLOWER.decode(text.as_bytes()) {
            Ok(bytes) if bytes.len() == Self::BYTES => Ok(Self(text.to_owned())),
            _ => Err(Problem::new("must be the digest of a person, 32 lower-case hexadecimal digits")),
        }
    }
}

string_newtype! { PersonDigest, expected: "a string", schema: {
    "type": "string",
    "pattern": "^[0-9a-f]{32}$",
    "description": "Digest of a person under a key of the deployment. Equal digests are the same person of the same \
                    tenant.",
} }

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::external_id::parse_uuid;

    const TENANT: &str = "tnt_0123456789abcdef0123456789abcdef";

    fn key() -> TraceKey {
        TraceKey::parse("LatchkeyTestTraceKey000000000000000000000000000A").unwrap()
    }

    fn digest(tenant: &str, person: Person<'_>) -> String {
        key().person(&TenantId::parse(tenant).unwrap(), person).to_string()
    }

    fn end_user(tenant: &str, id: &str) -> String {
        digest(tenant, Person::EndUser(&ExternalId::parse(id).unwrap()))
    }

    /// Computed with Python's `hmac` and with `openssl dgst -sha256 -hmac`.
    #[test]
    fn digests_are_those_that_others_compute() {
        let uuid = parse_uuid("67E55044-10B1-426F-9247-BB680E5FE0C8").unwrap();
        assert_eq!(end_user(TENANT, "ada@example.com"), "ca05af41e77ae43c8eefa6080af8d552");
        assert_eq!(end_user(TENANT, "zoë\n😀"), "95319b70eea3f45c956ce34b78d3bbd3");
        assert_eq!(digest(TENANT, Person::User(uuid)), "01670221c4d8c0f1451b4f8bc0f16573");
        assert_eq!(digest(TENANT, Person::Organization(uuid)), "4aabd3a44546461930793d4b6d5fca2d");
        assert_eq!(digest(TENANT, Person::RegisteredTenant("key:7")), "16473e4876663e80a7243884c2f423b4");
    }

    #[test]
    fn nobody_has_the_digest_of_another() {
        let same = "67e55044-10b1-426f-9247-bb680e5fe0c8";
        let uuid = parse_uuid(same).unwrap();
        let mut digests = vec![
            end_user(TENANT, same),
            digest(TENANT, Person::User(uuid)),
            digest(TENANT, Person::Organization(uuid)),
            digest(TENANT, Person::RegisteredTenant(same)),
            end_user("tnt_another", same),
            end_user(TENANT, &same.to_uppercase()),
            end_user(TENANT, &format!("user\n{same}")),
        ];
        digests.sort();
        digests.dedup();
        assert_eq!(digests.len(), 7);
        let other = TraceKey::parse(&"b".repeat(48)).unwrap();
        let tenant = TenantId::parse(TENANT).unwrap();
        assert_ne!(other.person(&tenant, Person::User(uuid)), key().person(&tenant, Person::User(uuid)));
    }

    #[test]
    fn what_is_short_or_was_not_resolved_is_no_key() {
        let reference = "{{resolve:secretsmanager:latchkey/dev/trace-key:SecretString:key}}";
        for text in ["", &"a".repeat(31), reference, &format!("{} ", "a".repeat(48)), &"é".repeat(32)] {
            assert!(TraceKey::parse(text).is_none(), "{text}");
        }
        assert!(TraceKey::parse(&"a".repeat(32)).is_some());
    }

    #[test]
    fn neither_the_key_nor_a_person_prints_itself() {
        assert_eq!(format!("{:?} {:?}", key(), Person::RegisteredTenant("key:ada")), "TraceKey Person");
    }

    #[test]
    fn a_digest_is_read_as_it_was_written() {
        let text = end_user(TENANT, "ada");
        let digest: PersonDigest = serde_json::from_value(text.as_str().into()).unwrap();
        assert_eq!(serde_json::to_value(&digest).unwrap(), text);
        for other in ["", "ada", &text.to_uppercase(), &text[1..], &format!("{text}00")] {
            assert!(PersonDigest::parse(other).is_err(), "{other}");
        }
    }
}
