//! Random histories of a tenant's changes and of the deliveries of what they owe, over several processes, with calls
//! and answers that are lost, processes that die at any of their calls, and receivers that do anything.
//!
//! When the dust has settled, each event of a change that was committed was answered with 2xx, or has failed, or was
//! discarded, by a rule of `docs/api/callbacks.md`; and nothing was sent of a change that was not committed. What was
//! committed is read from the tenant's own items, state after state, and not from its callbacks. A failure tells its
//! seed: `LATCHKEY_CALLBACK_SEED` replays that history alone, and `LATCHKEY_CALLBACK_HISTORIES` is how many there are.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use shared::domain::OverlapSeconds;
use shared::store::TenantUpdate;
use tokio::task::LocalSet;

use super::world::{Mood, Post, Version, World, item, rows};
use crate::simulation::{Chances, Planted, Process, Schedule, Setup, Simulation, id};
use crate::support::{Dice, Tenant, played};

/// How many histories there are.
const USUAL: u64 = 500;

/// How many histories it takes at most to find a mistake that was planted.
const FOUND_WITHIN: u64 = 100;

/// How far the clocks of two processes are apart, at most.
const SKEW_MS: usize = 3_000;

const BEGINNING_MS: i64 = 1_800_000_000_000;

/// Longer than a lease by any of the clocks, and than the time between two sweeps.
const SWEEP_MS: i64 = 64_000;

/// The most attempts that an event gets.
const MOST_ATTEMPTS: usize = 11;

/// Something that a process does.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Suspend,
    Reactivate,
    Rotate,
    /// Changes the configuration to the one with this number.
    Configure(usize),
    /// Ends a disabled state of the callbacks.
    Resume,
    /// Delivers what the stream tells of.
    Stream,
    Sweep,
}

/// Configurations of callbacks.
const CONFIGURATIONS: [&str; 5] = [
    r#"{"callback_url_base": "https://one.example.com", "callback_types": ["tenant.*"]}"#,
    r#"{"callback_url_base": "https://two.example.com/base", "callback_types": ["tenant.*"]}"#,
    r#"{"callback_url_base": null}"#,
    r#"{"callback_url_base": "https://one.example.com"}"#,
    r#"{"callback_types": ["tenant.suspended"]}"#,
];

/// One history on an AWS of its own.
struct Play {
    simulation: Simulation,
    schedule: Schedule,
    world: World,
    tenant: Tenant,
    planted: Option<Planted>,
}

impl Play {
    /// Something that the operator changes. Whether it worked.
    async fn change(&self, process: &Process, deed: Deed, request_id: &str) -> bool {
        let (id, change, tenants) = (id(&self.tenant), process.change(request_id), process.app.tenants());
        match deed {
            Deed::Suspend => tenants.suspend(&id, None, &change).await.is_ok(),
            Deed::Reactivate => tenants.reactivate(&id, &change).await.is_ok(),
            Deed::Rotate => tenants.rotate_secret(&id, OverlapSeconds::new(30).unwrap(), &change).await.is_ok(),
            Deed::Configure(number) => {
                let patch = serde_json::from_str(CONFIGURATIONS[number]).unwrap();
                let update = TenantUpdate { patch, ends_passkeys: false };
                tenants.update(&id, update, &change).await.is_ok()
            }
            Deed::Resume => tenants.reactivate_callbacks(&id, None, &change).await.is_ok(),
            Deed::Stream | Deed::Sweep => unreachable!("the operator delivers nothing"),
        }
    }

    /// A run of the deliverer. Whether it did all of its work.
    async fn deliver(&self, process: &Process, places: Option<Vec<(String, String)>>) -> bool {
        let receivers = self.world.receivers(process, &self.simulation.offline);
        let run = process.app.callbacks().on(places, &receivers).await;
        run.is_ok_and(|delivered| delivered.failures.is_empty())
    }

    /// What a process does, one deed after the other. One that dies is followed by another, which knows nothing.
    async fn process(self: Arc<Self>, number: usize, deeds: Vec<Deed>, mut dice: Dice) {
        let skew_ms = i64::try_from(dice.below(SKEW_MS)).unwrap();
        let process = |seed| {
            let schedule = Some((self.schedule.clone(), number));
            let watcher = Some(self.world.watcher());
            Process::new(&self.simulation, Setup { schedule, skew_ms, planted: self.planted, seed, watcher })
        };
        let mut alive = process(Some(dice.next()));
        for (count, deed) in deeds.into_iter().enumerate() {
            alive.begin().await;
            let mut told = None;
            let done = match deed {
                Deed::Sweep => alive.survives(self.deliver(&alive, None)).await,
                Deed::Stream => {
                    let mut places: Vec<_> = {
                        let stream = &mut self.world.seen().stream;
                        let most = stream.len().min(1 + dice.below(4));
                        stream.drain(..most).collect()
                    };
                    told = Some(places.clone());
                    // A record can come twice.
                    if dice.one_in(4) {
                        places.extend(places.first().cloned());
                    }
                    alive.survives(self.deliver(&alive, Some(places))).await
                }
                deed => {
                    let id = format!("request-{number}-{count}");
                    alive.survives(Box::pin(self.change(&alive, deed, &id))).await
                }
            };
            if done != Some(true) {
                // Tried again, unless the retries are used up.
                for place in told.into_iter().flatten().filter(|_| dice.one_in(2)) {
                    self.world.seen().stream.push_front(place);
                }
            }
            if matches!(deed, Deed::Resume) {
                self.world.seen().is_half_resumed = done != Some(true);
            }
            if done.is_none() {
                alive = process(Some(dice.next()));
            }
        }
        self.schedule.leave();
    }

    /// What is left over becomes due all at once, for processes that are as likely to die as not.
    async fn backlog(self: &Arc<Self>, dice: &mut Dice) {
        let chances = Chances { lost_call: 25, lost_answer: 25, crash: 15, ..Chances::default() };
        if self.world.seen().mood == Mood::Dead {
            self.world.seen().mood = Mood::Gone;
        }
        for _ in 0..3 {
            let Some(last) = self.due().max() else { return };
            let clock = &self.simulation.clock;
            clock.set(last.max(clock.now_ms() + SWEEP_MS) + i64::try_from(SKEW_MS).unwrap());
            let processes = LocalSet::new();
            self.schedule.enter();
            processes.spawn_local(Arc::clone(self).process(0, vec![Deed::Sweep], Dice(dice.next())));
            processes.run_until(self.schedule.run(dice, &chances, clock)).await;
        }
    }

    /// When what is pending is due.
    fn due(&self) -> impl Iterator<Item = i64> {
        let due = |row: Value| row["due_at"]["N"].as_str().map(|due| due.parse().unwrap());
        self.rows().into_iter().filter_map(due)
    }

    fn is_any_waiting(&self) -> bool {
        let is_waiting = |row: &Value| row["callback_state"]["S"] == "pending" && row.get("due_at").is_none();
        self.rows().iter().any(is_waiting)
    }

    /// A process after the history, which nothing happens to.
    fn undisturbed(&self, seed: u64) -> Process {
        let watcher = Some(self.world.watcher());
        let setup = Setup { planted: self.planted, seed: Some(seed), watcher, ..Setup::default() };
        Process::new(&self.simulation, setup)
    }

    fn rows(&self) -> Vec<Value> {
        rows(&self.simulation.offline, &self.tenant.id)
    }

    fn is_disabled(&self) -> bool {
        let partition = format!("TENANT#{}#DELIVERY#tenant", self.tenant.id);
        let receiver = item(&self.simulation.offline, &partition, "DELIVERY");
        receiver["breaker"]["S"].as_str().is_some_and(|breaker| breaker.contains("disabled"))
    }

    /// Sweeps whenever something is due, as often as that. Whether nothing is due any more.
    async fn sweeps(&self, process: &Process, mood: Mood, most: usize) -> bool {
        self.world.seen().mood = mood;
        for _ in 0..most {
            let Some(first) = self.due().min() else { return true };
            let clock = &self.simulation.clock;
            clock.set(first.max(clock.now_ms() + SWEEP_MS));
            self.deliver(process, None).await;
        }
        self.due().next().is_none()
    }

    /// Lets the dust settle. What must not be.
    async fn settle(&self, seed: u64) -> Vec<String> {
        let mut found = Vec::new();
        let process = self.undisturbed(seed);
        // Somebody whose call was not answered with success makes it again.
        if self.world.seen().is_half_resumed {
            assert!(self.change(&process, Deed::Resume, "again").await);
        }
        if seed.is_multiple_of(4) {
            self.sweeps(&process, Mood::Any, 6).await;
        }
        if seed.is_multiple_of(64) {
            // Until all has failed, or the flow is disabled: after five days at the latest, with a probe an hour.
            if !self.sweeps(&process, Mood::Dead, 400).await {
                found.push("a dead receiver is called for ever".to_owned());
            }
        }
        if !self.sweeps(&process, Mood::Good, 30).await {
            found.push("is still due after thirty sweeps".to_owned());
        }
        if self.is_any_waiting() && !self.is_disabled() {
            found.push(format!("waits for a flow that is not disabled: {:#?}", self.rows()));
        }
        self.simulation.clock.advance(SWEEP_MS);
        for (count, deed) in [Deed::Resume, Deed::Configure(0)].into_iter().enumerate() {
            assert!(self.change(&process, deed, &format!("at-last-{count}")).await);
        }
        if !self.sweeps(&process, Mood::Good, 10).await {
            found.push("is still due after everything was reactivated".to_owned());
        }
        found.extend(self.ends_well(&process).await);
        found
    }

    /// Whatever has happened: what the stream tells of is delivered at once, and what it does not tell of by a sweep.
    async fn ends_well(&self, process: &Process) -> Vec<String> {
        let mut found = Vec::new();
        self.world.seen().stream.clear();
        for by_stream in [true, true, false] {
            let is_suspended = self.world.seen().versions.last().unwrap().status == "suspended";
            let deed = if is_suspended { Deed::Reactivate } else { Deed::Suspend };
            let request_id = format!("at-last-{}", self.world.seen().versions.len());
            assert!(self.change(process, deed, &request_id).await);
            let revision = self.world.seen().versions.last().unwrap().revision;
            if by_stream {
                let places: Vec<_> = self.world.seen().stream.drain(..).collect();
                self.deliver(process, Some(places)).await;
            } else {
                self.simulation.clock.advance(SWEEP_MS);
                self.deliver(process, None).await;
            }
            let seen = self.world.seen();
            let is_here = |post: &Post| post.is_answered_well() && post.body()["sequence"] == revision;
            if !seen.posts.iter().any(is_here) {
                found.push(
                    if by_stream { "is not delivered at once" } else { "is not delivered by a sweep" }.to_owned(),
                );
            }
        }
        found
    }

    /// What must not be, after all.
    fn violations(&self) -> Vec<String> {
        let (rows, seen) = (self.rows(), self.world.seen());
        let mut found = Vec::new();
        let mut of_sequence: BTreeMap<u64, Vec<(Value, &Value)>> = BTreeMap::new();
        for row in &rows {
            let body: Value = serde_json::from_str(row["body"]["S"].as_str().unwrap()).unwrap();
            of_sequence.entry(body["sequence"].as_u64().unwrap()).or_default().push((body, row));
        }
        let changes: BTreeMap<u64, (&'static str, usize)> = told(&seen.versions).collect();
        for (revision, (told, position)) in &changes {
            match of_sequence.get(revision).map(Vec::as_slice) {
                Some([(body, row)]) if body["type"] == *told => {
                    found.extend(unsettled(row, *position, &seen.versions, &seen.posts));
                }
                Some(rows) => found.push(format!("{told} {revision} has other rows: {rows:?}")),
                None => found.push(format!("lost: {told} {revision} has no row")),
            }
        }
        for sequence in of_sequence.keys().filter(|sequence| !changes.contains_key(sequence)) {
            found.push(format!("invented: {sequence} has a row"));
        }
        for post in &seen.posts {
            let body = post.body();
            let change = changes.get(&body["sequence"].as_u64().unwrap());
            if change.is_none_or(|(told, position)| body["type"] != *told || *position >= post.versions.1) {
                found.push(format!("invented: sent before it was committed, or never: {post:?}"));
            }
            let is_its_own = |row: &Value| row["sk"]["S"] == body["event_id"] && row["body"]["S"] == post.text;
            if !rows.iter().any(is_its_own) {
                found.push(format!("sent with another body than it has: {post:?}"));
            }
            let (from, to) = post.versions;
            let bases = seen.versions[from - 1..to].iter().filter_map(|version| version.base.as_ref());
            if !bases.into_iter().any(|base| *base == post.base) {
                found.push(format!("sent to where nobody wanted it: {post:?}"));
            }
        }
        found
    }
}

/// What the tenant is to be told of, by the number of its state, and the state's position among those seen.
fn told(versions: &[Version]) -> impl Iterator<Item = (u64, (&'static str, usize))> {
    (1..versions.len()).filter_map(|position| {
        let told = versions[position].tells(&versions[position - 1])?;
        Some((versions[position].revision, (told, position)))
    })
}

/// Why a callback is not what it must be in the end.
fn unsettled(row: &Value, position: usize, versions: &[Version], posts: &[Post]) -> Option<String> {
    let is_its_own = |post: &&Post| post.body()["event_id"] == row["sk"]["S"];
    let is_received = posts.iter().filter(is_its_own).any(Post::is_answered_well);
    let attempts: usize = row["attempts"]["N"].as_str().unwrap().parse().unwrap();
    let last = row["last_attempts"]["L"].as_array().and_then(|log| log.last()).map(|last| &last["M"]["outcome"]["S"]);
    let is_settled = match row["callback_state"]["S"].as_str().unwrap() {
        "delivered" => is_received,
        "failed" => attempts == MOST_ATTEMPTS || last.is_some_and(|outcome| outcome == "410"),
        "discarded" => versions[position..].iter().any(|version| version.base.is_none()),
        _ => false,
    };
    (!is_settled).then(|| format!("lost: not delivered, and by no rule: {row:#}"))
}

/// A history that is over.
struct History {
    violations: Vec<String>,
    /// What happened, to be compared and counted.
    facts: Vec<String>,
    states: Vec<String>,
}

/// Plays the history of a seed.
async fn play(seed: u64, planted: Option<Planted>) -> History {
    let mut dice = Dice(seed);
    let simulation = Simulation::start(BEGINNING_MS);
    let first = Process::new(&simulation, Setup { seed: Some(dice.next()), ..Setup::default() });
    let tenant = first.provision(60).await;
    let configuration = *dice.of(&[0, 0, 0, 1, 2]);
    let patch = serde_json::from_str(CONFIGURATIONS[configuration]).unwrap();
    let update = TenantUpdate { patch, ends_passkeys: false };
    first.app.tenants().update(&id(&tenant), update, &first.change("configure")).await.unwrap();
    let mood = *dice.of(&[Mood::Good, Mood::Any, Mood::Any, Mood::Dead, Mood::Dead, Mood::Gone]);
    let receivers = (mood, Dice(dice.next()));
    let world = World::of(&tenant.id, &simulation.offline, &simulation.clock, planted, receivers);
    let schedule = Schedule::default();
    let play = Arc::new(Play { simulation, schedule, world, tenant, planted });
    let processes = LocalSet::new();
    let (changers, deliverers) = (1 + dice.below(3), 1 + dice.below(3));
    for number in 0..changers + deliverers {
        let deed = if number < changers { change } else { delivery };
        let deeds = (0..2 + dice.below(5)).map(|_| deed(&mut dice)).collect();
        play.schedule.enter();
        processes.spawn_local(Arc::clone(&play).process(number, deeds, Dice(dice.next())));
    }
    let chances = match dice.below(4) {
        0 => Chances { long_wait: 15, step_ms: 40, ..Chances::default() },
        _ => Chances { lost_call: 30, lost_answer: 30, conflict: 40, twice: 40, crash: 20, long_wait: 15, step_ms: 40 },
    };
    processes.run_until(play.schedule.run(&mut dice, &chances, &play.simulation.clock)).await;
    play.backlog(&mut dice).await;
    let waited = play.is_any_waiting().then(|| "waiting".to_owned());
    let mut violations = play.settle(seed).await;
    violations.extend(play.violations());
    let seen = play.world.seen();
    let version =
        |version: &Version| format!("{} {} {:?} {:?}", version.revision, version.status, version.base, version.types);
    let post = |post: &Post| format!("{} {} {:?} {:?}", post.text, post.base, post.status, post.versions);
    let facts = seen.versions.iter().map(version).chain(seen.posts.iter().map(post)).collect();
    let mut states: Vec<_> =
        play.rows().iter().map(|row| row["callback_state"]["S"].as_str().unwrap().to_owned()).collect();
    states.extend(waited);
    states.extend(seen.posts.iter().map(|post| post.status.map_or("none".to_owned(), |status| status.to_string())));
    History { violations, facts, states }
}

fn change(dice: &mut Dice) -> Deed {
    match dice.below(12) {
        0..=3 => Deed::Suspend,
        4..=6 => Deed::Reactivate,
        7 | 8 => Deed::Rotate,
        9 => Deed::Resume,
        _ => Deed::Configure(dice.below(CONFIGURATIONS.len())),
    }
}

fn delivery(dice: &mut Dice) -> Deed {
    if dice.one_in(2) { Deed::Stream } else { Deed::Sweep }
}

#[test]
fn whatever_happens_each_event_of_a_committed_change_arrives_or_ends_by_a_rule_and_no_other_is_sent() {
    let Some(seen) = played("CALLBACK", USUAL, judge) else { return };
    // Everything that can become of an event, and that a receiver can do, was there.
    for state in ["delivered", "failed", "discarded", "waiting", "200", "302", "410", "429", "500", "503", "none"] {
        assert!(seen.get(state) > Some(&5), "{state}: {seen:?}");
    }
}

/// Plays the histories of these seeds. How often there was what.
#[tokio::main(flavor = "current_thread")]
async fn judge(seeds: Vec<u64>) -> BTreeMap<String, i32> {
    let mut seen = BTreeMap::new();
    for seed in seeds {
        let History { violations, facts, states } = play(seed, None).await;
        assert!(violations.is_empty(), "LATCHKEY_CALLBACK_SEED={seed} {violations:#?}\n{facts:#?}");
        for state in states {
            *seen.entry(state).or_insert(0) += 1;
        }
    }
    seen
}

#[tokio::test]
async fn a_seed_plays_the_same_history_again() {
    for seed in 1..9 {
        assert_eq!(play(seed, None).await.facts, play(seed, None).await.facts, "{seed}");
    }
}

/// Plays histories until the mistake shows.
async fn is_found(planted: Planted, sign: &str) {
    for seed in 1..=FOUND_WITHIN {
        let violations = play(seed, Some(planted)).await.violations;
        if violations.iter().any(|violation| violation.contains(sign)) {
            return;
        }
    }
    panic!("{planted:?} is not found in {FOUND_WITHIN} histories");
}

#[tokio::test]
async fn a_row_before_its_transaction_is_found() {
    is_found(Planted::RowBeforeTransaction, "invented").await;
}

#[tokio::test]
async fn a_row_after_its_transaction_is_found() {
    is_found(Planted::RowAfterTransaction, "has no row").await;
}

#[tokio::test]
async fn a_callback_that_is_struck_off_before_it_is_delivered_is_found() {
    is_found(Planted::StruckOffBeforeDelivery, "by no rule").await;
}

#[tokio::test]
async fn a_lease_of_a_process_that_died_is_found_if_it_has_no_end() {
    is_found(Planted::LeaseWithoutEnd, "is still due").await;
}

#[tokio::test]
async fn a_lease_that_is_not_given_back_is_found() {
    is_found(Planted::LeaseNotGivenBack, "is not delivered at once").await;
}

#[tokio::test]
async fn a_stream_without_a_sweep_is_found() {
    is_found(Planted::StreamOnly, "is not delivered by a sweep").await;
}

#[tokio::test]
async fn a_sweep_without_a_stream_is_found() {
    is_found(Planted::SweepOnly, "is not delivered at once").await;
}
