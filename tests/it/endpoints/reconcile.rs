//! The reconciler, which a schedule starts.

use serde_json::{Value, json};
use stack::{CrashMode, Effect, Fault, Invocation, Match, scheduled_event};

use super::execute_tool::start;
use crate::support::{ApiKey, Call, Deployment, SECRET_FOLDERS, event};

async fn reconcile(deployment: &Deployment) -> Value {
    deployment.stack.invoke("reconcile", scheduled_event(), Invocation::default()).await.unwrap().payload
}

/// Provisioning that dies before its last step, with a lease that is over at once.
async fn interrupted(deployment: &Deployment, deadline: i64) {
    interrupted_at(deployment, 4, deadline).await;
}

/// Provisioning that dies at one of its calls to AWS: after the admin key it writes the item, creates the two secrets
/// and commits.
async fn interrupted_at(deployment: &Deployment, call: usize, deadline: i64) {
    deployment.stack.faults().kill("provision-tenant", call, CrashMode::NotSent);
    let key = deployment.key().to_owned();
    let event = event(
        "POST",
        "/api/v1/provision/tenant",
        "",
        &[("x-admin-key", &key)],
        Some(&json!({ "tenant_name": "Acme" })),
    );
    let invocation = Invocation { deadline: Some(deadline) };
    assert!(deployment.stack.invoke("provision-tenant", event, invocation).await.is_err());
}

#[tokio::test]
async fn what_interrupted_provisioning_left_is_removed_and_nobody_ever_saw_it() {
    let deployment = Deployment::start().await;
    let alive = deployment.provision("Alive").await;
    interrupted(&deployment, 1).await;
    assert_eq!(deployment.stored_secrets().len(), 4);
    let pending = deployment.states().await.into_iter().find(|state| state["tenant_status"] == "pending").unwrap();
    let ghost = pending["pk"].as_str().unwrap().trim_start_matches("TENANT#");
    for path in ["fetch/tenant", "fetch/audit-events"] {
        deployment.get(&format!("/api/v1/{path}?tenant_id={ghost}")).await.refused(404, "tenant_not_found");
    }
    for path in ["update/tenant", "rotate/tenant-secret", "suspend/tenant", "reactivate/tenant"] {
        deployment
            .post(&format!("/api/v1/{path}?tenant_id={ghost}"), &json!({}))
            .await
            .refused(404, "tenant_not_found");
    }
    assert_eq!(reconcile(&deployment).await, json!({ "removed": 1, "forgotten": 0, "cleared": 0, "entered": 0 }));
    assert_eq!(deployment.stored_secrets().len(), 2);
    assert_eq!(deployment.valid_secrets(&alive.id).await, [alive.secret.as_str()]);
    deployment.signing_kid(&alive.id).await;
    let listed = deployment.get("/api/v1/fetch/tenants").await;
    assert_eq!(listed.data(200)["tenants"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn provisioning_that_died_before_any_secret_or_between_the_two_leaves_none() {
    for (call, stored) in [(2, 0), (3, 1), (4, 2)] {
        let deployment = Deployment::start().await;
        interrupted_at(&deployment, call, 1).await;
        assert_eq!(deployment.stored_secrets().len(), stored, "call {call}");
        assert_eq!(deployment.get("/api/v1/fetch/tenants").await.data(200)["tenants"], json!([]));
        assert_eq!(reconcile(&deployment).await, json!({ "removed": 1, "forgotten": 0, "cleared": 0, "entered": 0 }));
        assert!(deployment.stored_secrets().is_empty(), "call {call}");
    }
}

#[tokio::test]
async fn provisioning_that_may_still_be_running_is_left_alone() {
    let deployment = Deployment::start().await;
    interrupted(&deployment, 4_000_000_000_000).await;
    assert_eq!(reconcile(&deployment).await, json!({ "removed": 0, "forgotten": 0, "cleared": 0, "entered": 0 }));
    assert_eq!(deployment.stored_secrets().len(), 2);
}

#[tokio::test]
async fn a_removed_tenant_is_remembered_for_an_hour_and_its_secrets_deleted_again() {
    let deployment = Deployment::start().await;
    interrupted(&deployment, 1).await;
    reconcile(&deployment).await;
    let state = deployment.states().await.pop().unwrap();
    assert_eq!(state["tenant_status"], "removed");
    // A request to create one of the secrets arrives late.
    let late = |folder: &str| {
        let name = deployment.secret_name(folder, &state["pk"].as_str().unwrap()[7..]);
        let late = json!({ "Name": name, "SecretString": "{}", "ClientRequestToken": "0".repeat(32) }).to_string();
        assert_eq!(deployment.stack.secrets().handle("CreateSecret", late.as_bytes(), 0).0, 200);
    };
    for folder in SECRET_FOLDERS {
        late(folder);
        assert_eq!(reconcile(&deployment).await, json!({ "removed": 0, "forgotten": 0, "cleared": 0, "entered": 0 }));
        assert!(deployment.stored_secrets().is_empty(), "{folder}");
    }
    // The last run deletes both once more.
    SECRET_FOLDERS.into_iter().for_each(late);
    deployment.set(state["pk"].as_str().unwrap(), "STATE", "lease_until", &json!({ "N": "1" })).await;
    assert_eq!(reconcile(&deployment).await, json!({ "removed": 0, "forgotten": 1, "cleared": 0, "entered": 0 }));
    assert!(deployment.items().await.is_empty() && deployment.stored_secrets().is_empty());
}

#[tokio::test]
async fn provisioning_that_goes_on_after_it_was_removed_cannot_finish() {
    let deployment = Deployment::start().await;
    let held =
        deployment.stack.faults().hold(stack::Match::any().function("provision-tenant").operation("CreateSecret"));
    let call = event(
        "POST",
        "/api/v1/provision/tenant",
        "",
        &[("x-admin-key", deployment.key())],
        Some(&json!({ "tenant_name": "Acme" })),
    );
    let provision = deployment.stack.invoke("provision-tenant", call, Invocation { deadline: Some(1) });
    let overtake = async {
        held.reached().await;
        let removed = reconcile(&deployment).await;
        held.release();
        removed
    };
    let (answer, removed) = tokio::join!(provision, overtake);
    assert_eq!(removed["removed"], 1);
    assert_eq!(answer.unwrap().payload["statusCode"], 503);
    reconcile(&deployment).await;
    assert!(deployment.stored_secrets().is_empty());
    assert_eq!(deployment.get("/api/v1/fetch/tenants").await.data(200)["tenants"], json!([]));
}

#[tokio::test]
async fn a_store_that_fails_at_one_tenant_fails_the_run_and_the_next_run_finishes() {
    let deployment = Deployment::start().await;
    interrupted(&deployment, 1).await;
    interrupted(&deployment, 1).await;
    let fault = stack::Fault::new(
        stack::Match::any().function("reconcile").operation("DeleteSecret"),
        stack::Effect::Status(500, "InternalServiceError".to_owned()),
    );
    deployment.stack.faults().inject(fault.count(3));
    let failed = deployment.stack.invoke("reconcile", scheduled_event(), Invocation::default()).await;
    assert!(failed.is_err());
    // One secret of one tenant: the failure is in the way of neither its other secret nor the other tenant.
    assert_eq!(deployment.stored_secrets().len(), 1);
    reconcile(&deployment).await;
    assert!(deployment.stored_secrets().is_empty());
}

const SESSIONS: &str = "/api/v1/agent-sessions";

/// A request of a user's, or of the account's.
fn call(deployment: &Deployment, key: &ApiKey, user: Option<&str>, method: &str, path: &str) -> Call {
    let call = deployment.account(key, method, path);
    user.into_iter().fold(call, |call, user| call.header("external_user_id", user))
}

async fn put_all(deployment: &Deployment, items: Vec<Value>) {
    let requests: Vec<_> = items.into_iter().map(|item| json!({ "PutRequest": { "Item": item } })).collect();
    for batch in requests.chunks(25) {
        deployment.dynamodb("BatchWriteItem", &json!({ "RequestItems": { deployment.table(): batch } })).await;
    }
}

/// The items that have this text somewhere.
async fn with_text(deployment: &Deployment, text: &str) -> Vec<Value> {
    let items = deployment.items_but_events().await;
    items.into_iter().filter(|item| item.to_string().contains(text)).collect()
}

/// The items that are copies of these for other ids.
fn copies(items: &[Value], id: &str, count: usize) -> Vec<Value> {
    let copy = |number: usize| {
        let other = format!("{}{number:012}", &id[..24]);
        items.iter().map(move |item| serde_json::from_str(&item.to_string().replace(id, &other)).unwrap())
    };
    (0..count).flat_map(copy).collect()
}

/// A session with so many messages, of which all but one are copies: writing them is not what is tested here.
async fn session_with(deployment: &Deployment, key: &ApiKey, user: Option<&str>, messages: usize) -> String {
    let begun = call(deployment, key, user, "POST", SESSIONS).send().await;
    let id = begun.document(201)["id"].as_str().unwrap().to_owned();
    if messages > 0 {
        let write = call(deployment, key, user, "POST", &format!("{SESSIONS}/{id}/messages"));
        let written = write.json(&json!({ "role": "user", "content": "Hello" })).send().await;
        let message = written.document(201)["id"].as_str().unwrap().to_owned();
        let items = with_text(deployment, &message).await;
        assert_eq!(items.len(), 2, "the message and its entry");
        put_all(deployment, copies(&items, &message, messages - 1)).await;
    }
    id
}

async fn delete(deployment: &Deployment, key: &ApiKey, user: Option<&str>, id: &str) {
    call(deployment, key, user, "DELETE", &format!("{SESSIONS}/{id}")).send().await.document(200);
}

/// How many items there are of messages, and how many marks of deleted sessions.
async fn left(deployment: &Deployment) -> (usize, usize) {
    let items = deployment.items().await;
    let count = |is: &dyn Fn(&Value) -> bool| items.iter().filter(|item| is(item)).count();
    let messages = count(&|item| item["pk"]["S"].as_str().unwrap().contains("#MESSAGE"));
    (messages, count(&|item| item["sk"]["S"] == "TOMBSTONE"))
}

#[tokio::test]
async fn messages_of_deleted_sessions_are_deleted_and_nothing_else_is() {
    let (deployment, key) = start().await;
    let mut deleted = Vec::new();
    for (user, messages) in [(Some("ada"), 3), (Some("bob"), 1), (None, 2), (Some("ada"), 0)] {
        deleted.push((user, session_with(&deployment, &key, user, messages).await));
        session_with(&deployment, &key, user, messages).await;
    }
    assert_eq!(left(&deployment).await, (24, 0));
    for (user, id) in &deleted {
        delete(&deployment, &key, *user, id).await;
    }
    assert_eq!(left(&deployment).await, (24, 4), "a deletion does not wait for them");
    let mut expected = deployment.items().await;
    assert_eq!(reconcile(&deployment).await, json!({ "removed": 0, "forgotten": 0, "cleared": 4, "entered": 0 }));
    let items = deployment.items().await;
    expected.retain(|item| items.contains(item));
    assert_eq!(items, expected, "nothing was written");
    assert_eq!(left(&deployment).await, (12, 0), "those of the other sessions");
    for (_, id) in &deleted {
        assert!(with_text(&deployment, id).await.is_empty());
    }
    assert_eq!(reconcile(&deployment).await, json!({ "removed": 0, "forgotten": 0, "cleared": 0, "entered": 0 }));
    assert_eq!(deployment.items().await, items);
}

#[tokio::test]
async fn more_messages_than_are_read_at_once_and_more_sessions_are_deleted_in_one_run() {
    let (deployment, key) = start().await;
    let long = session_with(&deployment, &key, Some("ada"), 250).await;
    delete(&deployment, &key, Some("ada"), &long).await;
    assert_eq!(left(&deployment).await, (500, 1));
    let marks = with_text(&deployment, "TOMBSTONE").await;
    put_all(&deployment, copies(&marks, &long, 220)).await;
    assert_eq!(reconcile(&deployment).await["cleared"], 221);
    assert_eq!(left(&deployment).await, (0, 0));
}

#[tokio::test]
async fn a_run_that_dies_at_any_of_its_calls_is_finished_by_the_next() {
    let (deployment, key) = start().await;
    let mut at = 0;
    loop {
        let mut fired = 0;
        for mode in [CrashMode::NotSent, CrashMode::DoneButNoAnswer] {
            let id = session_with(&deployment, &key, Some("ada"), 3).await;
            delete(&deployment, &key, Some("ada"), &id).await;
            let killed = deployment.stack.faults().kill("reconcile", at, mode);
            let run = deployment.stack.invoke("reconcile", scheduled_event(), Invocation::default()).await;
            assert_eq!(run.is_err(), killed.fired() > 0, "call {at}, {mode:?}");
            fired += killed.fired();
            reconcile(&deployment).await;
            assert_eq!(left(&deployment).await, (0, 0), "call {at}, {mode:?}");
        }
        if fired == 0 {
            break;
        }
        at += 1;
    }
    assert!(at >= 8, "only {at} calls");
}

#[tokio::test]
async fn a_store_that_is_gone_fails_the_run_and_the_next_goes_on() {
    let (deployment, key) = start().await;
    let live = session_with(&deployment, &key, Some("ada"), 1).await;
    for operation in ["Query", "BatchWriteItem"] {
        for effect in [Effect::NotSent, Effect::Status(500, "InternalServerError".to_owned())] {
            let id = session_with(&deployment, &key, Some("ada"), 3).await;
            delete(&deployment, &key, Some("ada"), &id).await;
            let before = deployment.items().await;
            let failing = Match::any().function("reconcile").operation(operation);
            deployment.stack.faults().inject(Fault::new(failing, effect.clone()));
            let run = deployment.stack.invoke("reconcile", scheduled_event(), Invocation::default()).await;
            assert!(run.is_err(), "{operation} {effect:?}");
            assert_eq!(deployment.items().await, before, "{operation} {effect:?}");
            deployment.stack.faults().clear();
            assert_eq!(reconcile(&deployment).await["cleared"], 1);
            assert_eq!(left(&deployment).await, (2, 0));
        }
    }
    let path = format!("{SESSIONS}/{live}/messages");
    let listed = call(&deployment, &key, Some("ada"), "GET", &path).send().await;
    assert_eq!(listed.document(200)["total"], 1);
}

#[tokio::test]
async fn a_session_that_fails_is_not_in_the_way_of_the_others() {
    let (deployment, key) = start().await;
    for _ in 0..3 {
        let id = session_with(&deployment, &key, Some("ada"), 2).await;
        delete(&deployment, &key, Some("ada"), &id).await;
    }
    // The first attempt and the SDK's further ones.
    let failing = Match::any().function("reconcile").operation("BatchWriteItem");
    let fault = Fault::new(failing, Effect::Status(500, "InternalServerError".to_owned())).count(3);
    deployment.stack.faults().inject(fault);
    let run = deployment.stack.invoke("reconcile", scheduled_event(), Invocation::default()).await;
    assert!(run.is_err());
    assert_eq!(left(&deployment).await, (4, 1));
    assert_eq!(reconcile(&deployment).await["cleared"], 1);
    assert_eq!(left(&deployment).await, (0, 0));
}

#[tokio::test]
async fn the_mark_of_a_deleted_session_is_in_no_list_of_tenants() {
    let (deployment, key) = start().await;
    let id = session_with(&deployment, &key, Some("ada"), 1).await;
    let lists = ["", "?status=active", "?status=suspended"];
    let mut before = Vec::new();
    for query in lists {
        before.push(deployment.get(&format!("/api/v1/fetch/tenants{query}")).await.data(200).clone());
    }
    delete(&deployment, &key, Some("ada"), &id).await;
    assert_eq!(left(&deployment).await.1, 1);
    for (query, before) in lists.iter().zip(&before) {
        assert_eq!(deployment.get(&format!("/api/v1/fetch/tenants{query}")).await.data(200), before, "{query}");
    }
    let none = deployment.get("/api/v1/fetch/tenants?status=remains").await;
    none.names("status");
}
