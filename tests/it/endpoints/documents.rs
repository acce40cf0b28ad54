//! `/api/v1/documents`

use serde_json::{Value, json};
use shared::domain::Timestamp;
use stack::Match;

use super::execute_tool::{check_refusal, check_refusals, start};
use super::tool_executions::{check_pages, ids, listed};
use super::workspaces::{seen, workspace};
use crate::support::{ApiKey, Deployment, naming, with};

const DOCUMENTS: &str = "/api/v1/documents";

/// The most bytes of content.
const LARGEST: usize = 49_152;

/// A document of an end user, or without one for all: its id.
pub(super) async fn document(deployment: &Deployment, key: &ApiKey, user: Option<&str>, fields: &Value) -> String {
    let body = with(&with(&json!({ "name": "Handbook" }), &naming(user)), fields);
    let answer = deployment.account(key, "POST", DOCUMENTS).json(&body).send().await;
    answer.document(201)["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_document_is_answered_as_it_was_made_and_listed_without_its_content() {
    let (deployment, key) = start().await;
    let token = deployment.scoped_token(&key, Some("ada")).await;
    let global = workspace(&deployment, &key, None, &json!({})).await;
    let of_ada = workspace(&deployment, &key, Some("ada"), &json!({})).await;
    let (name, content) = ("😀".repeat(200), "é".repeat(LARGEST / 2));
    let cases = [
        (Some("ada"), json!({ "name": "Handbook" }), "pending"),
        (
            Some("ada"),
            json!({ "name": name, "file_type": "text/markdown", "workspace_ids": [of_ada, global] }),
            "pending",
        ),
        (Some("ada"), json!({ "name": "a", "markdown_content": content, "workspace_ids": [global] }), "ready"),
        (
            None,
            json!({ "name": "a", "markdown_content": "# \u{0}\n| \"a\" | \u{1F600} |\r\n", "file_type": "m" }),
            "ready",
        ),
        (None, json!({ "name": "a", "markdown_content": "", "workspace_ids": [] }), "ready"),
        (None, json!({ "name": "a", "markdown_content": null, "file_type": null }), "pending"),
    ];
    let mut made = Vec::new();
    for (user, body, status) in cases {
        let call = match user {
            Some(_) => deployment.page(&token, "POST", DOCUMENTS),
            None => deployment.account(&key, "POST", DOCUMENTS),
        };
        let answer = call.json(&body).send().await;
        let row = json!({
            "id": answer.body["id"],
            "name": body["name"],
            "status": status,
            "file_type": body["file_type"],
            "workspace_ids": body.get("workspace_ids").unwrap_or(&json!([])),
            "external_user_id": user,
            "created_at": answer.body["created_at"],
            "updated_at": answer.body["created_at"],
        });
        let whole = with(&row, &json!({ "markdown_content": body["markdown_content"] }));
        assert_eq!(*answer.document(201), whole);
        assert!(Timestamp::parse(row["created_at"].as_str().unwrap()).is_ok());
        let path = format!("{DOCUMENTS}/{}", row["id"].as_str().unwrap());
        assert_eq!(seen(&deployment, &key, Some("ada"), &path).await, whole);
        assert_eq!(seen(&deployment, &key, None, &path).await, whole);
        made.push(row);
    }
    made.reverse();
    for call in [deployment.page(&token, "GET", DOCUMENTS), deployment.account(&key, "GET", DOCUMENTS)] {
        let answer = call.send().await;
        assert_eq!(answer.document(200)["items"], Value::from(made.clone()));
    }
}

#[tokio::test]
async fn an_end_user_sees_its_own_documents_among_those_for_all_newest_first() {
    let (deployment, key) = start().await;
    let mut made = Vec::new();
    for number in 0..60 {
        let owner = [None, Some("bob"), Some("ada"), None][number % 4];
        made.push((owner, document(&deployment, &key, owner, &json!({})).await));
    }
    made.reverse();
    for (viewer, count) in [(Some("ada"), 45), (Some("bob"), 45), (Some("eve"), 30), (None, 60)] {
        let token = deployment.scoped_token(&key, viewer).await;
        let rows = listed(|query| deployment.page(&token, "GET", &format!("{DOCUMENTS}?{query}"))).await;
        let visible = made.iter().filter(|(owner, _)| viewer.is_none() || owner.is_none() || *owner == viewer);
        let visible: Vec<_> = visible.map(|(_, id)| id.as_str()).collect();
        assert_eq!((ids(&rows), rows.len()), (visible, count), "{viewer:?}");
    }
}

#[tokio::test]
async fn a_page_of_documents_has_a_number_and_a_limit_and_nothing_else() {
    let (deployment, key) = start().await;
    check_pages(|query| deployment.account_for(&key, "ada", "GET", &format!("{DOCUMENTS}?{query}"))).await;
}

#[tokio::test]
async fn a_document_is_within_bounds_or_is_not_made() {
    let (deployment, key) = start().await;
    let known = workspace(&deployment, &key, None, &json!({})).await;
    let at = |field: &str| json!(["body", field]);
    let mut cases: Vec<_> = [
        ("name", json!("")),
        ("name", json!("x".repeat(201))),
        ("name", json!("a\tb")),
        ("name", json!(7)),
        ("file_type", json!("")),
        ("file_type", json!("x".repeat(201))),
        ("file_type", json!("a\u{7f}b")),
        ("file_type", json!(["md"])),
        ("markdown_content", json!("x".repeat(LARGEST + 1))),
        ("markdown_content", json!("é".repeat(LARGEST / 2 + 1))),
        ("markdown_content", json!(7)),
        ("markdown_content", json!({ "text": "# a" })),
        ("workspace_ids", json!(known)),
        ("workspace_ids", json!({ "0": known })),
        ("external_user_id", json!("")),
        ("external_user_id", json!("x".repeat(257))),
        ("external_user_id", json!(true)),
    ]
    .into_iter()
    .map(|(field, value)| (with(&json!({ "name": "a" }), &json!({ field: value })), at(field), "value_error"))
    .collect();
    for id in
        [json!("x"), json!(""), json!(7), Value::Null, json!(known.replace('-', "")), json!(format!("{{{known}}}"))]
    {
        let body = json!({ "name": "a", "workspace_ids": [known, id] });
        cases.push((body, json!(["body", "workspace_ids", 1]), "value_error"));
    }
    for field in ["title", "id", "status", "content", "workspace_id", "external_userid", "created_at"] {
        cases.push((json!({ "name": "a", field: null }), at(field), "extra_forbidden"));
    }
    cases.push((json!({}), at("name"), "missing"));
    cases.push((json!({ "name": null }), at("name"), "missing"));
    cases.push((json!({ "markdown_content": "# a" }), at("name"), "missing"));
    check_refusals(&deployment, || deployment.account(&key, "POST", DOCUMENTS), cases).await;

    let before = deployment.items().await;
    let call = || deployment.account(&key, "POST", DOCUMENTS);
    call().send().await.refused(400, "malformed_request");
    assert_eq!(deployment.items().await, before);
}

/// Some libraries escape all that is not ASCII, others only what they have to.
#[tokio::test]
async fn a_content_has_the_same_size_however_it_is_escaped() {
    let (deployment, key) = start().await;
    let send = |content: &str| {
        let body = format!(r#"{{"name":"a","markdown_content":"{content}"}}"#);
        deployment.account(&key, "POST", DOCUMENTS).body("application/json", body).send()
    };
    for (plain, escaped, times) in
        [("\u{6f22}", r"\u6f22", LARGEST / 3), ("a", r"\u0061", LARGEST), ("\u{1f600}", r"\ud83d\ude00", LARGEST / 4)]
    {
        for content in [plain, escaped] {
            let id = send(&content.repeat(times)).await.document(201)["id"].clone();
            let stored = deployment.account(&key, "GET", &format!("{DOCUMENTS}/{}", id.as_str().unwrap())).send().await;
            assert_eq!(stored.document(200)["markdown_content"], plain.repeat(times), "{escaped}");
            let answer = send(&content.repeat(times + 1)).await;
            check_refusal(&answer, &json!(["body", "markdown_content"]), "value_error");
        }
    }
    let quotes = json!({ "name": "a", "markdown_content": "\"".repeat(LARGEST) });
    deployment.account(&key, "POST", DOCUMENTS).json(&quotes).send().await.document(201);
    send(&r"\u6f22".repeat(64 * 1024 / 3)).await.refused(413, "payload_too_large");
    send(&r"\u0061".repeat(400 * 1024 / 6)).await.refused(413, "payload_too_large");
}

#[tokio::test]
async fn a_document_is_in_up_to_ten_workspaces_and_listed_in_each() {
    let (deployment, key) = start().await;
    let mut workspaces = Vec::new();
    for number in 0..11 {
        let owner = if number % 2 == 0 { Some("ada") } else { None };
        workspaces.push(workspace(&deployment, &key, owner, &json!({})).await);
    }
    let token = deployment.scoped_token(&key, Some("ada")).await;
    let ask = || deployment.page(&token, "POST", DOCUMENTS);
    let body = |ids: &[String]| json!({ "name": "a", "workspace_ids": ids });
    check_refusals(&deployment, ask, [(body(&workspaces), json!(["body", "workspace_ids"]), "value_error")]).await;

    // Each counts once, in whichever case it is written.
    let ten = &workspaces[..10];
    let again: Vec<_> = ten.iter().cloned().chain([ten[0].clone(), ten[3].to_uppercase()]).collect();
    let mut made = Vec::new();
    for ids in [ten, &again] {
        let answer = ask().json(&body(ids)).send().await;
        assert_eq!(answer.document(201)["workspace_ids"], json!(ten));
        made.push(answer.body["id"].as_str().unwrap().to_owned());
    }
    made.reverse();
    for id in ten {
        let list = seen(&deployment, &key, Some("ada"), &format!("/api/v1/workspaces/{id}/documents")).await;
        assert_eq!(ids(list["items"].as_array().unwrap()), made);
        assert_eq!(list["items"][0]["workspace_ids"], json!(ten));
        let row = seen(&deployment, &key, Some("ada"), &format!("/api/v1/workspaces/{id}")).await;
        assert_eq!(row["document_count"], 2);
    }
    for (number, id) in made.iter().enumerate() {
        deployment.page(&token, "DELETE", &format!("{DOCUMENTS}/{id}")).send().await.document(200);
        let row = seen(&deployment, &key, None, &format!("/api/v1/workspaces/{}", ten[9])).await;
        assert_eq!(row["document_count"], 1 - number);
    }
}

#[tokio::test]
async fn a_workspace_that_the_caller_does_not_see_is_refused_by_its_index_and_nothing_is_written() {
    let (deployment, key) = start().await;
    let global = workspace(&deployment, &key, None, &json!({})).await;
    let of_ada = workspace(&deployment, &key, Some("ada"), &json!({})).await;
    let of_bob = workspace(&deployment, &key, Some("bob"), &json!({})).await;
    let gone = workspace(&deployment, &key, Some("ada"), &json!({})).await;
    deployment.account(&key, "DELETE", &format!("/api/v1/workspaces/{gone}")).send().await.document(200);
    let never = "01900000-0000-7000-8000-000000000001".to_owned();
    let nil = "00000000-0000-0000-0000-000000000000".to_owned();
    let token = deployment.scoped_token(&key, Some("ada")).await;
    let before = deployment.items().await;
    let mut texts = Vec::new();
    for unseen in [&of_bob, &gone, &never, &nil] {
        let cases = [
            (json!([unseen]), 0),
            (json!([global, of_ada, unseen]), 2),
            (json!([global, unseen, never]), 1),
            // Repeating another does not move it.
            (json!([global, global, unseen]), 2),
        ];
        for (ids, index) in cases {
            let body = json!({ "name": "a", "workspace_ids": ids, "markdown_content": "# a" });
            let answer = deployment.page(&token, "POST", DOCUMENTS).json(&body).send().await;
            check_refusal(&answer, &json!(["body", "workspace_ids", index]), "value_error");
            texts.push((index, answer.text));
        }
    }
    assert_eq!(deployment.items().await, before);
    // Another's is told from one that never was by nothing.
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), 3, "{texts:?}");
    // The account sees those of all, but not those that are not there.
    let all = json!({ "name": "a", "workspace_ids": [of_bob, global, of_ada] });
    deployment.account(&key, "POST", DOCUMENTS).json(&all).send().await.document(201);
    let body = json!({ "name": "a", "workspace_ids": [of_bob, gone] });
    let answer = deployment.account(&key, "POST", DOCUMENTS).json(&body).send().await;
    check_refusal(&answer, &json!(["body", "workspace_ids", 1]), "value_error");
}

#[tokio::test]
async fn a_workspace_that_is_deleted_in_the_middle_of_storing_is_refused_by_its_index_and_nothing_is_written() {
    let (deployment, key) = start().await;
    let stays = workspace(&deployment, &key, None, &json!({})).await;
    for user in [Some("ada"), None] {
        let gone = workspace(&deployment, &key, user, &json!({})).await;
        let writes = Match::any().function("documents").operation("TransactWriteItems");
        let held = deployment.stack.faults().hold(writes);
        let body = json!({ "name": "a", "workspace_ids": [stays, gone], "markdown_content": "# a" });
        let body = with(&body, &naming(user));
        let storing = deployment.account(&key, "POST", DOCUMENTS).json(&body).send();
        let deletion = async {
            held.reached().await;
            deployment.account(&key, "DELETE", &format!("/api/v1/workspaces/{gone}")).send().await.document(200);
            let left = deployment.items().await;
            held.release();
            left
        };
        let (answer, left) = tokio::join!(storing, deletion);
        check_refusal(&answer, &json!(["body", "workspace_ids", 1]), "value_error");
        assert_eq!(deployment.items().await, left);
    }
}

/// What DynamoDB can have answered a request with: the items at its keys, or in the partition of its query.
fn answered<'a>(request: &Value, items: &'a [Value]) -> Vec<&'a Value> {
    let mut tables = request["RequestItems"].as_object().into_iter().flat_map(serde_json::Map::values);
    let many = tables.next().and_then(|table| table["Keys"].as_array()).cloned().unwrap_or_default();
    let keys: Vec<_> = many.into_iter().chain(request.get("Key").cloned()).collect();
    let partition = &request["ExpressionAttributeValues"][":partition"];
    assert!(!keys.is_empty() || partition.is_object(), "{request}");
    let is_meant = |item: &&Value| {
        let is_at = |key: &Value| key["pk"] == item["pk"] && key["sk"] == item["sk"];
        item["pk"] == *partition || keys.iter().any(is_at)
    };
    items.iter().filter(is_meant).collect()
}

#[tokio::test]
async fn no_list_reads_the_content_of_a_document() {
    let (deployment, key) = start().await;
    let workspace = workspace(&deployment, &key, None, &json!({})).await;
    let mut id = String::new();
    for user in [Some("ada"), None, Some("bob")] {
        let fields = json!({ "workspace_ids": [workspace], "markdown_content": "# Confidential" });
        id = document(&deployment, &key, user, &fields).await;
    }
    let items = deployment.items().await;
    let reads_content = async |user: Option<&str>, path: &str| {
        let token = deployment.scoped_token(&key, user).await;
        let (answer, calls) = deployment.calls_of(deployment.page(&token, "GET", path)).await;
        let rows = answer.document(200)["items"].as_array().map(Vec::len);
        let read: Vec<_> = calls.iter().flat_map(|call| answered(&call.request, &items)).collect();
        // What is on the page was seen to be read: so would its content be.
        let row_count = read.iter().filter(|item| item.get("field_id").is_some()).count();
        assert!(row_count >= rows.unwrap_or(1), "{read:?}");
        let content = read.iter().any(|item| item.get("markdown_content").is_some());
        assert_eq!(content, answer.text.contains("# Confidential"));
        content
    };
    for user in [Some("ada"), Some("bob"), Some("eve"), None] {
        for path in [DOCUMENTS, "/api/v1/workspaces", &format!("/api/v1/workspaces/{workspace}/documents")] {
            assert!(!reads_content(user, path).await, "{user:?} {path}");
        }
    }
    for user in [Some("bob"), None] {
        assert!(reads_content(user, &format!("{DOCUMENTS}/{id}")).await);
    }
}
