//! `GET /api/v1/workspaces/{id}/documents`

use serde_json::{Value, json};

use super::documents::document;
use super::execute_tool::{check_refusal, start};
use super::tool_executions::{check_pages, ids, listed};
use super::workspaces::{seen, workspace};

fn path(id: &str) -> String {
    format!("/api/v1/workspaces/{id}/documents")
}

#[tokio::test]
async fn a_workspace_lists_those_of_its_documents_that_the_viewer_sees_newest_first() {
    let (deployment, key) = start().await;
    let global = workspace(&deployment, &key, None, &json!({})).await;
    let another = workspace(&deployment, &key, None, &json!({})).await;
    let mut made = Vec::new();
    for number in 0..60 {
        let owner = [Some("ada"), None, Some("bob"), None][number % 4];
        let fields = json!({ "workspace_ids": [global], "markdown_content": "# a" });
        made.push((owner, document(&deployment, &key, owner, &fields).await));
    }
    // Beside some that are elsewhere or nowhere.
    for workspaces in [json!([another]), json!([])] {
        document(&deployment, &key, None, &json!({ "workspace_ids": workspaces })).await;
    }
    made.reverse();
    for (viewer, count) in [(Some("ada"), 45), (Some("bob"), 45), (Some("eve"), 30), (None, 60)] {
        let token = deployment.scoped_token(&key, viewer).await;
        let rows = listed(|query| deployment.page(&token, "GET", &format!("{}?{query}", path(&global)))).await;
        let visible = made.iter().filter(|(owner, _)| viewer.is_none() || owner.is_none() || *owner == viewer);
        let visible: Vec<_> = visible.map(|(_, id)| id.as_str()).collect();
        assert_eq!((ids(&rows), rows.len()), (visible, count), "{viewer:?}");
        assert_eq!(rows[0], seen(&deployment, &key, viewer, "/api/v1/documents").await["items"][2]);
        assert!(
            rows.iter().all(|row| row.get("markdown_content").is_none() && row["workspace_ids"] == json!([global]))
        );
    }
}

#[tokio::test]
async fn what_the_account_puts_into_an_end_users_workspace_is_listed_there_for_that_one_alone() {
    let (deployment, key) = start().await;
    let of_ada = workspace(&deployment, &key, Some("ada"), &json!({})).await;
    let shared = document(&deployment, &key, None, &json!({ "workspace_ids": [of_ada] })).await;
    let own = document(&deployment, &key, Some("ada"), &json!({ "workspace_ids": [of_ada] })).await;
    for viewer in [Some("ada"), None] {
        let list = seen(&deployment, &key, viewer, &path(&of_ada)).await;
        assert_eq!(ids(list["items"].as_array().unwrap()), [&own, &shared].map(String::as_str));
    }
    let unknown =
        deployment.account_for(&key, "bob", "GET", &path("01900000-0000-7000-8000-000000000001")).send().await;
    unknown.refused(404, "not_found");
    for id in [of_ada.as_str(), "x", "exec_1"] {
        let answer = deployment.account_for(&key, "bob", "GET", &path(id)).send().await;
        assert_eq!((answer.status, &answer.text), (404, &unknown.text), "{id}");
    }
    // The document is for all, and so Bob sees it, but not where it is.
    let list = seen(&deployment, &key, Some("bob"), "/api/v1/documents").await;
    assert_eq!((&list["total"], &list["items"][0]["id"]), (&json!(1), &json!(shared)));
    assert_eq!(list["items"][0]["workspace_ids"], json!([]));
}

#[tokio::test]
async fn a_page_of_a_workspaces_documents_has_a_number_and_a_limit_and_nothing_else() {
    let (deployment, key) = start().await;
    let id = workspace(&deployment, &key, Some("ada"), &json!({})).await;
    check_pages(|query| deployment.account_for(&key, "ada", "GET", &format!("{}?{query}", path(&id)))).await;
    let answer = deployment.account(&key, "GET", &format!("{}?id={id}", path(&id))).send().await;
    check_refusal(&answer, &json!(["path", "id"]), "value_error");
    let answer = deployment.account(&key, "POST", &path(&id)).json(&Value::Object(serde_json::Map::new())).send().await;
    answer.refused(405, "method_not_allowed");
}
