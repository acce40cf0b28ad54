//! `POST /api/v1/replay/callbacks`

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::domain::Cursor;
use stack::CrashMode;

use crate::support::{Answer, Deployment, Tenant, TestReceiver};

const LONG_AGO: &str = "2020-01-01T00:00:00.000Z";

fn path(tenant: &Tenant) -> String {
    format!("/api/v1/replay/callbacks?tenant_id={}", tenant.id)
}

/// A tenant with a receiver. The stream stands still.
async fn start() -> (Deployment, Tenant, TestReceiver) {
    let deployment = Deployment::start().await;
    deployment.stack.streams().stop().await;
    let (tenant, receiver) = (deployment.provision("Acme").await, TestReceiver::start().await);
    let wanted = json!({ "callback_url_base": receiver.base(), "callback_types": ["ping", "tenant.*"] });
    deployment.update(&tenant, &wanted).await.data(200);
    (deployment, tenant, receiver)
}

/// Pings that are owed, oldest first.
async fn pings(deployment: &Deployment, tenant: &Tenant, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let answer = deployment.post_nothing(&format!("/api/v1/test/callback?tenant_id={}", tenant.id)).await;
        ids.push(answer.data(202)["event_id"].as_str().unwrap().to_owned());
    }
    ids
}

async fn callback(deployment: &Deployment, tenant: &Tenant, id: &str) -> Value {
    let path = format!("/api/v1/fetch/callback?tenant_id={}&event_id={id}", tenant.id);
    deployment.get(&path).await.data(200).clone()
}

/// Ends a callback in a state, long ago.
async fn end(deployment: &Deployment, tenant: &Tenant, id: &str, state: &str) {
    let partition = format!("TENANT#{}#CALLBACKS", tenant.id);
    deployment.set(&partition, id, "callback_state", &json!({ "S": state })).await;
    deployment.set(&partition, id, "attempts", &json!({ "N": "11" })).await;
    deployment.set(&partition, id, "purge_at", &json!({ "N": "1" })).await;
    for attribute in ["due_shard", "due_at"] {
        deployment.remove(&partition, id, attribute).await;
    }
}

fn outcome(answer: &Answer) -> (u64, Vec<(String, String)>) {
    let data = answer.data(200);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let skipped = data["skipped"].as_array().unwrap().iter();
    let skipped = skipped.map(|one| (text(&one["event_id"]), text(&one["reason"]))).collect();
    (data["replayed"].as_u64().unwrap(), skipped)
}

#[tokio::test]
async fn whatever_has_become_of_it_it_is_delivered_anew_with_the_same_bytes_and_all_its_attempts() {
    let (deployment, tenant, receiver) = start().await;
    let ids = pings(&deployment, &tenant, 4).await;
    deployment.sweep().await;
    assert_eq!(receiver.received().len(), 4);
    for (id, state) in ids.iter().zip(["delivered", "failed", "discarded"]) {
        end(&deployment, &tenant, id, state).await;
    }
    receiver.answers(&[500]);
    let answer = deployment.post(&path(&tenant), &json!({ "event_ids": ids })).await;
    assert_eq!(outcome(&answer), (4, vec![]));
    assert_eq!(answer.data(200)["next_cursor"], Value::Null);
    for id in &ids {
        let due = callback(&deployment, &tenant, id).await;
        assert_eq!((&due["state"], &due["attempts"]), (&json!("pending"), &json!(0)));
        assert_eq!(due["replayed_at"], due["next_attempt_at"]);
    }
    let event = deployment.audit_events(&tenant).await.pop().unwrap();
    let details = json!({ "count": 4, "state": null, "since": null, "until": null });
    assert_eq!((&event["action"], &event["details"]), (&json!("callbacks.replayed"), &details));
    deployment.sweep().await;
    let received = receiver.received();
    let texts: BTreeSet<_> = received.iter().map(|received| &received.text).collect();
    assert_eq!((received.len(), texts.len()), (8, 4));
    // One has failed once, of eleven attempts, and keeps what came before.
    let shown = callback(&deployment, &tenant, &ids[0]).await;
    assert_eq!(
        (&shown["state"], &shown["attempts"], &shown["last_outcome"]),
        (&json!("pending"), &json!(1), &json!("500"),)
    );
    assert_eq!(shown["last_attempts"].as_array().unwrap().len(), 2);
    let items = deployment.items().await;
    let kept = items.iter().find(|item| item["sk"]["S"] == ids[0].as_str()).unwrap();
    assert!(kept.get("purge_at").is_none(), "what is owed is not cleared away");
}

#[tokio::test]
async fn what_is_not_there_not_wanted_or_of_no_use_is_said_to_be_left() {
    let (deployment, tenant, receiver) = start().await;
    let other = deployment.provision("Globex").await;
    deployment.update(&other, &json!({ "callback_url_base": receiver.base() })).await.data(200);
    let theirs = pings(&deployment, &other, 1).await.remove(0);
    let ids = pings(&deployment, &tenant, 2).await;
    deployment.suspend(&tenant).await.data(200);
    let listed = deployment.get(&format!("/api/v1/fetch/callbacks?tenant_id={}", tenant.id)).await;
    let suspended = listed.data(200)["callbacks"][0]["event_id"].as_str().unwrap().to_owned();
    // A QR login of half an hour ago.
    let partition = format!("TENANT#{}#CALLBACKS", tenant.id);
    deployment.set(&partition, &ids[0], "event_type", &json!({ "S": "qr_login.approved" })).await;
    deployment.set(&partition, &ids[0], "created_at", &json!({ "N": "1000" })).await;
    let pings_only = json!({ "callback_types": ["qr_login.*", "ping"] });
    deployment.update(&tenant, &pings_only).await.data(200);
    let before = callback(&deployment, &tenant, &suspended).await;
    let all = [&ids[0], &ids[1], &suspended, &theirs];
    let answer = deployment.post(&path(&tenant), &json!({ "event_ids": all })).await;
    let reason = |id: &String, reason: &str| (id.clone(), reason.to_owned());
    let mut expected =
        vec![reason(&ids[0], "of_no_use"), reason(&suspended, "not_wanted"), reason(&theirs, "not_found")];
    expected.sort();
    assert_eq!(outcome(&answer), (1, expected));
    assert_eq!(callback(&deployment, &tenant, &suspended).await, before);
    assert_eq!(callback(&deployment, &other, &theirs).await["replayed_at"], Value::Null);
}

#[tokio::test]
async fn of_a_state_and_a_time_the_oldest_are_taken_up_to_a_hundred_and_the_rest_is_said_to_be_left() {
    let (deployment, tenant, _receiver) = start().await;
    let first = pings(&deployment, &tenant, 1).await.remove(0);
    let items = deployment.items().await;
    let template = items.iter().find(|item| item["sk"]["S"] == first.as_str()).unwrap().clone();
    // Each a second after the one before; every third has failed.
    for number in 0..360_u32 {
        let at = 1_700_000_000_000_u64 + u64::from(number) * 1000;
        let mut item = template.clone();
        item["sk"] = json!({ "S": format!("evt_{at:012x}70008{number:015x}") });
        item["created_at"] = json!({ "N": at.to_string() });
        item["callback_state"] = json!({ "S": if number % 3 == 0 { "failed" } else { "delivered" } });
        item["due_shard"] = json!({ "S": "NONE" });
        deployment.dynamodb("PutItem", &json!({ "TableName": deployment.table(), "Item": item })).await;
    }
    let body = |since: &str, until: Value, cursor: Value| {
        let state = json!("failed");
        json!({ "state": state, "since": since, "until": until, "cursor": cursor })
    };
    // From the 30th on, and before the 60th second.
    let some = body("2023-11-14T22:13:50.000Z", json!("2023-11-14T22:14:20.000Z"), Value::Null);
    let answer = deployment.post(&path(&tenant), &some).await;
    assert_eq!((outcome(&answer), &answer.data(200)["next_cursor"]), ((10, vec![]), &Value::Null));
    // The 110 that are left.
    let answer = deployment.post(&path(&tenant), &body(LONG_AGO, Value::Null, Value::Null)).await;
    assert_eq!(outcome(&answer), (100, vec![]));
    let cursor = answer.data(200)["next_cursor"].clone();
    let rest = deployment.post(&path(&tenant), &body(LONG_AGO, Value::Null, cursor.clone())).await;
    assert_eq!((outcome(&rest), &rest.data(200)["next_cursor"]), ((10, vec![]), &Value::Null));
    let failed = deployment.get(&format!("/api/v1/fetch/callbacks?tenant_id={}&state=failed", tenant.id)).await;
    assert_eq!(failed.data(200)["callbacks"], json!([]));
    // A cursor is of its own replay.
    let others = body("2023-11-14T22:13:50.000Z", Value::Null, cursor);
    deployment.post(&path(&tenant), &others).await.names("cursor");
    let (from, to) = ("evt_016f5e66e800", "evt_g");
    for position in ["evt_", "STATE", "evt_00000000000070008000000000000000"] {
        let forged = Cursor::new(&format!("replay/{}/failed/{from}/{to}", tenant.id), position);
        deployment.post(&path(&tenant), &body(LONG_AGO, Value::Null, json!(forged))).await.names("cursor");
    }
}

#[tokio::test]
async fn a_body_has_one_of_two_forms() {
    let (deployment, tenant, _receiver) = start().await;
    let id = "evt_01900000000070008000000000000000";
    let (state, since) = (json!("failed"), json!(LONG_AGO));
    for (body, field) in [
        (json!({}), "event_ids"),
        (json!({ "event_ids": [] }), "event_ids"),
        (json!({ "event_ids": vec![id; 101] }), "event_ids"),
        (json!({ "event_ids": [id], "state": state }), "event_ids"),
        (json!({ "event_ids": [id], "cursor": "YQ" }), "cursor"),
        (json!({ "event_ids": ["evt_"] }), "event_ids[0]"),
        (json!({ "state": state }), "since"),
        (json!({ "since": since }), "state"),
        (json!({ "state": "lost", "since": since }), "state"),
        (json!({ "state": state, "since": "yesterday" }), "since"),
        (json!({ "state": state, "since": since, "until": since }), "until"),
        (json!({ "state": state, "since": since, "type": "ping" }), "type"),
    ] {
        deployment.post(&path(&tenant), &body).await.names(field);
    }
    let none = json!({ "event_ids": [id, id] });
    let answer = deployment.post(&path(&tenant), &none).await;
    assert_eq!(outcome(&answer), (0, vec![(id.to_owned(), "not_found".to_owned())]));
    deployment.update(&tenant, &json!({ "callback_url_base": null })).await.data(200);
    deployment.post(&path(&tenant), &none).await.refused(409, "callback_not_wanted");
    let unknown = Tenant { id: "tnt_unknown".to_owned(), ..tenant };
    deployment.post(&path(&unknown), &none).await.refused(404, "tenant_not_found");
}

#[tokio::test]
async fn under_its_key_a_replay_that_died_is_finished_and_one_that_is_done_does_nothing_more() {
    let (deployment, tenant, receiver) = start().await;
    let ids = pings(&deployment, &tenant, 3).await;
    deployment.sweep().await;
    let mut at = 0;
    loop {
        let key = format!("key-{at}");
        let body = json!({ "event_ids": ids });
        let call = || deployment.operator("POST", &path(&tenant)).header("idempotency-key", &key).json(&body);
        let before = receiver.received().len();
        let killed = deployment.stack.faults().kill("replay-callbacks", at, CrashMode::DoneButNoAnswer);
        call().send_raw().await;
        let fired = killed.fired();
        deployment.stack.faults().clear();
        let answer = call().send().await;
        assert_eq!(outcome(&answer), (3, vec![]), "call {at}");
        deployment.sweep().await;
        assert_eq!(receiver.received().len(), before + 3, "call {at}");
        // It is done: the same answer, and no attempt more.
        assert_eq!(call().send().await.data(200), answer.data(200));
        assert_eq!(deployment.sweep().await["delivered"], 0);
        let events = deployment.audit_events(&tenant).await;
        let replays = events.iter().filter(|event| event["action"] == "callbacks.replayed").count();
        assert_eq!(replays, at + 1, "one event each");
        if fired == 0 {
            break;
        }
        at += 1;
    }
    assert!(at >= 6, "only {at} calls");
}
