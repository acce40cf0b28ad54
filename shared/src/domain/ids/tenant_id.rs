//! Identifiers: their forms, how they are made and how they are read.

use std::fmt;

use uuid::{Builder, Uuid};

use crate::domain::values::newtype::string_newtype;
use crate::domain::values::problem::Problem;
use crate::domain::values::random::{Random, RandomnessUnavailable, draw};

/// A random (version 4) UUID, RFC 9562 §5.4.
///
/// # Errors
/// If no randomness is available.
pub fn random_uuid(random: &dyn Random) -> Result<Uuid, RandomnessUnavailable> {
    Ok(Builder::from_random_bytes(draw(random)?).into_uuid())
}

/// The id of a tenant: `tnt_` and 32 hexadecimal digits, made from 122 random bits and never reused.
///
/// Ids with a typing error in their length or digits parse too, as long as they stay in the alphabet: they are then
/// simply unknown. Refusing them by shape would give a caller two different answers for "no such tenant".
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantId(String);

impl TenantId {
    const PREFIX: &'static str = "tnt_";
    const LONGEST: usize = 64;

    /// A new id.
    ///
    /// # Errors
    /// If no randomness is available.
    pub fn generate(random: &dyn Random) -> Result<Self, RandomnessUnavailable> {
        Ok(Self(format!("{}{}", Self::PREFIX, random_uuid(random)?.simple())))
    }

    /// The id of these 128 bits.
    pub fn of(bytes: &[u8; 16]) -> Self {
        Self(format!("{}{}", Self::PREFIX, Uuid::from_bytes(*bytes).simple()))
    }

    /// Reads an id.
    ///
    /// # Errors
    /// If the text does not start with `tnt_`, or goes on with anything but 1 to 60 ASCII letters, digits, `-` and `_`.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let body = text.strip_prefix(Self::PREFIX).unwrap_or_default();
        let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if body.is_empty() || text.len() > Self::LONGEST || !body.bytes().all(alphabet) {
            return Err(Problem::new("must be a tenant id, which starts with tnt_"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The UUID of the tenant on the projects surface: the same 128 bits, so that neither name needs a look-up to find
    /// the other. `None` for an id that we did not make.
    pub fn project_id(&self) -> Option<Uuid> {
        let body = self.0.strip_prefix(Self::PREFIX)?;
        // The same digits in capitals are another id.
        Uuid::try_parse(body).ok().filter(|uuid| uuid.simple().to_string() == body)
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

string_newtype! { TenantId, expected: "a string", schema: {
    "type": "string",
    "pattern": "^tnt_[0-9A-Za-z_-]{1,60}$",
    "description": "Id of a tenant, as `provision/tenant` answered it.",
} }

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::values::random::SystemRandomness;

    #[test]
    fn a_generated_id_parses_and_names_its_project() {
        let id = TenantId::generate(&SystemRandomness::new()).unwrap();
        assert_eq!(TenantId::parse(id.as_str()), Ok(id.clone()));
        let project = id.project_id().unwrap();
        assert_eq!(id.as_str(), format!("tnt_{}", project.simple()));
        assert_eq!(project.get_version_num(), 4);
    }

    #[test]
    fn an_id_of_another_alphabet_is_refused() {
        let long = "tnt_".repeat(20);
        for text in ["", "tnt_", "tnt", "TNT_00", "sk_00", "tnt_a b", "tnt_a#b", "tnt_é", "tnt_a/b", &long] {
            assert!(TenantId::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_foreign_id_has_no_project() {
        let capitals = format!("tnt_{}", "0A".repeat(16));
        for text in ["tnt_unknown", &capitals, "tnt_0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a"] {
            assert_eq!(TenantId::parse(text).unwrap().project_id(), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_what_is_read_stays_itself(text in "\\PC{0,80}") {
            if let Ok(id) = TenantId::parse(&text) {
                prop_assert_eq!(id.as_str(), text.as_str());
            }
        }

        #[test]
        fn every_id_within_the_alphabet_is_read(body in "[0-9A-Za-z_-]{1,60}") {
            let is_read = TenantId::parse(&format!("tnt_{body}")).is_ok();
            prop_assert!(is_read);
        }
    }

    #[test]
    fn an_id_has_at_most_64_characters_and_prints_as_it_is() {
        let id = TenantId::parse(&format!("tnt_{}", "a".repeat(60))).unwrap();
        assert_eq!(format!("{id:?}"), id.as_str());
        assert!(TenantId::parse(&format!("tnt_{}", "a".repeat(61))).is_err());
    }
}
