//! `/api/v1/agent-sessions`

use serde_json::{Value, json};

use super::execute_tool::{check_refusal, check_refusals, start};
use super::tool_executions::check_pages;
use crate::support::{Answer, ApiKey, Call, Deployment, END_USER, with};

const PATH: &str = "/api/v1/agent-sessions";

/// A page, after checking what it says of itself.
pub(super) async fn page(call: Call, number: usize, limit: usize, total: usize) -> Vec<Value> {
    let answer = call.send().await;
    let mut page = answer.document(200).clone();
    let items = page.as_object_mut().unwrap().remove("items").unwrap();
    let next = page.as_object_mut().unwrap().remove("next_cursor").unwrap();
    let has_more = number * limit < total;
    assert_eq!(next.is_string(), has_more, "{next}");
    assert_eq!(page, json!({ "total": total, "page": number, "limit": limit, "has_more": has_more }));
    items.as_array().unwrap().clone()
}

/// Checks that a list is these 45 rows, newest first, however it is divided; `ask` makes the request with that query
/// string.
pub(super) async fn check_forty_five(oldest_first: &[Value], ask: impl Fn(&str) -> Call) {
    let expected: Vec<_> = oldest_first.iter().rev().cloned().collect();
    assert_eq!(expected.len(), 45);
    assert_eq!(page(ask(""), 1, 20, 45).await, expected[..20], "20 unless the request says how many");
    for limit in [1, 7, 20, 44, 45, 46, 100] {
        let mut found = Vec::new();
        for number in 1..=45_usize.div_ceil(limit) {
            let rows = page(ask(&format!("page={number}&limit={limit}")), number, limit, 45).await;
            assert!(!rows.is_empty() && rows.len() == limit.min(45 - found.len()), "page {number} of {limit}");
            found.extend(rows);
        }
        assert_eq!(found, expected, "{limit} a page");
    }
    for number in [4, 5, 1_000_000] {
        assert!(page(ask(&format!("page={number}")), number, 20, 45).await.is_empty(), "past the end");
    }
}

async fn begin(deployment: &Deployment, key: &ApiKey, body: &Value) -> Answer {
    deployment.account_for(key, END_USER, "POST", PATH).json(body).send().await
}

#[tokio::test]
async fn a_session_is_begun_and_listed() {
    let (deployment, key) = start().await;
    let body =
        json!({ "assistant_id": "asst_123...", "external_user_id": "user_456", "title": "Customer Support Chat" });
    let answer = deployment.account(&key, "POST", PATH).json(&body).send().await;
    let session = answer.document(201).clone();
    let token = deployment.scoped_token(&key, Some("user_456")).await;
    let answer = deployment.page(&token, "GET", PATH).send().await;
    let page =
        json!({ "items": [session], "total": 1, "page": 1, "limit": 20, "has_more": false, "next_cursor": null });
    assert_eq!(*answer.document(200), page);
    let other = deployment.scoped_token(&key, Some("user_457")).await;
    let answer = deployment.page(&other, "GET", PATH).send().await;
    assert_eq!(answer.document(200)["total"], 0);
}

#[tokio::test]
async fn nothing_is_required_and_what_is_left_out_or_null_is_null() {
    let (deployment, key) = start().await;
    let nulls = json!({
        "title": null,
        "assistant_id": null,
        "model_name": null,
        "initial_system_prompt": null,
    });
    let call = || deployment.account(&key, "POST", PATH);
    for (call, user) in [
        (call(), json!(null)),
        (call().json(&json!({})), json!(null)),
        (call().json(&nulls), json!(null)),
        (call().header("external_user_id", END_USER).json(&nulls), json!(END_USER)),
    ] {
        let answer = call.send().await;
        let session = answer.document(201);
        let expected = json!({
            "id": session["id"], "title": null, "assistant_id": null, "model_name": null, "initial_system_prompt": null,
            "tool_ids": [], "status": "active", "external_user_id": user,
            "created_at": session["created_at"], "updated_at": session["created_at"],
        });
        assert_eq!(*session, expected);
        let id = session["id"].as_str().unwrap();
        assert!(shared::domain::parse_uuid(id).unwrap().get_version_num() == 7 && id.len() == 36, "{id}");
        let created = session["created_at"].as_str().unwrap();
        assert!(created.len() == 24 && created.ends_with('Z'), "{created}");
        let shown = deployment.account(&key, "GET", &format!("{PATH}/{id}")).send().await;
        assert_eq!(shown.document(200), session);
    }
}

#[tokio::test]
async fn every_field_is_kept_as_it_was_given() {
    let (deployment, key) = start().await;
    let given = [
        json!({
            "title": "Where is my order?", "assistant_id": "asst_123...", "model_name": "gpt-4.1 (mini)",
            "initial_system_prompt": "You are \"helpful\".\n\tBe brief. 🙂",
            "tool_ids": ["web_search", "web_search", "ü"],
        }),
        json!({
            "title": "😀".repeat(200), "assistant_id": "é".repeat(200), "model_name": "m".repeat(200),
            "initial_system_prompt": "p".repeat(16_384), "tool_ids": vec!["\"".repeat(200); 32],
        }),
        json!({ "title": " ", "initial_system_prompt": "", "tool_ids": [] }),
        // As JSON these are 16 384 bytes too.
        json!({ "initial_system_prompt": "\"\n".repeat(4096) }),
        json!({ "initial_system_prompt": "\u{1}\u{1f}".repeat(1365) }),
    ];
    for given in given {
        let session = begin(&deployment, &key, &given).await.document(201).clone();
        let shown =
            deployment.account_for(&key, END_USER, "GET", &format!("{PATH}/{}", session["id"].as_str().unwrap()));
        assert_eq!(*shown.send().await.document(200), session);
        assert_eq!(session, with(&session, &given), "what was given is what is answered");
        assert_eq!(session["external_user_id"], END_USER);
    }
}

#[tokio::test]
async fn a_field_that_breaks_its_rule_is_refused_by_its_place_and_nothing_is_written() {
    let (deployment, key) = start().await;
    begin(&deployment, &key, &json!({})).await.document(201);
    let before = deployment.items().await;
    let mut cases = Vec::new();
    for field in ["title", "assistant_id", "model_name"] {
        for value in [json!(""), json!("a".repeat(201)), json!("a\nb"), json!("\u{7f}"), json!(7), json!(["a"])] {
            cases.push((json!({ field: value }), json!(["body", field])));
        }
    }
    for value in [json!("p".repeat(16_385)), json!("\"".repeat(8193)), json!("\u{1}".repeat(2731)), json!(7), json!({})]
    {
        cases.push((json!({ "initial_system_prompt": value }), json!(["body", "initial_system_prompt"])));
    }
    for value in [json!("web_search"), json!({}), json!(vec!["t"; 33])] {
        cases.push((json!({ "tool_ids": value }), json!(["body", "tool_ids"])));
    }
    for (value, index) in [
        (json!([""]), 0),
        (json!(["a", 7]), 1),
        (json!(["a", "b", null]), 2),
        (json!(["a", ["b"]]), 1),
        (json!(["a", "b".repeat(201)]), 1),
    ] {
        cases.push((json!({ "tool_ids": value }), json!(["body", "tool_ids", index])));
    }
    for value in [json!(""), json!("u".repeat(257)), json!(7), json!([END_USER])] {
        cases.push((json!({ "external_user_id": value }), json!(["body", "external_user_id"])));
    }
    let cases = cases.into_iter().map(|(body, place)| (body, place, "value_error"));
    check_refusals(&deployment, || deployment.account(&key, "POST", PATH), cases).await;
    for field in ["id", "status", "created_at", "updated_at", "externalUserId", "user_id", "messages", "Title"] {
        let answer = begin(&deployment, &key, &json!({ "title": "a", field: "active" })).await;
        check_refusal(&answer, &json!(["body", field]), "extra_forbidden");
    }
    let twice = deployment.account(&key, "POST", PATH).body("application/json", r#"{"title":"a","title":"b"}"#);
    check_refusal(&twice.send().await, &json!(["body", "title"]), "value_error");
    let asked = deployment.account(&key, "POST", &format!("{PATH}?title=a")).json(&json!({})).send().await;
    check_refusal(&asked, &json!(["query", "title"]), "extra_forbidden");
    for body in ["[]", "{", "{}{}", "nul", "null null"] {
        let call = deployment.account(&key, "POST", PATH).body("application/json", body);
        call.send().await.refused(400, "malformed_request");
    }
    assert_eq!(deployment.items().await, before);
}

#[tokio::test]
async fn a_list_of_45_is_read_page_by_page_newest_first() {
    let (deployment, key) = start().await;
    let mut oldest_first = Vec::new();
    for number in 0..45 {
        let session = begin(&deployment, &key, &json!({ "title": format!("{number}") })).await.document(201).clone();
        oldest_first.push(session);
        // What others have between them is on none of the pages.
        if number % 9 == 0 {
            deployment.account_for(&key, "user_457", "POST", PATH).send().await.document(201);
        }
    }
    let token = deployment.scoped_token(&key, Some(END_USER)).await;
    let ask = |query: &str| deployment.page(&token, "GET", &format!("{PATH}?{query}"));
    check_forty_five(&oldest_first, ask).await;
    check_pages(ask).await;
    // And the account has all 50 of them.
    let all = deployment.account(&key, "GET", &format!("{PATH}?limit=100"));
    assert_eq!(page(all, 1, 100, 50).await.len(), 50);
}

#[tokio::test]
async fn a_list_is_without_the_sessions_that_were_deleted_and_has_the_changed_ones_as_they_are_now() {
    let (deployment, key) = start().await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let session = begin(&deployment, &key, &json!({ "title": format!("{number}") })).await.document(201).clone();
        ids.push(session["id"].as_str().unwrap().to_owned());
    }
    let call = |method: &str, id: &str| deployment.account_for(&key, END_USER, method, &format!("{PATH}/{id}"));
    call("DELETE", &ids[1]).send().await.document(200);
    call("DELETE", &ids[4]).send().await.document(200);
    let changed = call("PATCH", &ids[0]).json(&json!({ "title": "changed" })).send().await.document(200).clone();
    for ask in [
        |deployment: &Deployment, key: &ApiKey| -> Call { deployment.account(key, "GET", PATH) },
        |deployment: &Deployment, key: &ApiKey| -> Call { deployment.account_for(key, END_USER, "GET", PATH) },
    ] {
        let rows = page(ask(&deployment, &key), 1, 20, 3).await;
        let found: Vec<_> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
        assert_eq!(found, [&ids[3], &ids[2], &ids[0]], "where it is in the list does not change");
        assert_eq!(rows[2], changed);
    }
}
