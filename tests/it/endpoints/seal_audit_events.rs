//! The step that seals audit events, which a schedule starts. What finds a broken seal is
//! `docs/operate/audit_chain.py`.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use shared::App;
use stack::{CrashMode, Effect, Fault, Invocation, Match, scheduled_event};

use crate::support::{Deployment, HandClock};

/// A process some minutes from now.
fn later(deployment: &Deployment, minutes: i64) -> App {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let clock = HandClock::default();
    clock.set(i64::try_from(now).unwrap() + minutes * 60_000);
    deployment.app(&clock)
}

/// Keys of the audit events in the table, and of those in the seals, seal by seal.
async fn events_and_seals(deployment: &Deployment) -> (BTreeSet<String>, Vec<Vec<String>>) {
    let items = deployment.items().await;
    let of = |pk: &Value, sk: &Value| format!("{} {}", pk.as_str().unwrap(), sk.as_str().unwrap());
    let events = items.iter().filter(|item| item["pk"]["S"].as_str().unwrap().starts_with("AUDIT#"));
    let events = events.map(|item| of(&item["pk"]["S"], &item["sk"]["S"])).collect();
    let mut seals: Vec<Value> = items
        .iter()
        .filter(|item| item["pk"]["S"] == "SEALS")
        .map(|item| serde_json::from_str(item["seal"]["S"].as_str().unwrap()).unwrap())
        .collect();
    seals.sort_by_key(|seal| seal["number"].as_u64());
    for pair in seals.windows(2) {
        assert_eq!(pair[1]["previous"], pair[0]["digest"]);
    }
    let keys = |seal: &Value| seal["events"].as_array().unwrap().iter().map(|e| of(&e["pk"], &e["sk"])).collect();
    (events, seals.iter().map(keys).collect())
}

/// With `LATCHKEY_AUDIT_EXPORT`, the table is written to that file, an item a line as an export to S3 has it.
async fn export(deployment: &Deployment) {
    let Some(path) = std::env::var_os("LATCHKEY_AUDIT_EXPORT") else { return };
    let lines: Vec<_> = deployment.items().await.iter().map(|item| json!({ "Item": item }).to_string()).collect();
    std::fs::write(path, lines.join("\n")).unwrap();
}

#[tokio::test]
async fn each_event_of_every_tenant_is_in_one_seal_once_it_has_settled() {
    let deployment = Deployment::start().await;
    let (one, other) = (deployment.provision("Acme").await, deployment.provision("Globex").await);
    deployment.suspend(&one).await.data(200);
    assert_eq!(later(&deployment, 4).seal_audit_events().await.unwrap().sealed, 0);
    let first = later(&deployment, 6).seal_audit_events().await.unwrap();
    assert_eq!((first.sealed, first.newest.unwrap().0), (3, 1));
    assert_eq!(later(&deployment, 7).seal_audit_events().await.unwrap().sealed, 0);
    deployment.reactivate(&one).await.data(200);
    deployment.rotate(&other, 0).await.data(200);
    let second = later(&deployment, 6).seal_audit_events().await.unwrap();
    assert_eq!((second.sealed, second.newest.unwrap().0), (2, 2));
    let (events, seals) = events_and_seals(&deployment).await;
    assert_eq!(seals.iter().map(Vec::len).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(seals.concat().into_iter().collect::<BTreeSet<_>>(), events);
    // What is not settled yet waits for its seal.
    deployment.suspend(&one).await.data(200);
    export(&deployment).await;
}

#[tokio::test]
async fn many_events_are_many_seals_and_two_runs_at_once_are_as_one() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let items = deployment.items().await;
    let event = items.iter().find(|item| item["pk"]["S"].as_str().unwrap().starts_with("AUDIT#")).unwrap().clone();
    for batch in 0..42 {
        let put = |number: usize| {
            let mut item = event.clone();
            item["sk"] = json!({ "S": format!("AUDIT#{number:015}#r") });
            item["audit_shard"] = json!({ "S": format!("AUDIT#{}", number % 4) });
            item["listing_order"] = json!({ "S": format!("{number:015}#{}#r", tenant.id) });
            json!({ "PutRequest": { "Item": item } })
        };
        let batch: Vec<_> = (0..25).map(|number| put(batch * 25 + number)).collect();
        deployment.dynamodb("BatchWriteItem", &json!({ "RequestItems": { deployment.table(): batch } })).await;
    }
    let (one, other) = (later(&deployment, 6), later(&deployment, 6));
    let (one, other) = tokio::join!(one.seal_audit_events(), other.seal_audit_events());
    let (one, other) = (one.unwrap(), other.unwrap());
    assert!(one.failures.is_empty() && other.failures.is_empty());
    later(&deployment, 6).seal_audit_events().await.unwrap();
    let (events, seals) = events_and_seals(&deployment).await;
    assert_eq!((events.len(), seals.concat().len()), (1051, 1051));
    assert_eq!(seals.concat().into_iter().collect::<BTreeSet<_>>(), events);
    assert!(seals.len() >= 3);
    let all = seals.concat();
    assert!(all.windows(2).all(|pair| pair[0].split(' ').nth(1) < pair[1].split(' ').nth(1)), "oldest first");
}

/// Makes the one event of a new deployment old enough for a run of the function itself.
async fn aged(deployment: &Deployment) -> (String, String) {
    deployment.provision("Acme").await;
    let items = deployment.items().await;
    let event = items.iter().find(|item| item["pk"]["S"].as_str().unwrap().starts_with("AUDIT#")).unwrap();
    let (pk, sk) = (event["pk"]["S"].as_str().unwrap(), event["sk"]["S"].as_str().unwrap());
    deployment.set(pk, sk, "listing_order", &json!({ "S": "000000000000001#early" })).await;
    (pk.to_owned(), sk.to_owned())
}

#[tokio::test]
async fn a_store_that_fails_is_a_failed_run_and_no_seal() {
    let deployment = Deployment::start().await;
    aged(&deployment).await;
    for operation in ["Query", "BatchGetItem", "PutItem"] {
        let failing = Match::any().function("seal-audit-events").operation(operation);
        deployment.stack.faults().inject(Fault::new(failing, Effect::Status(500, "InternalServerError".to_owned())));
        let run = deployment.stack.invoke("seal-audit-events", scheduled_event(), Invocation::default()).await;
        assert!(run.is_err(), "{operation}");
        deployment.stack.faults().clear();
    }
    assert!(events_and_seals(&deployment).await.1.is_empty());
}

#[tokio::test]
async fn a_run_that_dies_at_any_of_its_calls_leaves_a_chain_that_the_next_one_goes_on_with() {
    let mut at = 0;
    loop {
        let mut fired = 0;
        for mode in [CrashMode::NotSent, CrashMode::DoneButNoAnswer] {
            let deployment = Deployment::start().await;
            aged(&deployment).await;
            let killed = deployment.stack.faults().kill("seal-audit-events", at, mode);
            let run = deployment.stack.invoke("seal-audit-events", scheduled_event(), Invocation::default()).await;
            assert_eq!(run.is_err(), killed.fired() > 0, "call {at}, {mode:?}");
            fired += killed.fired();
            deployment.stack.invoke("seal-audit-events", scheduled_event(), Invocation::default()).await.unwrap();
            let (events, seals) = events_and_seals(&deployment).await;
            assert_eq!(seals.concat().into_iter().collect::<BTreeSet<_>>(), events, "call {at}, {mode:?}");
        }
        if fired == 0 {
            break;
        }
        at += 1;
    }
    assert!(at >= 7, "only {at} calls");
}
