//! Mistakes of a set-up, each made by a tenant of its own with real calls, and what its inspection says of it: the
//! mistake and its mend, and of nothing else that it fails.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stack::{Effect, Fault, Match};

use crate::support::passkeys::ORIGIN;
use crate::support::{ApiKey, Deployment, Tenant, TestReceiver, now_ms, repository};

/// A mistake, the check that names it, its state, what it says, and what it says to do about it.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static str);

const MISTAKES: &[Row] = &[
    ("clock 10 minutes behind", "clock", "fails", "10 min behind", "time server"),
    ("clock an hour ahead, on a first call", "clock", "fails", "59 min ahead", "time server"),
    ("timestamp in seconds", "clock", "fails", "not in milliseconds", "13 digits"),
    ("signature of another body", "signed_call", "unseen", "wrong signature leaves no trace", "bytes of the body"),
    ("v1 where v2 is required", "signature_version", "fails", "requires v2", "Sign with v2"),
    ("a call sent twice", "signature_nonce", "fails", "had been used before", "a nonce of its own"),
    ("old secret after a rotation with overlap", "secret_rotation", "fails", "still signed with the old", "new secret"),
    ("old secret after a rotation without", "secret_rotation", "fails", "a rotation has ended", "every signer"),
    ("origin with a slash", "qr_login", "off", "qr_login_allowed_origins is empty", "without a slash"),
    ("QR login of another page", "qr_login", "fails", "not in qr_login_allowed_origins", "location.origin"),
    ("passkeys without origins", "passkeys", "fails", "webauthn_origins is empty", "https://example.com"),
    ("passkeys of another page", "passkeys", "fails", "not in webauthn_origins", "location.origin"),
    ("passkey made by another page", "passkeys", "fails", "answer of another page", "page of browser_origin"),
    ("dead receiver", "callbacks", "fails", "failed with connect", "port 443"),
    ("receiver that wants a login", "callbacks", "fails", "failed with 401", "verify the signature"),
    ("receiver that is gone", "callbacks", "fails", "is disabled", "reactivate/callbacks"),
    ("key of the wrong kind", "api_key_kind", "fails", "of the kind embed was sent to register-organization", "admin"),
    ("expired key", "api_key_in_force", "fails", "has expired", "Provision another"),
    ("revoked key", "api_key_in_force", "fails", "was revoked", "leaked"),
    ("rotated key", "api_key_in_force", "fails", "was rotated", "new secret"),
    ("key on a page of another origin", "api_key_origin", "fails", "not in its allowed_origins", "without a slash"),
    ("key that nobody uses", "api_key_admin", "unseen", "was used yet", "Authorization: Bearer"),
    ("header that a proxy renamed", "end_user_header", "fails", "the header x-external-user-id", "X-End-User-ID"),
    ("header of an unusual name", "end_user_header", "fails", "a header, which almost names", "X-End-User-ID"),
    ("calls that name no end user", "end_user_named", "fails", "for the whole account", "require_end_user"),
    ("no end user where one is required", "end_user_named", "fails", "calls have to", "Name the end user"),
    ("token for nobody who is registered", "token_subject", "fails", "user-token named a user", "Register first"),
    ("suspended tenant", "tenant", "fails", "unpaid", "reactivate/tenant"),
];

/// A key, without what [`Deployment::api_key`] writes beside it.
async fn key(deployment: &Deployment, tenant: &Tenant, kind: &str, fields: &Value) -> ApiKey {
    let body = crate::support::with(&json!({ "name": kind, "kind": kind }), fields);
    let answer = deployment.post(&format!("/api/v1/provision/api-key?tenant_id={}", tenant.id), &body).await;
    let text = |name: &str| answer.data(201)[name].as_str().unwrap().to_owned();
    ApiKey { id: text("key_id"), text: text("api_key"), tenant: tenant.clone() }
}

async fn update(deployment: &Deployment, tenant: &Tenant, patch: Value) {
    deployment.update(tenant, &patch).await.data(200);
}

/// Makes the mistake, by calls as a tenant and its operator make them.
async fn plant(deployment: &Deployment, tenant: &Tenant, mistake: &str) {
    let signing = || tenant.signing();
    match mistake {
        "clock 10 minutes behind" => {
            deployment.whoami(&signing()).send().await.data(200);
            let call = deployment.whoami(&signing().at(now_ms() - 600_000)).send().await;
            assert_eq!(call.refused(401, "unauthenticated").body["error"]["reason"], "timestamp_out_of_window");
        }
        "clock an hour ahead, on a first call" => {
            let ahead = signing().at(now_ms() + 3_599_000);
            deployment.whoami(&ahead).send().await.refused(401, "unauthenticated");
        }
        "timestamp in seconds" => {
            let call = deployment.whoami(&signing().at(now_ms() / 1000)).send().await;
            assert_eq!(call.refused(401, "unauthenticated").body["error"]["reason"], "timestamp_not_milliseconds");
        }
        "signature of another body" => {
            let path = "/api/v1/relay/test/callbacks";
            let call = deployment.anonymous("POST", path).signed(&signing()).json(&json!({ "sent": true }));
            call.send().await.refused(401, "unauthenticated");
        }
        "v1 where v2 is required" => {
            update(deployment, tenant, json!({ "signing_version": "v2" })).await;
            deployment.whoami(&signing()).send().await.refused(401, "unauthenticated");
        }
        "a call sent twice" => {
            let call = deployment.whoami(&signing().nonce("0123456789abcdef"));
            call.clone().send().await.data(200);
            call.send().await.refused(401, "unauthenticated");
        }
        "old secret after a rotation with overlap" => {
            deployment.rotate(tenant, 3600).await.data(200);
            deployment.whoami(&signing()).send().await.data(200);
        }
        "old secret after a rotation without" => {
            deployment.whoami(&signing()).send().await.data(200);
            deployment.rotate(tenant, 0).await.data(200);
            deployment.whoami(&signing()).send().await.refused(401, "unauthenticated");
        }
        "suspended tenant" => {
            let path = format!("/api/v1/suspend/tenant?tenant_id={}", tenant.id);
            deployment.post(&path, &json!({ "reason": "unpaid" })).await.data(200);
            deployment.whoami(&signing()).send().await.refused(403, "tenant_suspended");
        }
        _ if plant_in_services(deployment, tenant, mistake).await => {}
        _ => plant_with_keys(deployment, tenant, mistake).await,
    }
}

/// The same with passkeys, QR logins and callbacks. Whether it is one of those.
async fn plant_in_services(deployment: &Deployment, tenant: &Tenant, mistake: &str) -> bool {
    let party = json!({ "webauthn_rp_id": "example.com", "passkeys_enabled": true });
    let with_origin = crate::support::with(&party, &json!({ "webauthn_origins": [ORIGIN] }));
    let elsewhere = "https://elsewhere.example.com";
    match mistake {
        "origin with a slash" => {
            let slash = json!({ "qr_login_allowed_origins": ["https://app.example.com/"] });
            deployment.update(tenant, &slash).await.names("qr_login_allowed_origins[0]");
        }
        "QR login of another page" => {
            update(deployment, tenant, json!({ "qr_login_allowed_origins": [ORIGIN] })).await;
            let call = deployment.initiate(tenant, &json!({ "browser_origin": elsewhere }));
            call.send().await.refused(403, "origin_not_allowed");
        }
        "passkeys without origins" => update(deployment, tenant, party).await,
        "passkeys of another page" => {
            update(deployment, tenant, with_origin).await;
            let body = json!({ "backend_user_id": "ada", "username": "ada", "browser_origin": elsewhere });
            let call = deployment.webauthn(tenant, "register/options", &body);
            call.send().await.refused(403, "origin_not_allowed");
        }
        "passkey made by another page" => {
            update(deployment, tenant, with_origin).await;
            let options = deployment.creation_options(tenant, "ada").await;
            let (_, credential) = crate::support::authenticator::Authenticator::create(&options, elsewhere, 0);
            deployment.register(tenant, &credential).send().await.refused(401, "credential_refused");
        }
        "dead receiver" => ping(deployment, tenant, "http://127.0.0.1:9").await,
        "receiver that wants a login" | "receiver that is gone" => {
            let receiver = TestReceiver::start().await;
            receiver.answers(&[if mistake.ends_with("gone") { 410 } else { 401 }]);
            ping(deployment, tenant, &receiver.base()).await;
        }
        _ => return false,
    }
    true
}

async fn ping(deployment: &Deployment, tenant: &Tenant, base: &str) {
    update(deployment, tenant, json!({ "callback_url_base": base })).await;
    deployment.post_nothing(&format!("/api/v1/test/callback?tenant_id={}", tenant.id)).await.data(202);
    deployment.sweep().await;
}

/// The same with API keys.
async fn plant_with_keys(deployment: &Deployment, tenant: &Tenant, mistake: &str) {
    let none = json!({});
    let sessions = |key: &ApiKey| deployment.account(key, "GET", "/api/v1/agent-sessions");
    let users = async |key: &ApiKey| deployment.backend(key, "GET", "/v1/api/projects/users").send().await;
    match mistake {
        "key of the wrong kind" => {
            let key = key(deployment, tenant, "embed", &none).await;
            let answer = deployment.register_organization(&key, &json!({ "name": "a" })).await;
            answer.refused(403, "key_kind_not_allowed");
        }
        "expired key" => {
            // Nobody waits for that long.
            let key = key(deployment, tenant, "admin", &none).await;
            let place = format!("TENANT#{}#KEY#{}", tenant.id, key.id);
            assert_eq!(users(&key).await.status, 200);
            let _working = self::key(deployment, tenant, "admin", &none).await;
            deployment.set(&place, "KEY", "details.expires_at", &json!({ "N": "1" })).await;
            users(&key).await.refused(401, "unauthenticated");
        }
        "revoked key" | "rotated key" => {
            let key = key(deployment, tenant, "admin", &none).await;
            let _working = self::key(deployment, tenant, "admin", &none).await;
            let action = if mistake == "revoked key" { "revoke" } else { "rotate" };
            let path = format!("/api/v1/{action}/api-key?tenant_id={}&key_id={}", tenant.id, key.id);
            deployment.post(&path, &none).await.data(200);
            users(&key).await.refused(401, "unauthenticated");
        }
        "key on a page of another origin" => {
            let origins = json!({ "allowed_origins": ["https://app.example.com"] });
            let key = key(deployment, tenant, "account", &origins).await;
            let call = sessions(&key).header("x-end-user-id", "ada").header("origin", "https://elsewhere.example.com");
            call.send().await.refused(403, "origin_not_allowed");
        }
        "key that nobody uses" => {
            key(deployment, tenant, "admin", &none).await;
        }
        "header that a proxy renamed" | "header of an unusual name" => {
            let name = if mistake.ends_with("renamed") { "x-external-user-id" } else { "xx-end-userid" };
            let key = key(deployment, tenant, "account", &none).await;
            let named = sessions(&key).header("x-end-user-id", "ada").header(name, "ada").send().await;
            named.refused(400, "misspelt_header");
        }
        "calls that name no end user" => {
            let key = key(deployment, tenant, "account", &none).await;
            sessions(&key).send().await.document(200);
        }
        "no end user where one is required" => {
            update(deployment, tenant, json!({ "require_end_user": true })).await;
            let key = key(deployment, tenant, "account", &none).await;
            sessions(&key).send().await.refused(403, "end_user_required");
        }
        "token for nobody who is registered" => {
            let key = key(deployment, tenant, "embed", &none).await;
            let body = json!({ "userId": "nobody", "organizationId": "none" });
            deployment.user_token(&key, &body).await.refused(404, "user_not_found");
        }
        _ => panic!("nobody makes the mistake {mistake}"),
    }
}

async fn checks(deployment: &Deployment, tenant: &Tenant) -> Vec<Value> {
    let answer = deployment.get(&format!("/api/v1/fetch/setup?tenant_id={}", tenant.id)).await;
    answer.data(200)["checks"].as_array().unwrap().clone()
}

#[tokio::test]
async fn each_planted_mistake_is_named_with_its_mend_and_nothing_else_fails() {
    let deployment = Deployment::start().await;
    deployment.stack.streams().stop().await;
    for (mistake, name, state, says, mend) in MISTAKES {
        let tenant = deployment.provision(mistake).await;
        plant(&deployment, &tenant, mistake).await;
        let checks = checks(&deployment, &tenant).await;
        let check = checks.iter().find(|check| check["check"] == *name).unwrap();
        let text = |field: &str| check[field].as_str().unwrap_or_default();
        assert_eq!(text("state"), *state, "{mistake}: {check}");
        assert!(text("says").contains(says), "{mistake}: {check}");
        assert!(text("mend").contains(mend), "{mistake}: {check}");
        let failing: Vec<_> = checks.iter().filter(|check| check["state"] == "fails").collect();
        let expected: Vec<_> = [check].into_iter().filter(|_| *state == "fails").collect();
        assert_eq!(failing, expected, "{mistake}");
        assert!(checks.iter().all(|check| check["curl"] != ""), "{mistake}");
    }
}

/// What a receiver did at an earlier base is no mistake of the one that came after it.
#[tokio::test]
async fn a_receiver_that_moves_is_unseen_until_something_was_sent_there() {
    let deployment = Deployment::start().await;
    deployment.stack.streams().stop().await;
    let tenant = deployment.provision("Acme").await;
    let callbacks = async || {
        let checks = checks(&deployment, &tenant).await;
        let check = checks.into_iter().find(|check| check["check"] == "callbacks").unwrap();
        check["state"].as_str().unwrap().to_owned()
    };
    ping(&deployment, &tenant, "http://127.0.0.1:9").await;
    assert_eq!(callbacks().await, "fails");
    let receiver = TestReceiver::start().await;
    update(&deployment, &tenant, json!({ "callback_url_base": receiver.base() })).await;
    assert_eq!(callbacks().await, "unseen");
    ping(&deployment, &tenant, &receiver.base()).await;
    assert_eq!(callbacks().await, "works");
    update(&deployment, &tenant, json!({ "callback_url_base": "http://127.0.0.1:9" })).await;
    assert_eq!(callbacks().await, "unseen");
}

/// What nobody has proven is nobody's mistake.
#[tokio::test]
async fn what_was_not_proven_is_not_noted() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let stranger = tenant.with_secret("sk_wrong").signing();
    deployment.whoami(&stranger).send().await.refused(401, "unauthenticated");
    deployment.whoami(&stranger.clone().at(now_ms() - 600_000)).send().await.refused(401, "unauthenticated");
    let unknown = Tenant { id: "tnt_unknown".to_owned(), ..tenant.clone() }.signing();
    deployment.whoami(&unknown.at(now_ms() - 600_000)).send().await.refused(401, "unauthenticated");
    let key = deployment.api_key(&tenant, "embed").await;
    // Another key's text with the right form: it was rotated in the meantime, twice.
    let path = format!("/api/v1/rotate/api-key?tenant_id={}&key_id={}", tenant.id, key.id);
    for _ in 0..2 {
        deployment.post_nothing(&path).await.data(200);
    }
    let list = deployment.backend(&key, "GET", "/v1/api/projects/users").header("x-end-userid", "ada");
    list.send().await.refused(401, "unauthenticated");
    let noted = deployment.items().await.into_iter().filter(|item| item["sk"]["S"] == "SETUP").count();
    assert_eq!(noted, 0);
}

#[tokio::test]
async fn a_cause_is_noted_once_a_minute_with_nothing_that_was_sent_and_changes_no_answer() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "account").await;
    let call = || {
        let call = deployment.account(&key, "GET", "/api/v1/agent-sessions");
        call.header("x-end-user-id", "ada").header("xend-user-id", "a-person-of-theirs")
    };
    deployment.account_for(&key, "ada", "GET", "/api/v1/agent-sessions").send().await.document(200);
    let (first, calls) = deployment.calls_and_notes_of(call()).await;
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(operations, ["BatchGetItem", "UpdateItem"]);
    let (second, calls) = deployment.calls_and_notes_of(call()).await;
    let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(operations, ["BatchGetItem"]);
    assert_eq!((first.status, &first.text), (second.status, &second.text));
    let items = deployment.items().await;
    let noted = items.iter().find(|item| item["sk"]["S"] == "SETUP").unwrap();
    let mut names: Vec<_> = noted["end_user_header"]["M"].as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["key_id", "noted_at", "operation"]);
    let text = noted.to_string();
    assert!(!text.contains("xend") && !text.contains("a-person") && !text.contains(&key.text), "{text}");
}

/// A table that takes no note is no reason to answer otherwise, or later than a moment.
#[tokio::test]
async fn a_note_that_fails_changes_no_answer() {
    let deployment = Deployment::start().await;
    let (one, other) = (deployment.provision("One").await, deployment.provision("Other").await);
    let third = deployment.provision("Third").await;
    let mut answers = Vec::new();
    let (fails, hangs) = (Effect::NotSent, Effect::Delay(Duration::from_secs(5)));
    for (tenant, effect) in [(one, None), (other, Some(fails)), (third, Some(hangs))] {
        let key = deployment.api_key(&tenant, "embed").await;
        let body = json!({ "projectId": tenant.project_id(), "name": "a" });
        let register = || deployment.backend(&key, "POST", "/v1/api/projects/register-organization").json(&body);
        let notes = Match::any().function("register-organization").operation("UpdateItem");
        let fault = effect.map(|effect| deployment.stack.faults().inject(Fault::new(notes, effect)));
        let started = Instant::now();
        let answer = register().send().await;
        answer.refused(403, "key_kind_not_allowed");
        assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
        assert!(fault.is_none_or(|fault| fault.fired() > 0));
        deployment.stack.faults().clear();
        answers.push((answer.status, answer.text));
        // What could not be noted is noted the next time.
        register().send().await.refused(403, "key_kind_not_allowed");
        let setup = deployment.get(&format!("/api/v1/fetch/setup?tenant_id={}", tenant.id)).await;
        let checks = setup.data(200)["checks"].as_array().unwrap();
        let kind = checks.iter().find(|check| check["check"] == "api_key_kind").unwrap();
        assert_eq!(kind["state"], "fails", "{kind}");
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
}

/// A token is in the hands of an end user, who could otherwise have its tenant look for a mistake.
#[tokio::test]
async fn what_an_end_user_sends_wrongly_with_a_token_is_no_mistake_of_its_tenant() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let body = json!({ "name": "Page", "kind": "account", "allowed_origins": ["https://app.example.com"] });
    let made = deployment.post(&format!("/api/v1/provision/api-key?tenant_id={}", world.tenant.id), &body).await;
    let key = ApiKey { text: made.data(201)["api_key"].as_str().unwrap().to_owned(), ..world.account.clone() };
    let token = deployment.scoped_token(&key, Some("ada")).await;
    let call = || deployment.page(&token, "GET", "/api/v1/workspaces");
    call().header("origin", "https://evil.example").send().await.refused(403, "origin_not_allowed");
    let misspelt = call().header("origin", "https://app.example.com").header("x-external-user-id", "bob");
    misspelt.send().await.refused(400, "misspelt_header");
    let setup = deployment.get(&format!("/api/v1/fetch/setup?tenant_id={}", world.tenant.id)).await;
    for name in ["api_key_origin", "end_user_header"] {
        let checks = setup.data(200)["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["check"] == name).unwrap();
        assert_ne!(check["state"], "fails", "{check}");
    }
}

#[tokio::test]
async fn every_check_is_in_the_documentation_and_no_other() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let page = std::fs::read_to_string(repository().join("docs/api/registry.md")).unwrap();
    let section = page.split("\n## ").find(|section| section.starts_with("Set-up inspection\n")).unwrap();
    let (_, table) = section.split_once("\n| Check |").unwrap();
    let cells = table.split("\n\n").next().unwrap().lines().filter_map(|row| row.strip_prefix("| `")?.split_once(" |"));
    let documented: Vec<_> =
        cells.flat_map(|(cell, _)| cell.split(", ").map(|name| name.trim_matches('`').to_owned())).collect();
    let checks = checks(&deployment, &tenant).await;
    let shown: Vec<_> = checks.iter().map(|check| check["check"].as_str().unwrap().to_owned()).collect();
    assert_eq!(documented, shown);
}
