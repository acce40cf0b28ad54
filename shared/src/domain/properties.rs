//! JSON objects whose contents the tenant chooses.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::problem::Problem;

/// The largest depth of objects and arrays. JSON readers have limits of their own, ours has 127: what goes into a token
/// must stay well within the limit of its readers.
const DEEPEST: usize = 32;

/// Properties of a user, an organization or a customer that its tokens carry. With at most 4096 bytes of them, the
/// token of a user stays below 8 KB, which is what servers and proxies accept in a header or an address.
pub type Properties = JsonObject<4096>;

/// A JSON object of at most `MOST` bytes (as compact JSON).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JsonObject<const MOST: usize>(Map<String, Value>);

impl<const MOST: usize> JsonObject<MOST> {
    /// Takes back what [`Properties::to_text`] gave.
    pub fn from_stored(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    /// The object with those of the fields that have a value.
    ///
    /// # Errors
    /// If they are together over the limit.
    pub fn of(fields: impl IntoIterator<Item = (&'static str, Option<Value>)>) -> Result<Self, Problem> {
        let present = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Self(present.collect()).checked()
    }

    fn checked(self) -> Result<Self, Problem> {
        if self.0.values().any(|value| is_deeper(value, DEEPEST - 1)) {
            return Err(Problem::new("must not have more than 32 objects and lists within each other"));
        }
        if self.to_text().len() > MOST {
            return Err(Problem::new(format!("must be at most {MOST} bytes of JSON")));
        }
        Ok(self)
    }

    /// Compact JSON.
    pub fn to_text(&self) -> String {
        // A JSON value can always be written.
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    /// This object with the fields of `over` added; they override fields of the same name. `None` if the result would
    /// be over the limit.
    pub fn overlaid_with(&self, over: &Self) -> Option<Self> {
        let mut merged = self.clone();
        merged.0.extend(over.0.clone());
        (merged.to_text().len() <= MOST).then_some(merged)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Whether a value has more than `most` levels.
fn is_deeper(value: &Value, most: usize) -> bool {
    let mut inner: Box<dyn Iterator<Item = &Value>> = match value {
        Value::Array(values) => Box::new(values.iter()),
        Value::Object(fields) => Box::new(fields.values()),
        _ => return false,
    };
    most.checked_sub(1).is_none_or(|most| inner.any(|value| is_deeper(value, most)))
}

impl<const MOST: usize> Serialize for JsonObject<MOST> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, const MOST: usize> Deserialize<'de> for JsonObject<MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Map<String, Value>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a JSON object")
            }

            // By hand, because a derived decoder takes the last of two fields of one name, and the sender meant only
            // one of them.
            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
                let mut map = Map::new();
                while let Some((name, value)) = fields.next_entry::<String, Value>()? {
                    if map.insert(name, value).is_some() {
                        return Err(de::Error::custom("must not have two fields of one name"));
                    }
                }
                Ok(map)
            }
        }

        Self(deserializer.deserialize_map(Object)?).checked().map_err(de::Error::custom)
    }
}

impl<const MOST: usize> JsonSchema for JsonObject<MOST> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("JsonObject{MOST}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "description": format!("Any JSON object of at most {MOST} bytes.") })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: &Value) -> Result<Properties, String> {
        serde_json::from_str(&value.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn an_object_of_four_kilobytes_is_taken_and_one_byte_more_is_not() {
        let of_length = |length: usize| json!({ "a": "x".repeat(length - 8) });
        assert_eq!(of_length(4096).to_string().len(), 4096);
        assert!(read(&of_length(4096)).is_ok());
        assert!(read(&of_length(4096 + 1)).unwrap_err().contains("must be at most 4096 bytes"));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for value in [json!([]), json!("x"), json!(1), json!(null), json!(true)] {
            assert!(read(&value).unwrap_err().contains("expected a JSON object"), "{value}");
        }
        let twice = serde_json::from_str::<Properties>(r#"{"a":1,"a":2}"#).unwrap_err().to_string();
        assert!(twice.contains("two fields of one name"));
    }

    #[test]
    fn an_object_of_32_levels_is_taken_and_one_more_is_not() {
        let of_levels = |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
        assert!(serde_json::from_str::<Properties>(&of_levels(32)).is_ok());
        let error = serde_json::from_str::<Properties>(&of_levels(33)).unwrap_err().to_string();
        assert!(error.contains("32 objects"), "{error}");
        let lists = format!("{{\"a\":{}{}}}", "[".repeat(32), "]".repeat(32));
        assert!(serde_json::from_str::<Properties>(&lists).is_err());
    }

    #[test]
    fn what_is_laid_over_wins() {
        let (below, over) = (read(&json!({ "a": 1, "b": 1 })).unwrap(), read(&json!({ "b": null, "c": 3 })).unwrap());
        assert_eq!(below.overlaid_with(&over), read(&json!({ "a": 1, "b": null, "c": 3 })).ok());
        let large = |name: &str| read(&json!({ name: "x".repeat(3000) })).unwrap();
        assert_eq!(large("a").overlaid_with(&large("b")), None);
        assert!(large("a").overlaid_with(&large("a")).is_some());
    }

    #[test]
    fn what_is_stored_comes_back() {
        let properties = read(&json!({ "a": [1, "é", { "b": null }] })).unwrap();
        assert_eq!(Properties::from_stored(&properties.to_text()), Some(properties));
        assert_eq!(Properties::from_stored("[]"), None);
    }
}
