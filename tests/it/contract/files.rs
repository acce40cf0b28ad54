//! One binary, one event and one test module for each function, and none besides.

use std::collections::BTreeSet;

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use shared::api::{OPERATIONS, Route, SCHEDULED, Surface};
use stack::Invocation;

use crate::support::qr::{DECIDE, ORIGIN, POLL, SCAN};
use crate::support::{Deployment, Tenant, repository};

fn functions() -> BTreeSet<String> {
    OPERATIONS.iter().map(|entry| entry.route.function).chain(SCHEDULED.iter().copied()).map(str::to_owned).collect()
}

/// The names of the files in a folder that end so, without the ending.
fn names(folder: &str, ending: &str) -> BTreeSet<String> {
    let files = std::fs::read_dir(repository().join(folder)).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter_map(|name| name.strip_suffix(ending).map(str::to_owned)).collect()
}

#[test]
fn every_function_has_its_binary_its_event_and_its_tests() {
    let functions = functions();
    check_same("a binary in functions/src/bin/", &names("functions/src/bin", ".rs"), &functions);
    check_same("an event in events/", &names("events", ".json"), &functions);
    let modules: BTreeSet<_> = functions.iter().map(|name| name.replace('-', "_")).collect();
    let mut found = names("tests/it/endpoints", ".rs");
    found.remove("mod");
    check_same("a test module in tests/it/endpoints/", &found, &modules);
    let listed = std::fs::read_to_string(repository().join("tests/it/endpoints/mod.rs")).unwrap();
    let listed = listed.lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';').map(str::to_owned));
    check_same("a line in tests/it/endpoints/mod.rs", &listed.collect(), &modules);
}

/// Checks that each function of the registry has it, and nothing else has.
fn check_same(what: &str, found: &BTreeSet<String>, expected: &BTreeSet<String>) {
    let missing: Vec<_> = expected.difference(found).collect();
    assert!(missing.is_empty(), "these functions of OPERATIONS and SCHEDULED lack {what}: {missing:?}");
    let left: Vec<_> = found.difference(expected).collect();
    assert!(left.is_empty(), "there is {what} for functions that are not in OPERATIONS or SCHEDULED: {left:?}");
}

#[test]
fn every_operation_is_on_the_page_of_its_surface() {
    for entry in OPERATIONS {
        let page = format!("docs/api/{}.md", entry.surface.name());
        let text = std::fs::read_to_string(repository().join(&page)).unwrap();
        let mut names = entry.route.paths().map(|path| {
            let name = path.strip_prefix("/api/v1/").or_else(|| path.strip_prefix("/v1/api/projects/"));
            name.unwrap_or(path)
        });
        assert!(names.any(|name| text.contains(name)), "{page} says nothing about {}", entry.route.path);
    }
}

#[test]
fn a_binary_says_its_route_in_its_first_line_and_stays_short() {
    for entry in OPERATIONS {
        let route = &entry.route;
        let path = repository().join(format!("functions/src/bin/{}.rs", route.function));
        let text = std::fs::read_to_string(path).unwrap();
        let first = text.lines().next().unwrap();
        let of_function = || OPERATIONS.iter().filter(|entry| entry.route.function == route.function);
        let method = if of_function().count() == 1 { format!("{} ", route.method.as_str()) } else { String::new() };
        let mut paths: Vec<_> = of_function().map(|entry| format!("`{method}{}`", entry.route.path)).collect();
        paths.dedup();
        assert!(first.starts_with(&format!("//! {}: ", paths.join(", "))), "{}", route.name);
        assert!(text.lines().count() <= 60, "{}", route.function);
    }
}

fn event(name: &str) -> Value {
    let text = std::fs::read_to_string(repository().join(format!("events/{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The API keys that the events speak of, by their ids, and the hashes of their texts: with the second, no event comes
/// along.
const EVENT_KEYS: [(&str, &str, &str); 3] = [
    ("key_0000000000000000", "admin", "ec2797a018a9f3c2ad4a864c0d79e524dcea98cf8ea9e0f8fb120135637919b8"),
    ("key_0000000000000001", "admin", "0000000000000000000000000000000000000000000000000000000000000000"),
    ("key_0000000000000002", "account", "ae4d440c7dd243c34babb724a306023f41f2a52f51d060a031f1f7ba6b238514"),
];

/// The rows that the events of the account surface speak of: where they are made, with what, and their ids in the
/// events.
const EVENT_ROWS: [(&str, &str, &str); 4] = [
    ("/api/v1/agent-sessions", r#"{"external_user_id":"user_456"}"#, "01900000-0000-7000-8000-000000000001"),
    ("/api/v1/tools/t/execute", r#"{"external_user_id":"user_456"}"#, "01900000-0000-7000-8000-000000000002"),
    ("/api/v1/workspaces", r#"{"external_user_id":"user_456","name":"w"}"#, "01900000-0000-7000-8000-000000000003"),
    ("/api/v1/documents", r#"{"external_user_id":"user_456","name":"d"}"#, "01900000-0000-7000-8000-000000000004"),
];

/// The challenges that the events of passkeys answer, with a key that nobody has any more.
const EVENT_CHALLENGES: [(&str, &str); 2] = [
    ("registration", "h3gPpd5oTofLkrJ58LwHsU9XKFHnO4lDoJfBdwpfOOY"),
    ("login", "fwNIweLdlKyewxhrhRrfDVsChCtgW068h6EtV-PW2a0"),
];

/// The device that an event names.
async fn put_device(deployment: &Deployment, tenant: &Tenant) {
    let removed = deployment.paired(tenant, "user_456").await;
    put_renamed(deployment, &removed.device_id, "dev_0123456789abcdef").await;
}

/// The pairing that events name. It is prepared now, because an event before them revokes all tokens.
async fn put_pairing(deployment: &Deployment, tenant: &Tenant) {
    let handle = deployment.handle(tenant, "user_456").await;
    let digest = |handle: &str| HEXLOWER.encode(digest(&SHA256, handle.as_bytes()).as_ref())[..32].to_owned();
    put_renamed(deployment, &digest(&handle), &digest("AAECAwQFBgcICQoLDA0ODw")).await;
}

/// Puts what has an id once more, with another one.
async fn put_renamed(deployment: &Deployment, id: &str, other: &str) {
    for item in deployment.items().await {
        let text = item.to_string();
        let renamed = text.replace(id, other);
        if renamed != text {
            let item: Value = serde_json::from_str(&renamed).unwrap();
            deployment.dynamodb("PutItem", &json!({ "TableName": deployment.table(), "Item": item })).await;
        }
    }
}

/// Gives an event a proof, and a session if it has one: a proof is good for a few minutes, and those in the files are
/// none. The phone is paired now, because an event before this one revokes all tokens.
/// What is signed and scanned is made now, too.
async fn prove(deployment: &Deployment, tenant: &Tenant, route: &Route, event: &mut Value) {
    let (mut headers, mut body) = (event["headers"].take(), event["body"].take());
    let phone = deployment.paired(tenant, "user_456").await;
    match route.path {
        SCAN => body = deployment.qr_login(tenant, &json!({})).await.read().to_string().into(),
        DECIDE => {
            let scanned = deployment.scanned(&phone, &deployment.qr_login(tenant, &json!({})).await).await;
            let statement = phone.states(&scanned.claims(deployment, &phone, "deny", None));
            body = json!({ "session_id": scanned.login.session_id, "statement": statement }).to_string().into();
        }
        _ => {}
    }
    let url = format!("{}{}", deployment.stack.url(), route.path);
    let nonce = deployment.dpop_nonce().await;
    let is_session = headers["authorization"].is_string();
    let ath = is_session.then(|| phone.ath());
    let claims = json!({ "htm": route.method.as_str(), "htu": url, "nonce": nonce, "ath": ath });
    headers["dpop"] = phone.proof(&claims).into();
    if is_session {
        headers["authorization"] = format!("DPoP {}", phone.token).into();
    }
    (event["headers"], event["body"]) = (headers, body);
}

/// Gives an event of the console a session and a proof, which are made now for the same reason.
async fn enter_console(deployment: &Deployment, tenant: &Tenant, route: &Route, event: &mut Value) {
    let browser = deployment.console(Some(tenant), "Ada Lovelace").await;
    let url = format!("{}{}", deployment.stack.url(), route.path);
    let (method, nonce) = (route.method.as_str(), deployment.nonce());
    let claims = json!({ "htm": method, "htu": url, "nonce": nonce, "ath": browser.ath() });
    event["headers"]["authorization"] = format!("DPoP {}", browser.token).into();
    event["headers"]["dpop"] = browser.proof(&claims).into();
}

/// Signs an event of the relay surface: a signature is good for half a minute, and the one in the file is a published
/// one. A poll is of a login that has begun.
async fn sign(deployment: &Deployment, tenant: &Tenant, route: &Route, event: &mut Value) {
    if route.path == POLL {
        let login = deployment.qr_login(tenant, &json!({})).await;
        event["rawQueryString"] = format!("session_id={}", login.session_id).into();
        event["headers"]["x-qr-poll-token"] = login.poll_token.into();
    }
    let body = event["body"].as_str().unwrap_or_default().to_owned();
    for (name, value) in tenant.signing().headers(route.method.as_str(), route.path, body.as_bytes()) {
        assert!(event["headers"][&name].is_string(), "{}: {name}", route.path);
        event["headers"][&name] = value.into();
    }
}

#[tokio::test]
async fn every_event_is_of_its_route_and_gets_the_answer_of_success() {
    let key = event("fetch-tenants")["headers"]["x-admin-key"].as_str().unwrap().to_owned();
    let deployment = Deployment::start_with(|builder| builder.admin_key(Some(key))).await;
    // The events speak of one tenant, by an id that provisioning would not give.
    let tenant = deployment.with_passkeys("Acme").await;
    deployment
        .update(&tenant, &json!({ "callback_url_base": "http://127.0.0.1:9", "qr_login_allowed_origins": [ORIGIN] }))
        .await
        .data(200);
    deployment.stack.streams().stop().await;
    let ping = deployment.post_nothing(&format!("/api/v1/test/callback?tenant_id={}", tenant.id)).await;
    let ping = ping.data(202)["event_id"].as_str().unwrap().to_owned();
    for item in deployment.items().await {
        let text = item.to_string().replace(&tenant.id, "tnt_00000000000000000000000000000000");
        let text = text.replace(&ping, "evt_01900000000070008000000000000001");
        let item: Value = serde_json::from_str(&text).unwrap();
        deployment.dynamodb("PutItem", &json!({ "TableName": deployment.table(), "Item": item })).await;
    }
    for (id, kind, hash) in EVENT_KEYS {
        let key = deployment.api_key(&tenant, kind).await;
        let items = deployment.items().await;
        let item = items.iter().find(|item| item["details"]["M"]["key_id"]["S"] == key.id.as_str()).unwrap();
        let text = item.to_string().replace(&tenant.id, "tnt_00000000000000000000000000000000").replace(&key.id, id);
        let mut item: Value = serde_json::from_str(&text).unwrap();
        item["key_hash"]["S"] = hash.into();
        deployment.dynamodb("PutItem", &json!({ "TableName": deployment.table(), "Item": item })).await;
    }
    for (folder, stored) in [
        ("tenants", deployment.stored_tenant_secret(&tenant.id)),
        ("signing-keys", deployment.stored_signing_key(&tenant.id)),
    ] {
        let (version, _, value) = &stored.versions[0];
        let secret = json!({
            "Name": deployment.secret_name(folder, "tnt_00000000000000000000000000000000"),
            "ClientRequestToken": version,
            "SecretString": value,
        });
        assert_eq!(deployment.stack.secrets().handle("CreateSecret", secret.to_string().as_bytes(), 0).0, 200);
    }
    let account = deployment.api_key(&tenant, "account").await;
    for (path, body, id) in EVENT_ROWS {
        let before = deployment.items().await;
        let body: Value = serde_json::from_str(body).unwrap();
        deployment.account(&account, "POST", path).json(&body).send().await;
        for item in deployment.items().await.into_iter().filter(|item| !before.contains(item)) {
            if item.get("field_id").is_none() {
                continue;
            }
            let old = item["sk"]["S"].as_str().unwrap().to_owned();
            let text = item.to_string().replace(&tenant.id, "tnt_00000000000000000000000000000000");
            let text = text.replace(&old, id).replace(&old.replace('-', ""), &id.replace('-', ""));
            let item: Value = serde_json::from_str(&text).unwrap();
            deployment.dynamodb("PutItem", &json!({ "TableName": deployment.table(), "Item": item })).await;
        }
    }
    let signer = Tenant { id: "tnt_00000000000000000000000000000000".to_owned(), secret: tenant.secret.clone() };
    for (kind, challenge) in EVENT_CHALLENGES {
        match kind {
            "registration" => deployment.creation_options(&signer, "user_456").await,
            _ => deployment.request_options(&signer, &json!({ "backend_user_id": "user_456" })).await,
        };
        let items = deployment.items().await;
        let ceremony = items.iter().find(|item| item["ceremony_kind"]["S"] == kind).unwrap();
        let text = ceremony.to_string().replace(ceremony["challenge"]["S"].as_str().unwrap(), challenge);
        let item: Value = serde_json::from_str(&text).unwrap();
        deployment.dynamodb("PutItem", &json!({ "TableName": deployment.table(), "Item": item })).await;
    }
    put_device(&deployment, &signer).await;
    let mut seen = BTreeSet::new();
    for entry in OPERATIONS {
        let (route, function) = (&entry.route, entry.route.function);
        let mut event = event(function);
        // A function with several methods, or several paths, has an event of one of them.
        let is_at = event["rawPath"].as_str().is_some_and(|path| route.is_at(path));
        if event["requestContext"]["http"]["method"] != route.method.as_str() || !is_at {
            continue;
        }
        seen.insert(function.to_owned());
        let mut path = route.path.replace("{tenant_id}", "tnt_00000000000000000000000000000000");
        for (name, value) in event["pathParameters"].as_object().into_iter().flatten() {
            path = path.replace(&format!("{{{name}}}"), value.as_str().unwrap());
        }
        assert_eq!((&event["version"], &event["rawPath"]), (&json!("2.0"), &json!(path)), "{function}");
        assert_eq!(event["routeKey"], format!("ANY {}", route.path), "{function}");
        if entry.surface == Surface::Device {
            put_pairing(&deployment, &signer).await;
        }
        if entry.surface == Surface::Relay {
            sign(&deployment, &signer, route, &mut event).await;
        }
        if entry.surface == Surface::Console {
            enter_console(&deployment, &signer, route, &mut event).await;
        } else if event["headers"]["dpop"].is_string() {
            prove(&deployment, &signer, route, &mut event).await;
        }
        let answer = deployment.stack.invoke(function, event, Invocation::default()).await.unwrap();
        assert_eq!(answer.payload["statusCode"], route.status, "{function}: {}", answer.payload);
    }
    for &name in SCHEDULED {
        seen.insert(name.to_owned());
        deployment.stack.invoke(name, event(name), Invocation::default()).await.unwrap();
    }
    assert_eq!(seen, functions());
}
