//! JSON objects whose contents the tenant chooses.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::domain::values::exact_json::{DEEPEST, ExactJson};
use crate::domain::values::problem::Problem;

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
        match ExactJson::deserialize(deserializer)?.into_value() {
            Value::Object(fields) => Self(fields).checked().map_err(de::Error::custom),
            _ => Err(de::Error::custom("must be a JSON object")),
        }
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
    fn what_is_no_object_or_not_kept_exactly_is_refused() {
        for value in [json!([]), json!("x"), json!(1), json!(null), json!(true)] {
            assert!(read(&value).unwrap_err().contains("must be a JSON object"), "{value}");
        }
        for text in [r#"{"a":1,"a":2}"#, r#"{"f":{"a":1,"a":2}}"#, r#"{"a":[1e400]}"#] {
            assert!(serde_json::from_str::<Properties>(text).is_err(), "{text}");
        }
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

    #[test]
    fn an_object_of_fields_has_those_with_a_value_and_as_many_levels_as_any_other() {
        let of_levels = |levels| (1..levels).fold(json!(1), |value, _| json!({ "a": value }));
        let of = |value| Properties::of([("a", Some(value)), ("b", None)]);
        assert_eq!(of(of_levels(32)).unwrap().to_text(), of_levels(33).to_string());
        assert!(of(of_levels(33)).unwrap_err().to_string().contains("32 objects and lists"));
        let lists = (1..33).fold(json!(1), |value, _| json!([value]));
        assert!(of(lists).is_err());
        assert!(of(json!("x".repeat(4088))).is_ok() && of(json!("x".repeat(4089))).is_err());
        assert!(Properties::default().is_empty() && !of(json!(1)).unwrap().is_empty());
    }
}
