//! `/api/v1/documents/{id}`

use serde_json::{Value, json};

use super::documents::document;
use super::execute_tool::{check_refusal, start};
use super::workspaces::{seen, workspace};
use crate::support::{Answer, ApiKey, Call, Deployment};

const VIEWERS: [Option<&str>; 4] = [Some("ada"), Some("bob"), Some("eve"), None];

fn path(id: &str) -> String {
    format!("/api/v1/documents/{id}")
}

fn call(deployment: &Deployment, key: &ApiKey, user: Option<&str>, method: &str, id: &str) -> Call {
    let call = deployment.account(key, method, &path(id));
    user.into_iter().fold(call, |call, user| call.header("external_user_id", user))
}

async fn delete(deployment: &Deployment, key: &ApiKey, user: Option<&str>, id: &str) -> Answer {
    call(deployment, key, user, "DELETE", id).send().await
}

#[tokio::test]
async fn a_document_is_seen_by_its_end_user_or_by_all_with_the_workspaces_that_the_viewer_sees() {
    let (deployment, key) = start().await;
    let global = workspace(&deployment, &key, None, &json!({})).await;
    let of_ada = workspace(&deployment, &key, Some("ada"), &json!({})).await;
    let of_bob = workspace(&deployment, &key, Some("bob"), &json!({})).await;
    let content = "# Confidential";
    // Whose document, where, and what each of the viewers sees of where.
    let cases = [
        (Some("ada"), vec![&of_ada, &global], [Some(vec![&of_ada, &global]), None, None, Some(vec![&of_ada, &global])]),
        (Some("bob"), vec![&global], [None, Some(vec![&global]), None, Some(vec![&global])]),
        (None, vec![&of_ada], [Some(vec![&of_ada]), Some(vec![]), Some(vec![]), Some(vec![&of_ada])]),
        (
            None,
            vec![&of_bob, &global, &of_ada],
            [
                Some(vec![&global, &of_ada]),
                Some(vec![&of_bob, &global]),
                Some(vec![&global]),
                Some(vec![&of_bob, &global, &of_ada]),
            ],
        ),
        (None, vec![], [Some(vec![]), Some(vec![]), Some(vec![]), Some(vec![])]),
    ];
    for (owner, workspaces, expected) in cases {
        let fields = json!({ "workspace_ids": workspaces, "markdown_content": content });
        let id = document(&deployment, &key, owner, &fields).await;
        for (viewer, expected) in VIEWERS.into_iter().zip(expected) {
            let list = seen(&deployment, &key, viewer, "/api/v1/documents?limit=100").await;
            let listed = list["items"].as_array().unwrap().iter().find(|row| row["id"] == id.as_str());
            let answer = call(&deployment, &key, viewer, "GET", &id).send().await;
            let Some(expected) = expected else {
                answer.refused(404, "not_found");
                assert!(!list.to_string().contains(&id), "{viewer:?} sees that of {owner:?}");
                continue;
            };
            assert_eq!(answer.document(200)["workspace_ids"], json!(expected), "{viewer:?}");
            assert_eq!(
                (&answer.body["markdown_content"], &answer.body["external_user_id"]),
                (&json!(content), &json!(owner))
            );
            assert_eq!(listed.unwrap()["workspace_ids"], json!(expected), "{viewer:?}");
        }
    }
}

#[tokio::test]
async fn a_document_for_all_is_deleted_by_the_account_alone() {
    let (deployment, key) = start().await;
    let id = document(&deployment, &key, None, &json!({ "markdown_content": "# a" })).await;
    let token = deployment.scoped_token(&key, Some("ada")).await;
    let of_account = deployment.scoped_token(&key, None).await;
    let before = deployment.items_but_events().await;
    deployment.page(&token, "DELETE", &path(&id)).send().await.refused(403, "global_row");
    delete(&deployment, &key, Some("ada"), &id).await.refused(403, "global_row");
    assert_eq!(deployment.items_but_events().await, before);
    let answer = deployment.page(&of_account, "DELETE", &path(&id)).send().await;
    assert_eq!(*answer.document(200), json!({ "deleted": true }));
    for viewer in VIEWERS {
        call(&deployment, &key, viewer, "GET", &id).send().await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn a_document_of_another_end_user_is_answered_like_one_that_never_was() {
    let (deployment, key) = start().await;
    let of_ada = document(&deployment, &key, Some("ada"), &json!({ "markdown_content": "# a" })).await;
    let gone = document(&deployment, &key, Some("bob"), &json!({})).await;
    delete(&deployment, &key, Some("bob"), &gone).await.document(200);
    let before = deployment.items_but_events().await;
    for method in ["GET", "DELETE"] {
        let mut texts = Vec::new();
        for id in [of_ada.as_str(), gone.as_str(), "01900000-0000-7000-8000-000000000001", "exec_1", "%23"] {
            let answer = call(&deployment, &key, Some("bob"), method, id).send().await;
            texts.push(answer.refused(404, "not_found").text.clone());
        }
        assert!(texts.iter().all(|text| *text == texts[0]), "{method}: {texts:?}");
    }
    assert_eq!(deployment.items_but_events().await, before);
    delete(&deployment, &key, None, &of_ada).await.document(200);
    for viewer in [Some("ada"), None] {
        delete(&deployment, &key, viewer, &of_ada).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn a_deleted_document_leaves_nothing_but_counts() {
    let (deployment, key) = start().await;
    let global = workspace(&deployment, &key, None, &json!({})).await;
    let of_ada = workspace(&deployment, &key, Some("ada"), &json!({})).await;
    for (owner, deleter) in [(Some("ada"), Some("ada")), (Some("ada"), None), (None, None)] {
        let before = deployment.items_but_events().await;
        let fields = json!({ "workspace_ids": [global, of_ada], "markdown_content": "# Confidential" });
        let id = document(&deployment, &key, owner, &fields).await;
        assert!(deployment.items_but_events().await.len() > before.len() + 3);
        assert_eq!(*delete(&deployment, &key, deleter, &id).await.document(200), json!({ "deleted": true }));
        for item in deployment.items_but_events().await.iter().filter(|item| !before.contains(item)) {
            let empty = item["sk"]["S"].as_str().unwrap().starts_with("COUNT#") && item["resource_count"]["N"] == "0";
            assert!(empty, "{item}");
        }
        for list in ["/api/v1/documents".to_owned(), format!("/api/v1/workspaces/{global}/documents")] {
            assert_eq!(seen(&deployment, &key, Some("ada"), &list).await["total"], 0);
        }
    }
}

#[tokio::test]
async fn a_document_is_shown_and_deleted_and_nothing_else() {
    let (deployment, key) = start().await;
    let id = document(&deployment, &key, None, &json!({})).await;
    for method in ["PATCH", "PUT", "POST"] {
        let answer = call(&deployment, &key, None, method, &id).json(&json!({ "name": "b" })).send().await;
        answer.refused(405, "method_not_allowed");
        assert_eq!(answer.headers["allow"], "GET, DELETE");
    }
    for method in ["GET", "DELETE"] {
        let with_query = |query: &str| format!("{id}?{query}");
        let answer = call(&deployment, &key, None, method, &with_query("force=1")).send().await;
        check_refusal(&answer, &json!(["query", "force"]), "extra_forbidden");
        // The path says which one, and nothing else can.
        let answer = call(&deployment, &key, None, method, &with_query("id=x")).send().await;
        check_refusal(&answer, &json!(["path", "id"]), "value_error");
    }
    assert_eq!(seen(&deployment, &key, None, &path(&id)).await["markdown_content"], Value::Null);
}
