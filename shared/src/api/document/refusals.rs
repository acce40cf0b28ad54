//! The bodies of refusals: one schema a surface, and one more for what FastAPI's clients read.

use serde_json::{Map, Value, json};

use crate::api::operation::{OperationInfo, Surface};
use crate::domain::CredentialFault;
use crate::error::ErrorCode;

/// The schemas of a surface's refusals, by their names in the document.
pub(super) fn refusals(surface: Surface) -> Vec<(&'static str, Value)> {
    let every = (refusal_name(surface), refusal(surface));
    if surface == Surface::Account { vec![every, (VALIDATION, validation())] } else { vec![every] }
}

/// What the document calls the refusals of a surface that have this status.
pub(super) fn refusals_of(entry: &OperationInfo, status: u16) -> Vec<&'static str> {
    match (entry.surface, status) {
        // That an idempotency key was used for another request is about no field.
        (Surface::Account, 422) if entry.is_remembered => vec![VALIDATION, refusal_name(entry.surface)],
        (Surface::Account, 422) => vec![VALIDATION],
        (surface, _) => vec![refusal_name(surface)],
    }
}

/// The schema name of a surface's refusals.
fn refusal_name(surface: Surface) -> &'static str {
    match surface {
        Surface::Registry | Surface::Relay | Surface::Device | Surface::Console => "Refusal",
        Surface::Projects => "ProjectsRefusal",
        Surface::Account => "AccountRefusal",
        Surface::Tokens => "TokensRefusal",
        Surface::Pages => "PagesRefusal",
    }
}

/// The schema name of a refused field of the account surface.
const VALIDATION: &str = "ValidationError";

/// The schema of a refused field of the account surface.
fn validation() -> Value {
    let place = json!({
        "type": "array",
        "items": { "type": ["string", "integer"] },
        "minItems": 2,
        "description": "Place of the field: `path`, `query`, `header` or `body`, then the names that lead to it.",
    });
    let problem = json!({
        "type": "object",
        "required": ["loc", "msg", "type"],
        "properties": {
            "loc": place,
            "msg": { "type": "string", "description": "What is wrong with the field, for people." },
            "type": { "type": "string", "description": "What is wrong with the field, for programs." },
        },
        "additionalProperties": false,
    });
    json!({
        "type": "object",
        "description": "A refusal because of invalid fields, in the shape of FastAPI.",
        "required": ["detail"],
        "properties": {
            "detail": {
                "type": "array",
                "items": problem,
                "minItems": 1,
                "description": "The invalid fields and what is wrong with them.",
            },
        },
        "additionalProperties": false,
        "examples": [{ "detail": [{ "loc": ["body", "name"], "msg": "name is required", "type": "missing" }] }],
    })
}

/// The schema of a surface's refusals.
fn refusal(surface: Surface) -> Value {
    if surface == Surface::Pages {
        return json!({
            "type": "string",
            "description": "The answer to a request that is refused: a sentence, and the code in parentheses.",
            "examples": [example(surface)],
        });
    }
    let codes: Vec<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    let message = json!({ "type": "string", "description": "What was refused, for people; it can change." });
    let code = json!({ "enum": codes, "description": "What was refused, for programs." });
    let mut error = json!({
        "type": "object",
        "description": "What was refused, for programs.",
        "required": ["code"],
        "properties": {
            "code": code,
            "field": { "type": "string", "description": "Name of the invalid field; absent if no field is." },
            "reason": reason(),
        },
        "additionalProperties": false,
    });
    if matches!(surface, Surface::Registry | Surface::Relay | Surface::Device | Surface::Console)
        && let Some(properties) = error.pointer_mut("/properties").and_then(Value::as_object_mut)
    {
        let time = "With `timestamp_out_of_window`: the server's time in Unix milliseconds, by which it was judged.";
        properties.insert("server_time_ms".to_owned(), json!({ "type": "integer", "description": time }));
        properties.insert("signals".to_owned(), signals());
    }
    let properties = match surface {
        Surface::Registry | Surface::Relay | Surface::Device | Surface::Console => json!({
            "success": { "const": false, "description": "False in every refusal." },
            "status_code": {
                "type": "integer",
                "minimum": 400,
                "maximum": 599,
                "description": "The HTTP status again.",
            },
            "message": message,
            "data": { "type": "null", "description": "Null in every refusal." },
            "error": error,
        }),
        Surface::Projects => json!({
            "status": { "const": "error", "description": "The same in every refusal." },
            "message": message,
            "error": error,
        }),
        Surface::Account => json!({ "detail": message, "code": code, "reason": reason() }),
        Surface::Tokens => json!({
            "error": { "type": "string", "description": "Code of RFC 6749 §5.2 and its extensions, for programs." },
            "error_description": message,
            "reason": reason(),
        }),
        Surface::Pages => json!({}),
    };
    let names = properties.as_object().into_iter().flat_map(Map::keys);
    let required: Vec<_> = names.filter(|name| *name != "reason").cloned().collect();
    json!({
        "type": "object",
        "description": "The answer to a request that is refused, in the shape of its surface.",
        "required": required,
        "properties": properties,
        "additionalProperties": false,
        "examples": [example(surface)],
    })
}

/// What a 401 tells of a credential.
fn reason() -> Value {
    let names: Vec<_> = CredentialFault::ALL.iter().map(|(name, _)| *name).collect();
    json!({
        "enum": names,
        "description": "With `unauthenticated`: what the sender of the credential can see for itself is wrong with it. \
                        Absent if it takes a look into a store: unknown, wrong, revoked and expired are one.",
    })
}

/// What a page should tell its browser about a passkey that was refused.
fn signals() -> Value {
    json!({
        "type": "object",
        "description": "With `credential_refused`, if the passkey is unknown or revoked: arguments for the browser's \
                        Signal API.",
        "required": ["unknown_credential"],
        "properties": {
            "unknown_credential": {
                "type": "object",
                "description": "Argument of `PublicKeyCredential.signalUnknownCredential()`, which hides the passkey.",
                "required": ["rpId", "credentialId"],
                "properties": {
                    "rpId": { "type": "string", "description": "Relying party id of the passkey." },
                    "credentialId": { "type": "string", "description": "Id of the passkey that was refused." },
                },
                "additionalProperties": false,
            },
        },
        "additionalProperties": false,
    })
}

/// A refusal as it is sent. Written out, because what writes the answers is on a layer above; a test there compares the
/// two.
fn example(surface: Surface) -> Value {
    let missing = json!({ "code": "invalid_field", "field": "name" });
    match surface {
        Surface::Registry | Surface::Relay | Surface::Device | Surface::Console => json!({
            "success": false, "status_code": 422, "message": "name is required", "data": null, "error": missing,
        }),
        Surface::Projects => json!({ "status": "error", "message": "name is required", "error": missing }),
        Surface::Account => json!({ "detail": "credential is missing or not valid", "code": "unauthenticated" }),
        Surface::Tokens => {
            json!({ "error": "invalid_client", "error_description": "credential is missing or not valid" })
        }
        Surface::Pages => json!("not found (not_found)\n"),
    }
}
