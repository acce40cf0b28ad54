//! Decoders of fields that are stricter than the derived ones: `#[serde(deserialize_with = "…")]`.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Reads a field that may be left out but not be null.
pub fn not_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Reads one of a closed list of names. A derived decoder would take an object too, with the name for its only field.
pub fn string_enum<'de, D: Deserializer<'de>, T: for<'a> Deserialize<'a>>(deserializer: D) -> Result<T, D::Error> {
    let text = Cow::<'de, str>::deserialize(deserializer)?;
    T::deserialize(StrDeserializer::<D::Error>::new(&text))
}

/// Reads a name that may be left out but not be null.
pub fn not_null_enum<'de, D: Deserializer<'de>, T: for<'a> Deserialize<'a>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    string_enum(deserializer).map(Some)
}

/// Reads a JSON object. A derived decoder would take an array too, its elements for the fields in order.
pub fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    struct Object<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
        type Value = T;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a JSON object")
        }

        fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(fields))
        }
    }

    deserializer.deserialize_map(Object(PhantomData))
}

/// Reads a JSON object that may be left out but not be null.
pub fn not_null_object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    object(deserializer).map(Some)
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
        #[serde(deserialize_with = "string_enum")]
        first: Name,
        #[serde(default, deserialize_with = "not_null_enum")]
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

    #[test]
    fn an_object_is_no_list_of_its_fields_and_no_null() {
        #[derive(Debug, Deserialize)]
        struct Outer {
            #[serde(deserialize_with = "object")]
            inner: Inner,
            #[serde(default, deserialize_with = "not_null_object")]
            other: Option<Inner>,
        }
        #[derive(Debug, PartialEq, Deserialize)]
        struct Inner {
            number: u8,
        }
        let outer: Outer = serde_json::from_str(r#"{"inner":{"number":1},"other":{"number":2}}"#).unwrap();
        assert_eq!((outer.inner, outer.other), (Inner { number: 1 }, Some(Inner { number: 2 })));
        for value in ["[1]", "null", "1"] {
            for text in [format!(r#"{{"inner":{value}}}"#), format!(r#"{{"inner":{{"number":1}},"other":{value}}}"#)] {
                let error = serde_json::from_str::<Outer>(&text).unwrap_err().to_string();
                assert!(error.contains("expected a JSON object"), "{text}: {error}");
            }
        }
    }
}
