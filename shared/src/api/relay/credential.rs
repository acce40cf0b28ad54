//! What a browser answers, as a field of a body.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer};
use serde_json::Value;

use crate::domain::{ExactJson, Problem};

/// What `PublicKeyCredential.toJSON()` gave. Here it is only told from what integrators send in its place: what is in
/// it is judged with its ceremony.
#[derive(Clone)]
pub struct Credential(Value);

impl Credential {
    /// As it was sent.
    pub fn value(&self) -> &Value {
        &self.0
    }

    fn read(value: Value) -> Result<Self, Problem> {
        let has = |names: &[&str]| names.iter().any(|name| value.get(name).is_some());
        if has(&["id"]) && value.get("response").is_some_and(Value::is_object) {
            return Ok(Self(value));
        }
        if has(&["challenge", "publicKey"]) {
            return Err(Problem::new("must be what the browser answered, and not the options that it was given"));
        }
        if has(&["success", "data", "credential"]) {
            return Err(Problem::new("must be the bare credential, and not another object around it"));
        }
        Err(Problem::new("must be the object that PublicKeyCredential.toJSON() gives"))
    }
}

impl fmt::Debug for Credential {
    /// Its name only: it is as good as a password for as long as its ceremony lasts.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Credential")
    }
}

impl<'de> Deserialize<'de> for Credential {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(ExactJson::deserialize(deserializer)?.into_value()).map_err(de::Error::custom)
    }
}

impl JsonSchema for Credential {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Credential".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "required": ["id", "response"],
            "description": "RegistrationResponseJSON or AuthenticationResponseJSON of Web Authentication Level 3 \
                            §5.1, as `PublicKeyCredential.toJSON()` gives it.",
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_integrators_send_in_its_place_is_told_by_name() {
        let problem = |value: Value| serde_json::from_value::<Credential>(value).unwrap_err().to_string();
        assert!(serde_json::from_value::<Credential>(json!({ "id": "AA", "response": {} })).is_ok());
        for (value, expected) in [
            (json!({ "challenge": "AA", "rpId": "example.com" }), "not the options"),
            (json!({ "publicKey": { "challenge": "AA" } }), "not the options"),
            (json!({ "success": true, "data": { "challenge": "AA" } }), "not another object"),
            (json!({ "credential": { "id": "AA", "response": {} } }), "not another object"),
            (json!({ "id": "AA" }), "toJSON()"),
            (json!({ "id": "AA", "response": "AA" }), "toJSON()"),
            (json!({}), "toJSON()"),
            (json!("AA"), "toJSON()"),
            (json!(null), "toJSON()"),
        ] {
            let told = problem(value.clone());
            assert!(told.starts_with("must be ") && told.contains(expected), "{value}: {told}");
        }
    }
}
