//! What callbacks consume in DynamoDB, as the local one counts it.

use serde_json::{Value, json};
use shared::domain::{Attempted, Outcome};
use shared::store::{Delivery, Receiver};
use stack::AwsCall;

use super::scale::Model;
use crate::support::{Deployment, HandClock, Tenant, now_ms};

struct Alive;

impl Receiver for Alive {
    async fn post(&self, _: &Delivery<'_>) -> Attempted {
        Attempted { outcome: Outcome::Status(204), retry_after: None }
    }
}

const READS: [&str; 3] = ["BatchGetItem", "GetItem", "Query"];

/// The units that calls consumed: of reads, and of writes.
fn units(calls: &[AwsCall]) -> (f64, f64) {
    let consumed = |reads: bool| {
        let calls = calls.iter().filter(|call| READS.contains(&call.operation.as_str()) == reads);
        calls.filter_map(|call| call.consumed).sum()
    };
    (consumed(true), consumed(false))
}

/// Delivers all that is due: how many, and the units of it.
async fn sweep(deployment: &Deployment) -> (usize, (f64, f64)) {
    let clock = HandClock::default();
    clock.set(now_ms() + 1000);
    let mark = deployment.stack.mark();
    let run = deployment.app(&clock).callbacks().on(None, &Alive).await.unwrap();
    (run.delivered, units(&deployment.stack.calls_since(mark)))
}

/// The items of a tenant that has been delivered an event before.
fn idle(model: &Model, number: usize) -> Vec<Value> {
    let mut items = model.copies(number, "https://alive.example.com", 1);
    for item in &mut items {
        let attributes = item.as_object_mut().unwrap();
        attributes.retain(|name, _| name != "due_at" && name != "due_shard");
        if let Some(state) = attributes.get_mut("callback_state") {
            *state = json!({ "S": "delivered" });
        }
    }
    items
}

/// With `LATCHKEY_CALLBACK_TENANTS`, of as many tenants.
#[tokio::test]
async fn a_sweep_with_nothing_due_reads_four_units_however_many_tenants_there_are() {
    let deployment = Deployment::start_with(|builder| builder.without_stream().metered()).await;
    let model = Model::of(&deployment).await;
    sweep(&deployment).await;
    assert_eq!(sweep(&deployment).await, (0, (4.0, 0.0)));
    let count = std::env::var("LATCHKEY_CALLBACK_TENANTS").map_or(5000, |count| count.parse().unwrap());
    for tenants in [0..100, 100..count] {
        // So many at a time as there is memory for.
        for tenants in tenants.collect::<Vec<_>>().chunks(1000) {
            deployment.write_items(tenants.iter().flat_map(|number| idle(&model, *number)).collect()).await;
        }
        assert_eq!(sweep(&deployment).await, (0, (4.0, 0.0)));
    }
}

/// What it writes to suspend and reactivate a tenant in turn, so many times in all.
async fn changes(deployment: &Deployment, tenant: &Tenant, count: usize) -> f64 {
    let mark = deployment.stack.mark();
    for change in 0..count {
        let answer =
            if change % 2 == 0 { deployment.suspend(tenant).await } else { deployment.reactivate(tenant).await };
        answer.data(200);
    }
    units(&deployment.stack.calls_since(mark)).1
}

/// The numbers are those of the documentation: of an event of up to 1 KB, three units to owe it and two to note that it
/// was delivered, both with the index; and for all that a receiver gets at once, two for the lease.
#[tokio::test]
async fn an_event_writes_five_units_and_all_that_a_receiver_gets_at_once_two_more() {
    let deployment = Deployment::start_with(|builder| builder.without_stream().metered()).await;
    let tenant = deployment.provision("Acme").await;
    for count in [2, 10] {
        let none: Value = json!({ "callback_url_base": null });
        deployment.update(&tenant, &none).await.data(200);
        let without = changes(&deployment, &tenant, count).await;
        let wanted = json!({ "callback_url_base": "https://alive.example.com", "callback_types": ["tenant.*"] });
        deployment.update(&tenant, &wanted).await.data(200);
        let with = changes(&deployment, &tenant, count).await;
        let events = f64::from(u32::try_from(count).unwrap());
        let (delivered, (_, written)) = sweep(&deployment).await;
        assert_eq!((delivered, with - without, written), (count, 3.0 * events, 2.0 * events + 2.0));
    }
}
