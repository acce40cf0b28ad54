//! What the service calls at a tenant's side: the callbacks, by the types of their events.

use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use crate::domain::{Event, EventId, EventType, NewEvent, TenantId, Timestamp};

/// The tag of the callbacks. It is none of a surface's: generators make one file a tag, and that of the callbacks would
/// take the place of the surface's.
pub(super) const TAG: &str = "callbacks";

/// The types that there are events of, with what each tells and an example of its `data`.
const TOLD: [(EventType, &str, &str); 14] = [
    (
        EventType::TenantSuspended,
        "The operator has suspended the tenant",
        r#"{"status":"suspended","suspended_at":"2026-06-21T10:40:00.000Z"}"#,
    ),
    (
        EventType::TenantReactivated,
        "The suspension of the tenant is lifted",
        r#"{"status":"active","suspended_at":null}"#,
    ),
    (
        EventType::TenantSecretRotated,
        "The tenant has a new secret, which is not in the callback",
        r#"{"secret_rotated_at":"2026-06-21T10:40:00.000Z","previous_secret_valid_until":"2026-06-21T11:40:00.000Z"}"#,
    ),
    (EventType::QrLoginApproved, "A person has approved a QR login, which signs in nobody by itself", APPROVED_LOGIN),
    (EventType::QrLoginDenied, "A QR login was denied: by its person, a wrong number or its distance", DENIED_LOGIN),
    (EventType::QrLoginExpired, "A QR login has run out of time", EXPIRED_LOGIN),
    (EventType::PairingCreated, "A person has paired a phone", PAIRING),
    (EventType::PairingRemoved, "A phone is paired no more", REMOVED_PAIRING),
    (EventType::PasskeyRegistered, "A person has a new passkey", PASSKEY),
    (EventType::PasskeyUsed, "Somebody logged in with a passkey", PASSKEY),
    (EventType::PasskeyRenamed, "A passkey has another name", PASSKEY),
    (EventType::PasskeyRevoked, "A passkey opens nothing any more", REVOKED_PASSKEY),
    (
        EventType::PasskeyCloneSuspected,
        "A login was refused because the counter of its passkey did not grow: there may be a copy",
        PASSKEY,
    ),
    (EventType::Ping, "Somebody tests the receiver", "{}"),
];

const APPROVED_LOGIN: &str = r#"{
    "session_id": "AQEBAQEBAQEBAQEBAQEBAQaaaaaaaaaa", "phase": "approved", "browser_origin": "https://app.example.com",
    "initiated_at": "2026-06-21T10:39:30.112Z", "expires": "2026-06-21T10:41:30.112Z", "backend_user_id": "user_456",
    "relay_user_linked_id": "5f0c2d9471be4c1a8d3fb2a6", "device_id": "dev_0123456789abcdef",
    "proximity": "same_network", "decided_at": "2026-06-21T10:40:00.000Z",
    "decision": "eyJhbGciOiJFUzI1NiIsInR5cCI6InFyLWRlY2lzaW9uK2p3dCJ9.e30.c2lnbmF0dXJl", "cnf": null
}"#;

const DENIED_LOGIN: &str = r#"{
    "session_id": "AQEBAQEBAQEBAQEBAQEBAQaaaaaaaaaa", "phase": "denied", "browser_origin": "https://app.example.com",
    "initiated_at": "2026-06-21T10:39:30.112Z", "expires": "2026-06-21T10:41:30.112Z", "backend_user_id": "user_456",
    "relay_user_linked_id": "5f0c2d9471be4c1a8d3fb2a6", "device_id": "dev_0123456789abcdef", "proximity": "distant",
    "decided_at": "2026-06-21T10:40:00.000Z",
    "decision": "eyJhbGciOiJFUzI1NiIsInR5cCI6InFyLWRlY2lzaW9uK2p3dCJ9.e30.c2lnbmF0dXJl", "cnf": null
}"#;

const EXPIRED_LOGIN: &str = r#"{
    "session_id": "AQEBAQEBAQEBAQEBAQEBAQaaaaaaaaaa", "phase": "expired", "browser_origin": "https://app.example.com",
    "initiated_at": "2026-06-21T10:38:00.000Z", "expires": "2026-06-21T10:40:00.000Z", "backend_user_id": null,
    "relay_user_linked_id": null, "device_id": null, "proximity": null, "decided_at": null, "decision": null,
    "cnf": null
}"#;

const PAIRING: &str = r#"{
    "backend_user_id": "user_456", "relay_user_linked_id": "5f0c2d9471be4c1a8d3fb2a6", "user_socket_hash": "socket_789",
    "device_id": "dev_0123456789abcdef", "name": "Ada's phone", "platform": "android", "display_name": "Ada Lovelace",
    "user_email": "a***@e***.com", "user_phone": null, "created_at": "2026-06-21T10:40:00.000Z", "removed_at": null
}"#;

const REMOVED_PAIRING: &str = r#"{
    "backend_user_id": "user_456", "relay_user_linked_id": "5f0c2d9471be4c1a8d3fb2a6", "user_socket_hash": "socket_789",
    "device_id": "dev_0123456789abcdef", "name": "Ada's phone", "platform": "android", "display_name": "Ada Lovelace",
    "user_email": "a***@e***.com", "user_phone": null, "created_at": "2026-06-20T14:02:11.480Z",
    "removed_at": "2026-06-21T10:40:00.000Z"
}"#;

const PASSKEY: &str = r#"{
    "backend_user_id": "user_456", "relay_user_linked_id": "5f0c2d9471be4c1a8d3fb2a6",
    "credential_id": "AQIDBAUGBwgJCgsMDQ4PEA", "name": "Ada's phone",
    "aaguid": "fbfc3007-154e-4ecc-8c0b-6e020557d7bd", "provider_name": "Apple Passwords",
    "transports": ["internal", "hybrid"], "backup_eligible": true, "backup_state": true,
    "created_at": "2026-06-20T14:02:11.480Z", "last_used_at": "2026-06-21T10:40:00.000Z", "rp_id": "example.com",
    "revoked_at": null
}"#;

const REVOKED_PASSKEY: &str = r#"{
    "backend_user_id": "user_456", "relay_user_linked_id": "5f0c2d9471be4c1a8d3fb2a6",
    "credential_id": "AQIDBAUGBwgJCgsMDQ4PEA", "name": "Ada's phone",
    "aaguid": "fbfc3007-154e-4ecc-8c0b-6e020557d7bd", "provider_name": "Apple Passwords",
    "transports": ["internal", "hybrid"], "backup_eligible": true, "backup_state": true,
    "created_at": "2026-06-20T14:02:11.480Z", "last_used_at": "2026-06-21T10:39:12.006Z", "rp_id": "example.com",
    "revoked_at": "2026-06-21T10:40:00.000Z"
}"#;

/// The time of the events in examples.
const AT_MILLIS: i64 = 1_782_038_400_000;

/// The headers of a callback: name, pattern, description.
const HEADERS: [(&str, &str, &str); 6] = [
    ("webhook-id", "^evt_[0-9a-f]{32}$", "Id of the event, as `event_id` in the body."),
    ("webhook-timestamp", "^[0-9]+$", "Time of this attempt, in Unix seconds."),
    (
        "webhook-signature",
        "^v1,[A-Za-z0-9+/]{43}=( v1,[A-Za-z0-9+/]{43}=)?$",
        "Signatures of Standard Webhooks under the webhook secret: one for each tenant secret in force.",
    ),
    ("X-Latchkey-Tenant-Id", "^tnt_[0-9a-f]{32}$", "Id of the tenant. Not signed: go by the body."),
    ("X-Latchkey-Timestamp", "^[0-9]+$", "Time of this attempt, in Unix milliseconds."),
    ("X-Latchkey-Signature", "^(v2=)?[0-9a-f]{64}$", "Signature under the tenant secret, as that of a call."),
];

/// The callbacks, by their types.
pub(super) fn webhooks(generator: &mut SchemaGenerator) -> Map<String, Value> {
    TOLD.iter().map(|told| (told.0.to_string(), webhook(told, generator))).collect()
}

fn webhook((event_type, summary, data): &(EventType, &str, &str), generator: &mut SchemaGenerator) -> Value {
    let header = |(name, pattern, description): (&str, &str, &str)| {
        let schema = json!({ "type": "string", "pattern": pattern });
        json!({ "name": name, "in": "header", "required": true, "description": description, "schema": schema })
    };
    let media = json!({ "schema": schema(*event_type, generator), "example": example(*event_type, data) });
    json!({ "post": {
        "operationId": operation_id(*event_type),
        "summary": summary,
        "description": format!(
            "POST to `<callback_url_base>/relay-callbacks/{}`, at least once and in no order.",
            event_type.flow(),
        ),
        "tags": [TAG],
        "security": [],
        "parameters": HEADERS.map(header),
        "requestBody": { "required": true, "content": { "application/json": media } },
        "responses": {
            "2XX": { "description": "The receiver has the event." },
            "410": { "description": "The event has failed, and its flow is disabled." },
            "default": { "description": "The attempt has failed, and there will be another." },
        },
    } })
}

/// The body, in the order of its members. More members may come, in `data` too.
fn schema(event_type: EventType, generator: &mut SchemaGenerator) -> Value {
    let described = |description: &str, mut schema: Value| {
        if let Some(schema) = schema.as_object_mut() {
            schema.insert("description".to_owned(), description.into());
        }
        schema
    };
    let mut of = |description: &str, schema: fn(&mut SchemaGenerator) -> schemars::Schema| {
        described(description, schema(generator).to_value())
    };
    let event_id = of("Id of the event, the same at each attempt.", SchemaGenerator::subschema_for::<EventId>);
    let tenant_id = of("Id of the tenant.", SchemaGenerator::subschema_for::<TenantId>);
    let created_at = of("Time of the change that it tells of.", SchemaGenerator::subschema_for::<Timestamp>);
    let sequence = json!({ "type": "integer", "minimum": 0, "maximum": 9_007_199_254_740_991_u64 });
    json!({
        "type": "object",
        "required": ["event_id", "type", "flow", "tenant_id", "created_at", "sequence", "data"],
        "properties": {
            "event_id": event_id,
            "type": described("Type of the event.", json!({ "const": event_type })),
            "flow": described("Flow that the type belongs to.", json!({ "const": event_type.flow() })),
            "tenant_id": tenant_id,
            "created_at": created_at,
            "sequence": described("Number of this state of the event's subject: ignore what is older.", sequence),
            "data": described("State of the event's subject, complete.", json!({ "type": "object" })),
        },
    })
}

/// A body as it is sent; null if it can't be made, which a test would see.
fn example(event_type: EventType, data: &str) -> Value {
    let made = || {
        let created_at = Timestamp::from_millis(AT_MILLIS);
        let id = EventId::parse(&format!("{}70008000000000000001", EventId::beginning(created_at))).ok()?;
        let tenant_id = &TenantId::parse("tnt_0a0a0a0a0a0a4a0a8a0a0a0a0a0a0a0a").ok()?;
        let data = serde_json::from_str(data).ok()?;
        let event = NewEvent { event_type, tenant_id, created_at, sequence: 1, data };
        serde_json::from_str(&Event::new(id, event).ok()?.body).ok()
    };
    made().unwrap_or_default()
}

/// `tenant.secret_rotated` is `onTenantSecretRotated`.
fn operation_id(event_type: EventType) -> String {
    let words = event_type.as_str().split(['.', '_']);
    words.fold("on".to_owned(), |text, word| {
        let (initial, rest) = word.split_at_checked(1).unwrap_or_default();
        text + &initial.to_uppercase() + rest
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Audience, document};

    #[test]
    fn each_type_has_an_example_that_its_schema_describes() {
        let document = document(Audience::Everyone);
        let webhooks = document["webhooks"].as_object().unwrap();
        assert_eq!(webhooks.len(), TOLD.len());
        for (name, webhook) in webhooks {
            let media = &webhook["post"]["requestBody"]["content"]["application/json"];
            let (example, schema) = (media["example"].as_object().unwrap(), &media["schema"]);
            let required = schema["required"].as_array().unwrap();
            let is_there = |name: &Value| example.contains_key(name.as_str().unwrap());
            assert!(required.iter().all(is_there) && required.len() == example.len(), "{name}");
            for fixed in ["type", "flow"] {
                assert_eq!(example[fixed], schema["properties"][fixed]["const"], "{name}");
            }
            assert_eq!((&example["type"], &example["created_at"]), (&json!(name), &json!("2026-06-21T10:40:00.000Z")));
        }
    }

    #[test]
    fn receivers_are_the_developers_and_not_the_operators() {
        assert!(document(Audience::Operator).get("webhooks").is_none());
        assert!(document(Audience::Developer)["webhooks"]["ping"].is_object());
    }
}
