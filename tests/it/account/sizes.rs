//! The largest of everything that is taken, and pages full of it.

use serde_json::{Value, json};
use stack::Invocation;

use crate::support::{ApiKey, Deployment, event, with};

/// What Lambda passes on of a function's answer, in bytes: of the whole of it, with status and headers, and the body as
/// a text in JSON.
const LARGEST_ANSWER: usize = 6 * 1024 * 1024;

/// The largest label: 200 characters of those that take most room.
fn label() -> String {
    "\u{1F600}".repeat(200)
}

/// The longest name of an end user: control characters are taken, and take most room.
fn end_user() -> String {
    "\u{1}".repeat(256)
}

/// A text that is so many bytes of JSON, and twice as many as a text in a text in JSON.
fn text(bytes: usize) -> String {
    "\"".repeat(bytes / 2)
}

/// An object that is so many bytes of JSON.
fn object(bytes: usize) -> Value {
    json!({ "": text(bytes - r#"{"":""}"#.len() - 1) + "x" })
}

/// A tenant's account key, used before.
async fn key(deployment: &Deployment) -> ApiKey {
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "account").await;
    deployment.scoped_token(&key, None).await;
    key
}

async fn made(deployment: &Deployment, key: &ApiKey, method: &str, path: &str, body: &Value) -> Value {
    let answer = deployment.account(key, method, path).json(body).send().await;
    assert!((200..=202).contains(&answer.status), "{}", answer.text);
    answer.body
}

async fn session(deployment: &Deployment, key: &ApiKey) -> Value {
    let body = json!({
        "title": label(),
        "assistant_id": label(),
        "model_name": label(),
        "initial_system_prompt": text(16_384),
        "tool_ids": vec![label(); 32],
        "external_user_id": end_user(),
    });
    made(deployment, key, "POST", "/api/v1/agent-sessions", &body).await
}

async fn execution(deployment: &Deployment, key: &ApiKey) -> Value {
    let path = format!("/api/v1/tools/{}/execute", "%F0%9F%98%80".repeat(200));
    let body = json!({ "inputs": object(16_384), "external_user_id": end_user() });
    let accepted = made(deployment, key, "POST", &path, &body).await;
    let path = format!("/api/v1/tool-executions/{}", accepted["execution_id"].as_str().unwrap());
    let report = json!({ "status": "completed", "outputs": object(16_384), "error": text(4096) });
    made(deployment, key, "PATCH", &path, &report).await
}

async fn message(deployment: &Deployment, key: &ApiKey, path: &str) -> Value {
    let first = made(deployment, key, "POST", path, &json!({ "role": "user", "content": "" })).await;
    let body = json!({ "role": "assistant", "content": text(32_768), "parent_id": first["id"] });
    made(deployment, key, "POST", path, &body).await
}

/// Makes a hundred of a row, whose id and list are new since `before`: creating that many is not what is tested here.
async fn multiply(deployment: &Deployment, before: &[Value], row: &Value) {
    let id = row["id"].as_str().unwrap();
    let simple = id.trim_start_matches("exec_").replace('-', "");
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &simple[part]);
    let uuid = parts.join("-");
    let mut requests = Vec::new();
    for item in deployment.items().await.iter().filter(|item| !before.contains(item)) {
        if ["pk", "sk"].iter().any(|part| item[part]["S"].as_str().unwrap().ends_with(&uuid)) {
            for number in 1..100 {
                let other = format!("{}-{number:012x}", parts[..4].join("-"));
                let copy = item.to_string().replace(&uuid, &other).replace(&simple, &other.replace('-', ""));
                requests.push(json!({ "PutRequest": { "Item": serde_json::from_str::<Value>(&copy).unwrap() } }));
            }
        } else if item.get("resource_count").is_some() {
            let counter = with(item, &json!({ "resource_count": { "N": "100" } }));
            requests.push(json!({ "PutRequest": { "Item": counter } }));
        }
    }
    for batch in requests.chunks(25) {
        deployment.dynamodb("BatchWriteItem", &json!({ "RequestItems": { deployment.table(): batch } })).await;
    }
}

/// Checks the page of a hundred such rows, and the length of what the function hands over for it.
async fn check_page(deployment: &Deployment, key: &ApiKey, function: &str, path: &str, row: &Value) {
    let answer = deployment.account(key, "GET", &format!("{path}?limit=100")).send().await;
    let items = answer.document(200)["items"].as_array().unwrap();
    assert_eq!((items.len(), &answer.body["total"]), (100, &json!(100)));
    assert!(items.contains(row));
    let length = |row: &Value| row.to_string().len();
    assert!(items.iter().all(|item| length(item) == length(row)));

    let mut event = event("GET", path, "limit=100", &[("x-api-key", &key.text)], None);
    if let Some((_, rest)) = path.split_once("agent-sessions/") {
        event["pathParameters"] = json!({ "id": rest.trim_end_matches("/messages") });
    }
    let payload = deployment.stack.invoke(function, event, Invocation::default()).await.unwrap().payload;
    assert_eq!(payload["statusCode"], 200);
    let length = payload.to_string().len();
    assert!(length > answer.text.len() && length <= LARGEST_ANSWER, "{function}: {length}");
}

#[tokio::test]
async fn a_page_of_a_hundred_of_the_largest_sessions_or_executions_is_an_answer_that_lambda_passes_on() {
    let deployment = Deployment::start().await;
    let key = key(&deployment).await;
    let before = deployment.items().await;
    let row = session(&deployment, &key).await;
    multiply(&deployment, &before, &row).await;
    check_page(&deployment, &key, "agent-sessions", "/api/v1/agent-sessions", &row).await;

    let before = deployment.items().await;
    let row = execution(&deployment, &key).await;
    multiply(&deployment, &before, &row).await;
    check_page(&deployment, &key, "tool-executions", "/api/v1/tool-executions", &row).await;
}

#[tokio::test]
async fn a_page_of_a_hundred_of_the_largest_messages_is_an_answer_that_lambda_passes_on() {
    let deployment = Deployment::start().await;
    let key = key(&deployment).await;
    let session = made(&deployment, &key, "POST", "/api/v1/agent-sessions", &json!({})).await;
    let path = format!("/api/v1/agent-sessions/{}/messages", session["id"].as_str().unwrap());
    let before = deployment.items().await;
    let row = message(&deployment, &key, &path).await;
    multiply(&deployment, &before, &row).await;
    check_page(&deployment, &key, "agent-session-messages", &path, &row).await;
}

#[tokio::test]
async fn the_largest_document_is_stored_whole() {
    let deployment = Deployment::start().await;
    let key = key(&deployment).await;
    let mut workspaces = Vec::new();
    for _ in 0..10 {
        let body = json!({ "name": label(), "description": text(4096), "external_user_id": end_user() });
        let workspace = made(&deployment, &key, "POST", "/api/v1/workspaces", &body).await;
        assert_eq!((&workspace["name"], &workspace["description"]), (&body["name"], &body["description"]));
        workspaces.push(workspace["id"].clone());
    }
    let body = json!({
        "name": label(),
        "file_type": label(),
        "workspace_ids": workspaces,
        "markdown_content": "x".repeat(49_152),
        "external_user_id": end_user(),
    });
    let document = made(&deployment, &key, "POST", "/api/v1/documents", &body).await;
    assert_eq!(with(&document, &body), document);
    let path = format!("/api/v1/documents/{}", document["id"].as_str().unwrap());
    assert_eq!(*deployment.account(&key, "GET", &path).send().await.document(200), document);
    deployment.account(&key, "DELETE", &path).send().await.document(200);
}

#[tokio::test]
async fn what_is_as_large_as_allowed_is_stored_and_what_is_larger_is_refused_by_its_name() {
    let deployment = Deployment::start().await;
    let key = key(&deployment).await;
    let rows = deployment.rows(&key).await;
    let session = format!("/api/v1/agent-sessions/{}", rows.session);
    let messages = format!("{session}/messages");
    let execution = format!("/api/v1/tool-executions/{}", rows.execution);
    let workspace = format!("/api/v1/workspaces/{}", rows.workspace);
    let (sessions, execute) = ("/api/v1/agent-sessions", "/api/v1/tools/t/execute");
    let (workspaces, documents) = ("/api/v1/workspaces", "/api/v1/documents");
    let (none, named, user) = (json!({}), json!({ "name": "a" }), json!({ "role": "user" }));
    let (longest, longer) = (json!(label()), json!(label() + "x"));
    let letters = |count: usize| json!("x".repeat(count));
    let object = |bytes: usize| json!({ "a": "x".repeat(bytes - r#"{"a":""}"#.len()) });
    let tools = |count: usize| json!(vec![label(); count]);
    let cases = [
        ("POST", sessions, &none, "title", longest.clone(), longer.clone()),
        ("POST", sessions, &none, "assistant_id", longest.clone(), longer.clone()),
        ("POST", sessions, &none, "model_name", longest.clone(), longer.clone()),
        ("POST", sessions, &none, "initial_system_prompt", letters(16_384), letters(16_385)),
        ("POST", sessions, &none, "tool_ids", tools(32), tools(33)),
        ("POST", sessions, &none, "tool_ids", json!([longest]), json!([longer])),
        ("PATCH", &session, &none, "title", longest.clone(), longer.clone()),
        ("PATCH", &session, &none, "initial_system_prompt", json!(text(16_384)), json!(text(16_386))),
        ("PATCH", &session, &none, "tool_ids", tools(32), tools(33)),
        ("POST", &messages, &user, "content", letters(32_768), letters(32_769)),
        ("POST", &messages, &user, "content", json!(text(32_768)), json!(text(32_770))),
        ("POST", execute, &none, "inputs", object(16_384), object(16_385)),
        ("PATCH", &execution, &none, "outputs", object(16_384), object(16_385)),
        ("PATCH", &execution, &none, "error", letters(4096), letters(4097)),
        ("POST", workspaces, &none, "name", longest.clone(), longer.clone()),
        ("POST", workspaces, &named, "description", letters(4096), letters(4097)),
        ("PATCH", &workspace, &none, "name", longest.clone(), longer.clone()),
        ("PATCH", &workspace, &none, "description", letters(4096), letters(4097)),
        ("POST", documents, &none, "name", longest.clone(), longer.clone()),
        ("POST", documents, &named, "file_type", longest.clone(), longer.clone()),
        ("POST", documents, &named, "markdown_content", letters(49_152), letters(49_153)),
    ];
    for (method, path, others, field, largest, larger) in cases {
        let before = deployment.items().await;
        let body = with(others, &json!({ field: larger }));
        deployment.account(&key, method, path).json(&body).send().await.invalid("body", field);
        assert_eq!(deployment.items().await, before, "{path} {field}");
        let answer = made(&deployment, &key, method, path, &with(others, &json!({ field: largest }))).await;
        assert_ne!(deployment.items().await, before);
        if answer.get("execution_id").is_none() {
            assert_eq!(answer[field], largest, "{path}");
        }
    }
}
