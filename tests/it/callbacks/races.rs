//! Changes of one tenant at the same moment. What they owe is in their transactions, and no two transactions write the
//! same callback; so none waits for another's event.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stack::AwsCall;

use crate::support::{Deployment, Received, Tenant, TestReceiver, at_once};

/// How many changes there are at once.
const AT_ONCE: usize = 50;

/// A tenant that nothing is delivered to but by sweeps, and its receiver.
async fn listening(deployment: &Deployment) -> (Tenant, TestReceiver) {
    deployment.stack.streams().stop().await;
    let (tenant, receiver) = (deployment.provision("Acme").await, TestReceiver::start().await);
    let wanted = json!({ "callback_url_base": receiver.base(), "callback_types": ["tenant.*", "ping"] });
    deployment.update(&tenant, &wanted).await.data(200);
    (tenant, receiver)
}

/// Whether a transaction met another on one of its items.
fn have_met(calls: &[AwsCall]) -> bool {
    calls.iter().any(|call| call.operation == "TransactWriteItems" && call.status == 400)
}

/// Delivers all that is owed: the bodies, no event twice.
async fn told(deployment: &Deployment, receiver: &TestReceiver) -> Vec<Value> {
    while deployment.sweep().await["delivered"] != 0 {}
    let received: Vec<_> = receiver.received().iter().map(Received::body).collect();
    let ids: BTreeSet<_> = received.iter().map(|body| body["event_id"].as_str()).collect();
    assert_eq!(ids.len(), received.len(), "each once");
    received
}

#[tokio::test]
async fn fifty_changes_at_once_all_succeed_and_each_is_told() {
    let deployment = Deployment::start().await;
    let (tenant, receiver) = listening(&deployment).await;
    // Two rotations and a suspension meet on the tenant's state; the others are pings.
    let name = |number| match number {
        0 | 20 => "rotate/tenant-secret",
        10 => "suspend/tenant",
        _ => "test/callback",
    };
    let change = |number| deployment.operator("POST", &format!("/api/v1/{}?tenant_id={}", name(number), tenant.id));
    let (mut rounds, mut met) = (0, false);
    // Three in fifty do not meet each time.
    while !met && rounds < 20 {
        let mark = deployment.stack.mark();
        for answer in at_once((0..AT_ONCE).map(change)).await {
            assert!([200, 202].contains(&answer.status), "{answer:?}");
        }
        met = have_met(&deployment.stack.calls_since(mark));
        deployment.reactivate(&tenant).await.data(200);
        rounds += 1;
    }
    assert!(met, "no two of them met");
    let received = told(&deployment, &receiver).await;
    let of = |name| received.iter().filter(|body| body["type"] == name).count();
    let counts = ["ping", "tenant.secret_rotated", "tenant.suspended", "tenant.reactivated"].map(of);
    assert_eq!(counts, [47, 2, 1, 1].map(|count| count * rounds));
    let of_state = received.iter().filter(|body| body["flow"] == "tenant");
    let sequences: BTreeSet<_> = of_state.map(|body| body["sequence"].as_u64()).collect();
    assert_eq!(sequences.len(), 4 * rounds, "one after the other they changed the tenant's state");
}

/// All of them change the same attribute of the same item. Which of them find something to change is up to chance; each
/// that does has its event, and the events tell of one state after the other.
#[tokio::test]
async fn of_fifty_suspensions_and_reactivations_at_once_all_succeed_and_each_new_state_is_told_once() {
    let deployment = Deployment::start().await;
    let (tenant, receiver) = listening(&deployment).await;
    let state = async || {
        let state = deployment.state(&tenant.id).await.unwrap();
        (state["revision"].as_u64().unwrap(), state["tenant_status"].clone())
    };
    let (before, _) = state().await;
    let mark = deployment.stack.mark();
    let change = |number: usize| {
        let name = if number.is_multiple_of(2) { "suspend" } else { "reactivate" };
        deployment.operator("POST", &format!("/api/v1/{name}/tenant?tenant_id={}", tenant.id))
    };
    let answers = at_once((0..AT_ONCE).map(change)).await;
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status != 200).collect();
    assert!(refused.is_empty(), "{} were refused, one with {:?}", refused.len(), refused[0]);
    assert!(have_met(&deployment.stack.calls_since(mark)), "no two of them met");
    let (after, status) = state().await;
    let mut received = told(&deployment, &receiver).await;
    received.sort_by_key(|body| body["sequence"].as_u64());
    let sequences: Vec<_> = received.iter().map(|body| body["sequence"].as_u64().unwrap()).collect();
    assert_eq!(sequences, (before + 1..=after).collect::<Vec<_>>());
    let turns = ["suspended", "reactivated"].into_iter().cycle().map(|name| json!(format!("tenant.{name}")));
    let types: Vec<_> = received.iter().map(|body| body["type"].clone()).collect();
    assert_eq!(types, turns.take(types.len()).collect::<Vec<_>>());
    let last = received.last().expect("a suspension, at least");
    assert_eq!(last["data"]["status"], status);
}
