//! Thousands of tenants, of which one in twenty has a dead receiver, on a clock of the test's.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::{Value, json};
use shared::domain::{Attempted, Clock, ErrorClass, Outcome};
use shared::store::{Delivery, Receiver};

use crate::support::{Deployment, HandClock, Tenant, now_ms};

const MINUTE: i64 = 60_000;
/// What each dead receiver is owed. The living are owed one.
const OWED_TO_THE_DEAD: usize = 3;

/// A tenant that is owed an event, as items of the table. Others are made of it.
pub struct Model {
    tenant: Tenant,
    /// The request that made its secret.
    secret: Value,
    items: Vec<Value>,
    callback: Value,
}

impl Model {
    pub async fn of(deployment: &Deployment) -> Self {
        let tenant = deployment.provision("Acme").await;
        let wanted = json!({ "callback_url_base": "https://model.example.com", "callback_types": ["tenant.*"] });
        deployment.update(&tenant, &wanted).await.data(200);
        // The event of a suspended tenant that is delivered all the same.
        deployment.suspend(&tenant).await.data(200);
        let mut items = deployment.items().await;
        items.retain(|item| item["pk"]["S"].as_str().unwrap().contains(&tenant.id));
        let callback = items.iter().find(|item| item.get("callback_state").is_some()).unwrap().clone();
        items.retain(|item| item["pk"]["S"] == format!("TENANT#{}", tenant.id));
        let stored = deployment.stored_tenant_secret(&tenant.id);
        let (version, _, value) = &stored.versions[0];
        let secret = json!({ "Name": stored.name, "SecretString": value, "ClientRequestToken": version });
        Self { tenant, secret, items, callback }
    }

    /// The items of tenant number `number`, with that base and so many callbacks.
    pub fn copies(&self, number: usize, base: &str, callbacks: usize) -> Vec<Value> {
        let copied = |item: &Value| -> Value {
            let text = item.to_string().replace(&self.tenant.id, &copy_id(number));
            serde_json::from_str(&text.replace("https://model.example.com", base)).unwrap()
        };
        let event = self.callback["sk"]["S"].as_str().unwrap();
        let callback = |count: usize| {
            let new = format!("{}{number:08x}{count:04x}", &event[..24]);
            let mut item: Value =
                serde_json::from_str(&copied(&self.callback).to_string().replace(event, &new)).unwrap();
            item["due_shard"] = json!({ "S": format!("DUE#{}", (number + count) % 8) });
            item
        };
        self.items.iter().map(copied).chain((0..callbacks).map(callback)).collect()
    }

    /// Gives tenant number `number` the model's secret, under the version that its items name.
    fn copy_secret(&self, deployment: &Deployment, number: usize) {
        let request = self.secret.to_string().replace(&self.tenant.id, &copy_id(number));
        let (status, answer) = deployment.stack.secrets().handle("CreateSecret", request.as_bytes(), now_ms());
        assert_eq!(status, 200, "{answer}");
    }
}

/// The id of a tenant that is a copy.
fn copy_id(number: usize) -> String {
    format!("tnt_{number:032x}")
}

/// Notes when which base was attempted. Those that begin with `dead` never answer.
struct Bases<'a> {
    clock: &'a HandClock,
    attempts: Mutex<BTreeMap<String, Vec<i64>>>,
}

impl Receiver for Bases<'_> {
    async fn post(&self, delivery: &Delivery<'_>) -> Attempted {
        let base = delivery.base.to_string();
        let is_dead = base.starts_with("https://dead");
        self.attempts.lock().unwrap().entry(base).or_default().push(self.clock.now().as_millis());
        let outcome = if is_dead { Outcome::Error(ErrorClass::Timeout) } else { Outcome::Status(204) };
        Attempted { outcome, retry_after: None }
    }
}

/// Notes the bodies in the order in which they come.
#[derive(Default)]
struct InOrder(Mutex<Vec<Value>>);

impl Receiver for InOrder {
    async fn post(&self, delivery: &Delivery<'_>) -> Attempted {
        self.0.lock().unwrap().push(serde_json::from_str(delivery.body).unwrap());
        Attempted { outcome: Outcome::Status(204), retry_after: None }
    }
}

/// More than are read at once.
#[tokio::test]
async fn a_backlog_goes_in_one_sweep_and_in_its_order() {
    let deployment = Deployment::start_with(stack::StackBuilder::without_stream).await;
    let model = Model::of(&deployment).await;
    model.copy_secret(&deployment, 1);
    deployment.write_items(model.copies(1, "https://alive.example.com", 250)).await;
    let clock = HandClock::default();
    clock.set(now_ms() + 1000);
    let receiver = InOrder::default();
    let run = deployment.app(&clock).callbacks().on(None, &receiver).await.unwrap();
    // Beside them the model's own.
    assert_eq!(run.delivered, 251);
    let bodies = receiver.0.lock().unwrap();
    let ids = bodies.iter().filter(|body| body["tenant_id"] == copy_id(1)).map(|body| body["event_id"].as_str());
    assert!(ids.clone().is_sorted() && ids.count() == 250);
}

/// Whether the attempts at a dead receiver obey the documentation: any that come before its breaker opens, and from
/// then on one a probe.
fn obeys_the_breaker(attempts: &[i64]) -> bool {
    let opens = (9..attempts.len()).find(|place| attempts[*place] - attempts[0] >= 2 * MINUTE);
    let Some(opens) = opens else { return true };
    let probes = attempts[opens..].windows(2).zip(0..);
    probes.into_iter().all(|(pair, probe): (_, u32)| pair[1] - pair[0] >= (MINUTE << probe).min(60 * MINUTE))
}

#[test]
fn the_check_of_attempts_finds_one_too_many() {
    let closed = [0, 0, 0, 1, 1, 1, 2, 2, 2].map(|minute| minute * MINUTE);
    let after =
        |minutes: &[i64]| [&closed[..], &minutes.iter().map(|minute| minute * MINUTE).collect::<Vec<_>>()].concat();
    assert!(obeys_the_breaker(&after(&[8, 9, 11, 15])));
    assert!(!obeys_the_breaker(&after(&[8, 8])));
    assert!(!obeys_the_breaker(&after(&[8, 9, 10])));
}

/// With `LATCHKEY_CALLBACK_TENANTS`, of as many tenants.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_living_get_their_event_in_two_sweeps_and_the_dead_cost_a_probe() {
    let count: usize = std::env::var("LATCHKEY_CALLBACK_TENANTS").map_or(1000, |count| count.parse().unwrap());
    let deployment = Deployment::start_with(stack::StackBuilder::without_stream).await;
    let model = Model::of(&deployment).await;
    (0..count).for_each(|number| model.copy_secret(&deployment, number));
    let is_dead = |number: usize| number.is_multiple_of(20);
    let tenants = (0..count).flat_map(|number| {
        let (base, callbacks) = if is_dead(number) { ("dead", OWED_TO_THE_DEAD) } else { ("alive", 1) };
        model.copies(number, &format!("https://{base}-{number}.example.com"), callbacks)
    });
    deployment.write_items(tenants.collect()).await;

    let clock = HandClock::default();
    let began = now_ms() + 1000;
    let bases = Bases { clock: &clock, attempts: Mutex::default() };
    let mut delivered = 0;
    // Until the breakers of the dead have opened, and their fourth probe is over.
    for minute in 0..30 {
        clock.set(began + minute * MINUTE);
        // A process of its own, as it may be after a minute.
        let run = deployment.app(&clock).callbacks().on(None, &bases).await.unwrap();
        assert_eq!(run.failures.first(), None, "and {} others", run.failures.len());
        delivered += run.delivered;
        if minute == 1 {
            let attempts = bases.attempts.lock().unwrap();
            let living = (0..count).filter(|number| !is_dead(*number));
            let once = living.filter(|number| {
                attempts.get(&format!("https://alive-{number}.example.com")).is_some_and(|at| at.len() == 1)
            });
            // Beside them the model's own.
            assert_eq!((once.count(), delivered), (count - count.div_ceil(20), count - count.div_ceil(20) + 1));
        }
    }
    let attempts = bases.attempts.lock().unwrap();
    let dead: Vec<_> = attempts.iter().filter(|(base, _)| base.starts_with("https://dead")).collect();
    assert_eq!(dead.len(), count.div_ceil(20));
    for (base, attempts) in dead {
        let minutes: Vec<_> = attempts.iter().map(|at| (at - began) / MINUTE).collect();
        assert!(obeys_the_breaker(attempts), "{base} was attempted in minutes {minutes:?}");
        assert!((10..=15).contains(&attempts.len()), "{base} was attempted in minutes {minutes:?}");
    }
}
