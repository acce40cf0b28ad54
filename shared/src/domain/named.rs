//! One of a closed list of names.

use std::borrow::Cow;

use serde::de::value::StrDeserializer;
use serde::{Deserialize, Deserializer};

/// Reads a name: a derived decoder would take an object too, with the name for its only field.
pub fn named<'de, D: Deserializer<'de>, T: for<'a> Deserialize<'a>>(deserializer: D) -> Result<T, D::Error> {
    let text = Cow::<'de, str>::deserialize(deserializer)?;
    T::deserialize(StrDeserializer::<D::Error>::new(&text))
}

/// Reads a name that may be left out but not be null.
pub fn present_name<'de, D: Deserializer<'de>, T: for<'a> Deserialize<'a>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    named(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Name {
        One,
        Two,
    }

    #[derive(Debug, Deserialize)]
    struct Names {
        #[serde(deserialize_with = "named")]
        first: Name,
        #[serde(default, deserialize_with = "present_name")]
        second: Option<Name>,
    }

    #[test]
    fn a_name_is_a_text_and_nothing_else() {
        let names: Names = serde_json::from_str(r#"{"first":"one","second":"two"}"#).unwrap();
        assert_eq!((names.first, names.second), (Name::One, Some(Name::Two)));
        for value in [r#"{"one":null}"#, r#"["one"]"#, "0", "null", r#""three""#] {
            assert!(serde_json::from_str::<Names>(&format!(r#"{{"first":{value}}}"#)).is_err(), "{value}");
            assert!(
                serde_json::from_str::<Names>(&format!(r#"{{"first":"one","second":{value}}}"#)).is_err(),
                "{value}"
            );
        }
    }
}
