//! The OpenAPI 3.1 document, made from [`OPERATIONS`].

use std::collections::BTreeMap;

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::OPERATIONS;
use super::operation::{BodyRule, Entry};
use crate::error::ErrorCode;

/// The document. Its schemas are JSON Schema 2020-12, as OpenAPI 3.1 has them.
pub fn document() -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.definitions_path = "/components/schemas".into());
    // What may be left out of an input is always in an output.
    let mut inputs = settings.clone().for_deserialize().into_generator();
    let mut outputs = settings.for_serialize().into_generator();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    let mut security = Map::new();
    for entry in &OPERATIONS {
        let method = entry.route.method.as_str().to_lowercase();
        paths.entry(entry.route.path).or_default().insert(method, operation(entry, &mut inputs, &mut outputs));
        let scheme = json!({
            "type": "apiKey",
            "in": "header",
            "name": entry.security.header,
            "description": entry.security.description,
        });
        security.insert(entry.security.name.to_owned(), scheme);
    }
    let mut schemas = inputs.take_definitions(true);
    schemas.extend(outputs.take_definitions(true));
    schemas.insert("Refusal".to_owned(), refusal());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Latchkey",
            "description": "A multi-tenant authorization service.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "http://127.0.0.1:9000", "description": "cargo dev" }],
        "paths": paths,
        "components": { "schemas": schemas, "securitySchemes": security },
    })
}

fn operation(entry: &Entry, inputs: &mut SchemaGenerator, outputs: &mut SchemaGenerator) -> Value {
    let mut operation = json!({
        "operationId": camel_case(entry.route.name),
        "summary": entry.route.summary,
        "security": [{ entry.security.name: [] }],
        "parameters": parameters(entry, inputs),
        "responses": responses(entry, outputs),
    });
    if let (Some(operation), true) = (operation.as_object_mut(), entry.route.body != BodyRule::None) {
        let body = json!({
            "required": entry.route.body == BodyRule::Required,
            "content": { "application/json": { "schema": (entry.body)(inputs) } },
        });
        operation.insert("requestBody".to_owned(), body);
    }
    operation
}

fn parameters(entry: &Entry, generator: &mut SchemaGenerator) -> Vec<Value> {
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
            json!({
                "name": name,
                "in": "query",
                "required": required(name),
                "description": description,
                "schema": not_null(schema),
            })
        })
        .collect();
    if entry.is_change() {
        parameters.push(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "required": false,
            "description": "The same key and request within 24 hours give the same outcome, and one effect.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
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

fn responses(entry: &Entry, generator: &mut SchemaGenerator) -> Value {
    let mut responses = Map::new();
    let success = json!({
        "type": "object",
        "required": ["success", "status_code", "message", "data"],
        "properties": {
            "success": { "const": true },
            "status_code": { "const": entry.route.status },
            "message": { "type": "string" },
            "data": (entry.output)(generator),
        },
    });
    responses.insert(entry.route.status.to_string(), answer("Success", &success, &Map::new()));
    let mut by_status: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
    for code in ErrorCode::ALL.into_iter().filter(|code| applies(*code, entry)) {
        by_status.entry(code.status()).or_default().push(code);
    }
    for (status, codes) in by_status {
        let description: Vec<_> = codes.iter().map(|code| format!("`{}`: {}", code.as_str(), code.meaning())).collect();
        let mut headers = Map::new();
        if status == 405 {
            headers.insert("allow".to_owned(), header("The methods that the path has."));
        }
        if matches!(status, 409 | 429 | 503) {
            headers.insert("retry-after".to_owned(), header("Seconds to wait before trying again."));
        }
        let schema = json!({ "$ref": "#/components/schemas/Refusal" });
        responses.insert(status.to_string(), answer(&description.join("; "), &schema, &headers));
    }
    Value::Object(responses)
}

/// Whether an operation can answer with that code.
fn applies(code: ErrorCode, entry: &Entry) -> bool {
    match code {
        ErrorCode::TenantNotFound => !matches!(entry.route.name, "provision-tenant" | "fetch-tenants"),
        ErrorCode::StaleUpdate | ErrorCode::IdempotencyInProgress | ErrorCode::IdempotencyKeyReused => {
            entry.is_change()
        }
        ErrorCode::RotatedTooOften => entry.route.name == "rotate-tenant-secret",
        ErrorCode::PayloadTooLarge | ErrorCode::UnsupportedMediaType => entry.is_change(),
        _ => true,
    }
}

fn answer(description: &str, schema: &Value, headers: &Map<String, Value>) -> Value {
    let mut headers = headers.clone();
    headers.insert("x-request-id".to_owned(), header("The id of the request, as in the log."));
    json!({
        "description": description,
        "headers": headers,
        "content": { "application/json": { "schema": schema } },
    })
}

fn header(description: &str) -> Value {
    json!({ "description": description, "schema": { "type": "string" } })
}

/// The body of every refusal.
fn refusal() -> Value {
    let codes: Vec<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    json!({
        "type": "object",
        "required": ["success", "status_code", "message", "data", "error"],
        "properties": {
            "success": { "const": false },
            "status_code": { "type": "integer", "minimum": 400, "maximum": 599 },
            "message": { "type": "string" },
            "data": { "type": "null" },
            "error": {
                "type": "object",
                "required": ["code"],
                "properties": {
                    "code": { "enum": codes },
                    "field": { "type": "string", "description": "The field at fault, where one is." },
                },
                "additionalProperties": false,
            },
        },
        "additionalProperties": false,
    })
}

/// `provision-tenant` is `provisionTenant`.
fn camel_case(name: &str) -> String {
    let mut words = name.split('-');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |text, word| {
        let (initial, rest) = word.split_at_checked(1).unwrap_or_default();
        text + &initial.to_uppercase() + rest
    })
}
