//! Sessions of the console: what they open, what they do not, and what ends them.

use serde_json::json;
use shared::api::{OPERATIONS, OperationInfo, Surface};
use stack::{Effect, Fault, Match};

use crate::support::console::{Browser, SESSION};
use crate::support::{Deployment, takes};

/// The operations of a tenant's own console.
fn of_tenants() -> impl Iterator<Item = &'static OperationInfo> {
    OPERATIONS.iter().filter(|entry| entry.surface == Surface::Console && entry.route.path != SESSION)
}

fn of_operator() -> impl Iterator<Item = &'static OperationInfo> {
    OPERATIONS.iter().filter(|entry| entry.surface == Surface::Registry)
}

/// What a session is used on: the tenant is named where the operation wants one.
fn target(entry: &OperationInfo, tenant: &str) -> String {
    let path = entry.route.path;
    if takes(entry, "tenant_id") { format!("{path}?tenant_id={tenant}") } else { path.to_owned() }
}

#[tokio::test]
async fn every_operation_of_the_console_refuses_every_other_credential_uniformly_and_writes_nothing() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let operator = deployment.console(None, "Olga").await;
    let phone = deployment.paired(&world.tenant, "ada").await;
    let gone = deployment.console(Some(&world.tenant), "Eve").await;
    deployment.in_console(&gone, "DELETE", SESSION).send().await.data(200);
    let of = |token: &str| Browser { token: token.to_owned(), ..world.console.clone() };
    let mut mistyped = world.console.token.clone();
    mistyped.replace_range(10..11, if &mistyped[10..11] == "a" { "b" } else { "a" });
    let code = deployment.link(Some(&world.tenant), "Bob").await;
    let before = deployment.all_items().await;
    let (mut seen, mut texts) = (0, Vec::new());
    for entry in of_tenants() {
        let method = entry.route.method.as_str();
        let path = entry.route.path;
        // By its sender: what has the shape of a session is known by the table alone.
        for (name, browser, has_shape) in [
            ("the operator's session", operator.clone(), true),
            ("an ended session", gone.clone(), true),
            ("a phone's session", phone.clone(), false),
            ("an API key", of(&world.account.text), false),
            ("the code of a link", of(&code), false),
            ("a mistyped session", of(&mistyped), false),
            ("no text", of(""), false),
        ] {
            let answer = deployment.in_console(&browser, method, path).send().await;
            answer.refused(401, "unauthenticated");
            assert_eq!(answer.reason().is_none(), has_shape, "{path} with {name}: {}", answer.text);
            texts.extend(has_shape.then(|| answer.text.clone()));
            seen += 1;
        }
        for call in [
            deployment.anonymous(method, path),
            deployment.operator(method, path),
            deployment.account(&world.account, method, path),
            deployment.page(&world.token, method, path),
            deployment.anonymous(method, path).signed(&world.tenant.signing()),
            deployment.anonymous(method, path).header("authorization", &format!("Bearer {}", world.console.token)),
        ] {
            call.send().await.refused(401, "unauthenticated");
        }
        // A stolen session, with a key of the thief's own; and its own proof for another call, or used again.
        let thief = Browser { token: world.console.token.clone(), ..Browser::default() };
        deployment.in_console(&thief, method, path).send().await.refused(401, "invalid_dpop_proof");
        for (changes, code) in [
            (json!({ "htm": "PATCH" }), "invalid_dpop_proof"),
            (json!({ "htu": "https://evil.example/" }), "invalid_dpop_proof"),
            (json!({ "ath": operator.ath() }), "invalid_dpop_proof"),
            (json!({ "nonce": null }), "use_dpop_nonce"),
        ] {
            let call = deployment.in_console_with(&world.console, method, path, &changes);
            let answer = call.send().await;
            assert!(answer.refused(401, code).headers["www-authenticate"].starts_with("DPoP "));
        }
        let foreign = deployment.in_console(&world.console, method, path).header("origin", "https://evil.example");
        foreign.send().await.refused(403, "origin_not_allowed");
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "whatever the reason, the refusal is the same: {texts:?}");
    assert!(seen > 80, "{seen}");
    assert_eq!(deployment.all_items().await, before);
}

#[tokio::test]
async fn a_tenants_session_opens_nothing_of_the_registry_and_reads_nothing_for_it() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let before = deployment.all_items().await;
    for entry in of_operator() {
        let call = deployment.in_console(&world.console, entry.route.method.as_str(), &target(entry, &world.tenant.id));
        let (answer, calls) = deployment.calls_of(call).await;
        answer.refused(401, "unauthenticated");
        assert!(calls.is_empty(), "{}", entry.route.name);
    }
    assert_eq!(deployment.all_items().await, before);
}

#[tokio::test]
async fn the_operators_session_opens_the_registry_as_the_key_does_with_each_proof_once() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let operator = deployment.console(None, "Olga").await;
    for entry in of_operator() {
        let method = entry.route.method.as_str();
        // Without what it is about or what it is to do: whoever is told that has got in.
        let call = deployment.in_console(&operator, method, &format!("{}?surprise=1", entry.route.path));
        let again = call.clone();
        let answer = call.send().await;
        assert!(matches!(answer.status, 400 | 422), "{}: {}", entry.route.name, answer.text);
        again.send().await.refused(401, "invalid_dpop_proof");
    }
    let path = format!("/api/v1/suspend/tenant?tenant_id={}", world.tenant.id);
    deployment.in_console(&operator, "POST", &path).send().await.data(200);
    let events = deployment.audit_events(&world.tenant).await;
    let event = events.iter().find(|event| event["action"] == "tenant.suspended").unwrap();
    assert_eq!((&event["actor"], &event["label"]), (&json!("operator (console)"), &json!("Olga")));
    // Both at once: the key decides.
    let both = deployment.in_console(&operator, "GET", "/api/v1/fetch/tenants").header("x-admin-key", &"a".repeat(48));
    both.send().await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn the_operators_sessions_end_with_the_key_that_they_came_of() {
    let deployment = Deployment::start().await;
    let operator = deployment.console(None, "Olga").await;
    let list = || deployment.in_console(&operator, "GET", "/api/v1/fetch/tenants");
    list().send().await.data(200);
    let old = deployment.key().to_owned();
    deployment.put_admin_keys(&json!({ "current": "b".repeat(48), "previous": old }), '1');
    list().send().await.data(200);
    deployment.put_admin_keys(&json!({ "current": "b".repeat(48) }), '2');
    list().send().await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_tenants_sessions_stop_with_its_suspension_and_end_with_its_tokens() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let browser = deployment.console(Some(&tenant), "Ada").await;
    let leaving = deployment.console(Some(&tenant), "Eve").await;
    let code = deployment.link(Some(&tenant), "Bob").await;
    let get = |path: &str| deployment.in_console(&browser, "GET", path).send();
    let tenants = "/api/v1/console/tenant";
    deployment.suspend(&tenant).await.data(200);
    get(tenants).await.refused(403, "tenant_suspended");
    get(SESSION).await.refused(403, "tenant_suspended");
    let opening = || deployment.opens_with(&Browser::default(), &code, &json!({})).send();
    opening().await.refused(403, "tenant_suspended");
    // Whoever leaves a browser can do so at any time.
    deployment.in_console(&leaving, "DELETE", SESSION).send().await.data(200);
    deployment.reactivate(&tenant).await.data(200);
    get(tenants).await.data(200);
    deployment.in_console(&leaving, "GET", tenants).send().await.refused(401, "unauthenticated");
    deployment.revoke_tokens(&tenant, &json!({ "all": true })).await.data(200);
    get(tenants).await.refused(401, "unauthenticated");
    // A link that nobody has opened yet is as good as a session.
    opening().await.refused(404, "console_link_not_found");
    let anew = deployment.console(Some(&tenant), "Ada").await;
    deployment.in_console(&anew, "GET", tenants).send().await.data(200);
}

#[tokio::test]
async fn a_call_that_is_under_way_when_its_session_ends_does_nothing() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let path = "/api/v1/console/rotate-tenant-secret";
    for revokes in [false, true] {
        let browser = deployment.console(Some(&tenant), "Ada").await;
        let writes = Match::any().function("console-rotate-tenant-secret").operation("TransactWriteItems");
        let held = deployment.stack.faults().hold(writes);
        let end = async {
            held.reached().await;
            if revokes {
                deployment.revoke_tokens(&tenant, &json!({ "all": true })).await.data(200);
            } else {
                deployment.in_console(&browser, "DELETE", SESSION).send().await.data(200);
            }
            held.release();
        };
        let (answer, ()) = tokio::join!(deployment.in_console(&browser, "POST", path).send(), end);
        answer.refused(401, "unauthenticated");
        assert_eq!(deployment.valid_secrets(&tenant.id).await, [tenant.secret.as_str()], "revokes: {revokes}");
    }
}

#[tokio::test]
async fn a_stores_failure_lets_no_session_in() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let (browser, operator) = (deployment.console(Some(&tenant), "Ada").await, deployment.console(None, "Olga").await);
    for operation in ["GetItem", "BatchGetItem", "TransactWriteItems", "GetSecretValue"] {
        for (browser, path) in [(&browser, "/api/v1/console/tenant"), (&operator, "/api/v1/fetch/tenants")] {
            let reads = if path.contains("fetch") { "GetItem" } else { "BatchGetItem" };
            let concerns = operation == reads
                || operation == "TransactWriteItems"
                || (operation == "GetSecretValue" && path.contains("fetch"));
            let down = Effect::Status(500, "InternalServerError".to_owned());
            deployment.stack.faults().inject(Fault::new(Match::any().operation(operation), down));
            let answer = deployment.in_console(browser, "GET", path).send().await;
            deployment.stack.faults().clear();
            assert_eq!(answer.status, if concerns { 503 } else { 200 }, "{operation} {path}: {}", answer.text);
        }
    }
}
