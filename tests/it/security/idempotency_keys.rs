//! `Idempotency-Key` of tenants' callers: every POST of projects and account that makes or changes something has one
//! effect, the same answer whatever has become of it since, and no answer for another caller.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::api::{OPERATIONS, OperationInfo, Surface};

use crate::support::{Answer, Call, Deployment, END_USER, ROLE, World, at_once};

const KEY: &str = "idempotency-key";
const DOCUMENTS: &str = "/api/v1/documents";

/// The operations that remember their answers, beside those of the registry.
fn remembered() -> impl Iterator<Item = &'static OperationInfo> {
    OPERATIONS.iter().filter(|entry| entry.is_remembered && entry.surface != Surface::Registry)
}

/// What an operation leaves. That a secret of the console went out again is recorded, and nothing else.
async fn left(deployment: &Deployment, entry: &OperationInfo) -> Vec<Value> {
    if entry.surface == Surface::Console { deployment.items_but_events().await } else { deployment.items().await }
}

/// A call of the end user whose rows the world has.
fn own(deployment: &Deployment, world: &World, method: &str, path: &str) -> Call {
    deployment.account_for(&world.account, END_USER, method, path)
}

fn id(answer: &Answer) -> String {
    answer.body["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_same_request_again_has_the_same_answer_and_no_effect() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let mut seen = BTreeSet::new();
    for entry in remembered() {
        // A proof of a session's key is good once.
        let call = || deployment.authorized(entry, &world).header(KEY, entry.route.name);
        let first = call().send().await;
        assert_eq!(first.status, entry.route.status, "{}", first.text);
        let after = left(&deployment, entry).await;
        for _ in 0..2 {
            let again = call().send().await;
            assert_eq!((again.status, &again.text), (first.status, &first.text), "{}", entry.route.name);
        }
        // Byte for byte: even a space more is another request.
        let other = call().bytes([call().sent(), b" "].concat());
        other.send().await.refused(422, "idempotency_key_reused");
        assert_eq!(left(&deployment, entry).await, after, "{}", entry.route.name);
        seen.insert(entry.route.name);
    }
    let expected = [
        "console-replay-callbacks",
        "console-revoke-api-key",
        "console-rotate-api-key",
        "console-rotate-tenant-secret",
        "console-test-callback",
        "create-agent-session",
        "create-console-api-key",
        "create-document",
        "create-message",
        "create-workspace",
        "execute-tool",
        "project-revoke-tokens",
        "register-organization",
        "register-user",
    ];
    assert_eq!(seen, expected.into());
    let prefix = format!("TENANT#{}#", world.tenant.id);
    let items = deployment.items().await;
    let stored: Vec<_> = items.iter().filter(|item| item["sk"]["S"] == "IDEMPOTENCY").collect();
    assert_eq!(stored.len(), seen.len());
    assert!(stored.iter().all(|item| item["pk"]["S"].as_str().unwrap().starts_with(&prefix)));
}

#[tokio::test]
async fn a_key_is_1_to_255_visible_ascii_characters() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let before = deployment.items().await;
    for entry in remembered() {
        for key in ["", "two words", &"k".repeat(256)] {
            let answer = deployment.authorized(entry, &world).header(KEY, key).send().await;
            match entry.surface {
                Surface::Projects | Surface::Console => answer.names("Idempotency-Key"),
                _ => answer.invalid("header", "Idempotency-Key"),
            };
        }
    }
    assert_eq!(deployment.items().await, before);
}

#[tokio::test]
async fn a_replay_is_the_first_answer_whatever_was_changed_or_deleted_since() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let session = format!("/api/v1/agent-sessions/{}", world.rows.session);
    let workspace = format!("/api/v1/workspaces/{}", world.rows.workspace);
    let post = |path: &str, body: &Value| own(&deployment, &world, "POST", path).header(KEY, path).json(body);
    let largest = json!({
        "name": "Handbook",
        "workspace_ids": [world.rows.workspace],
        "markdown_content": "a\"é".repeat(48 * 1024 / 4),
    });
    let calls = [
        post(DOCUMENTS, &largest),
        post(&format!("{session}/messages"), &json!({ "role": "user", "content": "a" })),
        post("/api/v1/workspaces", &json!({ "name": "Contracts", "is_default": true })),
        post("/api/v1/tools/web_search/execute", &json!({ "inputs": { "n": 0.1, "b": [1e21, null] } })),
        post("/api/v1/agent-sessions", &json!({ "title": "Support" })),
    ];
    let mut first = Vec::new();
    for call in &calls {
        let answer = call.clone().send().await;
        assert!(answer.status < 300, "{}", answer.text);
        first.push(answer);
    }
    for path in [&session, &workspace, &format!("{DOCUMENTS}/{}", id(&first[0]))] {
        own(&deployment, &world, "DELETE", path).send().await.document(200);
    }
    let path = format!("/api/v1/workspaces/{}", id(&first[2]));
    own(&deployment, &world, "PATCH", &path).json(&json!({ "name": "Other" })).send().await.document(200);
    let before = deployment.items().await;
    for (call, first) in calls.iter().zip(&first) {
        let again = call.clone().send().await;
        assert_eq!((again.status, &again.text), (first.status, &first.text));
    }
    assert_eq!(deployment.items().await, before);
    own(&deployment, &world, "GET", &format!("{DOCUMENTS}/{}", id(&first[0]))).send().await.refused(404, "not_found");
    // Without the key they are refused, as the session and the workspace are gone.
    own(&deployment, &world, "POST", DOCUMENTS).json(&largest).send().await.invalid("body", "workspace_ids");
}

#[tokio::test]
async fn a_replayed_registration_undoes_nothing_that_was_registered_since() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let project = world.tenant.project_id();
    let organization = |name: &str| json!({ "name": name, "externalId": "acme", "projectId": project });
    let user = |name: &str| {
        json!({
            "name": name, "externalId": "ada", "projectOrganizationId": "acme", "properties": {},
            "userRoleId": ROLE, "projectId": project,
        })
    };
    let (organizations, users) = ("/v1/api/projects/register-organization", "/v1/api/projects/register-user");
    for (path, first, second) in
        [(organizations, organization("First"), organization("Second")), (users, user("First"), user("Second"))]
    {
        let post = |body: &Value| deployment.backend(&world.key, "POST", path).json(body);
        // One that changes something, and one that finds nothing to change.
        let keyed = ["changes", "nothing"].map(|key| post(&first).header(KEY, &format!("{key}-{path}")));
        let mut answered = Vec::new();
        for call in &keyed {
            let answer = call.clone().send().await;
            answer.data(200);
            answered.push(answer.text);
        }
        post(&second).send().await.data(200);
        let before = deployment.items().await;
        for (call, answered) in keyed.iter().zip(&answered) {
            assert_eq!(call.clone().send().await.text, *answered, "{path}");
        }
        assert_eq!(deployment.items().await, before, "{path}");
    }
    // The organization moves away from the external id that the user's registration names.
    let moved = json!({ "name": "M", "organizationId": world.member.organization_id, "externalId": "moved" });
    deployment.register_organization(&world.key, &moved).await.data(200);
    let post = || deployment.backend(&world.key, "POST", users).json(&user("First"));
    post().send().await.refused(404, "organization_not_found");
    let again = post().header(KEY, &format!("nothing-{users}")).send().await;
    assert_eq!(again.data(200)["userId"], world.member.user_id.as_str());
}

#[tokio::test]
async fn callers_that_see_different_things_share_no_answer() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let other_key = deployment.api_key(&world.tenant, "account").await;
    let stranger = deployment.world().await.account;
    let tokens = [
        deployment.scoped_token(&world.account, Some(END_USER)).await,
        deployment.scoped_token(&world.account, Some("another")).await,
        deployment.scoped_token(&world.account, None).await,
    ];
    let same = |call: Call| call.header(KEY, "1").json(&json!({ "name": "Handbook" }));
    let mut calls = vec![
        own(&deployment, &world, "POST", DOCUMENTS),
        deployment.account_for(&world.account, "another", "POST", DOCUMENTS),
        deployment.account(&world.account, "POST", DOCUMENTS),
        deployment.account_for(&other_key, END_USER, "POST", DOCUMENTS),
        deployment.account_for(&stranger, END_USER, "POST", DOCUMENTS),
    ];
    calls.extend(tokens.iter().map(|token| deployment.page(token, "POST", DOCUMENTS)));
    let mut ids = BTreeSet::new();
    for call in &calls {
        let answer = same(call.clone()).send().await;
        answer.document(201);
        ids.insert(id(&answer));
    }
    assert_eq!(ids.len(), calls.len());
    // A page whose token was issued anew is the same caller.
    let renewed = deployment.scoped_token(&world.account, Some("another")).await;
    assert!(ids.contains(&id(&same(deployment.page(&renewed, "POST", DOCUMENTS)).send().await)));
    // The end user in the body is the one of the call, too.
    let body = json!({ "name": "Handbook", "external_user_id": "third" });
    let answer = deployment.account(&world.account, "POST", DOCUMENTS).header(KEY, "1").json(&body).send().await;
    assert!(!ids.contains(&id(&answer)));
    // On projects, two keys of one tenant.
    let second = deployment.api_key(&world.tenant, "admin").await;
    let mut organizations = BTreeSet::new();
    for key in [&world.key, &second] {
        let body = json!({ "name": "New", "projectId": world.tenant.project_id() });
        let call = deployment.backend(key, "POST", "/v1/api/projects/register-organization").header(KEY, "1");
        let answer = call.json(&body).send().await;
        organizations.insert(answer.data(200)["projectOrganizationId"].to_string());
    }
    assert_eq!(organizations.len(), 2);
}

#[tokio::test]
async fn the_path_is_part_of_the_request() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let body = json!({ "inputs": {} });
    let execute =
        |tool: &str| own(&deployment, &world, "POST", &format!("/api/v1/tools/{tool}/execute")).header(KEY, "k");
    execute("one").json(&body).send().await.document(202);
    execute("two").json(&body).send().await.refused(422, "idempotency_key_reused");
}

#[tokio::test]
async fn requests_at_once_under_one_key_have_one_effect() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let document = json!({ "name": "Handbook", "markdown_content": "# Handbook" });
    let user = json!({
        "name": "New", "projectOrganizationId": "acme", "properties": {}, "userRoleId": ROLE,
        "projectId": world.tenant.project_id(),
    });
    let users = deployment.backend(&world.key, "POST", "/v1/api/projects/register-user").json(&user);
    let is_row: fn(&Value) -> bool = |item| item.get("field_id").is_some();
    let is_user: fn(&Value) -> bool = |item| item["sk"]["S"] == "USER";
    let documents = own(&deployment, &world, "POST", DOCUMENTS).json(&document);
    for (call, success, is_made) in [(documents, 201, is_row), (users, 200, is_user)] {
        let count = async || deployment.items().await.iter().filter(|item| is_made(item)).count();
        let before = count().await;
        let answers = at_once((0..8).map(|_| call.clone().header(KEY, "burst"))).await;
        let (good, others): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == success);
        for answer in others {
            answer.refused(409, "stale_update");
        }
        assert!(good.iter().all(|answer| answer.text == good[0].text) && !good.is_empty());
        assert_eq!(call.header(KEY, "burst").send().await.text, good[0].text);
        assert_eq!(count().await - before, 1, "{success}");
    }
}

#[tokio::test]
async fn a_refused_request_leaves_its_key_unused_and_a_day_later_it_is_free() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let post = |body: Value| own(&deployment, &world, "POST", DOCUMENTS).header(KEY, "k").json(&body);
    let unknown = json!({ "name": "a", "workspace_ids": ["01890000-0000-7000-8000-000000000000"] });
    post(unknown).send().await.invalid("body", "workspace_ids");
    let first = post(json!({ "name": "a" })).send().await;
    first.document(201);
    let items = deployment.items().await;
    let stored = items.iter().find(|item| item["sk"]["S"] == "IDEMPOTENCY").unwrap();
    let partition = stored["pk"]["S"].as_str().unwrap();
    deployment.set(partition, "IDEMPOTENCY", "expires_at", &json!({ "N": "1" })).await;
    let second = post(json!({ "name": "a" })).send().await;
    second.document(201);
    assert_ne!(id(&first), id(&second));
}

#[tokio::test]
async fn what_answers_a_token_remembers_nothing() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    for name in ["user-token", "auth-token", "register-tenant"] {
        let entry = OPERATIONS.iter().find(|entry| entry.route.name == name).unwrap();
        let mut tokens = BTreeSet::new();
        for key in ["k", "k", "two words"] {
            let answer = deployment.authorized(entry, &world).header(KEY, key).send().await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            tokens.insert(answer.text);
        }
        assert_eq!(tokens.len(), 3, "{name}");
    }
    assert!(deployment.items().await.iter().all(|item| item["sk"]["S"] != "IDEMPOTENCY"));
}
