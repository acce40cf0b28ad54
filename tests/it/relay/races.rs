//! The limit is exact: 64 callers at once, each a process, on one tenant.
//!
//! In a simulation, where minutes are as long as the test wants; and with the real functions, whose minutes are those
//! of the clock on the wall. `LATCHKEY_RELAY_FULL=1` makes ten thousand calls of the largest limit, where usually all
//! but the last of them are taken as made.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use shared::auth::Caller;
use shared::domain::OverlapSeconds;
use shared::error::ErrorCode;
use shared::store::TenantUpdate;
use stack::{Effect, Fault, Match};

use crate::simulation::{Chances, Process, Schedule, Simulation};
use crate::support::{Deployment, Dice, Tenant, WHOAMI, now_ms};

const CALLERS: usize = 64;

/// The beginning of a minute.
const MINUTE_MS: i64 = 1_800_000_000_000;

/// What came of the calls of a minute.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Count {
    accepted: u32,
    refused: u32,
    failed: u32,
}

fn is_full() -> bool {
    std::env::var("LATCHKEY_RELAY_FULL").is_ok()
}

/// How many calls of a limit are taken as made, so that few are left.
fn head_start(limit: u32) -> u32 {
    if limit < 1_000 || is_full() { 0 } else { limit - 100 }
}

/// 64 processes make calls in one minute after the other; how many by the end of each.
async fn simulated(limit: u32, calls_each: usize, chances: Chances, seed: u64) -> Vec<Count> {
    let simulation = Simulation::start(MINUTE_MS);
    let tenant = Process::unscheduled(&simulation).provision(limit).await;
    let schedule = Schedule::default();
    let processes: Vec<_> =
        (0..CALLERS).map(|number| Process::scheduled(&simulation, &schedule, number, 0, None)).collect();
    let mut counts = Vec::new();
    for minute in 0..3 {
        let begins = MINUTE_MS + minute * 60_000;
        simulation.clock.set(begins);
        pretend(&simulation, &tenant, begins, head_start(limit));
        let count = Arc::new(Mutex::new(Count { accepted: head_start(limit), ..Count::default() }));
        for (number, process) in processes.iter().cloned().enumerate() {
            let (schedule, tenant, count) = (schedule.clone(), tenant.clone(), Arc::clone(&count));
            schedule.enter();
            tokio::spawn(async move {
                for call in 0..calls_each {
                    process.begin().await;
                    let signing = process.signing(&tenant);
                    let answer = process.call(&signing, &format!("{minute}-{number}-{call}")).await;
                    let mut count = count.lock().unwrap();
                    match answer {
                        Ok(tenant) => {
                            let counted = tenant.quota().unwrap().minute.end().as_millis();
                            assert_eq!(counted, begins + 60_000, "counted in the minute in which it came");
                            count.accepted += 1;
                        }
                        Err(error) if error.code() == ErrorCode::RateLimited => count.refused += 1,
                        Err(error) => {
                            assert_eq!(error.code(), ErrorCode::TemporarilyUnavailable);
                            count.failed += 1;
                        }
                    }
                }
                schedule.leave();
            });
        }
        // The clock stands: whether the minute is full does not depend on when in it a call comes.
        schedule.run(&mut Dice(seed), &chances, &simulation.clock).await;
        simulation.clock.set(begins);
        counts.push(*count.lock().unwrap());
    }
    counts
}

/// Writes into the item that this many calls of a minute were accepted.
fn pretend(simulation: &Simulation, tenant: &Tenant, begins: i64, calls: u32) {
    if calls == 0 {
        return;
    }
    let minute = begins / 60_000;
    let request = json!({
        "TableName": simulation.offline.table(),
        "Key": { "pk": { "S": format!("TENANT#{}", tenant.id) }, "sk": { "S": "STATE" } },
        "UpdateExpression": format!("SET counted_minute = :minute, accepted_calls.m{minute} = :calls"),
        "ExpressionAttributeValues": { ":minute": { "N": minute.to_string() }, ":calls": { "N": calls.to_string() } },
    });
    let (status, answer) =
        simulation.offline.answer("DynamoDB_20120810.UpdateItem", request.to_string().as_bytes(), begins);
    assert_eq!(status, 200, "{answer}");
}

#[tokio::test]
async fn sixty_four_processes_are_let_in_exactly_as_often_as_the_limit_says_in_each_minute() {
    for (limit, calls_each) in [(1, 3), (60, 3), (10_000, if is_full() { 160 } else { 3 })] {
        for count in simulated(limit, calls_each, Chances::default(), 1).await {
            let made = u32::try_from(CALLERS * calls_each).unwrap();
            let expected = Count { accepted: limit, refused: made + head_start(limit) - limit, failed: 0 };
            assert_eq!(count, expected, "limit {limit}");
        }
    }
}

#[tokio::test]
async fn a_limit_that_is_not_reached_refuses_nothing() {
    for count in simulated(200, 3, Chances::default(), 2).await {
        assert_eq!(count, Count { accepted: 192, ..Count::default() });
    }
}

#[tokio::test]
async fn answers_that_are_lost_never_let_in_one_too_many() {
    let chances = Chances { lost_call: 10, lost_answer: 10, conflict: 50, ..Chances::default() };
    for (limit, seed) in [(1, 3), (60, 4), (60, 5), (10_000, 6)] {
        for count in simulated(limit, if is_full() && limit > 1_000 { 160 } else { 3 }, chances, seed).await {
            assert!(count.accepted <= limit, "{count:?}");
            // What was lost was counted, some of it twice.
            assert!(limit < 10 || count.accepted > limit - limit / 3, "{count:?}");
        }
    }
}

/// Of whatever is counted, two hours long and by processes that take turns, one minute stays in the item; and that
/// stays small enough to be written for one unit (1 KB), also with the longest name and two secrets in force.
#[tokio::test]
async fn minutes_that_are_past_leave_nothing_behind() {
    let simulation = Simulation::start(MINUTE_MS);
    let processes = [(); 3].map(|()| Process::unscheduled(&simulation));
    let tenant = processes[0].provision(10_000).await;
    let tenants = processes[0].app.tenants();
    let id = crate::simulation::id(&tenant);
    let patch = json!({ "tenant_name": "x".repeat(120) });
    let patch = serde_json::from_value(patch).unwrap();
    let update = TenantUpdate { patch, ends_passkeys: false };
    tenants.update(&id, update, &processes[0].change("update")).await.unwrap();
    let overlap = OverlapSeconds::new(2_592_000).unwrap();
    tenants.rotate_secret(&id, overlap, &processes[0].change("rotate")).await.unwrap();
    for minute in 0..120 {
        simulation.clock.set(MINUTE_MS + minute * 60_000);
        // Not each process in each minute.
        let number = usize::try_from(minute * minute % 7 % 3).unwrap();
        for call in 0..2 {
            let process = &processes[(number + call) % 3];
            process.call(&process.signing(&tenant), &format!("{minute}-{call}")).await.unwrap();
        }
    }
    let key = json!({ "pk": { "S": format!("TENANT#{}", tenant.id) }, "sk": { "S": "STATE" } });
    let request = json!({ "TableName": simulation.offline.table(), "Key": key }).to_string();
    let (_, item) = simulation.offline.answer("DynamoDB_20120810.GetItem", request.as_bytes(), 0);
    let item: Value = serde_json::from_str(&item).unwrap();
    let item = item["Item"].as_object().unwrap();
    assert_eq!(item["accepted_calls"]["M"].as_object().unwrap().len(), 1, "{item:?}");
    // Texts count with their bytes, and numbers with at most one for two digits and one more: fewer than their digits.
    let size: usize = item
        .iter()
        .map(|(name, value)| name.len() + value.as_object().unwrap().values().map(length).sum::<usize>())
        .sum();
    assert!((512..1024).contains(&size), "{size}");
}

fn length(value: &Value) -> usize {
    value.as_str().map_or_else(|| value.to_string().len(), str::len)
}

/// Where a minute begins that has this long to go, with a tenant that has made no call in it.
async fn with_time_left(deployment: &Deployment, limit: u32, seconds: i64) -> Tenant {
    let left = 60_000 - now_ms() % 60_000;
    if left < seconds * 1_000 {
        tokio::time::sleep(Duration::from_millis(u64::try_from(left).unwrap())).await;
    }
    let body = json!({ "tenant_name": "Acme", "rate_limit_per_min": limit });
    Tenant::of(&deployment.post("/api/v1/provision/tenant", &body).await)
}

/// 64 callers of the real functions; how many were let in by the end of each minute, and how many were refused.
async fn real(deployment: &Deployment, tenant: &Tenant, calls_each: usize) -> (BTreeMap<String, u32>, u32, u32) {
    let callers = (0..CALLERS).map(|_| {
        let calls: Vec<_> = (0..calls_each).map(|_| deployment.anonymous("GET", WHOAMI)).collect();
        let tenant = tenant.clone();
        tokio::spawn(async move {
            let mut answers = Vec::new();
            for call in calls {
                answers.push(call.signed(&tenant.signing()).send().await);
            }
            answers
        })
    });
    let (mut accepted, mut refused, mut failed) = (BTreeMap::new(), 0, 0);
    for caller in callers.collect::<Vec<_>>() {
        for answer in caller.await.unwrap() {
            match answer.status {
                200 => *accepted.entry(answer.body["data"]["resets_at"].to_string()).or_insert(0) += 1,
                429 => {
                    answer.refused(429, "rate_limited");
                    refused += 1;
                }
                _ => {
                    answer.refused(503, "temporarily_unavailable");
                    failed += 1;
                }
            }
        }
    }
    (accepted, refused, failed)
}

#[tokio::test]
async fn sixty_four_callers_of_the_real_functions_are_let_in_exactly_as_often_as_the_limit_says() {
    let deployment = Deployment::start().await;
    for limit in [1, 60, 10_000] {
        let expected = (vec![limit.min(192)], 192_u32.saturating_sub(limit), 0);
        let mut outcome = (Vec::new(), 0, 0);
        // On a machine that stands still for a while the minute may end, or a call take too long: then anew.
        for _ in 0..5 {
            let tenant = with_time_left(&deployment, limit, 15).await;
            let (accepted, refused, failed) = real(&deployment, &tenant, 3).await;
            outcome = (accepted.values().copied().collect::<Vec<_>>(), refused, failed);
            if outcome.0.len() == 1 && failed == 0 {
                break;
            }
        }
        assert_eq!(outcome, expected);
    }
    let processes = deployment.stack.calls().into_iter().filter_map(|call| call.caller);
    let processes = processes.filter(|caller| caller.function == "relay-whoami").map(|caller| caller.instance);
    assert!(processes.collect::<std::collections::BTreeSet<_>>().len() > 4);
}

#[tokio::test]
async fn the_largest_limit_is_exact_too() {
    let deployment = Deployment::start().await;
    let tenant = with_time_left(&deployment, 10_000, if is_full() { 55 } else { 15 }).await;
    let minute = now_ms() / 60_000;
    let taken = head_start(10_000);
    if taken > 0 {
        let calls = json!({ "M": { format!("m{minute}"): { "N": taken.to_string() } } });
        deployment.set(&format!("TENANT#{}", tenant.id), "STATE", "accepted_calls", &calls).await;
        let minute = json!({ "N": minute.to_string() });
        deployment.set(&format!("TENANT#{}", tenant.id), "STATE", "counted_minute", &minute).await;
    }
    let calls_each = if is_full() { 160 } else { 3 };
    let (accepted, refused, failed) = real(&deployment, &tenant, calls_each).await;
    let made = u32::try_from(CALLERS * calls_each).unwrap();
    let accepted: Vec<_> = accepted.into_values().collect();
    if is_full() && accepted.len() > 1 {
        // The machine is too slow for so many in a minute: then nothing was to be refused.
        assert_eq!((accepted.iter().sum::<u32>(), refused, failed), (made, 0, 0));
        return;
    }
    assert_eq!((accepted, refused, failed), (vec![10_000 - taken], made - (10_000 - taken), 0));
}

#[tokio::test]
async fn with_answers_late_and_lost_the_real_functions_let_in_no_call_too_many() {
    let deployment = Deployment::start().await;
    let updates = || Match::any().function("relay-whoami").operation("UpdateItem");
    for limit in [1, 60] {
        let mut minutes = BTreeMap::new();
        // Should the minute turn: then anew.
        for _ in 0..5 {
            let tenant = with_time_left(&deployment, limit, 15).await;
            let faults = deployment.stack.faults();
            let late = Duration::from_millis(20);
            let lost = faults.inject(Fault::new(updates(), Effect::NoAnswer).count(12));
            faults.inject(Fault::new(updates(), Effect::NotSent).count(6));
            faults.inject(Fault::new(updates(), Effect::Delay(late)).count(10));
            faults.inject(Fault::new(updates(), Effect::SlowAnswer(late)).count(10));
            (minutes, ..) = real(&deployment, &tenant, 3).await;
            faults.clear();
            assert_eq!(lost.fired(), 12);
            if minutes.len() <= 1 {
                break;
            }
        }
        let accepted: u32 = minutes.values().sum();
        assert!((limit.saturating_sub(12)..=limit).contains(&accepted), "{accepted} of {limit}");
    }
}
