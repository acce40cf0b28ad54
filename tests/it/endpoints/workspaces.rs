//! `/api/v1/workspaces`

use serde_json::{Value, json};
use shared::domain::Timestamp;
use stack::{Effect, Fault, Match};

use super::execute_tool::{check_refusals, start};
use super::tool_executions::{check_pages, ids, listed};
use crate::support::{ApiKey, Deployment, naming, with};

const WORKSPACES: &str = "/api/v1/workspaces";

/// A workspace of an end user, or without one for all: its id.
pub(super) async fn workspace(deployment: &Deployment, key: &ApiKey, user: Option<&str>, fields: &Value) -> String {
    let body = with(&with(&json!({ "name": "Contracts" }), &naming(user)), fields);
    let answer = deployment.account(key, "POST", WORKSPACES).json(&body).send().await;
    answer.document(201)["id"].as_str().unwrap().to_owned()
}

/// A row of the account surface as somebody sees it; with no user that is the account.
pub(super) async fn seen(deployment: &Deployment, key: &ApiKey, user: Option<&str>, path: &str) -> Value {
    let call = deployment.account(key, "GET", path);
    let call = user.into_iter().fold(call, |call, user| call.header("external_user_id", user));
    call.send().await.document(200).clone()
}

/// The workspaces that somebody sees.
async fn all(deployment: &Deployment, key: &ApiKey, user: Option<&str>) -> Vec<Value> {
    let token = deployment.scoped_token(key, user).await;
    listed(|query| deployment.page(&token, "GET", &format!("{WORKSPACES}?{query}"))).await
}

#[tokio::test]
async fn a_workspace_is_answered_as_it_was_made_and_shown_so_from_then_on() {
    let (deployment, key) = start().await;
    let token = deployment.scoped_token(&key, Some("ada")).await;
    let (name, description) = ("😀".repeat(200), "é".repeat(2048));
    let cases = [
        (Some("ada"), json!({ "name": "Contracts" }), Value::Null, false),
        (Some("ada"), json!({ "name": "a", "description": null, "is_default": false }), Value::Null, false),
        (
            Some("ada"),
            json!({ "name": name, "description": description, "is_default": true }),
            json!(description),
            true,
        ),
        (None, json!({ "name": "Handbook", "description": "" }), json!(""), false),
        (None, json!({ "name": "Drafts", "is_default": true }), Value::Null, true),
    ];
    let mut made = Vec::new();
    for (user, body, description, is_default) in cases {
        let call = match user {
            Some(_) => deployment.page(&token, "POST", WORKSPACES),
            None => deployment.account(&key, "POST", WORKSPACES),
        };
        let answer = call.json(&body).send().await;
        let expected = json!({
            "id": answer.body["id"],
            "name": body["name"],
            "description": description,
            "external_user_id": user,
            "created_at": answer.body["created_at"],
            "updated_at": answer.body["created_at"],
            "is_default": is_default,
            "document_count": 0,
        });
        assert_eq!(*answer.document(201), expected);
        assert!(Timestamp::parse(answer.body["created_at"].as_str().unwrap()).is_ok());
        let path = format!("{WORKSPACES}/{}", answer.body["id"].as_str().unwrap());
        assert_eq!(seen(&deployment, &key, Some("ada"), &path).await, expected);
        assert_eq!(seen(&deployment, &key, None, &path).await, expected);
        made.push(expected);
    }
    made.reverse();
    assert_eq!(all(&deployment, &key, Some("ada")).await, made);
    assert_eq!(all(&deployment, &key, None).await, made);
}

#[tokio::test]
async fn an_end_user_sees_its_own_workspaces_among_those_for_all_newest_first() {
    let (deployment, key) = start().await;
    let mut made = Vec::new();
    // 45 are Ada's or for all, and so three pages of hers.
    for number in 0..60 {
        let owner = [Some("ada"), None, None, Some("bob")][number % 4];
        made.push((owner, workspace(&deployment, &key, owner, &json!({})).await));
    }
    made.reverse();
    let whose = |owners: &[Option<&str>]| {
        let those = made.iter().filter(|(owner, _)| owners.contains(owner));
        those.map(|(_, id)| id.as_str()).collect::<Vec<_>>()
    };
    let cases = [
        (Some("ada"), whose(&[Some("ada"), None]), 45),
        (Some("bob"), whose(&[Some("bob"), None]), 45),
        (Some("eve"), whose(&[None]), 30),
        (None, whose(&[Some("ada"), Some("bob"), None]), 60),
    ];
    for (viewer, expected, count) in cases {
        let rows = all(&deployment, &key, viewer).await;
        assert_eq!((ids(&rows), rows.len()), (expected, count), "{viewer:?}");
    }
    let hundred = seen(&deployment, &key, None, &format!("{WORKSPACES}?limit=100")).await;
    assert_eq!(ids(hundred["items"].as_array().unwrap()), whose(&[Some("ada"), Some("bob"), None]));
}

#[tokio::test]
async fn a_workspace_is_within_bounds_or_is_not_made() {
    let (deployment, key) = start().await;
    let at = |field: &str| json!(["body", field]);
    let mut cases: Vec<_> = [
        ("name", json!("")),
        ("name", json!("x".repeat(201))),
        ("name", json!("😀".repeat(201))),
        ("name", json!("a\nb")),
        ("name", json!("\u{85}")),
        ("name", json!(7)),
        ("name", json!(["Contracts"])),
        ("description", json!("x".repeat(4097))),
        ("description", json!("é".repeat(2049))),
        ("description", json!("\n".repeat(2049))),
        ("description", json!(7)),
        ("is_default", json!("true")),
        ("is_default", json!(1)),
        ("external_user_id", json!("")),
        ("external_user_id", json!("x".repeat(257))),
        ("external_user_id", json!(7)),
    ]
    .into_iter()
    .map(|(field, value)| (with(&json!({ "name": "a" }), &json!({ field: value })), at(field), "value_error"))
    .collect();
    for field in ["title", "id", "document_count", "external_userid", "created_at", "Name"] {
        cases.push((json!({ "name": "a", field: null }), at(field), "extra_forbidden"));
    }
    cases.push((json!({}), at("name"), "missing"));
    cases.push((json!({ "name": null }), at("name"), "missing"));
    cases.push((json!({ "description": "of nothing" }), at("name"), "missing"));
    check_refusals(&deployment, || deployment.account(&key, "POST", WORKSPACES), cases).await;
    deployment.account(&key, "POST", WORKSPACES).send().await.refused(400, "malformed_request");
    for description in ["x".repeat(4096), "\n".repeat(2048)] {
        let id = workspace(&deployment, &key, None, &json!({ "description": description })).await;
        assert_eq!(seen(&deployment, &key, None, &format!("{WORKSPACES}/{id}")).await["description"], description);
    }
}

#[tokio::test]
async fn a_page_of_workspaces_has_a_number_and_a_limit_and_nothing_else() {
    let (deployment, key) = start().await;
    check_pages(|query| deployment.account_for(&key, "ada", "GET", &format!("{WORKSPACES}?{query}"))).await;
}

/// Which of these workspaces are a default, as the account sees it.
async fn defaults(deployment: &Deployment, key: &ApiKey) -> Vec<String> {
    let rows = all(deployment, key, None).await;
    let mut ids: Vec<_> = rows.iter().filter(|row| row["is_default"] == true).collect();
    ids.sort_by_key(|row| row["external_user_id"].as_str());
    ids.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn each_owner_has_one_default_at_most_and_the_last_one_wins() {
    let (deployment, key) = start().await;
    let default = json!({ "is_default": true });
    workspace(&deployment, &key, None, &json!({})).await;
    assert!(defaults(&deployment, &key).await.is_empty());
    let global = workspace(&deployment, &key, None, &default).await;
    let of_ada = workspace(&deployment, &key, Some("ada"), &default).await;
    let of_bob = workspace(&deployment, &key, Some("bob"), &default).await;
    assert_eq!(defaults(&deployment, &key).await, [&global, &of_ada, &of_bob].map(String::as_str));
    // Ada sees hers beside that for all, and not Bob's.
    let rows = all(&deployment, &key, Some("ada")).await;
    let hers: Vec<_> = rows.iter().filter(|row| row["is_default"] == true).map(|row| &row["id"]).collect();
    assert_eq!(hers, [&json!(of_ada), &json!(global)]);

    let newer = workspace(&deployment, &key, Some("ada"), &default).await;
    assert_eq!(defaults(&deployment, &key).await, [&global, &newer, &of_bob].map(String::as_str));
    let older = seen(&deployment, &key, Some("ada"), &format!("{WORKSPACES}/{of_ada}")).await;
    assert_eq!((&older["is_default"], &older["updated_at"]), (&json!(false), &older["created_at"]));

    let patch = async |user: Option<&str>, id: &str, is_default: bool| {
        let call = deployment.account(&key, "PATCH", &format!("{WORKSPACES}/{id}"));
        let body = with(&json!({ "is_default": is_default }), &naming(user));
        let answer = call.json(&body).send().await;
        assert_eq!(answer.document(200)["is_default"], is_default);
    };
    // By whoever may change it: also the account.
    patch(None, &of_ada, true).await;
    assert_eq!(defaults(&deployment, &key).await, [&global, &of_ada, &of_bob].map(String::as_str));
    // What is not the default can't take it away.
    patch(Some("ada"), &newer, false).await;
    assert_eq!(defaults(&deployment, &key).await, [&global, &of_ada, &of_bob].map(String::as_str));
    patch(Some("ada"), &of_ada, false).await;
    assert_eq!(defaults(&deployment, &key).await, [&global, &of_bob].map(String::as_str));

    deployment.account(&key, "DELETE", &format!("{WORKSPACES}/{global}")).send().await.document(200);
    deployment.account_for(&key, "bob", "DELETE", &format!("{WORKSPACES}/{of_bob}")).send().await.document(200);
    assert!(defaults(&deployment, &key).await.is_empty());
    let another = workspace(&deployment, &key, None, &default).await;
    assert_eq!(defaults(&deployment, &key).await, [another]);
}

/// Which is the default is said on an item that every creation writes.
#[tokio::test]
async fn a_default_is_taken_back_though_a_transaction_was_in_the_way() {
    let (deployment, key) = start().await;
    let id = workspace(&deployment, &key, None, &json!({ "is_default": true })).await;
    assert_eq!(defaults(&deployment, &key).await, std::slice::from_ref(&id));
    let effect = Effect::Status(400, "TransactionConflictException".to_owned());
    let updates = Match::any().function("workspace").operation("UpdateItem");
    let met = deployment.stack.faults().inject(Fault::new(updates, effect).once());
    let body = json!({ "is_default": false });
    let answer = deployment.account(&key, "PATCH", &format!("{WORKSPACES}/{id}")).json(&body).send().await;
    assert_eq!((met.fired(), &answer.document(200)["is_default"]), (1, &json!(false)));
}
