//! `/api/v1/agent-sessions/{id}/messages`

use serde_json::{Value, json};

use super::agent_sessions::{check_forty_five, page};
use super::execute_tool::{check_refusal, check_refusals, start};
use super::tool_executions::check_pages;
use crate::support::{Answer, ApiKey, Deployment, END_USER};

/// An id of no row.
const UNKNOWN: &str = "01900000-0000-7000-8000-000000000000";

/// A session of an end user's.
struct Session {
    deployment: Deployment,
    key: ApiKey,
    path: String,
}

impl Session {
    async fn begin() -> Self {
        let (deployment, key) = start().await;
        let path = another(&deployment, &key).await;
        Self { deployment, key, path }
    }

    async fn add(&self, body: &Value) -> Answer {
        add(&self.deployment, &self.key, &self.path, body).await
    }

    /// The session itself.
    async fn shown(&self) -> Value {
        let call = self.deployment.account_for(&self.key, END_USER, "GET", &self.path);
        call.send().await.document(200).clone()
    }

    async fn listed(&self) -> Value {
        let call = self.deployment.account_for(&self.key, END_USER, "GET", &format!("{}/messages", self.path));
        call.send().await.document(200).clone()
    }
}

/// The path of another session of the same end user's.
async fn another(deployment: &Deployment, key: &ApiKey) -> String {
    let answer = deployment.account_for(key, END_USER, "POST", "/api/v1/agent-sessions").send().await;
    format!("/api/v1/agent-sessions/{}", answer.document(201)["id"].as_str().unwrap())
}

async fn add(deployment: &Deployment, key: &ApiKey, session: &str, body: &Value) -> Answer {
    deployment.account_for(key, END_USER, "POST", &format!("{session}/messages")).json(body).send().await
}

fn said(content: &str) -> Value {
    json!({ "role": "user", "content": content })
}

#[tokio::test]
async fn a_message_is_kept_as_it_was_given_and_the_session_says_when() {
    let session = Session::begin().await;
    let mut expected = Vec::new();
    let contents = [
        "Where is my order?".to_owned(),
        String::new(),
        "\u{0}\n\"\\ é 😀 \u{202e}".to_owned(),
        "a".repeat(32_768),
        "\"".repeat(16_384),
        "\u{1}".repeat(5461),
    ];
    for (number, content) in contents.iter().enumerate() {
        let role = ["user", "assistant", "system"][number % 3];
        let before = session.shown().await;
        let body = json!({ "role": role, "content": content, "parent_id": null });
        let message = session.add(&body).await.document(201).clone();
        let (id, at) = (message["id"].clone(), message["created_at"].clone());
        assert_eq!(message, json!({ "id": id, "role": role, "content": content, "parent_id": null, "created_at": at }));
        let after = session.shown().await;
        assert!(after["updated_at"].as_str() > before["updated_at"].as_str());
        assert_eq!(after["updated_at"], at);
        assert_eq!(after["created_at"], before["created_at"]);
        expected.insert(0, message);
    }
    let page = json!({
        "items": expected, "total": contents.len(), "page": 1, "limit": 20, "has_more": false, "next_cursor": null,
    });
    assert_eq!(session.listed().await, page);
}

#[tokio::test]
async fn a_message_answers_one_of_the_same_session_or_none() {
    let session = Session::begin().await;
    let id = |answer: &Answer| answer.document(201)["id"].as_str().unwrap().to_owned();
    let first = id(&session.add(&said("first")).await);
    let with_parent = |parent: &str| json!({ "role": "assistant", "content": "second", "parent_id": parent });
    let second = session.add(&with_parent(&first)).await;
    assert_eq!(second.document(201)["parent_id"], first.as_str());
    // Two may answer the same, an answer may be answered, and a uuid may be written in capitals.
    session.add(&with_parent(&first)).await.document(201);
    let third = session.add(&with_parent(&id(&second).to_uppercase())).await;
    assert_eq!(third.document(201)["parent_id"], id(&second));
    let elsewhere = another(&session.deployment, &session.key).await;
    let elsewhere = id(&add(&session.deployment, &session.key, &elsewhere, &said("elsewhere")).await);
    let stranger = session.deployment.provision("Beta").await;
    let stranger = session.deployment.api_key(&stranger, "account").await;
    let strangers = another(&session.deployment, &stranger).await;
    let strangers = id(&add(&session.deployment, &stranger, &strangers, &said("elsewhere")).await);
    let own = session.path.rsplit('/').next().unwrap();
    let before = session.deployment.items().await;
    let mut texts = Vec::new();
    for parent in [UNKNOWN, &elsewhere, &strangers, own, "00000000-0000-0000-0000-000000000000"] {
        let answer = session.add(&with_parent(parent)).await;
        check_refusal(&answer, &json!(["body", "parent_id"]), "value_error");
        texts.push(answer.text);
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "a message of another session is as unknown as any");
    for parent in [json!(""), json!("x"), json!(7), json!([first]), json!(first.replace('-', "")), json!(true)] {
        let body = json!({ "role": "user", "content": "a", "parent_id": parent });
        check_refusal(&session.add(&body).await, &json!(["body", "parent_id"]), "value_error");
    }
    assert_eq!(session.deployment.items().await, before, "neither counted nor noted as a change of the session");
}

#[tokio::test]
async fn a_message_that_breaks_a_rule_is_refused_by_its_place_and_nothing_is_written() {
    let session = Session::begin().await;
    let before = session.deployment.items().await;
    let cases = [
        (json!({}), "role", "missing"),
        (json!({ "content": "a" }), "role", "missing"),
        (json!({ "role": "user" }), "content", "missing"),
        (json!({ "role": "User", "content": "a" }), "role", "value_error"),
        (json!({ "role": "tool", "content": "a" }), "role", "value_error"),
        (json!({ "role": "", "content": "a" }), "role", "value_error"),
        (json!({ "role": null, "content": "a" }), "role", "missing"),
        (json!({ "role": 1, "content": "a" }), "role", "value_error"),
        (json!({ "role": ["user"], "content": "a" }), "role", "value_error"),
        (json!({ "role": "user", "content": null }), "content", "missing"),
        (json!({ "role": "user", "content": 7 }), "content", "value_error"),
        (json!({ "role": "user", "content": [{ "type": "text", "text": "a" }] }), "content", "value_error"),
        (json!({ "role": "user", "content": "a".repeat(32_769) }), "content", "value_error"),
        (json!({ "role": "user", "content": "\"".repeat(16_385) }), "content", "value_error"),
        (json!({ "role": "user", "content": "\u{1}".repeat(5462) }), "content", "value_error"),
        (json!({ "role": "user", "content": "a", "external_user_id": 7 }), "external_user_id", "value_error"),
        (json!({ "role": "user", "content": "a", "id": UNKNOWN }), "id", "extra_forbidden"),
        (json!({ "role": "user", "content": "a", "created_at": "now" }), "created_at", "extra_forbidden"),
        (json!({ "role": "user", "content": "a", "parentId": null }), "parentId", "extra_forbidden"),
    ];
    let cases = cases.map(|(body, field, kind)| (body, json!(["body", field]), kind));
    let path = format!("{}/messages", session.path);
    let call = || session.deployment.account_for(&session.key, END_USER, "POST", &path);
    check_refusals(&session.deployment, call, cases).await;
    call().send().await.refused(400, "malformed_request");
    assert_eq!(session.deployment.items().await, before);
}

#[tokio::test]
async fn a_conversation_of_45_is_read_page_by_page_newest_first() {
    let session = Session::begin().await;
    let elsewhere = another(&session.deployment, &session.key).await;
    let mut oldest_first = Vec::new();
    for number in 0..45 {
        oldest_first.push(session.add(&said(&format!("{number}"))).await.document(201).clone());
        if number % 9 == 0 {
            add(&session.deployment, &session.key, &elsewhere, &said("elsewhere")).await.document(201);
        }
    }
    let token = session.deployment.scoped_token(&session.key, Some(END_USER)).await;
    let ask = |query: &str| session.deployment.page(&token, "GET", &format!("{}/messages?{query}", session.path));
    check_forty_five(&oldest_first, ask).await;
    check_pages(ask).await;
    let account = session.deployment.account(&session.key, "GET", &format!("{}/messages?limit=45", session.path));
    let rows = page(account, 1, 45, 45).await;
    assert!(rows.iter().eq(oldest_first.iter().rev()), "the account sees the same");
}

#[tokio::test]
async fn messages_are_written_and_read_where_the_session_is_and_nowhere_else() {
    let session = Session::begin().await;
    let (deployment, key) = (&session.deployment, &session.key);
    let path = format!("{}/messages", session.path);
    let unknown = format!("/api/v1/agent-sessions/{UNKNOWN}/messages");
    session.add(&said("mine")).await.document(201);
    let before = deployment.items().await;
    let mut texts = Vec::new();
    let other = deployment.scoped_token(key, Some("user_457")).await;
    for path in [&path, &unknown, &"/api/v1/agent-sessions/x/messages".to_owned()] {
        for call in [
            deployment.page(&other, "GET", path),
            deployment.page(&other, "POST", path).json(&said("yours?")),
            deployment.account_for(key, "user_457", "GET", path),
            deployment.account_for(key, "user_457", "POST", path).json(&said("yours?")),
            deployment
                .account(key, "POST", path)
                .json(&json!({ "role": "user", "content": "yours?", "external_user_id": "user_457" })),
        ] {
            let answer = call.send().await;
            texts.push(answer.refused(404, "not_found").text.clone());
        }
    }
    texts.dedup();
    assert_eq!(texts.len(), 1);
    assert_eq!(deployment.items().await, before);
    // The account writes into it, and what it wrote is the end user's to read.
    let written = deployment.account(key, "POST", &path).json(&json!({ "role": "system", "content": "Be kind." }));
    let written = written.send().await.document(201).clone();
    let listed = session.listed().await;
    assert_eq!((&listed["items"][0], &listed["total"]), (&written, &json!(2)));
}
