//! `POST /api/v1/provision/api-key`

use std::time::Duration;

use serde_json::{Value, json};
use shared::domain::{ApiKeySecret, KeyKind, SystemRandomness, TenantId, Timestamp};

use crate::support::{Answer, ApiKey, Call, Deployment, Tenant, with};

fn path(tenant: &Tenant) -> String {
    format!("/api/v1/provision/api-key?tenant_id={}", tenant.id)
}

/// A key; `fields` beside its name and its kind.
async fn provision(deployment: &Deployment, tenant: &Tenant, fields: &Value) -> Answer {
    let body = with(&json!({ "name": "Backend", "kind": "admin" }), fields);
    deployment.post(&path(tenant), &body).await
}

fn key(tenant: &Tenant, answer: &Answer) -> ApiKey {
    let text = |name: &str| answer.data(201)[name].as_str().unwrap().to_owned();
    ApiKey { id: text("key_id"), text: text("api_key"), tenant: tenant.clone() }
}

/// A request that any kind of key may make.
fn introspection(deployment: &Deployment, key: &ApiKey) -> Call {
    deployment.backend(key, "POST", "/api/v1/auth/introspect").json(&json!({ "token": "x" }))
}

/// A request that an admin key may make.
fn list(deployment: &Deployment, key: &ApiKey) -> Call {
    deployment.backend(key, "GET", "/v1/api/projects/organizations")
}

/// The items of keys.
async fn keys(deployment: &Deployment) -> Vec<Value> {
    let items = deployment.items().await;
    items.into_iter().filter(|item| item["sk"]["S"] == "KEY").collect()
}

#[tokio::test]
async fn a_key_of_each_kind_has_its_shape_and_works_at_once() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    for (kind, prefix) in [("embed", "up_embed_"), ("admin", "up_admin_"), ("account", "ak_")] {
        let answer = provision(&deployment, &tenant, &json!({ "kind": kind })).await;
        let data = answer.data(201);
        assert_eq!(
            (&data["kind"], &data["name"], &data["expires_at"]),
            (&json!(kind), &json!("Backend"), &Value::Null)
        );
        let key = key(&tenant, &answer);
        let rest = key.text.strip_prefix(prefix).unwrap();
        assert!(rest.len() == 96 && rest.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7')), "{kind}");
        let digits = key.id.strip_prefix("key_").unwrap();
        assert!(digits.len() == 16 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{kind}");
        introspection(&deployment, &key).send().await.document(200);
    }
}

#[tokio::test]
async fn a_key_is_shown_once_and_only_its_hash_is_stored() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    for kind in ["embed", "admin", "account"] {
        let answer = provision(&deployment, &tenant, &json!({ "kind": kind })).await;
        let key = key(&tenant, &answer);
        introspection(&deployment, &key).send().await.document(200);
        let item = keys(&deployment)
            .await
            .into_iter()
            .find(|item| item["details"]["M"]["key_id"]["S"] == key.id.as_str())
            .unwrap();
        assert_eq!(item["key_hash"]["S"], ApiKeySecret::parse(&key.text).unwrap().hash().to_text());
        // All that may be anywhere is its beginning: prefix and four characters, which are of its id.
        let secret = key.text.rsplit_once('_').unwrap().1;
        let parts: Vec<_> = (0..=secret.len() - 8).map(|from| &secret[from..from + 8]).collect();
        let mut places: Vec<_> = deployment.items().await.iter().map(Value::to_string).collect();
        places.extend(
            deployment.stored_secrets().into_iter().flat_map(|secret| secret.versions).map(|(.., value)| value),
        );
        for fetch in ["api-keys", "audit-events", "tenant"] {
            places.push(deployment.get(&format!("/api/v1/fetch/{fetch}?tenant_id={}", tenant.id)).await.text);
        }
        for part in parts {
            assert!(!places.iter().any(|place| place.contains(part)), "{kind}: {part}");
        }
    }
}

#[tokio::test]
async fn it_leaves_one_event_that_names_the_key() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = key(&tenant, &provision(&deployment, &tenant, &json!({})).await);
    assert_eq!(deployment.audit_trail(&tenant).await, ["tenant.provisioned", "api_key.provisioned"]);
    let events = deployment.get(&format!("/api/v1/fetch/audit-events?tenant_id={}&limit=1", tenant.id)).await;
    let event = &events.data(200)["events"][0];
    assert_eq!(
        (&event["subject"], &event["fields"], &event["actor"]),
        (&json!(key.id), &json!([]), &json!("operator"))
    );
}

#[tokio::test]
async fn a_lifetime_is_a_minute_to_ten_years_and_counted_from_now() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    for seconds in [60, 315_360_000] {
        let answer = provision(&deployment, &tenant, &json!({ "expires_in": seconds })).await;
        let moment = |name: &str| Timestamp::parse(answer.data(201)[name].as_str().unwrap()).unwrap();
        assert_eq!(moment("expires_at"), moment("created_at").plus(Duration::from_secs(seconds)));
        introspection(&deployment, &key(&tenant, &answer)).send().await.document(200);
    }
    let forever = provision(&deployment, &tenant, &json!({ "expires_in": null })).await;
    assert!(forever.data(201)["expires_at"].is_null());
}

#[tokio::test]
async fn an_expired_key_is_refused_like_an_unknown_one() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = key(&tenant, &provision(&deployment, &tenant, &json!({ "expires_in": 60 })).await);
    list(&deployment, &key).send().await.data(200);
    let pk = format!("TENANT#{}#KEY#{}", tenant.id, key.id);
    deployment.set(&pk, "KEY", "details.expires_at", &json!({ "N": "1" })).await;
    let expired = list(&deployment, &key).send().await;
    expired.refused(401, "unauthenticated");
    let id = TenantId::parse(&tenant.id).unwrap();
    let of_nobody = ApiKeySecret::generate(&id, KeyKind::Admin, &SystemRandomness::new()).unwrap().unwrap();
    let key_of_nobody = ApiKey { text: of_nobody.expose().to_owned(), ..key };
    assert_eq!(list(&deployment, &key_of_nobody).send().await.text, expired.text);
}

#[tokio::test]
async fn a_field_that_breaks_its_rule_is_named_and_nothing_is_written() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let before = deployment.items().await;
    let origins = |count: usize| (0..count).map(|n| format!("https://a{n}.example.com")).collect::<Vec<_>>();
    let cases = [
        ("expires_in", "expires_in", json!(59)),
        ("expires_in", "expires_in", json!(315_360_001)),
        ("expires_in", "expires_in", json!(0)),
        ("expires_in", "expires_in", json!(-1)),
        ("expires_in", "expires_in", json!(60.5)),
        ("expires_in", "expires_in", json!("60")),
        ("expires_in", "expires_in", json!(true)),
        ("expires_in", "expires_in", json!(u64::MAX)),
        ("name", "name", json!("")),
        ("name", "name", json!("a".repeat(121))),
        ("name", "name", json!("a\u{7}b")),
        ("name", "name", json!("a\u{202e}b")),
        ("name", "name", json!("\u{200b}")),
        ("name", "name", json!(null)),
        ("name", "name", json!(1)),
        ("kind", "kind", json!("root")),
        ("kind", "kind", json!("Admin")),
        ("kind", "kind", json!("")),
        ("kind", "kind", json!(null)),
        ("kind", "kind", json!(["admin"])),
        ("allowed_origins", "allowed_origins", json!(origins(51))),
        ("allowed_origins", "allowed_origins", json!("https://a.example.com")),
        ("allowed_origins", "allowed_origins[0]", json!(["https://a.example.com/"])),
        ("allowed_origins", "allowed_origins[0]", json!(["*"])),
        ("allowed_origins", "allowed_origins[0]", json!(["null"])),
        ("allowed_origins", "allowed_origins[1]", json!(["https://a.example.com", "http://a.example.com"])),
        ("origins_apply_to_tokens", "origins_apply_to_tokens", json!("true")),
        ("scope", "scope", json!("all")),
        ("key_id", "key_id", json!("key_0000000000000000")),
    ];
    for (field, named, value) in cases {
        provision(&deployment, &tenant, &json!({ field: value })).await.names(named);
    }
    deployment.post(&path(&tenant), &json!({ "kind": "admin" })).await.names("name");
    deployment.post(&path(&tenant), &json!({ "name": "Backend" })).await.names("kind");
    deployment.post("/api/v1/provision/api-key", &json!({ "name": "a", "kind": "admin" })).await.names("tenant_id");
    deployment.post_nothing(&path(&tenant)).await.refused(400, "malformed_request");
    assert_eq!(deployment.items().await, before);
}

#[tokio::test]
async fn origins_are_kept_as_they_were_given_and_hold_for_browsers() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let origins: Vec<_> = (0..50).map(|n| format!("https://a{n}.example.com")).collect();
    let key = key(&tenant, &provision(&deployment, &tenant, &json!({ "allowed_origins": origins })).await);
    let fetched = deployment.get(&format!("/api/v1/fetch/api-keys?tenant_id={}", tenant.id)).await;
    assert_eq!(fetched.data(200)["api_keys"][0]["allowed_origins"], json!(origins));
    let from = |origin: &str| list(&deployment, &key).header("origin", origin).send();
    from("https://a49.example.com").await.data(200);
    list(&deployment, &key).send().await.data(200);
    for origin in ["https://a50.example.com", "http://a49.example.com", "https://a49.example.com.evil.com", "null"] {
        from(origin).await.refused(403, "origin_not_allowed");
    }
}

#[tokio::test]
async fn origins_apply_to_tokens_unless_the_key_says_otherwise() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    for (fields, applies) in [
        (json!({}), true),
        (json!({ "origins_apply_to_tokens": true }), true),
        (json!({ "origins_apply_to_tokens": false }), false),
    ] {
        let answer = provision(&deployment, &tenant, &fields).await;
        assert_eq!(answer.data(201)["origins_apply_to_tokens"], applies, "{fields}");
        let fetched = deployment.get(&format!("/api/v1/fetch/api-keys?tenant_id={}&limit=1", tenant.id)).await;
        let row = &fetched.data(200)["api_keys"][0];
        assert_eq!((&row["key_id"], &row["origins_apply_to_tokens"]), (&answer.data(201)["key_id"], &json!(applies)));
    }
}

#[tokio::test]
async fn a_suspended_tenant_can_be_given_a_key_that_works_when_it_is_reactivated() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    deployment.suspend(&tenant).await.data(200);
    let key = key(&tenant, &provision(&deployment, &tenant, &json!({})).await);
    list(&deployment, &key).send().await.refused(403, "tenant_suspended");
    deployment.reactivate(&tenant).await.data(200);
    list(&deployment, &key).send().await.data(200);
}

#[tokio::test]
async fn an_unknown_tenant_is_not_found_and_nothing_is_written() {
    let deployment = Deployment::start().await;
    deployment.provision("Acme").await;
    let before = deployment.items().await;
    for id in ["tnt_unknown", "tnt_00000000000000000000000000000000"] {
        let tenant = Tenant { id: id.to_owned(), secret: String::new() };
        provision(&deployment, &tenant, &json!({})).await.refused(404, "tenant_not_found");
        let call = deployment.operator("POST", &path(&tenant)).header("idempotency-key", "k");
        call.json(&json!({ "name": "a", "kind": "admin" })).send().await.refused(404, "tenant_not_found");
    }
    assert_eq!(deployment.items().await, before);
}

#[tokio::test]
async fn the_same_request_under_an_idempotency_key_is_one_key_and_shows_it_for_ten_minutes() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let send = |name: &str| {
        let call = deployment.operator("POST", &path(&tenant)).header("idempotency-key", "k");
        call.json(&json!({ "name": name, "kind": "admin" })).send()
    };
    let first = send("Backend").await;
    let made = key(&tenant, &first);
    for _ in 0..3 {
        let again = send("Backend").await;
        assert_eq!((again.status, &again.body), (201, &first.body));
    }
    send("Other").await.refused(422, "idempotency_key_reused");
    assert_eq!(keys(&deployment).await.len(), 1);
    assert_eq!(deployment.audit_trail(&tenant).await, ["tenant.provisioned", "api_key.provisioned"]);
    let items = deployment.items().await;
    let outcome = items.iter().find(|item| item["sk"]["S"] == "IDEMPOTENCY").unwrap();
    let until: i64 = outcome["sealed_until"]["N"].as_str().unwrap().parse().unwrap();
    let created_at = Timestamp::parse(first.data(201)["created_at"].as_str().unwrap()).unwrap();
    assert_eq!(until - created_at.as_millis(), 600_000);
    deployment.set(outcome["pk"]["S"].as_str().unwrap(), "IDEMPOTENCY", "sealed_until", &json!({ "N": "1" })).await;
    let late = send("Backend").await;
    let mut expected = first.data(201).clone();
    expected["api_key"] = Value::Null;
    assert_eq!(late.data(201), &expected);
    assert_ne!(late.body["message"], first.body["message"]);
    list(&deployment, &made).send().await.data(200);
}

#[tokio::test]
async fn without_an_idempotency_key_each_request_is_a_key_of_its_own_even_under_the_same_name() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let calls: Vec<_> = (0..8)
        .map(|_| deployment.operator("POST", &path(&tenant)).json(&json!({ "name": "Backend", "kind": "admin" })))
        .map(|call| tokio::spawn(call.send()))
        .collect();
    let mut ids = std::collections::BTreeSet::new();
    for call in calls {
        let key = key(&tenant, &call.await.unwrap());
        list(&deployment, &key).send().await.data(200);
        ids.insert(key.id);
    }
    assert_eq!((ids.len(), keys(&deployment).await.len()), (8, 8));
    assert_eq!(deployment.audit_trail(&tenant).await.len(), 9);
}
