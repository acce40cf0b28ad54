//! What clients differ in when they send a body, or a credential, on every operation that takes one.

use shared::api::{BodyRule, OPERATIONS, OperationInfo, Surface};

use crate::support::Deployment;

/// The operations of credentials that a test can send. Phones prove theirs for each call: see `devices`.
fn taking_bodies() -> impl Iterator<Item = &'static OperationInfo> {
    OPERATIONS.iter().filter(|entry| entry.has_body() && entry.surface != Surface::Device)
}

/// The code of a refusal on the operation's surface.
fn code(entry: &OperationInfo, code: &'static str) -> &'static str {
    if entry.surface == Surface::Tokens { "invalid_request" } else { code }
}

#[tokio::test]
async fn a_compressed_body_and_one_with_a_byte_order_mark_are_refused_for_what_they_are() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let before = deployment.items().await;
    for entry in taking_bodies().filter(|entry| entry.surface != Surface::Relay) {
        let call = || deployment.authorized(entry, &world);
        for coding in ["gzip", "br", "GZIP", "gzip, identity"] {
            let answer = call().header("content-encoding", coding).bytes(b"\x1f\x8b\x08\0".to_vec()).send().await;
            answer.refused(415, code(entry, "unsupported_media_type"));
            assert!(answer.text.contains("compressed"), "{}", answer.text);
        }
        let answer = call().bytes(b"\xef\xbb\xbf{}".to_vec()).send().await;
        answer.refused(400, code(entry, "malformed_request"));
        assert!(answer.text.contains("byte order mark"), "{}", answer.text);
    }
    assert_eq!(deployment.items().await, before);
}

#[tokio::test]
async fn null_is_no_body_where_one_may_be_left_out_and_never_a_token_for_the_whole_account() {
    let deployment = Deployment::start().await;
    let mut seen = 0;
    for entry in taking_bodies().filter(|entry| entry.route.body == BodyRule::Optional) {
        let world = deployment.world().await;
        // Without a body, a rotation is refused until the standby key has been published for a while.
        deployment.age_standby_key(&world.tenant.id, 900).await;
        let answer = deployment.authorized(entry, &world).bytes(" null\n").send().await;
        if entry.route.name == "auth-token" {
            answer.refused(400, "malformed_request");
        } else {
            assert_eq!(answer.status, entry.route.status, "{}: {}", entry.route.name, answer.text);
        }
        seen += 1;
    }
    assert!(seen >= 8, "{seen}");
    let world = deployment.world().await;
    for entry in taking_bodies().filter(|entry| !matches!(entry.route.body, BodyRule::Optional)) {
        if entry.surface != Surface::Relay {
            let answer = deployment.authorized(entry, &world).bytes("null").send().await;
            answer.refused(400, code(entry, "malformed_request"));
        }
    }
}

/// Generated clients send one key by all schemes of an operation.
#[tokio::test]
async fn one_key_in_every_place_is_one_key() {
    let deployment = Deployment::start().await;
    let mut seen = 0;
    for entry in OPERATIONS.iter().filter(|entry| !entry.security.is_empty()) {
        if matches!(entry.surface, Surface::Relay | Surface::Device) {
            continue;
        }
        let world = deployment.world().await;
        let key = match entry.surface {
            Surface::Registry => deployment.key(),
            Surface::Account => &world.account.text,
            _ => &world.key.text,
        };
        let header = if entry.surface == Surface::Account { "authorization" } else { "x-api-key" };
        let value = if header == "authorization" { format!("Bearer {key}") } else { key.to_owned() };
        let answer = deployment.authorized(entry, &world).header(header, &value).send().await;
        assert_eq!(answer.status, entry.route.status, "{}: {}", entry.route.name, answer.text);
        seen += 1;
    }
    assert!(seen > 30, "{seen}");
}

/// Who has a key is told what is wrong with the rest: curl says of every body that it is a form.
#[tokio::test]
async fn a_key_in_a_body_is_seen_whatever_type_the_body_has() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let path = "/v1/api/projects/register-user";
    for kind in ["application/x-www-form-urlencoded", "text/plain", ""] {
        let with = |key: &str| {
            let body = format!(r#"{{"apiKey":"{key}","name":"Ada"}}"#);
            deployment.anonymous("POST", path).body(kind, body).send()
        };
        with(&world.key.text).await.refused(415, "unsupported_media_type");
        with(&world.key.text[..40]).await.refused(401, "unauthenticated");
    }
}
