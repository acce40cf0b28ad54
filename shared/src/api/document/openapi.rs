//! The OpenAPI 3.1 document, made from [`OPERATIONS`].

use std::collections::BTreeMap;

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::api::OPERATIONS;
use crate::api::operation::{BodyRule, Method, OperationInfo, Surface};
use crate::auth::{CredentialLocation, SecurityScheme};
use crate::error::ErrorCode;

/// The OpenAPI document. Its schemas are JSON Schema 2020-12, as OpenAPI 3.1 requires.
pub fn document() -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.definitions_path = "/components/schemas".into());
    // A field that may be absent from an input is always present in an output.
    let mut inputs = settings.clone().for_deserialize().into_generator();
    let mut outputs = settings.for_serialize().into_generator();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    let mut security = Map::new();
    for entry in OPERATIONS {
        let method = entry.route.method.as_str().to_lowercase();
        for (number, path) in entry.route.paths().enumerate() {
            let described = operation(entry, number, &mut inputs, &mut outputs);
            paths.entry(path).or_default().insert(method.clone(), described);
        }
        for scheme in entry.security {
            security.insert(scheme.name.to_owned(), security_scheme(scheme));
        }
    }
    let mut schemas = inputs.take_definitions(true);
    schemas.values_mut().for_each(drop_null_defaults);
    schemas.extend(outputs.take_definitions(true));
    for surface in [Surface::Registry, Surface::Relay, Surface::Projects, Surface::Account, Surface::Tokens] {
        schemas.insert(refusal_name(surface).to_owned(), refusal(surface));
    }
    schemas.insert(VALIDATION.to_owned(), validation());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Latchkey",
            "description": "A multi-tenant authorization service.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "http://127.0.0.1:9000", "description": "Local server (`cargo dev`)" }],
        "paths": paths,
        "components": { "schemas": schemas, "securitySchemes": security },
    })
}

/// Removes `"default": null`, which stands where a field may be left out: some of those fields refuse null.
fn drop_null_defaults(schema: &mut Value) {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut) {
        if property.get("default") == Some(&Value::Null) {
            property.remove("default");
        }
    }
}

fn security_scheme(scheme: &SecurityScheme) -> Value {
    let description = scheme.description;
    match scheme.location {
        CredentialLocation::Header(name) => {
            json!({ "type": "apiKey", "in": "header", "name": name, "description": description })
        }
        CredentialLocation::Bearer => json!({ "type": "http", "scheme": "bearer", "description": description }),
    }
}

/// An operation at its main path (0), or at one of its other paths, under an operation id of its own.
fn operation(
    entry: &OperationInfo,
    number: usize,
    inputs: &mut SchemaGenerator,
    outputs: &mut SchemaGenerator,
) -> Value {
    let alias = if number == 0 { String::new() } else { format!("Alias{number}") };
    let security: Vec<_> = entry.security.iter().map(|scheme| json!({ scheme.name: [] })).collect();
    let mut operation = json!({
        "operationId": format!("{}{alias}", camel_case(entry.route.name)),
        "summary": entry.route.summary,
        "security": security,
        "parameters": parameters(entry, inputs),
        "responses": responses(entry, outputs),
    });
    if let (Some(operation), true) = (operation.as_object_mut(), entry.has_body()) {
        let schema = json!({ "schema": (entry.body)(inputs) });
        let mut content = json!({ "application/json": schema });
        if let (Some(content), BodyRule::Form) = (content.as_object_mut(), entry.route.body) {
            content.insert("application/x-www-form-urlencoded".to_owned(), schema);
        }
        let body = json!({ "required": entry.route.body != BodyRule::Optional, "content": content });
        operation.insert("requestBody".to_owned(), body);
    }
    operation
}

fn parameters(entry: &OperationInfo, generator: &mut SchemaGenerator) -> Vec<Value> {
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
    if entry.is_change() {
        parameters.push(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "required": false,
            "description": "Key for safe retries: within 24 hours, the same key and request have one effect and outcome.",
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

fn responses(entry: &OperationInfo, generator: &mut SchemaGenerator) -> Value {
    let mut responses = Map::new();
    let output = (entry.output)(generator).to_value();
    let success = match entry.surface {
        Surface::Registry | Surface::Relay => json!({
            "type": "object",
            "required": ["success", "status_code", "message", "data"],
            "properties": {
                "success": { "const": true },
                "status_code": { "const": entry.route.status },
                "message": { "type": "string" },
                "data": output,
            },
        }),
        Surface::Projects => json!({
            "type": "object",
            "required": ["status", "data"],
            "properties": { "status": { "const": "success" }, "data": output },
        }),
        Surface::Account | Surface::Tokens => output,
    };
    responses.insert(entry.route.status.to_string(), answer("Success", &success, &limits(entry, entry.route.status)));
    let mut by_status: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
    for code in ErrorCode::ALL.iter().copied().filter(|code| applies(*code, entry)) {
        by_status.entry(entry.surface.status(code)).or_default().push(code);
    }
    for (status, codes) in by_status {
        let description: Vec<_> = codes.iter().map(|code| format!("`{}`: {}", code.as_str(), code.meaning())).collect();
        let mut headers = limits(entry, status);
        if status == 405 {
            headers.insert("allow".to_owned(), header("HTTP methods that the path supports."));
        }
        if matches!(status, 409 | 429 | 503) {
            headers.insert("retry-after".to_owned(), header("Seconds to wait before trying again."));
        }
        if status == 401 && !matches!(entry.surface, Surface::Registry | Surface::Relay) {
            headers.insert("www-authenticate".to_owned(), header("Authentication scheme of the expected credential."));
        }
        let name = match (entry.surface, status) {
            (Surface::Account, 422) => VALIDATION,
            (surface, _) => refusal_name(surface),
        };
        let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
        responses.insert(status.to_string(), answer(&description.join("; "), &schema, &headers));
    }
    Value::Object(responses)
}

/// The headers with which the answer to a signed call states the rest of the limit.
fn limits(entry: &OperationInfo, status: u16) -> Map<String, Value> {
    if entry.surface != Surface::Relay || !matches!(status, 200..=299 | 403 | 422 | 429) {
        return Map::new();
    }
    let policy = header("Rate limit: `q` calls in `w` seconds (draft-ietf-httpapi-ratelimit-headers-10).");
    let left = header("Rest of the rate limit: `r` calls for the next `t` seconds.");
    Map::from_iter([("ratelimit-policy".to_owned(), policy), ("ratelimit".to_owned(), left)])
}

/// Whether an operation can answer with that code.
fn applies(code: ErrorCode, entry: &OperationInfo) -> bool {
    let is = |names: &[&str]| names.contains(&entry.route.name);
    let by_key = !matches!(entry.surface, Surface::Registry | Surface::Relay) && !entry.security.is_empty();
    let by_signature = entry.surface == Surface::Relay;
    match code {
        ErrorCode::Unauthenticated => !entry.security.is_empty(),
        ErrorCode::TenantSuspended => by_key || by_signature,
        ErrorCode::RateLimited => by_signature,
        ErrorCode::OriginNotAllowed => by_key,
        ErrorCode::KeyKindNotAllowed => matches!(entry.surface, Surface::Projects | Surface::Account),
        ErrorCode::EndUsersDiffer
        | ErrorCode::AnotherEndUser
        | ErrorCode::EndUserRequired
        | ErrorCode::InsufficientScope => entry.surface == Surface::Account,
        ErrorCode::GlobalResource => is(&["update-workspace", "delete-workspace", "delete-document"]),
        ErrorCode::ResourceNotFound => entry.surface == Surface::Account && entry.route.path.contains("{id}"),
        ErrorCode::ExecutionFinished => is(&["report-tool-execution"]),
        ErrorCode::TenantNotFound => !by_key && !by_signature && !is(&["provision-tenant", "fetch-tenants"]),
        ErrorCode::ApiKeyNotFound => is(&["rotate-api-key", "revoke-api-key", "revoke-tokens"]),
        ErrorCode::ApiKeyGone => is(&["rotate-api-key"]),
        ErrorCode::ProjectNotFound | ErrorCode::ExternalIdTaken => is(&["register-organization", "register-user"]),
        ErrorCode::OrganizationNotFound => is(&["register-user", "register-tenant", "revoke-tokens"]),
        ErrorCode::UserNotFound => is(&["user-token", "register-tenant", "revoke-tokens"]),
        ErrorCode::PropertiesTooLarge => is(&["register-user", "user-token", "register-tenant"]),
        ErrorCode::StaleUpdate => {
            let writes = entry.route.method != Method::Get && !is(&["auth-token"]);
            entry.is_change()
                || is(&["register-organization", "register-user"])
                || (entry.surface == Surface::Account && writes)
        }
        ErrorCode::IdempotencyInProgress | ErrorCode::IdempotencyKeyReused => entry.is_change(),
        ErrorCode::RotatedTooOften => is(&["rotate-tenant-secret", "rotate-signing-key"]),
        ErrorCode::PayloadTooLarge | ErrorCode::UnsupportedMediaType => entry.has_body(),
        _ => true,
    }
}

fn answer(description: &str, schema: &Value, headers: &Map<String, Value>) -> Value {
    let mut headers = headers.clone();
    headers.insert("x-request-id".to_owned(), header("Id of the request, which is also in the log."));
    json!({
        "description": description,
        "headers": headers,
        "content": { "application/json": { "schema": schema } },
    })
}

fn header(description: &str) -> Value {
    json!({ "description": description, "schema": { "type": "string" } })
}

/// The schema name of a surface's refusals.
fn refusal_name(surface: Surface) -> &'static str {
    match surface {
        Surface::Registry | Surface::Relay => "Refusal",
        Surface::Projects => "ProjectsRefusal",
        Surface::Account => "AccountRefusal",
        Surface::Tokens => "TokensRefusal",
    }
}

/// The schema name of a refused field of the account surface.
const VALIDATION: &str = "ValidationError";

/// The schema of a refused field of the account surface.
fn validation() -> Value {
    let place = json!({ "type": "array", "items": { "type": ["string", "integer"] }, "minItems": 2 });
    let problem = json!({
        "type": "object",
        "required": ["loc", "msg", "type"],
        "properties": { "loc": place, "msg": { "type": "string" }, "type": { "type": "string" } },
        "additionalProperties": false,
    });
    json!({
        "type": "object",
        "required": ["detail"],
        "properties": { "detail": { "type": "array", "items": problem, "minItems": 1 } },
        "additionalProperties": false,
    })
}

/// The schema of a surface's refusals.
fn refusal(surface: Surface) -> Value {
    let codes: Vec<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    let error = json!({
        "type": "object",
        "required": ["code"],
        "properties": {
            "code": { "enum": codes },
            "field": { "type": "string", "description": "Name of the invalid field; absent if no field is." },
        },
        "additionalProperties": false,
    });
    let properties = match surface {
        Surface::Registry | Surface::Relay => json!({
            "success": { "const": false },
            "status_code": { "type": "integer", "minimum": 400, "maximum": 599 },
            "message": { "type": "string" },
            "data": { "type": "null" },
            "error": error,
        }),
        Surface::Projects => json!({
            "status": { "const": "error" },
            "message": { "type": "string" },
            "error": error,
        }),
        Surface::Account => json!({ "detail": { "type": "string" }, "code": { "enum": codes } }),
        Surface::Tokens => json!({ "error": { "type": "string" }, "error_description": { "type": "string" } }),
    };
    let required: Vec<_> = properties.as_object().into_iter().flat_map(Map::keys).cloned().collect();
    json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false })
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
