//! The answers of operations: success in the shape of the surface, and every refusal that applies.

use std::collections::BTreeMap;

use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use super::refusals::refusals_of;
use crate::api::operation::{Method, OperationInfo, Surface};
use crate::error::ErrorCode;

pub(super) fn responses(entry: &OperationInfo, generator: &mut SchemaGenerator) -> Value {
    let mut responses = Map::new();
    let output = (entry.output)(generator).to_value();
    let success = match entry.surface {
        Surface::Registry | Surface::Relay | Surface::Device | Surface::Console => json!({
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
        Surface::Account | Surface::Tokens | Surface::Pages => output,
    };
    let told = headers(entry, entry.route.status);
    responses.insert(entry.route.status.to_string(), answer("Success", &success, &told, entry.media_types));
    let refused = if entry.surface == Surface::Pages { ["text/plain"] } else { ["application/json"] };
    let mut by_status: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
    for code in ErrorCode::ALL.iter().copied().filter(|code| applies(*code, entry)) {
        by_status.entry(entry.surface.status(code)).or_default().push(code);
    }
    for (status, codes) in by_status {
        let description: Vec<_> = codes.iter().map(|code| format!("`{}`: {}", code.as_str(), code.meaning())).collect();
        let mut told = headers(entry, status);
        if status == 405 {
            told.insert("allow".to_owned(), header("HTTP methods that the path supports."));
        }
        if matches!(status, 409 | 429 | 503) {
            told.insert("retry-after".to_owned(), header("Seconds to wait before trying again."));
        }
        if status == 401 && !matches!(entry.surface, Surface::Registry | Surface::Relay) {
            told.insert("www-authenticate".to_owned(), header("Authentication scheme of the expected credential."));
        }
        let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
        let references: Vec<_> = refusals_of(entry, status).into_iter().map(reference).collect();
        let schema = match &references[..] {
            [one] => one.clone(),
            several => json!({ "anyOf": several }),
        };
        responses.insert(status.to_string(), answer(&description.join("; "), &schema, &told, &refused));
    }
    Value::Object(responses)
}

/// The headers of an answer of an operation, beside those that every answer has.
fn headers(entry: &OperationInfo, status: u16) -> Map<String, Value> {
    let mut headers = limits(entry, status);
    if entry.surface.takes_proofs() {
        headers.insert(
            "dpop-nonce".to_owned(),
            header("Nonce for the next DPoP proof (RFC 9449 §8). On the registry, if the call carried a proof."),
        );
    }
    headers
}

/// The headers with which an answer states the rest of a limit: of signed calls always, of others where there is one.
fn limits(entry: &OperationInfo, status: u16) -> Map<String, Value> {
    let is_told = match entry.surface {
        Surface::Relay => matches!(status, 200..=299 | 400 | 403 | 404 | 409 | 410 | 413 | 415 | 422 | 429),
        _ => takes_key(entry) && matches!(status, 200..=299 | 429),
    };
    if !is_told {
        return Map::new();
    }
    let policy = header("Rate limit: `q` calls in `w` seconds (draft-ietf-httpapi-ratelimit-headers-10).");
    let left = header("Rest of the rate limit: `r` calls for the next `t` seconds.");
    Map::from_iter([("ratelimit-policy".to_owned(), policy), ("ratelimit".to_owned(), left)])
}

/// Whether API keys or tokens open an operation.
fn takes_key(entry: &OperationInfo) -> bool {
    let is_other = matches!(entry.surface, Surface::Registry | Surface::Relay | Surface::Device | Surface::Console);
    !is_other && !entry.security.is_empty()
}

/// The operations of passkeys that a page's origin decides about.
const CEREMONIES: [&str; 4] = [
    "webauthn-register-options",
    "webauthn-register-verify",
    "webauthn-authenticate-options",
    "webauthn-authenticate-verify",
];

/// Whether an operation can answer with that code.
fn applies(code: ErrorCode, entry: &OperationInfo) -> bool {
    let is = |names: &[&str]| names.contains(&entry.route.name);
    let by_key = takes_key(entry);
    let by_signature = entry.surface == Surface::Relay;
    let by_device = entry.surface == Surface::Device;
    let by_console = entry.surface == Surface::Console;
    match code {
        ErrorCode::Unauthenticated => !entry.security.is_empty(),
        ErrorCode::UseDpopNonce | ErrorCode::InvalidDpopProof => {
            entry.surface.takes_proofs() && !entry.security.is_empty()
        }
        ErrorCode::TenantSuspended => by_key || by_signature || by_device || by_console,
        ErrorCode::RateLimited => by_key || (by_signature && !is(&["qr-login-poll"])),
        ErrorCode::OriginNotAllowed => {
            by_key || entry.surface.takes_proofs() || is(&CEREMONIES) || is(&["qr-login-initiate"])
        }
        ErrorCode::QrLoginDisabled => is(&["qr-login-initiate", "device-qr-scan", "device-qr-decide"]),
        ErrorCode::QrLoginDistant => is(&["device-qr-scan"]),
        ErrorCode::QrLoginTaken => is(&["device-qr-scan", "device-qr-decide"]),
        ErrorCode::QrLoginGone => is(&["qr-login-poll", "device-qr-scan", "device-qr-decide"]),
        ErrorCode::SlowDown => is(&["qr-login-poll"]),
        ErrorCode::TooManyQrLogins => is(&["qr-login-initiate"]),
        ErrorCode::PasskeysDisabled => is(&CEREMONIES),
        ErrorCode::CredentialRefused => is(&["webauthn-register-verify", "webauthn-authenticate-verify"]),
        ErrorCode::PersonNotFound => {
            is(&["webauthn-register-options", "webauthn-authenticate-options", "webauthn-fetch-passkeys"])
                || is(&["relay-fetch-pairings"])
        }
        ErrorCode::OperatorKeyRequired => is(&["provision-console-link"]),
        ErrorCode::ConsoleLinkNotFound => is(&["open-console-session"]),
        ErrorCode::PairingNotFound => is(&["device-pairing", "device-register-token"]),
        ErrorCode::DeviceNotFound => is(&["relay-revoke-device"]),
        ErrorCode::PasskeyNotFound => is(&["webauthn-rename-passkey", "webauthn-revoke-passkey"]),
        ErrorCode::PasskeysInUse => is(&["update-tenant"]),
        ErrorCode::KeyKindNotAllowed => matches!(entry.surface, Surface::Projects | Surface::Account),
        ErrorCode::EndUsersDiffer
        | ErrorCode::MisspeltHeader
        | ErrorCode::AnotherEndUser
        | ErrorCode::EndUserRequired
        | ErrorCode::InsufficientScope => entry.surface == Surface::Account,
        ErrorCode::GlobalResource => is(&["update-workspace", "delete-workspace", "delete-document"]),
        ErrorCode::ResourceNotFound => {
            is(&["page-file"]) || (entry.surface == Surface::Account && entry.route.path.contains("{id}"))
        }
        ErrorCode::QuotaExceeded => {
            let makes_rows = entry.route.method == Method::Post && !is(&["auth-token"]);
            (entry.surface == Surface::Account && makes_rows)
                || is(&["webauthn-register-options", "webauthn-register-verify", "device-register-token"])
        }
        ErrorCode::ExecutionFinished => is(&["report-tool-execution"]),
        ErrorCode::TenantNotFound => {
            let is_page = entry.surface == Surface::Pages;
            let is_own = by_key || by_signature || by_device || by_console;
            !is_own && !is_page && !is(&["provision-tenant", "fetch-tenants"])
        }
        ErrorCode::ApiKeyNotFound => {
            is(&["rotate-api-key", "revoke-api-key", "revoke-tokens"])
                || is(&["console-rotate-api-key", "console-revoke-api-key"])
        }
        ErrorCode::CallbackNotFound => is(&["fetch-callback", "console-callback"]),
        ErrorCode::CallbackNotWanted => {
            is(&["test-callback", "replay-callbacks", "relay-test-callbacks", "relay-replay-callbacks"])
                || is(&["console-test-callback", "console-replay-callbacks"])
        }
        ErrorCode::ApiKeyGone => is(&["rotate-api-key", "console-rotate-api-key"]),
        ErrorCode::ProjectNotFound | ErrorCode::ExternalIdTaken => is(&["register-organization", "register-user"]),
        ErrorCode::AmbiguousId => {
            is(&["register-organization", "register-user", "user-token", "project-revoke-tokens"])
        }
        ErrorCode::OrganizationNotFound => {
            is(&["register-user", "register-tenant", "revoke-tokens", "project-revoke-tokens"])
        }
        ErrorCode::UserNotFound => is(&["user-token", "register-tenant", "revoke-tokens", "project-revoke-tokens"]),
        ErrorCode::PropertiesTooLarge => is(&["register-user", "user-token", "register-tenant"]),
        ErrorCode::StaleUpdate => {
            let writes = entry.route.method != Method::Get && !is(&["auth-token"]);
            entry.is_change()
                || by_console
                || is(&["register-organization", "register-user", "project-revoke-tokens"])
                || (by_signature && entry.has_body())
                || is(&["device-register-token", "device-refresh-token", "device-rename", "device-unpair"])
                || (entry.surface == Surface::Account && writes)
        }
        ErrorCode::IdempotencyInProgress => entry.is_change() || is(&["console-rotate-tenant-secret"]),
        ErrorCode::IdempotencyKeyReused => entry.is_remembered,
        ErrorCode::RotatedTooOften => {
            is(&["rotate-tenant-secret", "rotate-signing-key", "console-rotate-tenant-secret"])
        }
        ErrorCode::StandbyTooYoung => is(&["rotate-signing-key"]),
        ErrorCode::PayloadTooLarge | ErrorCode::UnsupportedMediaType => entry.has_body(),
        _ => true,
    }
}

/// An answer in each of the media types, whose parameters are left out.
fn answer(description: &str, schema: &Value, headers: &Map<String, Value>, media_types: &[&str]) -> Value {
    let mut headers = headers.clone();
    headers.insert("x-request-id".to_owned(), header("Id of the request, which is also in the log."));
    let essence = |media_type: &str| media_type.split(';').next().unwrap_or_default().to_owned();
    let content: Map<_, _> =
        media_types.iter().map(|media_type| (essence(media_type), json!({ "schema": schema }))).collect();
    json!({ "description": description, "headers": headers, "content": content })
}

fn header(description: &str) -> Value {
    json!({ "description": description, "schema": { "type": "string" } })
}
