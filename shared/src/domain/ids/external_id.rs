//! Ids that a tenant's own system gave to its organizations, users and customers.

use std::borrow::Cow;
use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde::de::{self, Deserialize, Deserializer};
use uuid::Uuid;

use crate::domain::values::newtype::Text;
use crate::domain::values::newtype::string_newtype;
use crate::domain::values::problem::Problem;

/// The longest id, in characters (Unicode scalar values).
const LONGEST: usize = 256;

/// An id that the tenant chose: any 1 to 256 characters. It is compared character by character, without case folding or
/// normalization, so that two ids that only look alike stay two.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExternalId(String);

impl ExternalId {
    /// Checks the length.
    ///
    /// # Errors
    /// If the text is empty or longer than 256 characters.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        if (1..=LONGEST).contains(&text.chars().count()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Problem::new("must have 1 to 256 characters"))
        }
    }

    /// The uuid that the id is the text of, in whatever case. Where either may stand, it could be taken for that uuid.
    pub fn uuid(&self) -> Option<Uuid> {
        parse_uuid(&self.0).ok()
    }

    /// SHA-256, in lower-case hexadecimal, which stands for the id in keys of the table: none of the id's characters
    /// can be taken for a separator there, and every key is short enough.
    pub fn digest(&self) -> String {
        HEXLOWER.encode(digest(&SHA256, self.0.as_bytes()).as_ref())
    }
}

impl fmt::Debug for ExternalId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.0)
    }
}

string_newtype! { ExternalId, expected: "a text of 1 to 256 characters", schema: {
    "type": "string",
    "minLength": 1,
    "maxLength": LONGEST,
    "description": "The id that the tenant itself has for an end user, organization or user. Any characters will do.",
} }

/// Reads a UUID in its one usual form (RFC 9562 §4), with hyphens, in either case.
///
/// # Errors
/// If the text is not a UUID in that form.
pub fn parse_uuid(text: &str) -> Result<Uuid, Problem> {
    let hyphenated = text.len() == 36;
    Uuid::try_parse(text).ok().filter(|_| hyphenated).ok_or_else(|| Problem::new("must be a uuid"))
}

/// A UUID that a caller sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct UuidText(Uuid);

impl UuidText {
    pub fn get(self) -> Uuid {
        self.0
    }
}

impl<'de> Deserialize<'de> for UuidText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = deserializer.deserialize_str(Text("a uuid"))?;
        parse_uuid(&text).map(Self).map_err(de::Error::custom)
    }
}

impl JsonSchema for UuidText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Uuid".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "uuid" })
    }
}

/// One of the two ids of an organization or a user.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Handle {
    /// The UUID that we gave.
    Uuid(Uuid),
    /// The id that the tenant gave.
    External(ExternalId),
}

impl Handle {
    /// The handles of a party that has these ids.
    pub fn of(id: Option<Uuid>, external_id: Option<&ExternalId>) -> impl Iterator<Item = Self> {
        let external_id = external_id.cloned().map(Self::External);
        id.map(Self::Uuid).into_iter().chain(external_id)
    }
}

/// A reference to an organization or a user, by either of its ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference(ExternalId);

impl Reference {
    /// The handles that it can mean: a text that is a UUID can be an external id, too. All of them are looked up, and
    /// one that means two different parties means neither.
    pub fn meanings(&self) -> impl Iterator<Item = Handle> {
        let uuid = self.0.uuid().map(Handle::Uuid);
        uuid.into_iter().chain([Handle::External(self.0.clone())])
    }
}

impl From<ExternalId> for Reference {
    fn from(external_id: ExternalId) -> Self {
        Self(external_id)
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ExternalId::deserialize(deserializer).map(Self::from)
    }
}

impl JsonSchema for Reference {
    fn schema_name() -> Cow<'static, str> {
        "Reference".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "minLength": 1,
            "maxLength": LONGEST,
            "description": "UUID that the service gave, or external id that the caller gave."
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn any_characters_will_do_and_look_alikes_stay_apart() {
        let ids = ["a", "A", "a#b", "a/b", "é", "e\u{301}", "а", "\u{0}", "😀", " ", "a ", "TENANT#x"];
        let digests: BTreeSet<_> = ids.iter().map(|id| ExternalId::parse(id).unwrap().digest()).collect();
        assert_eq!(digests.len(), ids.len());
        assert!(ExternalId::parse(&"😀".repeat(256)).is_ok());
        assert!(ExternalId::parse("").is_err() && ExternalId::parse(&"a".repeat(257)).is_err());
    }

    #[test]
    fn a_uuid_has_one_form() {
        let text = "67e55044-10b1-426f-9247-bb680e5fe0c8";
        assert_eq!(parse_uuid(text).unwrap().to_string(), text);
        assert_eq!(parse_uuid(&text.to_uppercase()).unwrap().to_string(), text);
        for other in ["", "67e5504410b1426f9247bb680e5fe0c8", "{67e55044-10b1-426f-9247-bb680e5fe0c8}", "x"] {
            assert!(parse_uuid(other).is_err(), "{other}");
        }
        assert!(parse_uuid(&format!("urn:uuid:{text}")).is_err());
    }

    #[test]
    fn a_reference_that_is_a_uuid_may_also_be_an_external_id() {
        let meanings = |text: &str| Reference(ExternalId::parse(text).unwrap()).meanings().collect::<Vec<_>>();
        let text = "67e55044-10b1-426f-9247-bb680e5fe0c8";
        let external = |text: &str| Handle::External(ExternalId::parse(text).unwrap());
        assert_eq!(meanings(text), [Handle::Uuid(parse_uuid(text).unwrap()), external(text)]);
        assert_eq!(meanings("acme"), [external("acme")]);
    }

    #[test]
    fn an_id_prints_as_a_quoted_text() {
        assert_eq!(format!("{:?}", ExternalId::parse("a\"b").unwrap()), r#""a\"b""#);
    }

    #[test]
    fn a_party_goes_by_each_id_that_it_has() {
        let (uuid, external) = (Uuid::from_u128(1), ExternalId::parse("acme").unwrap());
        let handles = [Handle::Uuid(uuid), Handle::External(external.clone())];
        assert_eq!(Handle::of(Some(uuid), Some(&external)).collect::<Vec<_>>(), handles);
        assert_eq!(Handle::of(None, Some(&external)).collect::<Vec<_>>(), handles[1..]);
        assert_eq!(Handle::of(Some(uuid), None).collect::<Vec<_>>(), handles[..1]);
    }
}
