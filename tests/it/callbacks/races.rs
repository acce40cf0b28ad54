//! Changes of one tenant at the same moment. What they owe is in their transactions, and no two transactions write the
//! same callback; so none waits for another's event.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stack::{AwsCall, Invocation, scheduled_event};

use crate::support::{Deployment, TestReceiver, at_once};

/// How many changes there are at once.
const AT_ONCE: usize = 50;

async fn sweep(deployment: &Deployment) -> Value {
    let run = deployment.stack.invoke("deliver-callbacks", scheduled_event(), Invocation::default()).await;
    run.unwrap().payload
}

#[tokio::test]
async fn fifty_changes_at_once_all_succeed_and_each_is_told() {
    let deployment = Deployment::start().await;
    deployment.stack.streams().stop().await;
    let (tenant, receiver) = (deployment.provision("Acme").await, TestReceiver::start().await);
    let wanted = json!({ "callback_url_base": receiver.base(), "callback_types": ["tenant.*"] });
    deployment.update(&tenant, &wanted).await.data(200);
    let (mut told, mark) = (Vec::new(), deployment.stack.mark());
    // A change that finds nothing to change owes nothing, so one round may owe less than fifty events.
    while told.len() < AT_ONCE {
        let change = |number| {
            let name = if number % 2 == 0 { "suspend" } else { "reactivate" };
            deployment.operator("POST", &format!("/api/v1/{name}/tenant?tenant_id={}", tenant.id))
        };
        for answer in at_once((0..AT_ONCE).map(change)).await {
            answer.data(200);
        }
        told = deployment.audit_events(&tenant).await;
        told.retain(|event| ["tenant.suspended", "tenant.reactivated"].contains(&event["action"].as_str().unwrap()));
    }
    let calls = deployment.stack.calls_since(mark);
    let has_met = |call: &AwsCall| call.operation == "TransactWriteItems" && call.status == 400;
    assert!(calls.iter().any(has_met), "no two of them met");
    while sweep(&deployment).await["delivered"] != 0 {}
    let received = receiver.received();
    let sequences: BTreeSet<_> = received.iter().map(|received| received.body()["sequence"].as_u64()).collect();
    assert_eq!((received.len(), sequences.len()), (told.len(), told.len()), "each once");
    for name in ["tenant.suspended", "tenant.reactivated"] {
        let received = received.iter().filter(|received| received.body()["type"] == name).count();
        assert_eq!(received, told.iter().filter(|event| event["action"] == name).count(), "{name}");
    }
    // One after the other they changed the status, and so say the sequences.
    let fetched = deployment.fetch(&tenant).await;
    let last = received.iter().max_by_key(|received| received.body()["sequence"].as_u64()).unwrap().body();
    assert_eq!(last["data"]["status"], fetched["status"]);
}
