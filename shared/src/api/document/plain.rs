//! Schemas in the forms that generators of clients read. JSON Schema has several forms for the same thing, and what
//! comes from types of Rust is rarely the one that all generators know.

use serde_json::{Map, Value, json};

use crate::api::NAMES_END_USER;

/// Keys of a document behind which there are values of a client's, and no schemas.
const VALUES: [&str; 3] = ["const", "example", "examples"];

/// Brings all schemas of a document into those forms.
pub(super) fn plain(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(plain),
        Value::Object(members) => {
            name_values(members);
            say_type(members);
            say_null(members);
            rename_defaults(members);
            open_objects(members);
            for (name, value) in members.iter_mut().filter(|(name, _)| !VALUES.contains(&name.as_str())) {
                match value.as_array_mut().filter(|_| name == "anyOf") {
                    Some(alternatives) => alternatives.iter_mut().filter(|one| !is_null(one)).for_each(plain),
                    None => plain(value),
                }
            }
        }
        _ => {}
    }
}

/// Makes `{type: string, enum: […]}` of `oneOf` with a constant for each name, which generators take for alternatives
/// that are objects. What the document says of each name goes into the description.
fn name_values(schema: &mut Map<String, Value>) {
    let Some(alternatives) = schema.get("oneOf").and_then(Value::as_array) else { return };
    let (mut names, mut lines) = (Vec::new(), Vec::new());
    for alternative in alternatives {
        let of_alternative = match (alternative.get("const"), alternative.get("enum").and_then(Value::as_array)) {
            (Some(name), _) => vec![name.clone()],
            (None, Some(names)) => names.clone(),
            (None, None) => return,
        };
        let description = alternative.get("description").and_then(Value::as_str);
        let name = of_alternative.first().and_then(Value::as_str);
        lines.extend(name.zip(description).map(|(name, description)| format!("- `{name}`: {description}")));
        names.extend(of_alternative);
    }
    let description = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    let description = [description.to_owned(), lines.join("\n")].into_iter().filter(|part| !part.is_empty());
    let description = description.collect::<Vec<_>>().join("\n\n");
    schema.remove("oneOf");
    schema.insert("type".to_owned(), "string".into());
    schema.insert("enum".to_owned(), names.into());
    schema.insert("description".to_owned(), description.into());
}

/// Says that names are texts, where they don't: without it, some generators know no type for them. Of a constant that
/// is no text nothing is said: one generator would make a list of texts of it, and refuse the value.
fn say_type(schema: &mut Map<String, Value>) {
    let listed = schema.get("enum").and_then(Value::as_array).and_then(|values| values.first());
    if listed.or(schema.get("const")).is_some_and(Value::is_string) {
        schema.entry("type").or_insert("string".into());
    }
}

/// Makes a constant of what can be nothing but null: generators have no name for a type of that. As one of several
/// alternatives it stays, because there all know it.
fn say_null(schema: &mut Map<String, Value>) {
    if schema.get("type").and_then(Value::as_str) == Some("null") {
        schema.remove("type");
        schema.insert("const".to_owned(), Value::Null);
    }
}

fn is_null(alternative: &Value) -> bool {
    alternative.get("type").and_then(Value::as_str) == Some("null")
}

/// Renames the defaults of fields, which some generators take for a promise that the field is always there. So
/// they are for people, and for who compares two documents.
fn rename_defaults(schema: &mut Map<String, Value>) {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut) {
        if let Some(default) = property.remove("default").filter(|default| !default.is_null()) {
            property.insert("x-default".to_owned(), default);
        }
    }
}

/// Says of an object without named fields that it has any: some generators take it for one that is always empty.
fn open_objects(schema: &mut Map<String, Value>) {
    let kinds = schema.get("type");
    let listed = kinds.and_then(Value::as_array).is_some_and(|kinds| kinds.iter().any(|kind| kind == "object"));
    let is_object = listed || kinds.and_then(Value::as_str) == Some("object");
    if is_object && !schema.contains_key("properties") {
        schema.entry("additionalProperties").or_insert(true.into());
    }
}

/// Lets every field of an input be null that may be left out, which is how it is read: see
/// [`Members`](crate::api::Members).
pub(super) fn allow_null(input: &mut Value) {
    let required = input.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let properties = input.get_mut("properties").and_then(Value::as_object_mut);
    for (name, property) in properties.into_iter().flatten() {
        if name != NAMES_END_USER && !required.iter().any(|required| required == name) {
            add_null(property);
        }
    }
}

fn add_null(schema: &mut Value) {
    let nothing = json!({ "type": "null" });
    let Some(members) = schema.as_object_mut() else { return };
    let is_one_type = members.get("type").is_some_and(Value::is_string) && !members.contains_key("enum");
    if let Some(kind) = members.get_mut("type").filter(|_| is_one_type) {
        *kind = json!([kind, "null"]);
    } else if let Some(alternatives) = members.get_mut("anyOf").and_then(Value::as_array_mut) {
        if !alternatives.contains(&nothing) {
            alternatives.push(nothing);
        }
    } else if members.contains_key("$ref") || members.contains_key("enum") {
        let kept = ["description", "default"].map(|name| members.remove_entry(name));
        let alternatives = json!({ "anyOf": [members, nothing] });
        members.clear();
        members.extend(alternatives.as_object().cloned().into_iter().flatten().chain(kept.into_iter().flatten()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Audience, document};

    /// Every schema in a document, with its place.
    fn schemas<'a>(value: &'a Value, place: &str, found: &mut Vec<(String, &'a Map<String, Value>)>) {
        match value {
            Value::Array(values) => {
                values.iter().enumerate().for_each(|(n, value)| schemas(value, &format!("{place}/{n}"), found));
            }
            Value::Object(members) => {
                found.push((place.to_owned(), members));
                for (name, value) in members.iter().filter(|(name, _)| !VALUES.contains(&name.as_str())) {
                    schemas(value, &format!("{place}/{name}"), found);
                }
            }
            _ => {}
        }
    }

    #[test]
    fn every_document_has_the_forms_that_generators_read() {
        for audience in Audience::ALL {
            let document = document(audience);
            let mut all = Vec::new();
            schemas(&document, "", &mut all);
            let mut arrays = 0;
            for (place, schema) in all {
                let kind = schema.get("type").and_then(Value::as_str);
                let has_fields = ["properties", "additionalProperties"].iter().any(|name| schema.contains_key(*name));
                assert!(kind != Some("object") || has_fields, "{place} is an object of what?");
                let is_alternative = place.rsplit('/').nth(1).is_some_and(|name| name == "anyOf");
                assert!(kind != Some("null") || is_alternative, "{place} is null and nothing else");
                assert!(kind != Some("array") || schema.contains_key("items"), "{place} is a list of what?");
                arrays += usize::from(kind == Some("array"));
                for alternatives in ["oneOf", "anyOf"] {
                    let alternatives = schema.get(alternatives).and_then(Value::as_array);
                    for alternative in alternatives.into_iter().flatten() {
                        assert!(alternative.get("const").is_none(), "{place} has a constant among alternatives");
                    }
                }
                let properties = schema.get("properties").and_then(Value::as_object);
                for (name, property) in properties.into_iter().flatten() {
                    assert!(property.get("default").is_none(), "{place}: {name} has a default");
                }
                if let Some(names) = schema.get("enum") {
                    assert_eq!(kind, Some("string"), "{place}: {names}");
                }
            }
            assert!(arrays > 10, "{audience:?}: {arrays}");
        }
    }

    #[test]
    fn what_takes_a_form_is_documented_as_a_form_alone_and_ids_in_paths_are_uuids() {
        let document = document(Audience::Everyone);
        for path in ["/api/v1/auth/introspect", "/api/v1/auth/revoke"] {
            let content = document["paths"][path]["post"]["requestBody"]["content"].as_object().unwrap();
            assert_eq!(content.keys().collect::<Vec<_>>(), ["application/x-www-form-urlencoded"]);
        }
        let session = &document["paths"]["/api/v1/agent-sessions/{id}"]["get"]["parameters"];
        let ids = session.as_array().unwrap().iter().filter(|parameter| parameter["name"] == "id");
        assert_eq!(ids.map(|id| &id["schema"]["format"]).collect::<Vec<_>>(), ["uuid"]);
    }

    #[test]
    fn names_that_are_described_one_by_one_are_one_list_and_keep_what_is_said_of_them() {
        let mut schema = json!({ "description": "Kind.", "oneOf": [
            { "const": "a", "type": "string", "description": "The first." },
            { "enum": ["b", "c"], "type": "string" },
        ] });
        plain(&mut schema);
        let description = "Kind.\n\n- `a`: The first.";
        assert_eq!(schema, json!({ "description": description, "type": "string", "enum": ["a", "b", "c"] }));
        let mut others = json!({ "oneOf": [{ "type": "string" }, { "const": "a", "type": "string" }] });
        let before = others.clone();
        plain(&mut others);
        assert_eq!(others, before);
    }

    #[test]
    fn null_is_added_once_to_what_may_be_left_out() {
        let reference = json!({ "$ref": "#/a" });
        let mut input = json!({ "required": ["a"], "properties": {
            "a": { "type": "string" },
            "b": { "type": "string", "maxLength": 1 },
            "c": { "$ref": "#/a", "description": "C.", "default": "c" },
            "d": { "anyOf": [reference, { "type": "null" }] },
            "e": { "anyOf": [{ "type": "integer" }, { "type": "string" }] },
            "f": { "type": ["boolean", "null"] },
            "g": { "description": "Any value." },
            "external_user_id": { "type": "string" },
        } });
        allow_null(&mut input);
        let nothing = json!({ "type": "null" });
        assert_eq!(
            input["properties"],
            json!({
                "a": { "type": "string" },
                "b": { "type": ["string", "null"], "maxLength": 1 },
                "c": { "anyOf": [reference, nothing], "description": "C.", "default": "c" },
                "d": { "anyOf": [reference, nothing] },
                "e": { "anyOf": [{ "type": "integer" }, { "type": "string" }, nothing] },
                "f": { "type": ["boolean", "null"] },
                "g": { "description": "Any value." },
                "external_user_id": { "type": "string" },
            })
        );
    }
}
