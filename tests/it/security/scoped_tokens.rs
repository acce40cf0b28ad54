//! Every operation of the account surface refuses whoever has no credential that is right for it, in one and the same
//! way; no token makes another; and what pages of other origins may send and read.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use shared::api::{OPERATIONS, OperationInfo, Surface};
use shared::domain::{ApiKeySecret, KeyKind, SystemRandomness, TenantId};

use super::api_keys::{mistyped, set};
use super::refusals::{check_told, visible};
use super::tokens::{Forge, Scene, refused_in_a_header};
use crate::support::{Answer, ApiKey, Call, Deployment, END_USER, Tenant, World, with};

fn surface() -> impl Iterator<Item = &'static OperationInfo> {
    OPERATIONS.iter().filter(|entry| entry.surface == Surface::Account)
}

/// The scene as a world, with rows.
async fn world(scene: &Scene) -> World {
    World {
        tenant: scene.key.tenant.clone(),
        key: scene.key.clone(),
        member: scene.member.clone(),
        token: scene.token.clone(),
        account: scene.account.clone(),
        rows: scene.deployment.rows(&scene.account).await,
        // There is none: no operation that takes a token takes one.
        event: "evt_01900000000070008000000000000000".to_owned(),
        console: crate::support::console::Browser::default(),
        links: std::sync::Arc::default(),
        logins: std::sync::Arc::default(),
    }
}

/// What a request presents, and how many calls to AWS it may cost at most.
struct Credential {
    label: String,
    headers: Vec<(&'static str, String)>,
    most: usize,
}

impl Credential {
    fn new(label: &str, most: usize, headers: impl Into<Vec<(&'static str, String)>>) -> Self {
        Self { label: label.to_owned(), headers: headers.into(), most }
    }

    fn key(label: &str, most: usize, key: &str) -> Self {
        Self::new(label, most, [("x-api-key", key.to_owned())])
    }

    fn token(label: &str, most: usize, token: &str) -> Self {
        Self::new(label, most, [("authorization", format!("Bearer {token}"))])
    }

    fn on(&self, call: Call) -> Call {
        self.headers.iter().fold(call, |call, (name, value)| call.header(name, value))
    }
}

/// Checks that nothing of what was presented is in the log.
fn check_log<'a>(deployment: &Deployment, presented: impl IntoIterator<Item = &'a Credential>) {
    let output = deployment.stack.output();
    assert!(output.lines().count() > 20);
    for credential in presented {
        for (_, value) in &credential.headers {
            for piece in value.split([' ', '.', ',']).filter(|piece| piece.len() >= 20) {
                assert!(!output.contains(piece), "a piece of the credential is in the log: {}", credential.label);
            }
        }
    }
}

/// A key of the shape that ours have.
fn made_up(tenant: &TenantId) -> String {
    let random = SystemRandomness::new();
    ApiKeySecret::generate(tenant, KeyKind::Account, &random).unwrap().unwrap().expose().to_owned()
}

/// Keys that are none, or none any more.
async fn wrong_keys(scene: &Scene) -> Vec<Credential> {
    let deployment = &scene.deployment;
    let (tenant, key) = (&scene.account.tenant, &scene.account);
    let provision = || deployment.api_key(tenant, "account");
    let [revoked, expired, gone, rotated] =
        [provision().await, provision().await, provision().await, provision().await];
    set(deployment, &revoked, "revoked_at", 1).await;
    set(deployment, &expired, "expires_at", 1).await;
    let place = json!({ "pk": { "S": format!("TENANT#{}#KEY#{}", tenant.id, gone.id) }, "sk": { "S": "KEY" } });
    deployment.dynamodb("DeleteItem", &json!({ "TableName": deployment.table(), "Key": place })).await;
    let path = format!("/api/v1/rotate/api-key?tenant_id={}&key_id={}", tenant.id, rotated.id);
    deployment.post_nothing(&path).await.data(200);
    let random = SystemRandomness::new();
    let nobodys = made_up(&TenantId::generate(&random).unwrap());
    let facts = ApiKeySecret::parse(&key.text).unwrap().claims().clone();
    let guessed = ApiKeySecret::regenerate(&facts, &random).unwrap().unwrap();
    vec![
        Credential::new("none", 0, []),
        Credential::key("empty", 0, ""),
        Credential::key("a prefix", 0, "ak_"),
        Credential::key("a word", 0, "garbage"),
        Credential::key("cut short", 0, &key.text[..key.text.len() - 1]),
        Credential::key("a character more", 0, &format!("{}a", key.text)),
        Credential::key("with the wrong checksum", 0, &mistyped(&key.text)),
        Credential::key("in upper case", 0, &key.text.to_uppercase()),
        Credential::key("relabelled", 0, &scene.key.text.replace("up_admin_", "ak_")),
        Credential::key("twice", 0, &format!("{0},{0}", key.text)),
        Credential::key("with its scheme", 0, &format!("Bearer {}", key.text)),
        Credential::key("the admin key", 0, deployment.key()),
        Credential::key("a tenant's secret", 0, &tenant.secret),
        Credential::key("a token of an end user", 0, &scene.scoped),
        Credential::key("a token for the account", 0, &scene.wide),
        Credential::new("the admin key in its own header", 0, [("x-admin-key", deployment.key().to_owned())]),
        Credential::new("a key in the header of the admin key", 0, [("x-admin-key", key.text.clone())]),
        Credential::token("a key as a bearer", 0, &key.text),
        Credential::new("a key as a password", 0, [("authorization", format!("Basic {}", key.text))]),
        Credential::new("a key without a scheme", 0, [("authorization", key.text.clone())]),
        Credential::key("of an unknown tenant", 1, &nobodys),
        Credential::key("unknown", 1, &gone.text),
        Credential::key("with another secret", 1, guessed.expose()),
        Credential::key("revoked", 1, &revoked.text),
        Credential::key("expired", 1, &expired.text),
        Credential::key("rotated out", 1, &rotated.text),
    ]
}

/// Right credentials where they are none, and two at once.
fn misplaced(scene: &Scene) -> Vec<Credential> {
    let (key, scoped, wide) = (&scene.account.text, &scene.scoped, &scene.wide);
    let with_key = |label: &str, authorization: String| {
        Credential::new(label, 0, [("x-api-key", key.clone()), ("authorization", authorization)])
    };
    let forms = [
        ("an empty header", String::new()),
        ("a scheme only", "Bearer".to_owned()),
        ("an empty bearer", "Bearer ".to_owned()),
        ("a token without a scheme", scoped.clone()),
        ("a token under another scheme", format!("Token {scoped}")),
        ("a token as a password", format!("Basic {scoped}")),
        ("two tokens", format!("Bearer {scoped},Bearer {wide}")),
        ("a token twice", format!("Bearer {scoped} {scoped}")),
    ];
    let forms = forms.map(|(label, value)| Credential::new(label, 0, [("authorization", value)]));
    let both = [
        with_key("a key and its end user's token", format!("Bearer {scoped}")),
        with_key("a key and its own token", format!("bearer {wide}")),
        with_key("a key and garbage as a bearer", "Bearer garbage".to_owned()),
        with_key("a key and an empty header", String::new()),
        with_key("a key and a token without a scheme", scoped.clone()),
        with_key("a key and a token under another scheme", format!("Token {scoped}")),
        Credential::new(
            "an empty key and a token",
            0,
            [("x-api-key", String::new()), ("authorization", format!("Bearer {scoped}"))],
        ),
    ];
    forms.into_iter().chain(both).collect()
}

/// Tokens that were valid once.
async fn ended_tokens(scene: &Scene) -> Vec<Credential> {
    let (deployment, account) = (&scene.deployment, &scene.account);
    let tenant = &account.tenant;
    let revoked = deployment.scoped_token(account, Some(END_USER)).await;
    let body = json!({ "token": revoked });
    deployment.backend(account, "POST", "/api/v1/auth/revoke").json(&body).send().await.document(200);
    let of_user = deployment.scoped_token(account, Some("gone")).await;
    deployment.revoke_tokens(tenant, &json!({ "external_user_id": "gone" })).await.data(200);
    let by_key = async |whose: &str| {
        let key = deployment.api_key(tenant, "account").await;
        let token = deployment.scoped_token(&key, None).await;
        if whose == "epoch" {
            deployment.revoke_tokens(tenant, &json!({ "key_id": key.id })).await.data(200);
        } else {
            set(deployment, &key, "revoked_at", 1).await;
        }
        token
    };
    let forge = Forge::of(deployment, tenant, &scene.scoped);
    let expired = forge.claims(&json!({ "iat": forge.now() - 3600, "exp": forge.now() }));
    vec![
        Credential::token("a revoked token", 1, &revoked),
        Credential::token("a token of an end user who was revoked", 1, &of_user),
        Credential::token("a token of a key whose tokens were revoked", 1, &by_key("epoch").await),
        Credential::token("a token of a revoked key", 1, &by_key("key").await),
        Credential::token("an expired token", 1, &expired),
    ]
}

#[tokio::test]
async fn every_operation_refuses_every_credential_that_is_none_uniformly_and_writes_nothing() {
    let scene = Scene::set().await;
    let (deployment, world) = (&scene.deployment, world(&scene).await);
    let mut fixed = wrong_keys(&scene).await;
    fixed.extend(misplaced(&scene));
    fixed.extend(ended_tokens(&scene).await);
    // Right tokens of users of projects, of which there may be any number of spaces before them, are in the next test.
    let known = [scene.token.as_str(), &scene.others];
    let refused = refused_in_a_header(&scene).into_iter().filter(|(_, token)| !known.contains(&token.trim_start()));
    let refused: Vec<_> = refused.map(|(label, token)| Credential::token(&label, 1, &token)).collect();
    let before = deployment.items_but_notes().await;
    let mut expected = None;
    let each = refused.len().div_ceil(surface().count());
    for (turn, entry) in surface().enumerate() {
        // Over all operations each of the tokens.
        let tokens = refused.iter().cycle().skip(turn * each).take(each);
        for credential in fixed.iter().chain(tokens) {
            let call = credential.on(deployment.request(entry, &world));
            let (answer, calls) = deployment.calls_of(call).await;
            let label = format!("{} with {}", entry.route.name, credential.label);
            assert_eq!((answer.status, answer.code()), (401, Some("unauthenticated")), "{label}: {}", answer.text);
            check_told(&answer, &calls, &mut expected, visible, &label);
            assert!(calls.len() <= credential.most, "{label} made {} calls", calls.len());
            assert!(calls.iter().all(|call| call.operation == "BatchGetItem"), "{label}: {calls:?}");
        }
    }
    assert_eq!(deployment.items_but_notes().await, before);
    check_log(deployment, fixed.iter().chain(&refused));
}

/// Right credentials, and what is not right about them here.
fn known_and_not_allowed(scene: &Scene, embed: &ApiKey, page: &str) -> Vec<(Credential, &'static str)> {
    let from = |label: &str, origin: &str| {
        Credential::new(label, 1, [("x-api-key", page.to_owned()), ("origin", origin.to_owned())])
    };
    vec![
        (Credential::key("an embed key", 1, &embed.text), "key_kind_not_allowed"),
        (Credential::key("an admin key", 1, &scene.key.text), "key_kind_not_allowed"),
        (from("another origin", "https://evil.example"), "origin_not_allowed"),
        (from("another scheme", "http://app.example.com"), "origin_not_allowed"),
        (from("an origin that only begins so", "https://app.example.com.evil.example"), "origin_not_allowed"),
        (from("no origin in particular", "null"), "origin_not_allowed"),
        (Credential::token("a project user's token", 1, &scene.token), "insufficient_scope"),
        (Credential::token("another tenant's user's token", 1, &scene.others), "insufficient_scope"),
        (Credential::token("a registered tenant's token", 1, &scene.registered), "insufficient_scope"),
    ]
}

#[tokio::test]
async fn every_operation_tells_who_is_known_and_not_allowed_why_and_does_nothing() {
    let scene = Scene::set().await;
    let (deployment, world) = (&scene.deployment, world(&scene).await);
    let embed = deployment.api_key(&world.tenant, "embed").await;
    let path = format!("/api/v1/provision/api-key?tenant_id={}", world.tenant.id);
    let body = json!({ "name": "Page", "kind": "account", "allowed_origins": ["https://app.example.com"] });
    let page = deployment.post(&path, &body).await.data(201)["api_key"].as_str().unwrap().to_owned();
    let table = known_and_not_allowed(&scene, &embed, &page);
    let before = deployment.items_but_notes().await;
    let mut seen = BTreeMap::new();
    for entry in surface() {
        for (credential, code) in &table {
            let (answer, calls) = deployment.calls_of(credential.on(deployment.request(entry, &world))).await;
            let label = format!("{} with {}", entry.route.name, credential.label);
            assert_eq!((answer.status, answer.code()), (403, Some(*code)), "{label}: {}", answer.text);
            assert_eq!(&visible(&answer), seen.entry(*code).or_insert_with(|| visible(&answer)), "{label}");
            assert!(calls.len() == 1 && calls[0].operation == "BatchGetItem", "{label}: {calls:?}");
        }
    }
    assert_eq!(deployment.items_but_notes().await, before);
    check_log(deployment, table.iter().map(|(credential, _)| credential));
}

#[tokio::test]
async fn a_suspended_tenant_is_told_so_only_with_a_credential_that_is_right() {
    let scene = Scene::set().await;
    let (deployment, world) = (&scene.deployment, world(&scene).await);
    let mut wrong = wrong_keys(&scene).await;
    wrong.extend(ended_tokens(&scene).await);
    let right = [
        Credential::key("a key", 1, &scene.account.text),
        Credential::key("an admin key", 1, &scene.key.text),
        Credential::token("an end user's token", 1, &scene.scoped),
        Credential::token("the account's token", 1, &scene.wide),
        Credential::token("a project user's token", 1, &scene.token),
        Credential::token("a registered tenant's token", 1, &scene.registered),
    ];
    deployment.suspend(&world.tenant).await.data(200);
    let before = deployment.items_but_notes().await;
    let mut seen = BTreeMap::new();
    let cases = right.iter().map(|credential| (credential, 403, "tenant_suspended"));
    let cases: Vec<_> = cases.chain(wrong.iter().map(|credential| (credential, 401, "unauthenticated"))).collect();
    for entry in surface() {
        for (credential, status, code) in &cases {
            let answer = credential.on(deployment.request(entry, &world)).send().await;
            let label = format!("{} with {}", entry.route.name, credential.label);
            assert_eq!((answer.status, answer.code()), (*status, Some(*code)), "{label}: {}", answer.text);
            if answer.reason().is_none() {
                assert_eq!(&visible(&answer), seen.entry(*code).or_insert_with(|| visible(&answer)), "{label}");
            }
        }
    }
    assert_eq!(deployment.items_but_notes().await, before);
    check_log(deployment, right.iter().chain(&wrong));
    deployment.reactivate(&world.tenant).await.data(200);
    for token in [&scene.scoped, &scene.wide] {
        deployment.page(token, "GET", "/api/v1/agent-sessions").send().await.document(200);
    }
}

#[tokio::test]
async fn no_token_makes_a_token_and_none_reports_what_became_of_an_execution() {
    let scene = Scene::set().await;
    let (deployment, world) = (&scene.deployment, world(&scene).await);
    let before = deployment.items().await;
    let report = format!("/api/v1/tool-executions/{}", world.rows.execution);
    let same = json!({ "external_user_id": END_USER });
    for (token, body, code) in [
        (&scene.scoped, json!({}), "insufficient_scope"),
        (&scene.scoped, same.clone(), "insufficient_scope"),
        (&scene.scoped, json!({ "external_user_id": "ada" }), "another_end_user"),
        (&scene.wide, json!({}), "insufficient_scope"),
        (&scene.wide, same, "another_end_user"),
        // What is wrong with a body is for those who may send one.
        (&scene.wide, json!({ "surprise": 1 }), "insufficient_scope"),
    ] {
        for (method, path) in [("POST", "/api/v1/auth/token"), ("PATCH", &report)] {
            let (answer, calls) = deployment.calls_of(deployment.page(token, method, path).json(&body)).await;
            answer.refused(403, code);
            assert!(calls.len() == 1 && calls[0].operation == "BatchGetItem", "{calls:?}");
        }
    }
    assert_eq!(deployment.items().await, before);
    let answer = deployment.account(&scene.account, "PATCH", &report).json(&json!({ "status": "running" })).send();
    assert_eq!(answer.await.document(200)["status"], "running");
}

/// What browsers make of an answer.
fn sharing(answer: &Answer) -> BTreeMap<&str, &str> {
    let mut headers: BTreeMap<_, _> = answer.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
    headers.retain(|name, _| name.starts_with("access-control-"));
    headers
}

const EXPOSED: &str = "ratelimit, ratelimit-policy, retry-after, x-request-id";

const ALLOWED: &str = "authorization, content-type, idempotency-key, traceparent, tracestate, baggage, sentry-trace";

const READABLE: [(&str, &str); 2] = [("access-control-allow-origin", "*"), ("access-control-expose-headers", EXPOSED)];

#[tokio::test]
async fn a_page_may_send_a_token_to_every_path_of_the_surface_and_never_a_key() {
    let deployment = Deployment::start().await;
    let paths: BTreeSet<_> = surface().map(|entry| entry.route.path).collect();
    assert!(paths.len() >= 12);
    for path in paths {
        let methods = surface().filter(|entry| entry.route.path == path).map(|entry| entry.route.method.as_str());
        let methods: BTreeSet<_> = methods.collect();
        let place = path.replace(['{', '}'], "");
        let plain = || deployment.anonymous("OPTIONS", &place).header("origin", "https://app.example.com");
        let asked = |method: &str, headers: &str| {
            plain().header("access-control-request-method", method).header("access-control-request-headers", headers)
        };
        for call in [
            asked("GET", "authorization"),
            asked("POST", "authorization,content-type"),
            asked("POST", "x-api-key"),
            asked("DELETE", "x-api-key, x-end-user-id, external_user_id"),
            // As no browser would ask.
            plain(),
            plain().header("x-api-key", "garbage").header("authorization", "Bearer garbage"),
            plain().json(&json!({ "external_user_id": 7 })),
        ] {
            let (answer, calls) = deployment.calls_of(call).await;
            assert_eq!(*answer.document(200), json!({}));
            assert!(calls.is_empty(), "{path}: {calls:?}");
            let mut sharing = sharing(&answer);
            let allowed: BTreeSet<_> = sharing.remove("access-control-allow-methods").unwrap().split(", ").collect();
            assert_eq!(allowed, methods, "{path}");
            let expected = READABLE
                .into_iter()
                .chain([("access-control-allow-headers", ALLOWED), ("access-control-max-age", "7200")]);
            assert_eq!(sharing, expected.collect(), "{path}");
        }
    }
}

#[tokio::test]
async fn a_page_may_read_every_answer_of_the_surface_and_what_is_published_of_tokens_and_nothing_else() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let mut statuses = BTreeSet::new();
    for entry in OPERATIONS {
        let mut own = world.clone();
        if entry.surface == Surface::Account {
            own.rows = deployment.rows(&world.account).await;
        }
        let path = entry.route.path.replace(['{', '}'], "");
        let authorized = || deployment.authorized(entry, &own).header("origin", "https://app.example.com");
        let mut calls = vec![
            authorized(),
            authorized().header("x-end-user-id", "another"),
            deployment.request(entry, &own).header("origin", "https://app.example.com"),
            deployment.anonymous("PUT", &path),
            deployment
                .anonymous(entry.route.method.as_str(), &format!("{path}?surprise=1"))
                .header("x-api-key", &world.account.text),
        ];
        let is_shared = entry.surface.is_shared(entry.is_public);
        if !is_shared {
            calls.push(deployment.anonymous("OPTIONS", &path).header("access-control-request-method", "GET"));
        }
        for call in calls {
            let answer = call.send().await;
            if is_shared {
                assert_eq!(sharing(&answer), READABLE.into(), "{}: {}", entry.route.name, answer.text);
                statuses.insert(answer.status);
            } else {
                assert_eq!(sharing(&answer), BTreeMap::new(), "{}: {}", entry.route.name, answer.text);
            }
        }
    }
    assert!([200, 201, 202, 400, 401, 405, 422].iter().all(|status| statuses.contains(status)), "{statuses:?}");
}

/// A key for one page, a token of it, and one for the account as a whole.
async fn of_one_page(deployment: &Deployment, tenant: &Tenant, fields: &Value) -> (ApiKey, [String; 2]) {
    let path = format!("/api/v1/provision/api-key?tenant_id={}", tenant.id);
    let body = json!({ "name": "Page", "kind": "account", "allowed_origins": ["https://app.example.com"] });
    let answer = deployment.post(&path, &with(&body, fields)).await;
    let text = |name: &str| answer.data(201)[name].as_str().unwrap().to_owned();
    let key = ApiKey { id: text("key_id"), text: text("api_key"), tenant: tenant.clone() };
    let of_user = deployment.scoped_token(&key, Some(END_USER)).await;
    let wide = deployment.scoped_token(&key, None).await;
    (key, [of_user, wide])
}

const ELSEWHERE: [&str; 4] =
    ["https://elsewhere.example", "http://app.example.com", "https://app.example.com.evil.example", "null"];

#[tokio::test]
async fn a_token_is_refused_from_where_its_key_would_be_by_every_operation_and_nothing_is_done() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let (key, tokens) = of_one_page(&deployment, &world.tenant, &json!({})).await;
    let before = deployment.items_but_notes().await;
    for entry in surface() {
        let from = |token: &str, origin: &str| {
            deployment
                .request(entry, &world)
                .header("authorization", &format!("Bearer {token}"))
                .header("origin", origin)
        };
        for token in &tokens {
            for origin in ELSEWHERE {
                let (answer, calls) = deployment.calls_of(from(token, origin)).await;
                let label = format!("{} from {origin}: {}", entry.route.name, answer.text);
                assert_eq!((answer.status, answer.code()), (403, Some("origin_not_allowed")), "{label}");
                // The key is read with each token anyway.
                assert!(calls.len() == 1 && calls[0].operation == "BatchGetItem", "{label}: {calls:?}");
            }
        }
    }
    let other = deployment.account(&key, "GET", "/api/v1/documents").header("origin", ELSEWHERE[0]).send().await;
    let same = deployment.page(&tokens[0], "GET", "/api/v1/documents").header("origin", ELSEWHERE[0]).send().await;
    assert_eq!(visible(&other), visible(&same), "as the key's own call");
    assert_eq!(deployment.items_but_notes().await, before);
    for token in &tokens {
        let list = || deployment.page(token, "GET", "/api/v1/agent-sessions");
        list().header("origin", "https://app.example.com").send().await.document(200);
        // No page of another site leaves the header out.
        list().send().await.document(200);
    }
}

#[tokio::test]
async fn a_token_that_is_not_valid_or_of_another_scope_learns_nothing_of_origins() {
    let scene = Scene::set().await;
    let deployment = &scene.deployment;
    let (_, [token, _]) = of_one_page(deployment, &scene.account.tenant, &json!({})).await;
    let from = |token: &str| deployment.page(token, "GET", "/api/v1/documents").header("origin", ELSEWHERE[0]).send();
    from(&token).await.refused(403, "origin_not_allowed");
    from(&scene.registered).await.refused(403, "insufficient_scope");
    deployment.revoke_tokens(&scene.account.tenant, &json!({ "external_user_id": END_USER })).await.data(200);
    from(&token).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_token_goes_from_any_origin_if_its_key_has_none_or_keeps_them_to_itself() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let anywhere = async |token: &str| {
        for origin in ["https://app.example.com"].into_iter().chain(ELSEWHERE) {
            let call = deployment.page(token, "GET", "/api/v1/documents").header("origin", origin);
            assert_eq!(call.send().await.document(200)["items"], Value::Array(Vec::new()), "{origin}");
        }
    };
    for fields in [
        json!({ "allowed_origins": [] }),
        json!({ "origins_apply_to_tokens": false }),
        json!({ "allowed_origins": [], "origins_apply_to_tokens": false }),
    ] {
        let (key, tokens) = of_one_page(&deployment, &tenant, &fields).await;
        for token in &tokens {
            anywhere(token).await;
        }
        let own = deployment.account(&key, "GET", "/api/v1/documents").header("origin", ELSEWHERE[0]).send().await;
        assert_eq!(own.status, if fields.get("allowed_origins").is_some() { 200 } else { 403 }, "{fields}");
    }
    // A key that was stored before there was the field.
    let (key, [token, _]) = of_one_page(&deployment, &tenant, &json!({})).await;
    let pk = format!("TENANT#{}#KEY#{}", tenant.id, key.id);
    deployment.remove(&pk, "KEY", "details.origins_apply_to_tokens").await;
    anywhere(&token).await;
}
