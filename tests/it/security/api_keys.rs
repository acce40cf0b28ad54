//! Every operation that takes an API key refuses whoever has none that is right for it, in one and the same way.

use serde_json::json;
use shared::api::{Method, OPERATIONS, OperationInfo, Surface};

use super::refusals::{check_told, visible};
use crate::support::{Answer, ApiKey, Call, Deployment, World};

/// The operations of tenants' backends. What takes a row away comes last, so that the others find it.
fn tenants() -> impl Iterator<Item = &'static OperationInfo> {
    let taken = || {
        OPERATIONS
            .iter()
            .filter(|entry| {
                !matches!(entry.surface, Surface::Registry | Surface::Relay | Surface::Device | Surface::Console)
            })
            .filter(|entry| !entry.security.is_empty())
    };
    let deletes = |entry: &&OperationInfo| entry.route.method == Method::Delete;
    taken().filter(move |entry| !deletes(entry)).chain(taken().filter(deletes))
}

/// Those that take nothing but an API key. The account surface takes tokens too: what it refuses is in `scoped_tokens`.
fn keys_only() -> impl Iterator<Item = &'static OperationInfo> {
    tenants().filter(|entry| entry.surface != Surface::Account)
}

/// The kind of keys that are the right ones for all operations of a surface.
fn kind(entry: &OperationInfo) -> &'static str {
    if entry.surface == Surface::Account { "account" } else { "admin" }
}

/// The code that a refusal has on the operation's surface.
fn code(entry: &OperationInfo, registry: &'static str, oauth: &'static str) -> &'static str {
    if entry.surface == Surface::Tokens { oauth } else { registry }
}

fn with_key(deployment: &Deployment, entry: &OperationInfo, world: &World, key: &str) -> Call {
    carrying(deployment.request(entry, world), entry, key)
}

/// The call with a key where the operation looks for one.
fn carrying(call: Call, entry: &OperationInfo, key: &str) -> Call {
    match entry.surface {
        Surface::Account => call.header("x-api-key", key),
        _ => call.header("authorization", &format!("Bearer {key}")),
    }
}

/// The text with its last character replaced: the checksum is wrong then.
pub fn mistyped(text: &str) -> String {
    let last = if text.ends_with('a') { 'b' } else { 'a' };
    format!("{}{last}", &text[..text.len() - 1])
}

/// Makes time pass for a key.
pub async fn set(deployment: &Deployment, key: &ApiKey, attribute: &str, value: i64) {
    let pk = format!("TENANT#{}#KEY#{}", key.tenant.id, key.id);
    deployment.set(&pk, "KEY", &format!("details.{attribute}"), &json!({ "N": value.to_string() })).await;
}

#[tokio::test]
async fn every_operation_refuses_every_other_credential_uniformly_and_writes_nothing() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let (revoked, expired) =
        (deployment.api_key(&world.tenant, "admin").await, deployment.api_key(&world.tenant, "admin").await);
    set(&deployment, &revoked, "revoked_at", 1).await;
    set(&deployment, &expired, "expires_at", 1).await;
    // The right shape and checksum, and of nobody: copies of the item are gone, so it is as if it had never been.
    let gone = deployment.api_key(&world.tenant, "admin").await;
    let place = json!({
        "pk": { "S": format!("TENANT#{}#KEY#{}", world.tenant.id, gone.id) }, "sk": { "S": "KEY" },
    });
    deployment.dynamodb("DeleteItem", &json!({ "TableName": deployment.table(), "Key": place })).await;
    let rotated = deployment.api_key(&world.tenant, "admin").await;
    let path = format!("/api/v1/rotate/api-key?tenant_id={}&key_id={}", world.tenant.id, rotated.id);
    deployment.post_nothing(&path).await.data(200);
    let before = deployment.items_but_notes().await;

    let typo = mistyped(&world.key.text);
    let relabelled = world.key.text.replace("up_admin_", "up_embed_");
    let upper = world.key.text.to_uppercase();
    let (basic, bare) = (format!("Basic {}", world.key.text), world.key.text.clone());
    let twice = format!("Bearer {0},Bearer {0}", world.key.text);
    // Each with how many calls to AWS it may cost at most.
    let credentials = [
        ("none", None::<(&str, String)>, 0),
        ("empty", Some(("authorization", String::new())), 0),
        ("empty bearer", Some(("authorization", "Bearer ".to_owned())), 0),
        ("another scheme", Some(("authorization", basic)), 0),
        ("no scheme", Some(("authorization", bare)), 0),
        ("twice", Some(("authorization", twice)), 0),
        ("malformed", Some(("authorization", "Bearer up_admin_x".to_owned())), 0),
        ("mistyped", Some(("authorization", format!("Bearer {typo}"))), 0),
        ("relabelled", Some(("authorization", format!("Bearer {relabelled}"))), 0),
        ("in upper case", Some(("x-api-key", upper)), 0),
        ("a token", Some(("authorization", format!("Bearer {}", world.token))), 0),
        ("a tenant's secret", Some(("authorization", format!("Bearer {}", world.tenant.secret))), 0),
        ("the admin key", Some(("authorization", format!("Bearer {}", deployment.key()))), 0),
        ("the admin key in its own header", Some(("x-admin-key", deployment.key().to_owned())), 0),
        ("unknown", Some(("authorization", format!("Bearer {}", gone.text))), 1),
        ("revoked", Some(("authorization", format!("Bearer {}", revoked.text))), 1),
        ("expired", Some(("authorization", format!("Bearer {}", expired.text))), 1),
        ("rotated out", Some(("x-api-key", rotated.text.clone())), 1),
    ];
    for entry in keys_only() {
        let mut expected = None;
        for (name, credential, most) in &credentials {
            let call = deployment.request(entry, &world);
            let call = match credential {
                Some((header, value)) => call.header(header, value),
                None => call,
            };
            let (answer, calls) = deployment.calls_of(call).await;
            let label = format!("{} with {name}", entry.route.name);
            answer.refused(401, code(entry, "unauthenticated", "invalid_client"));
            check_told(&answer, &calls, &mut expected, visible, &label);
            assert!(calls.len() <= *most, "{label} made {} calls", calls.len());
        }
    }
    assert_eq!(deployment.items_but_notes().await, before);
}

#[tokio::test]
async fn a_suspended_tenants_keys_are_refused_and_work_again_after_reactivation() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    deployment.suspend(&world.tenant).await.data(200);
    for entry in tenants() {
        let answer = deployment.authorized(entry, &world).send().await;
        answer.refused(403, code(entry, "tenant_suspended", "unauthorized_client"));
        // Only who has the right key learns that.
        let key = if entry.surface == Surface::Account { &world.account } else { &world.key };
        let wrong = with_key(&deployment, entry, &world, &mistyped(&key.text)).send().await;
        assert_eq!(wrong.status, 401);
    }
    deployment.reactivate(&world.tenant).await.data(200);
    for entry in tenants() {
        assert_eq!(
            deployment.authorized(entry, &world).send().await.status,
            entry.route.status,
            "{}",
            entry.route.name
        );
    }
}

#[tokio::test]
async fn each_operation_takes_the_kinds_of_keys_that_the_contract_says() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    for kind in ["embed", "admin", "account"] {
        let key = deployment.api_key(&world.tenant, kind).await;
        for entry in tenants() {
            let taken = match entry.route.name {
                "user-token" | "register-tenant" => kind != "account",
                "introspect" => true,
                "revoke-token" => continue,
                _ => kind == self::kind(entry),
            };
            let answer = with_key(&deployment, entry, &world, &key.text).send().await;
            if taken {
                assert_eq!(answer.status, entry.route.status, "{} with {kind}: {}", entry.route.name, answer.text);
            } else {
                answer.refused(403, "key_kind_not_allowed");
            }
        }
    }
}

#[tokio::test]
async fn a_key_with_origins_is_refused_from_every_other_page() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let path = format!("/api/v1/provision/api-key?tenant_id={}", world.tenant.id);
    let provision = async |kind: &str| {
        let body = json!({ "name": "Page", "kind": kind, "allowed_origins": ["https://app.example.com"] });
        deployment.post(&path, &body).await.data(201)["api_key"].as_str().unwrap().to_owned()
    };
    let keys = [provision("admin").await, provision("account").await];
    for entry in tenants().filter(|entry| entry.route.name != "revoke-token") {
        let key = &keys[usize::from(entry.surface == Surface::Account)];
        let call = || with_key(&deployment, entry, &world, key);
        // What was deleted by the call before is not there any more.
        let is_done = |answer: &Answer| {
            answer.status == entry.route.status || (entry.route.method == Method::Delete && answer.status == 404)
        };
        for origin in
            ["https://evil.example", "https://app.example.com.evil.example", "http://app.example.com", "null", ""]
        {
            let answer = call().header("origin", origin).send().await;
            answer.refused(403, code(entry, "origin_not_allowed", "unauthorized_client"));
        }
        assert!(is_done(&call().header("origin", "https://app.example.com").send().await), "{}", entry.route.name);
        // A backend sends none.
        assert!(is_done(&call().send().await), "{}", entry.route.name);
        let anywhere = deployment.authorized(entry, &world).header("origin", "https://evil.example").send().await;
        assert!(is_done(&anywhere), "a key without origins may be used anywhere");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_told_to_key_holders_only() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let bodies = [
        ("application/json", b"{\"name\":".to_vec(), 400, "malformed_request"),
        ("application/json", vec![b' '; 64 * 1024 + 1], 413, "payload_too_large"),
        ("text/plain", b"{}".to_vec(), 415, "unsupported_media_type"),
        ("application/json", b"\xef\xbb\xbf{}".to_vec(), 400, "malformed_request"),
    ];
    for entry in tenants().filter(|entry| entry.has_body()) {
        let key = if entry.surface == Surface::Account { &world.account } else { &world.key };
        for (content_type, body, status, reason) in &bodies {
            let call =
                || deployment.anonymous(entry.route.method.as_str(), entry.route.path).body(content_type, body.clone());
            call().send().await.refused(401, code(entry, "unauthenticated", "invalid_client"));
            let answer = carrying(call(), entry, &key.text).send().await;
            answer.refused(*status, code(entry, reason, "invalid_request"));
        }
    }
}
