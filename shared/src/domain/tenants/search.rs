//! What tenants are searched by.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{self, Deserialize, Deserializer};

use crate::domain::values::newtype::Text;
use crate::domain::values::problem::Problem;
use crate::domain::values::text::TenantName;

/// What the name or the id of a tenant begins with that is searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TenantSearch {
    /// Its name, folded.
    Name(String),
    /// Its id.
    Id(String),
}

impl TenantSearch {
    /// Reads what is searched for: an id, if it begins like one.
    ///
    /// # Errors
    /// If no name could begin with it.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let name = TenantName::parse(text)?;
        Ok(if text.starts_with("tnt_") { Self::Id(text.to_owned()) } else { Self::Name(folded(&name)) })
    }
}

/// A name as it is searched for, in lower case. By way of the upper case, which is the same for characters that have
/// several lower ones (Σ has σ and ς) and for `ß` and `ss`. Character by character, so that what a name begins with
/// is what the folded name begins with; Rust's `str::to_lowercase` looks at what follows, and ΟΔΟΣΑ would not
/// begin with ΟΔΟΣ.
///
/// Accents stay, and a letter with one is another than a letter and a combining mark: what is stored is what was sent.
pub fn folded(name: &TenantName) -> String {
    let lower = name.as_str().chars().flat_map(char::to_lowercase);
    lower.flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

impl<'de> Deserialize<'de> for TenantSearch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = deserializer.deserialize_str(Text("a text of 1 to 120 characters"))?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

impl JsonSchema for TenantSearch {
    fn schema_name() -> Cow<'static, str> {
        "TenantSearch".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = TenantName::json_schema(generator);
        schema.insert("description".to_owned(), "What the name or the id of a tenant begins with.".into());
        schema
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fold(text: &str) -> String {
        folded(&TenantName::from_stored(text))
    }

    #[test]
    fn names_are_found_whatever_their_case() {
        for (one, other) in [
            ("ACME", "acme"),
            ("STRASSE", "Straße"),
            ("GROẞ", "groß"),
            ("ΟΔΟΣ", "οδος"),
            ("ΜΆΪΟΣ", "Μάϊος"),
            ("İSTANBUL", "i\u{307}stanbul"),
            ("Office", "oﬃce"),
            ("שלום", "שלום"),
            ("ДОМ", "дом"),
        ] {
            assert_eq!(fold(one), fold(other));
        }
        assert_ne!(fold("café"), fold("cafe\u{301}"));
        assert_ne!(fold("café"), fold("cafe"));
    }

    #[test]
    fn every_character_is_folded_at_once_and_takes_at_most_8_bytes() {
        for character in char::MIN..=char::MAX {
            let once = fold(&character.to_string());
            assert_eq!(fold(&once), once, "{character:?}");
            assert!((1..=8).contains(&once.len()), "{character:?} {}", once.len());
        }
    }

    #[test]
    fn what_begins_like_an_id_is_one_and_what_no_name_begins_with_is_refused() {
        assert_eq!(TenantSearch::parse("tnt_0A"), Ok(TenantSearch::Id("tnt_0A".to_owned())));
        assert_eq!(TenantSearch::parse("TNT_0A"), Ok(TenantSearch::Name("tnt_0a".to_owned())));
        assert_eq!(TenantSearch::parse("tnt"), Ok(TenantSearch::Name("tnt".to_owned())));
        for text in ["", " ", "a\u{1}", "tnt_\n", "\u{202e}a"] {
            assert!(TenantSearch::parse(text).is_err(), "{text:?}");
        }
        assert!(TenantSearch::parse(&"é".repeat(120)).is_ok() && TenantSearch::parse(&"é".repeat(121)).is_err());
    }

    proptest! {
        #[test]
        fn what_a_name_begins_with_is_what_it_begins_with_when_folded(start in "\\PC{1,20}", rest in "\\PC{0,20}") {
            prop_assert!(fold(&(start.clone() + &rest)).starts_with(&fold(&start)));
        }
    }
}
