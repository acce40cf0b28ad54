//! `POST /api/v1/tools/{tool_id}/execute`

use serde_json::{Value, json};

use crate::support::{Answer, ApiKey, Call, Deployment, EXACT, INEXACT};

const EXECUTE: &str = "/api/v1/tools/web_search/execute";

/// A deployment with an account key that was used already, so that what a test writes is all that changes.
pub(super) async fn start() -> (Deployment, ApiKey) {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "account").await;
    deployment.scoped_token(&key, None).await;
    (deployment, key)
}

/// Checks that each body is refused, where and as what, and that nothing is written.
pub(super) async fn check_refusals(
    deployment: &Deployment,
    ask: impl Fn() -> Call,
    cases: impl IntoIterator<Item = (Value, Value, &'static str)>,
) {
    let before = deployment.items().await;
    for (body, location, kind) in cases {
        check_refusal(&ask().json(&body).send().await, &location, kind);
    }
    assert_eq!(deployment.items().await, before);
}

pub(super) fn check_refusal(answer: &Answer, location: &Value, kind: &str) {
    let (part, field) = (location[0].as_str().unwrap(), location[1].as_str().unwrap());
    let problem = &answer.invalid(part, field).body["detail"][0];
    assert_eq!((&problem["loc"], &problem["type"]), (location, &json!(kind)), "{}", answer.text);
}

/// An object that is this many bytes of JSON.
pub(super) fn object(bytes: usize) -> Value {
    json!({ "a": "x".repeat(bytes - r#"{"a":""}"#.len()) })
}

/// An object with this many objects and lists within each other.
pub(super) fn nested(levels: usize) -> Value {
    let value = (0..levels - 1)
        .fold(json!([]), |inner, level| if level % 2 == 0 { json!({ "a": inner }) } else { json!([inner]) });
    if value.is_object() { value } else { json!({ "a": value }) }
}

async fn execution(deployment: &Deployment, key: &ApiKey, id: &Value) -> Value {
    let path = format!("/api/v1/tool-executions/{}", id.as_str().unwrap());
    deployment.account(key, "GET", &path).send().await.document(200).clone()
}

#[tokio::test]
async fn an_execution_is_accepted_as_pending_and_followed_at_its_address() {
    let (deployment, key) = start().await;
    let token = deployment.scoped_token(&key, Some("user_456")).await;
    let inputs =
        json!({ "query": "Wo ist \"meine\" Bestellung? 😀", "count": 3, "deep": { "list": [1.5, null, true, {}] } });
    let answer = deployment.page(&token, "POST", EXECUTE).json(&json!({ "inputs": inputs })).send().await;
    let accepted = answer.document(202);
    let id = accepted["execution_id"].as_str().unwrap();
    let details_url = format!("{}/api/v1/tool-executions/{id}", deployment.stack.url());
    let expected =
        json!({ "execution_id": id, "status": "pending", "tool_id": "web_search", "details_url": details_url });
    assert_eq!(*accepted, expected);
    let digits = id.strip_prefix("exec_").unwrap();
    assert!(digits.len() == 32 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{id}");

    let call = Call::new("GET", details_url).header("authorization", &format!("Bearer {token}"));
    let shown = call.send().await;
    let expected = json!({
        "id": id,
        "tool_id": "web_search",
        "status": "pending",
        "inputs": inputs,
        "outputs": null,
        "error": null,
        "external_user_id": "user_456",
        "created_at": shown.body["created_at"],
        "started_at": null,
        "completed_at": null,
    });
    assert_eq!(*shown.document(200), expected);
    assert!(shared::domain::Timestamp::parse(shown.body["created_at"].as_str().unwrap()).is_ok());
}

#[tokio::test]
async fn what_is_left_out_is_an_execution_without_inputs_of_the_accounts_own() {
    let (deployment, key) = start().await;
    let ask = || deployment.account(&key, "POST", EXECUTE);
    let calls = [ask(), ask().json(&json!({})), ask().json(&json!({ "inputs": {} }))];
    for call in calls {
        let answer = call.send().await;
        let execution = execution(&deployment, &key, &answer.document(202)["execution_id"]).await;
        assert_eq!((&execution["inputs"], &execution["external_user_id"]), (&json!({}), &Value::Null));
    }
}

#[tokio::test]
async fn an_execution_is_for_the_end_user_of_the_token_the_header_or_the_body() {
    let (deployment, key) = start().await;
    let token = deployment.scoped_token(&key, Some("ada")).await;
    let of_account = deployment.scoped_token(&key, None).await;
    let longest = "\u{1F600}".repeat(256);
    let cases = [
        (deployment.page(&token, "POST", EXECUTE), json!({}), json!("ada")),
        (deployment.page(&token, "POST", EXECUTE), json!({ "external_user_id": "ada" }), json!("ada")),
        (deployment.page(&of_account, "POST", EXECUTE), json!({}), Value::Null),
        (deployment.account_for(&key, "bob", "POST", EXECUTE), json!({}), json!("bob")),
        (deployment.account(&key, "POST", EXECUTE).header("external_user_id", "eve"), json!({}), json!("eve")),
        (deployment.account(&key, "POST", EXECUTE), json!({ "external_user_id": longest }), json!(longest)),
    ];
    for (call, body, user) in cases {
        let answer = call.json(&body).send().await;
        let execution = execution(&deployment, &key, &answer.document(202)["execution_id"]).await;
        assert_eq!(execution["external_user_id"], user);
    }
}

#[tokio::test]
async fn inputs_have_at_most_16384_bytes_and_32_levels() {
    let (deployment, key) = start().await;
    let ask = || deployment.account(&key, "POST", EXECUTE);
    let many_bytes = json!({ "a": "é".repeat((16_384 - 8) / 2) });
    for inputs in [object(16_384), many_bytes, nested(32), json!({ "": "" })] {
        let answer = ask().json(&json!({ "inputs": inputs })).send().await;
        let execution = execution(&deployment, &key, &answer.document(202)["execution_id"]).await;
        assert_eq!(execution["inputs"], inputs);
    }
    let at = |field: &str| json!(["body", field]);
    let inputs = |inputs: Value| (json!({ "inputs": inputs }), at("inputs"), "value_error");
    let user = |user: Value| (json!({ "external_user_id": user }), at("external_user_id"), "value_error");
    let cases = [
        inputs(object(16_385)),
        inputs(json!({ "a": "é".repeat((16_384 - 8) / 2 + 1) })),
        // A quote is two bytes of JSON.
        inputs(json!({ "a": "\"".repeat((16_384 - 8) / 2 + 1) })),
        inputs(nested(33)),
        inputs(json!([])),
        inputs(json!("{}")),
        inputs(json!(7)),
        inputs(json!(true)),
        user(json!("")),
        user(json!("x".repeat(257))),
        user(json!(7)),
        user(json!(["ada"])),
        (json!({ "input": {} }), at("input"), "extra_forbidden"),
        (json!({ "externalUserId": "ada" }), at("externalUserId"), "extra_forbidden"),
        (json!({ "tool_id": "web_search" }), at("tool_id"), "extra_forbidden"),
        (json!({ "status": "completed" }), at("status"), "extra_forbidden"),
    ];
    check_refusals(&deployment, ask, cases).await;
}

/// Checks that such a field is taken as it is sent or refused with the place at fault, and then nothing is written.
pub(super) async fn check_exactness(deployment: &Deployment, ask: impl Fn() -> Call, field: &str) {
    let before = deployment.items().await;
    for (value, place, problem) in INEXACT {
        let body = format!(r#"{{"{field}":{value}}}"#);
        let answer = ask().body("application/json", body).send().await;
        check_refusal(&answer, &json!(["body", field]), "value_error");
        assert_eq!(answer.body["detail"][0]["msg"], format!("{field}{place} {problem}"));
    }
    assert_eq!(deployment.items().await, before);
}

#[tokio::test]
async fn inputs_are_kept_as_they_were_sent_or_refused() {
    let (deployment, key) = start().await;
    let ask = || deployment.account(&key, "POST", EXECUTE);
    check_exactness(&deployment, ask, "inputs").await;
    let body = format!(r#"{{"inputs":{EXACT}}}"#);
    let answer = ask().body("application/json", body).send().await;
    let path = format!("/api/v1/tool-executions/{}", answer.document(202)["execution_id"].as_str().unwrap());
    let shown = deployment.account(&key, "GET", &path).send().await;
    assert!(shown.text.contains(&format!(r#""inputs":{EXACT}"#)), "{}", shown.text);
}

#[tokio::test]
async fn a_tool_is_named_by_1_to_200_characters_in_the_path() {
    let (deployment, key) = start().await;
    let ask = |tool: &str| deployment.account(&key, "POST", &format!("/api/v1/tools/{tool}/execute"));
    let longest = "%F0%9F%98%80".repeat(200);
    for (tool, id) in [
        ("t", "t".to_owned()),
        ("exec_1", "exec_1".to_owned()),
        ("a%20b%2Fc", "a b/c".to_owned()),
        ("caf%C3%A9", "café".to_owned()),
        ("a+b", "a+b".to_owned()),
        ("a%26tool_id=b", "a&tool_id=b".to_owned()),
        (&longest, "😀".repeat(200)),
    ] {
        let answer = ask(tool).send().await;
        assert_eq!(answer.document(202)["tool_id"], id);
        let execution = execution(&deployment, &key, &answer.body["execution_id"]).await;
        assert_eq!(execution["tool_id"], id);
    }
    let before = deployment.items().await;
    for tool in ["x".repeat(201), "%F0%9F%98%80".repeat(201), "a%0Ab".to_owned(), "%C2%85".to_owned()] {
        check_refusal(&ask(&tool).send().await, &json!(["path", "tool_id"]), "value_error");
    }
    let call = deployment.account(&key, "POST", &format!("{EXECUTE}?wait=1"));
    check_refusal(&call.send().await, &json!(["query", "wait"]), "extra_forbidden");
    assert_eq!(deployment.items().await, before);
}
