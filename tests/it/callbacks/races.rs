//! Changes of one tenant at the same moment. What they owe is in their transactions, and no two transactions write the
//! same callback; so none waits for another's event.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stack::{AwsCall, Invocation, scheduled_event};

use crate::support::{Deployment, Received, TestReceiver, at_once};

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
    let wanted = json!({ "callback_url_base": receiver.base(), "callback_types": ["tenant.*", "ping"] });
    deployment.update(&tenant, &wanted).await.data(200);
    let mark = deployment.stack.mark();
    // Two rotations and a suspension meet on the tenant's state; the others are pings.
    let name = |number| match number {
        0 | 20 => "rotate/tenant-secret",
        10 => "suspend/tenant",
        _ => "test/callback",
    };
    let change = |number| deployment.operator("POST", &format!("/api/v1/{}?tenant_id={}", name(number), tenant.id));
    for answer in at_once((0..AT_ONCE).map(change)).await {
        assert!([200, 202].contains(&answer.status), "{answer:?}");
    }
    let calls = deployment.stack.calls_since(mark);
    let has_met = |call: &AwsCall| call.operation == "TransactWriteItems" && call.status == 400;
    assert!(calls.iter().any(has_met), "no two of them met");
    deployment.post(&format!("/api/v1/reactivate/tenant?tenant_id={}", tenant.id), &json!({})).await.data(200);
    while sweep(&deployment).await["delivered"] != 0 {}
    let received: Vec<_> = receiver.received().iter().map(Received::body).collect();
    let of = |name| received.iter().filter(|body| body["type"] == name).count();
    let counts = ["ping", "tenant.secret_rotated", "tenant.suspended", "tenant.reactivated"].map(of);
    assert_eq!(counts, [47, 2, 1, 1]);
    let ids: BTreeSet<_> = received.iter().map(|body| body["event_id"].as_str()).collect();
    assert_eq!(ids.len(), received.len(), "each once");
    let of_state = received.iter().filter(|body| body["flow"] == "tenant");
    let sequences: BTreeSet<_> = of_state.map(|body| body["sequence"].as_u64()).collect();
    assert_eq!(sequences.len(), 4, "one after the other they changed the tenant's state");
}
