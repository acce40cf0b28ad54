//! `/api/v1/agent-sessions/{id}`

use serde_json::{Value, json};
use stack::Match;

use super::execute_tool::{check_refusal, check_refusals, start};
use crate::support::{Call, Deployment, END_USER, World, with};

const PATH: &str = "/api/v1/agent-sessions";

/// An id of no row.
const UNKNOWN: &str = "01900000-0000-7000-8000-000000000000";

/// A request about the world's session, for its end user.
fn call(deployment: &Deployment, world: &World, method: &str) -> Call {
    deployment.account_for(&world.account, END_USER, method, &format!("{PATH}/{}", world.rows.session))
}

async fn patch(deployment: &Deployment, world: &World, body: &Value) -> Value {
    call(deployment, world, "PATCH").json(body).send().await.document(200).clone()
}

async fn get(deployment: &Deployment, world: &World) -> Value {
    call(deployment, world, "GET").send().await.document(200).clone()
}

#[tokio::test]
async fn what_a_patch_names_is_changed_null_clears_and_the_rest_stays() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let full = json!({
        "title": "Support", "assistant_id": "asst_1", "model_name": "large", "initial_system_prompt": "Be brief.",
        "tool_ids": ["web_search", "email"], "status": "completed",
    });
    let patches = [
        json!({ "title": "Order 17" }),
        json!({ "title": null }),
        json!({ "assistant_id": "asst_2" }),
        json!({ "assistant_id": null }),
        json!({ "model_name": "m".repeat(200) }),
        json!({ "model_name": null }),
        json!({ "initial_system_prompt": "\"".repeat(8192) }),
        json!({ "initial_system_prompt": "" }),
        json!({ "initial_system_prompt": null }),
        json!({ "tool_ids": [] }),
        json!({ "tool_ids": vec!["t"; 32] }),
        json!({ "status": "active" }),
        json!({ "status": "completed" }),
        json!({ "title": "Order 18", "status": "active", "tool_ids": ["email"] }),
        json!({}),
        // For whom the call is, and not whose the session is to be.
        json!({ "external_user_id": END_USER, "title": "Order 19" }),
    ];
    for change in patches {
        let before = patch(&deployment, &world, &full).await;
        assert_eq!(before, with(&before, &full));
        let after = patch(&deployment, &world, &change).await;
        assert_eq!(after, get(&deployment, &world).await, "{change}");
        let mut expected = with(&before, &change);
        expected["external_user_id"] = json!(END_USER);
        assert!(change == json!({}) || after["updated_at"].as_str() > before["updated_at"].as_str(), "{change}");
        expected["updated_at"] = after["updated_at"].clone();
        assert_eq!(after, expected, "{change}");
    }
}

#[tokio::test]
async fn only_the_fields_of_a_patch_are_written_so_two_at_once_lose_nothing() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let held = deployment.stack.faults().hold(Match::any().function("agent-session").operation("UpdateItem"));
    let one = call(&deployment, &world, "PATCH").json(&json!({ "title": "One" })).send();
    let two = call(&deployment, &world, "PATCH").json(&json!({ "model_name": "two", "assistant_id": null })).send();
    let release = async {
        held.reached_by(2).await;
        held.release();
    };
    let (one, two, ()) = tokio::join!(one, two, release);
    one.document(200);
    two.document(200);
    let session = get(&deployment, &world).await;
    assert_eq!((&session["title"], &session["model_name"]), (&json!("One"), &json!("two")));
}

#[tokio::test]
async fn a_patch_that_breaks_a_rule_is_refused_by_its_place_and_changes_nothing() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let before = deployment.items().await;
    let cases = [
        (json!({ "title": "" }), json!(["body", "title"]), "value_error"),
        (json!({ "title": "a".repeat(201) }), json!(["body", "title"]), "value_error"),
        (json!({ "title": 7 }), json!(["body", "title"]), "value_error"),
        (json!({ "assistant_id": "" }), json!(["body", "assistant_id"]), "value_error"),
        (json!({ "assistant_id": "a\u{0}" }), json!(["body", "assistant_id"]), "value_error"),
        (json!({ "model_name": ["m"] }), json!(["body", "model_name"]), "value_error"),
        (
            json!({ "initial_system_prompt": "p".repeat(16_385) }),
            json!(["body", "initial_system_prompt"]),
            "value_error",
        ),
        (json!({ "tool_ids": null }), json!(["body", "tool_ids"]), "value_error"),
        (json!({ "tool_ids": vec!["t"; 33] }), json!(["body", "tool_ids"]), "value_error"),
        (json!({ "tool_ids": ["t", ""] }), json!(["body", "tool_ids", 1]), "value_error"),
        (json!({ "status": null }), json!(["body", "status"]), "value_error"),
        (json!({ "status": "done" }), json!(["body", "status"]), "value_error"),
        (json!({ "status": "Active" }), json!(["body", "status"]), "value_error"),
        (json!({ "status": 1 }), json!(["body", "status"]), "value_error"),
        (json!({ "status": ["active"] }), json!(["body", "status"]), "value_error"),
        (json!({ "external_user_id": null }), json!(["body", "external_user_id"]), "value_error"),
        (json!({ "external_user_id": "" }), json!(["body", "external_user_id"]), "value_error"),
        (json!({ "id": UNKNOWN }), json!(["body", "id"]), "extra_forbidden"),
        (json!({ "created_at": "2026-01-01T00:00:00.000Z" }), json!(["body", "created_at"]), "extra_forbidden"),
        (json!({ "updated_at": null }), json!(["body", "updated_at"]), "extra_forbidden"),
        (json!({ "messages": [] }), json!(["body", "messages"]), "extra_forbidden"),
        (json!({ "title": "a", "titel": "b" }), json!(["body", "titel"]), "extra_forbidden"),
    ];
    check_refusals(&deployment, || call(&deployment, &world, "PATCH"), cases).await;
    let sentence = call(&deployment, &world, "PATCH").json(&json!({ "status": "done" })).send().await;
    assert_eq!(sentence.body["detail"][0]["msg"], "status must be one of active, completed");
    call(&deployment, &world, "PATCH").send().await.refused(400, "malformed_request");
    let twice = call(&deployment, &world, "PATCH").body("application/json", r#"{"title":"a","title":null}"#);
    check_refusal(&twice.send().await, &json!(["body", "title"]), "value_error");
    for method in ["GET", "PATCH", "DELETE"] {
        let path = format!("{PATH}/{}?external_user_id={END_USER}", world.rows.session);
        let call = deployment.account(&world.account, method, &path);
        let call = if method == "PATCH" { call.json(&json!({})) } else { call };
        check_refusal(&call.send().await, &json!(["query", "external_user_id"]), "extra_forbidden");
    }
    assert_eq!(deployment.items().await, before);
}

#[tokio::test]
async fn a_patch_can_not_make_a_session_another_users() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let path = format!("{PATH}/{}", world.rows.session);
    let body = json!({ "external_user_id": "user_457", "title": "mine" });
    deployment.account(&world.account, "PATCH", &path).json(&body).send().await.refused(404, "not_found");
    call(&deployment, &world, "PATCH").json(&body).send().await.refused(400, "end_users_differ");
    let token = deployment.scoped_token(&world.account, Some(END_USER)).await;
    deployment.page(&token, "PATCH", &path).json(&body).send().await.refused(403, "another_end_user");
    let session = get(&deployment, &world).await;
    assert_eq!((&session["title"], &session["external_user_id"]), (&json!(null), &json!(END_USER)));
}

#[tokio::test]
async fn a_deleted_session_is_gone_and_nothing_brings_it_back() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let message = json!({ "role": "user", "content": "Where is my order?" });
    let messages = format!("{PATH}/{}/messages", world.rows.session);
    let write = || deployment.account_for(&world.account, END_USER, "POST", &messages).json(&message);
    write().send().await.document(201);
    let deleted = call(&deployment, &world, "DELETE").send().await;
    assert_eq!(*deleted.document(200), json!({ "deleted": true }));
    let before = deployment.items().await;
    for call in [
        call(&deployment, &world, "GET"),
        call(&deployment, &world, "PATCH").json(&json!({ "title": "back" })),
        call(&deployment, &world, "PATCH").json(&json!({})),
        call(&deployment, &world, "DELETE"),
        write(),
        deployment.account_for(&world.account, END_USER, "GET", &messages),
        deployment.account(&world.account, "PATCH", &format!("{PATH}/{}", world.rows.session)).json(&json!({})),
        deployment.account(&world.account, "DELETE", &format!("{PATH}/{}", world.rows.session)),
    ] {
        let answer = call.send().await;
        assert_eq!(answer.refused(404, "not_found").text, r#"{"code":"not_found","detail":"not found"}"#);
    }
    assert_eq!(deployment.items().await, before);
    let listed = deployment.account(&world.account, "GET", PATH).send().await;
    assert_eq!(listed.document(200)["total"], 0);
}

/// The change has found the session, and is on its way while another request deletes it.
#[tokio::test]
async fn a_change_that_a_deletion_overtakes_is_not_found_and_brings_nothing_back() {
    let (deployment, key) = start().await;
    let message = json!({ "role": "user", "content": "Still there?" });
    for (function, operation, method, ending, body) in [
        ("agent-session", "UpdateItem", "PATCH", "", json!({ "title": "late" })),
        ("agent-session-messages", "TransactWriteItems", "POST", "/messages", message),
    ] {
        let session = deployment.account_for(&key, END_USER, "POST", PATH).send().await.document(201).clone();
        let path = format!("{PATH}/{}", session["id"].as_str().unwrap());
        let held = deployment.stack.faults().hold(Match::any().function(function).operation(operation));
        let late = deployment.account_for(&key, END_USER, method, &format!("{path}{ending}")).json(&body).send();
        let deletion = async {
            held.reached().await;
            let call = deployment.account_for(&key, END_USER, "DELETE", &path);
            call.send().await.document(200);
            let items = deployment.items().await;
            held.release();
            items
        };
        let (late, before) = tokio::join!(late, deletion);
        late.refused(404, "not_found");
        assert_eq!(deployment.items().await, before, "{function}");
    }
}

#[tokio::test]
async fn deleting_a_session_leaves_the_others_and_their_messages() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let begun = deployment.account_for(&world.account, END_USER, "POST", PATH).send().await;
    let other = begun.document(201)["id"].as_str().unwrap().to_owned();
    let write = async |id: &str| {
        let call = deployment.account_for(&world.account, END_USER, "POST", &format!("{PATH}/{id}/messages"));
        call.json(&json!({ "role": "user", "content": "Hello" })).send().await.document(201).clone()
    };
    write(&world.rows.session).await;
    let kept = write(&other).await;
    call(&deployment, &world, "DELETE").send().await.document(200);
    let listed = deployment.account_for(&world.account, END_USER, "GET", PATH).send().await;
    assert_eq!((&listed.document(200)["total"], &listed.document(200)["items"][0]["id"]), (&json!(1), &json!(other)));
    let path = format!("{PATH}/{other}/messages");
    let messages = deployment.account_for(&world.account, END_USER, "GET", &path).send().await;
    assert_eq!(messages.document(200)["items"], json!([kept]));
}

#[tokio::test]
async fn what_is_no_session_of_the_callers_is_answered_as_one_that_never_was() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let begin = async |call: Call| call.send().await.document(201)["id"].as_str().unwrap().to_owned();
    let others = begin(deployment.account_for(&world.account, "user_457", "POST", PATH)).await;
    let accounts = begin(deployment.account(&world.account, "POST", PATH)).await;
    let session = &world.rows.session;
    let mut ids = vec![
        UNKNOWN.to_owned(),
        others,
        accounts,
        world.rows.workspace.clone(),
        world.rows.document.clone(),
        world.rows.execution.clone(),
        world.member.user_id.clone(),
        "00000000-0000-0000-0000-000000000000".to_owned(),
        session.replace('-', ""),
        format!("{{{session}}}").replace('{', "%7B").replace('}', "%7D"),
        format!("{session}%20"),
        format!("{session}%00"),
    ];
    ids.extend(["x", "..%2Fdocuments", "%23", "%F0%9F%98%80", "-1", "null"].map(str::to_owned));
    ids.push("a".repeat(1000));
    let before = deployment.items().await;
    let mut texts = Vec::new();
    for id in &ids {
        for method in ["GET", "PATCH", "DELETE"] {
            let call = deployment.account_for(&world.account, END_USER, method, &format!("{PATH}/{id}"));
            let call = if method == "PATCH" { call.json(&json!({ "title": "a" })) } else { call };
            let answer = call.send().await;
            assert_eq!((answer.status, answer.code()), (404, Some("not_found")), "{method} {id}");
            texts.push(answer.text);
        }
    }
    texts.dedup();
    assert_eq!(texts.len(), 1);
    assert_eq!(deployment.items().await, before);
    // In capitals it is the same uuid.
    let path = format!("{PATH}/{}", session.to_uppercase());
    deployment.account_for(&world.account, END_USER, "GET", &path).send().await.document(200);
}

#[tokio::test]
async fn the_account_shows_changes_and_deletes_sessions_of_all() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let token = deployment.scoped_token(&world.account, None).await;
    let own = deployment.account(&world.account, "POST", PATH).send().await.document(201)["id"].clone();
    for id in [own.as_str().unwrap(), &world.rows.session] {
        let path = format!("{PATH}/{id}");
        let shown = deployment.account(&world.account, "GET", &path).send().await.document(200).clone();
        let call = deployment.page(&token, "PATCH", &path).json(&json!({ "title": "Seen" }));
        let changed = call.send().await.document(200).clone();
        let expected = with(&shown, &json!({ "title": "Seen", "updated_at": changed["updated_at"] }));
        assert_eq!(changed, expected, "also whose it is");
        deployment.account(&world.account, "DELETE", &path).send().await.document(200);
        deployment.page(&token, "GET", &path).send().await.refused(404, "not_found");
    }
    call(&deployment, &world, "GET").send().await.refused(404, "not_found");
}
