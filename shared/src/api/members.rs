//! Bodies of requests, and the one rule for null in them: a field that is null is a field that was left out. Clients
//! that are generated send null for what was not set.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::MapDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::value::RawValue;

/// The field of which null is never taken for nothing: a variable without a value would make a call for one end user a
/// call for all.
pub const NAMES_END_USER: &str = "external_user_id";

/// The members of a JSON object, in their order. They are an input's deserializer, which leaves out what is null.
///
/// A rule for all inputs and not an attribute of each field: one that lacks it would be noticed by clients only. What
/// is within a field is the field's own affair: in an object of the client's making, null is a value.
#[derive(Debug)]
pub struct Members<'de> {
    members: Vec<(Cow<'de, str>, &'de RawValue)>,
    keeps_null: bool,
}

impl<'de> Members<'de> {
    /// The members of a body, which keep null if it is that of a patch: see `Input::IS_PATCH`.
    ///
    /// # Errors
    /// If the text is no JSON object.
    pub fn parse(text: &'de str, is_patch: bool) -> serde_json::Result<Self> {
        let Parsed(members) = serde_json::from_str(text)?;
        Ok(Self { members, keeps_null: is_patch })
    }

    /// Leaves out what is null, of the fields that are known: one that nobody knows is refused whatever it is.
    fn without_nulls(mut self, fields: &[&'static str]) -> serde_json::Result<Self> {
        let is_null = |value: &RawValue| value.get() == "null";
        for field in fields.iter().copied().filter(|field| *field != NAMES_END_USER) {
            let sent = || self.members.iter().filter(|(name, _)| name == field);
            if sent().any(|(_, value)| is_null(value)) && sent().count() > 1 {
                return Err(Error::duplicate_field(field));
            }
        }
        let is_kept = |name: &str| name == NAMES_END_USER || !fields.contains(&name);
        self.members.retain(|(name, value)| !is_null(value) || is_kept(name));
        Ok(self)
    }
}

impl<'de> Deserializer<'de> for Members<'de> {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> serde_json::Result<V::Value> {
        visitor.visit_map(MapDeserializer::new(self.members.into_iter()))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> serde_json::Result<V::Value> {
        let members = if self.keeps_null { self } else { self.without_nulls(fields)? };
        members.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// All members, also those whose names are the same.
struct Parsed<'de>(Vec<(Cow<'de, str>, &'de RawValue)>);

impl<'de> Deserialize<'de> for Parsed<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Parsed<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Name(name), value)) = fields.next_entry()? {
                    members.push((name, value));
                }
                Ok(Parsed(members))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

/// A name, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;

    use serde_json::Value;

    use super::*;
    use crate::api::{Audience, Input, OPERATIONS, document};
    use crate::domain::Patch;

    #[derive(Debug, Default, PartialEq, serde::Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Making {
        needed: u8,
        #[serde(default)]
        number: u8,
        #[serde(default)]
        external_user_id: String,
    }

    impl Input for Making {}

    #[derive(Debug, Default, PartialEq, serde::Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields, default)]
    struct Changing {
        number: Patch<u8>,
    }

    impl Input for Changing {
        const IS_PATCH: bool = true;
    }

    fn read<T: Input>(text: &str) -> serde_json::Result<T> {
        T::deserialize(Members::parse(text, T::IS_PATCH)?)
    }

    #[test]
    fn null_is_a_field_that_was_left_out() {
        let made = read::<Making>(r#"{"needed":1,"number":null}"#).unwrap();
        assert_eq!(made, Making { needed: 1, ..Making::default() });
        for (text, expected) in [
            (r#"{"needed":null}"#, "missing field `needed`"),
            (r#"{"needed":1,"numbre":null}"#, "unknown field `numbre`"),
            (r#"{"needed":1,"number":null,"number":2}"#, "duplicate field `number`"),
            (r#"{"needed":1,"number":2,"number":null}"#, "duplicate field `number`"),
            (r#"{"needed":1,"\u006eumber":null,"number":null}"#, "duplicate field `number`"),
            (r#"{"needed":1,"external_user_id":null}"#, "invalid type: null"),
            (r#"{"needed":1,"number":"null"}"#, "invalid type: string"),
            ("[1]", "expected a JSON object"),
            ("null", "expected a JSON object"),
        ] {
            let error = read::<Making>(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    /// A body's schema in the document, with references followed.
    fn follow<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
            None => schema,
        }
    }

    fn allows_null(document: &Value, schema: &Value) -> bool {
        let schema = follow(document, schema);
        let is_null = |kind: &Value| kind == "null";
        let by_type = match &schema["type"] {
            Value::Array(kinds) => kinds.iter().any(is_null),
            Value::Null => schema.get("anyOf").is_none() && schema.get("enum").is_none(),
            kind => is_null(kind),
        };
        by_type || schema["anyOf"].as_array().is_some_and(|all| all.iter().any(|one| allows_null(document, one)))
    }

    /// The fields of a body, and those of objects within it, with whether they may be left out.
    fn fields(document: &Value, schema: &Value, within: &[String]) -> Vec<(Vec<String>, Value, bool)> {
        let schema = follow(document, schema);
        let mut found = Vec::new();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let is_required = schema["required"].as_array().is_some_and(|names| names.iter().any(|one| one == name));
            let path: Vec<_> = within.iter().cloned().chain([name.clone()]).collect();
            found.extend(fields(document, property, &path));
            for alternative in property["anyOf"].as_array().into_iter().flatten() {
                found.extend(fields(document, alternative, &path));
            }
            found.push((path, property.clone(), !is_required));
        }
        found
    }

    /// The body with null at a place.
    fn with_null(mut body: Value, path: &[String]) -> Value {
        let (last, before) = path.split_last().unwrap();
        let mut object = &mut body;
        for name in before {
            object = &mut object[name];
        }
        object[last] = Value::Null;
        body
    }

    /// The document tells of every field whether it takes null, and each operation does as it says.
    #[test]
    fn every_operation_takes_null_as_the_document_says_and_that_is_wherever_a_field_may_be_left_out() {
        let document = document(Audience::Everyone);
        let (mut left_out, mut refused) = (0, 0);
        for entry in OPERATIONS.iter().filter(|entry| entry.has_body()) {
            let path = document["paths"][entry.route.path].as_object().unwrap();
            let body = &path[&entry.route.method.as_str().to_lowercase()]["requestBody"]["content"];
            let schema = &body.as_object().unwrap().values().next().unwrap()["schema"];
            let example = Some(entry.route.body_example).filter(|text| !text.is_empty()).unwrap_or("{}");
            let example: Value = serde_json::from_str(example).unwrap();
            for (path, property, is_optional) in fields(&document, schema, &[]) {
                let label = format!("{}: {}", entry.route.name, path.join("."));
                let taken = (entry.check_body)(&with_null(example.clone(), &path).to_string());
                assert_eq!(taken.is_ok(), allows_null(&document, &property), "{label}: {taken:?}");
                if path == [NAMES_END_USER] {
                    assert!(taken.is_err(), "{label}");
                } else if !entry.is_patch {
                    assert_eq!(taken.is_ok(), is_optional, "{label}: {taken:?}");
                }
                if taken.is_ok() { left_out += 1 } else { refused += 1 }
            }
        }
        assert!(left_out > 80 && refused > 40, "{left_out} {refused}");
    }

    #[test]
    fn null_is_something_in_a_patch() {
        assert_eq!(read::<Changing>(r#"{"number":null}"#).unwrap().number, Patch::Null);
        assert_eq!(read::<Changing>("{}").unwrap().number, Patch::Absent);
    }
}
