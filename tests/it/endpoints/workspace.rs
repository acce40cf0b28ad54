//! `/api/v1/workspaces/{id}`

use serde_json::{Value, json};
use stack::Match;

use super::documents::document;
use super::execute_tool::{check_refusals, start};
use super::workspaces::{seen, workspace};
use crate::support::{Answer, ApiKey, Deployment, naming, with};

fn path(id: &str) -> String {
    format!("/api/v1/workspaces/{id}")
}

async fn patch(deployment: &Deployment, key: &ApiKey, id: &str, body: &Value) -> Answer {
    deployment.account(key, "PATCH", &path(id)).json(body).send().await
}

async fn delete(deployment: &Deployment, key: &ApiKey, user: Option<&str>, id: &str) -> Answer {
    let call = deployment.account(key, "DELETE", &path(id));
    user.into_iter().fold(call, |call, user| call.header("external_user_id", user)).send().await
}

#[tokio::test]
async fn a_change_writes_the_fields_that_are_named_and_null_clears() {
    let (deployment, key) = start().await;
    for user in [Some("ada"), None] {
        let id = workspace(&deployment, &key, user, &json!({ "description": "of 2026" })).await;
        let mut row = seen(&deployment, &key, user, &path(&id)).await;
        let steps = [
            json!({ "name": "😀".repeat(200) }),
            json!({ "description": "x".repeat(4096) }),
            json!({ "is_default": true }),
            json!({ "name": "Invoices", "description": "of 2027" }),
            json!({ "description": null }),
            json!({ "description": "" }),
            json!({ "is_default": false, "description": "again" }),
            json!({}),
        ];
        for step in steps {
            let answer = patch(&deployment, &key, &id, &with(&step, &naming(user))).await;
            assert!(row["updated_at"].as_str() <= answer.body["updated_at"].as_str());
            row = with(&with(&row, &step), &json!({ "updated_at": answer.body["updated_at"] }));
            assert_eq!(*answer.document(200), row, "{step}");
            assert_eq!(seen(&deployment, &key, user, &path(&id)).await, row);
        }
        assert!(row["updated_at"].as_str() > row["created_at"].as_str());
    }
}

#[tokio::test]
async fn a_change_is_within_bounds_or_writes_nothing() {
    let (deployment, key) = start().await;
    let id = workspace(&deployment, &key, None, &json!({})).await;
    let at = |field: &str| json!(["body", field]);
    let mut cases: Vec<_> = [
        ("name", Value::Null),
        ("name", json!("")),
        ("name", json!("x".repeat(201))),
        ("name", json!("\u{0}")),
        ("name", json!({})),
        ("description", json!("x".repeat(4097))),
        ("description", json!(7)),
        ("is_default", Value::Null),
        ("is_default", json!("no")),
        ("external_user_id", json!("")),
        ("external_user_id", json!([])),
    ]
    .into_iter()
    .map(|(field, value)| (with(&json!({ "name": "changed" }), &json!({ field: value })), at(field), "value_error"))
    .collect();
    for field in ["id", "document_count", "created_at", "owner"] {
        cases.push((json!({ "name": "changed", field: null }), at(field), "extra_forbidden"));
    }
    check_refusals(&deployment, || deployment.account(&key, "PATCH", &path(&id)), cases).await;
}

#[tokio::test]
async fn what_is_for_all_is_read_by_everybody_and_changed_by_the_account_alone() {
    let (deployment, key) = start().await;
    let id = workspace(&deployment, &key, None, &json!({ "is_default": true })).await;
    let row = seen(&deployment, &key, None, &path(&id)).await;
    let token = deployment.scoped_token(&key, Some("ada")).await;
    let of_account = deployment.scoped_token(&key, None).await;
    let before = deployment.items_but_events().await;
    assert_eq!(*deployment.page(&token, "GET", &path(&id)).send().await.document(200), row);
    for call in [deployment.page(&token, "PATCH", &path(&id)), deployment.account_for(&key, "ada", "PATCH", &path(&id))]
    {
        for body in [json!({ "name": "Mine" }), json!({ "is_default": false }), json!({})] {
            call.clone().json(&body).send().await.refused(403, "global_row");
        }
    }
    deployment.page(&token, "DELETE", &path(&id)).send().await.refused(403, "global_row");
    delete(&deployment, &key, Some("ada"), &id).await.refused(403, "global_row");
    assert_eq!(deployment.items_but_events().await, before);

    let answer = deployment.page(&of_account, "PATCH", &path(&id)).json(&json!({ "name": "Ours" })).send().await;
    assert_eq!((&answer.document(200)["name"], &answer.body["is_default"]), (&json!("Ours"), &json!(true)));
    let answer = deployment.page(&of_account, "DELETE", &path(&id)).send().await;
    assert_eq!(*answer.document(200), json!({ "deleted": true }));
    deployment.page(&token, "GET", &path(&id)).send().await.refused(404, "not_found");
}

#[tokio::test]
async fn a_workspace_of_another_end_user_is_neither_seen_nor_changed_and_the_account_may_do_both() {
    let (deployment, key) = start().await;
    let of_ada = workspace(&deployment, &key, Some("ada"), &json!({})).await;
    let gone = workspace(&deployment, &key, Some("bob"), &json!({})).await;
    let answer = delete(&deployment, &key, Some("bob"), &gone).await;
    assert_eq!(*answer.document(200), json!({ "deleted": true }));
    let before = deployment.items_but_events().await;
    for method in ["GET", "PATCH", "DELETE"] {
        let mut texts = Vec::new();
        for id in [of_ada.as_str(), gone.as_str(), "00000000-0000-7000-8000-000000000000", "exec_1", "x"] {
            let call = deployment.account_for(&key, "bob", method, &path(id));
            let call = if method == "PATCH" { call.json(&json!({ "name": "Mine" })) } else { call };
            let answer = call.send().await;
            texts.push(answer.refused(404, "not_found").text.clone());
        }
        assert!(texts.iter().all(|text| *text == texts[0]), "{method}: {texts:?}");
    }
    assert_eq!(deployment.items_but_events().await, before);
    let answer = patch(&deployment, &key, &of_ada, &json!({ "name": "Ours" })).await;
    assert_eq!((&answer.document(200)["name"], &answer.body["external_user_id"]), (&json!("Ours"), &json!("ada")));
    assert_eq!(seen(&deployment, &key, Some("ada"), &path(&of_ada)).await, answer.body);
    delete(&deployment, &key, None, &of_ada).await.document(200);
    delete(&deployment, &key, None, &of_ada).await.refused(404, "not_found");
    delete(&deployment, &key, Some("ada"), &of_ada).await.refused(404, "not_found");
}

#[tokio::test]
async fn documents_are_counted_as_far_as_the_viewer_sees_them() {
    let (deployment, key) = start().await;
    let global = workspace(&deployment, &key, None, &json!({})).await;
    let of_ada = workspace(&deployment, &key, Some("ada"), &json!({})).await;
    let mut documents = Vec::new();
    for (user, count) in [(Some("ada"), 3), (Some("bob"), 2), (None, 4)] {
        for _ in 0..count {
            documents.push((user, document(&deployment, &key, user, &json!({ "workspace_ids": [global] })).await));
        }
    }
    // One that the account put into Ada's own, beside one of hers.
    for user in [Some("ada"), None] {
        document(&deployment, &key, user, &json!({ "workspace_ids": [of_ada, global] })).await;
    }
    let count = async |user, id: &str| {
        let row = seen(&deployment, &key, user, &path(id)).await;
        let listed = seen(&deployment, &key, user, "/api/v1/workspaces").await;
        let listed = listed["items"].as_array().unwrap().iter().find(|row| row["id"] == id).unwrap();
        assert_eq!(row, *listed);
        let documents = seen(&deployment, &key, user, &format!("{}/documents", path(id))).await;
        assert_eq!(documents["total"], row["document_count"]);
        row["document_count"].as_u64().unwrap()
    };
    for (user, expected) in [(Some("ada"), 9), (Some("bob"), 7), (Some("eve"), 5), (None, 11)] {
        assert_eq!(count(user, &global).await, expected, "{user:?}");
    }
    for user in [Some("ada"), None] {
        assert_eq!(count(user, &of_ada).await, 2);
    }
    // A change answers with the count, too.
    let renamed = json!({ "name": "Ours", "external_user_id": "ada" });
    assert_eq!(patch(&deployment, &key, &of_ada, &renamed).await.document(200)["document_count"], 2);
    for (user, id) in &documents {
        let call = deployment.account(&key, "DELETE", &format!("/api/v1/documents/{id}"));
        user.iter().fold(call, |call, user| call.header("external_user_id", user)).send().await.document(200);
    }
    for (user, expected) in [(Some("ada"), 2), (Some("bob"), 1), (Some("eve"), 1), (None, 2)] {
        assert_eq!(count(user, &global).await, expected, "{user:?}");
    }
}

#[tokio::test]
async fn a_deleted_workspace_leaves_its_documents_to_everybody_who_saw_them() {
    let (deployment, key) = start().await;
    let gone = workspace(&deployment, &key, None, &json!({})).await;
    let stays = workspace(&deployment, &key, None, &json!({})).await;
    let of_ada = workspace(&deployment, &key, Some("ada"), &json!({})).await;
    let mut documents = Vec::new();
    for (user, workspaces) in [
        (Some("ada"), vec![&gone, &of_ada, &stays]),
        (Some("bob"), vec![&gone, &stays]),
        (Some("bob"), vec![&gone]),
        (None, vec![&gone, &stays]),
        (None, vec![&stays, &gone, &of_ada]),
    ] {
        let fields = json!({ "workspace_ids": workspaces, "markdown_content": "# Kept" });
        documents.push((user, document(&deployment, &key, user, &fields).await));
    }
    // What each viewer sees of the documents, by id and in the list, which has to be the same.
    let views = async || {
        let mut views = Vec::new();
        for viewer in [Some("ada"), Some("bob"), Some("eve"), None] {
            let list = seen(&deployment, &key, viewer, "/api/v1/documents").await;
            for row in list["items"].as_array().unwrap() {
                let path = format!("/api/v1/documents/{}", row["id"].as_str().unwrap());
                let whole = seen(&deployment, &key, viewer, &path).await;
                assert_eq!(whole, with(row, &json!({ "markdown_content": "# Kept" })));
                views.push((viewer, row.clone()));
            }
        }
        views
    };
    let before = views().await;
    assert_eq!(before.len(), 3 + 4 + 2 + 5);
    delete(&deployment, &key, None, &gone).await.document(200);
    let unlinked = before.into_iter().map(|(viewer, mut row)| {
        row["workspace_ids"].as_array_mut().unwrap().retain(|id| *id != gone.as_str());
        (viewer, row)
    });
    assert_eq!(views().await, unlinked.collect::<Vec<_>>());
    let call = deployment.account(&key, "GET", &format!("{}/documents", path(&gone)));
    call.send().await.refused(404, "not_found");
    // They can still be deleted, and leave no entry in any list.
    for (user, id) in &documents {
        let call = deployment.account(&key, "DELETE", &format!("/api/v1/documents/{id}"));
        user.iter().fold(call, |call, user| call.header("external_user_id", user)).send().await.document(200);
    }
    let items = deployment.items_but_events().await;
    let left: Vec<_> =
        items.iter().filter(|item| documents.iter().any(|(_, id)| item.to_string().contains(id))).collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(seen(&deployment, &key, None, &path(&stays)).await["document_count"], 0);
}

/// A write that lost its row on the way is refused, and does not bring back half of it.
#[tokio::test]
async fn a_workspace_that_is_deleted_in_the_middle_of_a_change_stays_deleted() {
    let (deployment, key) = start().await;
    for body in [json!({ "name": "Back again" }), json!({ "is_default": true })] {
        let id = workspace(&deployment, &key, Some("ada"), &json!({})).await;
        // The account writes with its third call, an end user with its second.
        let held = deployment.stack.faults().hold(Match::any().function("workspace").index(2));
        let change = patch(&deployment, &key, &id, &body);
        let deletion = async {
            held.reached().await;
            delete(&deployment, &key, Some("ada"), &id).await.document(200);
            held.release();
        };
        let (answer, ()) = tokio::join!(change, deletion);
        answer.refused(404, "not_found");
        let items = deployment.items_but_events().await;
        assert!(!items.iter().any(|item| item.to_string().contains(&id)));
        assert_eq!(seen(&deployment, &key, None, "/api/v1/workspaces").await["total"], 0);
    }
}
