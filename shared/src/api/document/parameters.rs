//! The parameters of operations: those of path and query from the input's schema, and the headers that a surface takes.

use schemars::SchemaGenerator;
use serde_json::{Value, json};

use crate::api::operation::{OperationInfo, Surface};

pub(super) fn parameters(entry: &OperationInfo, generator: &mut SchemaGenerator) -> Vec<Value> {
    let reference = (entry.query)(generator);
    let query = reference.as_value();
    let required = |name: &String| {
        let names = query.get("required").and_then(Value::as_array);
        names.is_some_and(|names| names.iter().any(|required| required.as_str() == Some(name)))
    };
    let properties = query.get("properties").and_then(Value::as_object);
    let mut parameters: Vec<Value> = properties
        .into_iter()
        .flatten()
        .map(|(name, schema)| {
            let mut schema = schema.clone();
            let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
            let in_path = entry.route.path.contains(&format!("{{{name}}}"));
            json!({
                "name": name,
                "in": if in_path { "path" } else { "query" },
                "required": required(name),
                "description": description,
                "schema": not_null(schema),
            })
        })
        .collect();
    if entry.is_remembered {
        parameters.push(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "required": false,
            "description": "Key for safe retries: within 24 hours, the same key and request have one effect and \
                            outcome.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
        }));
    }
    if entry.surface == Surface::Relay {
        let headers = [
            ("X-Latchkey-Tenant-Id", true, "Id of the tenant that signed the call.", "^tnt_[0-9A-Za-z_-]{1,60}$"),
            ("X-Latchkey-Timestamp", true, "Unix time of signing, in milliseconds.", "^(0|[1-9][0-9]{0,14})$"),
            ("X-Latchkey-Nonce", false, "Nonce, required by v2: it is accepted once.", "^[0-9A-Za-z+/=_-]{16,64}$"),
        ];
        parameters.extend(headers.map(|(name, required, description, pattern)| {
            let schema = json!({ "type": "string", "pattern": pattern });
            json!({ "name": name, "in": "header", "required": required, "description": description, "schema": schema })
        }));
    }
    if entry.route.name == "qr-login-poll" {
        parameters.push(json!({
            "name": "X-QR-Poll-Token",
            "in": "header",
            "required": true,
            "description": "Poll token of the login, as `qr-login/initiate` answered it.",
            "schema": { "type": "string", "pattern": "^qrp_[A-Za-z0-9_-]{43}$" },
        }));
    }
    if entry.surface == Surface::Account {
        parameters.extend(["external_user_id", "X-End-User-ID"].map(|name| {
            json!({
                "name": name,
                "in": "header",
                "required": false,
                "description": "External id of the end user that the call is for. All places that name one must agree.",
                "schema": { "type": "string", "minLength": 1, "maxLength": 256, "pattern": "^[ -~]+$" },
            })
        }));
    }
    parameters
}

/// A query parameter is absent or has a value: it can't be null.
fn not_null(schema: Value) -> Value {
    let alternatives = schema.get("anyOf").and_then(Value::as_array).cloned().unwrap_or_default();
    let value =
        alternatives.into_iter().find(|alternative| alternative.get("type").and_then(Value::as_str) != Some("null"));
    let mut schema = value.unwrap_or(schema);
    if let Some(kind) = schema.get_mut("type") {
        let only = kind.as_array().and_then(|types| types.iter().find(|name| *name != "null")).cloned();
        *kind = only.unwrap_or_else(|| kind.take());
    }
    schema
}
