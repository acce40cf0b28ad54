//! Random histories of signed calls, rotations, suspensions and reactivations of one tenant, over several processes,
//! with calls and answers that are lost, updates that meet transactions, and clocks that are apart.
//!
//! Each history is checked for what must never be: a call accepted with a secret that was dead before it came, or while
//! the tenant was suspended, from the answer of that change on (I1); more secrets than one, or than two in an overlap
//! (I2); more calls in a minute than the limit (I3); a nonce twice. And for what must be: where nothing is lost,
//! nothing is refused that should not be. A failure tells its seed: `LATCHKEY_RELAY_SEED` replays that history alone,
//! and `LATCHKEY_RELAY_HISTORIES` is how many there are.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use shared::auth::Caller;
use shared::domain::{Minute, OverlapSeconds, Timestamp};
use shared::error::ErrorCode;

use crate::simulation::{Chances, Planted, Process, Schedule, Simulation};
use crate::support::{Dice, Signing, Tenant, played};

/// How many histories there are.
const USUAL: u64 = 2_000;

/// How many histories it takes at most to find a mistake that was planted.
const FOUND_WITHIN: u64 = 200;

/// How far the clocks of two processes are apart, at most.
const SKEW_MS: usize = 3_000;

/// Two seconds before a minute turns.
const BEGINNING_MS: i64 = 1_800_000_058_000;

/// Something that a process does.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Call,
    /// Sends what was sent before, again.
    Replay,
    Rotate {
        overlap: u32,
    },
    Suspend,
    Reactivate,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// A call was accepted, and counted in that minute.
    Accepted(u64),
    /// A call was refused.
    Refused(ErrorCode),
    /// A change was made.
    Done,
    /// Nobody knows: a store failed.
    Unknown,
}

/// A deed as it was seen from outside.
#[derive(Debug, Clone)]
struct Event {
    process: usize,
    deed: Deed,
    /// Between these steps it happened.
    steps: (usize, usize),
    /// By the clock of its process.
    at: (i64, i64),
    /// Of a call, the secret it was signed with; of a rotation, the secret it made.
    secret: usize,
    /// Of a call that was signed with v2.
    nonce: Option<String>,
    outcome: Outcome,
}

impl Event {
    /// Whether it was over before the other began.
    fn is_before(&self, other: &Self) -> bool {
        self.steps.1 < other.steps.0
    }

    fn is_rotation(&self) -> bool {
        matches!(self.deed, Deed::Rotate { .. })
    }

    fn is_made(&self) -> bool {
        self.outcome == Outcome::Done
    }
}

/// What everybody knows.
#[derive(Debug, Default)]
struct Shared {
    /// Secrets that somebody was told, with the event that made them; the first is that of provisioning.
    secrets: Vec<String>,
    /// What was sent with v2.
    sent: Vec<(usize, Signing)>,
    events: Vec<Event>,
}

/// A history that is over.
#[derive(Debug)]
struct History {
    limit: u32,
    is_faultless: bool,
    events: Vec<Event>,
}

struct Player {
    process: Process,
    schedule: Schedule,
    number: usize,
    tenant: Tenant,
    planted: Option<Planted>,
    shared: Arc<Mutex<Shared>>,
    /// With [`Planted::StaleAcceptance`]: until when which secret is let in.
    remembered: BTreeMap<usize, i64>,
}

impl Player {
    async fn play(mut self, deeds: Vec<Deed>, mut dice: Dice) {
        for (count, deed) in deeds.into_iter().enumerate() {
            self.process.begin().await;
            let (step, at) = (self.schedule.steps(), self.process.clock.now_ms());
            let request_id = format!("request-{}-{count}", self.number);
            let (secret, nonce, outcome) = match deed {
                Deed::Call | Deed::Replay => self.call(deed, &request_id, &mut dice).await,
                Deed::Rotate { overlap } => {
                    let overlap = OverlapSeconds::new(overlap.into()).unwrap();
                    let (id, change) = (crate::simulation::id(&self.tenant), self.process.change(&request_id));
                    let rotated = self.process.app.tenants().rotate_secret(&id, overlap, &change).await;
                    let mut shared = self.shared.lock().unwrap();
                    // A secret that nobody was told has a number too, which nobody signs with.
                    let text = rotated.as_ref().ok().and_then(|rotated| rotated.secret.as_ref());
                    let text = text.map_or_else(String::new, |secret| secret.expose().to_owned());
                    shared.secrets.push(text);
                    (shared.secrets.len() - 1, None, made(rotated.is_ok()))
                }
                Deed::Suspend | Deed::Reactivate => {
                    let (id, change) = (crate::simulation::id(&self.tenant), self.process.change(&request_id));
                    let tenants = self.process.app.tenants();
                    let changed = match deed {
                        Deed::Suspend => tenants.suspend(&id, None, &change).await,
                        _ => tenants.reactivate(&id, &change).await,
                    };
                    (0, None, made(changed.is_ok()))
                }
            };
            let (steps, at) = ((step, self.schedule.steps()), (at, self.process.clock.now_ms()));
            let event = Event { process: self.number, deed, steps, at, secret, nonce, outcome };
            self.shared.lock().unwrap().events.push(event);
        }
        self.schedule.leave();
    }

    async fn call(&mut self, deed: Deed, request_id: &str, dice: &mut Dice) -> (usize, Option<String>, Outcome) {
        let (secret, signing) = self.signing(deed, request_id, dice);
        let nonce = signing.nonce.clone();
        let now = self.process.clock.now_ms();
        if self.planted == Some(Planted::StaleAcceptance) && self.remembered.get(&secret) > Some(&now) {
            return (secret, nonce, Outcome::Accepted(Minute::from(Timestamp::from_millis(now)).number()));
        }
        let outcome = match self.process.call(&signing, request_id).await {
            Ok(tenant) => {
                self.remembered.insert(secret, now + 5_000);
                Outcome::Accepted(tenant.quota().unwrap().minute.number())
            }
            Err(error) if error.code() == ErrorCode::TemporarilyUnavailable => Outcome::Unknown,
            Err(error) => Outcome::Refused(error.code()),
        };
        (secret, nonce, outcome)
    }

    /// Signs with one of the secrets that are known, mostly the newest.
    fn signing(&self, deed: Deed, request_id: &str, dice: &mut Dice) -> (usize, Signing) {
        let mut shared = self.shared.lock().unwrap();
        if let (Deed::Replay, false) = (deed, shared.sent.is_empty()) {
            return dice.of(&shared.sent).clone();
        }
        let known: Vec<_> = (0..shared.secrets.len()).filter(|secret| !shared.secrets[*secret].is_empty()).collect();
        let newest = *known.last().unwrap();
        let secret = if dice.one_in(3) { *dice.of(&known) } else { newest };
        let signing = self.process.signing(&self.tenant.with_secret(&shared.secrets[secret]));
        if dice.one_in(2) {
            return (secret, signing);
        }
        let signing = signing.nonce(&format!("nonce-{request_id}-0123456789"));
        shared.sent.push((secret, signing.clone()));
        (secret, signing)
    }
}

fn made(is_ok: bool) -> Outcome {
    if is_ok { Outcome::Done } else { Outcome::Unknown }
}

/// Plays the history of a seed.
async fn play(simulation: &Simulation, seed: u64, planted: Option<Planted>) -> History {
    let mut dice = Dice(seed);
    simulation.clock.set(BEGINNING_MS);
    let limit = 1 + u32::try_from(dice.below(6)).unwrap();
    let is_faultless = dice.one_in(3);
    let chances = if is_faultless {
        Chances { long_wait: 30, step_ms: 40, ..Chances::default() }
    } else {
        Chances { lost_call: 14, lost_answer: 14, conflict: 25, long_wait: 30, step_ms: 40, ..Chances::default() }
    };
    let tenant = Process::unscheduled(simulation).provision(limit).await;
    let schedule = Schedule::default();
    let shared = Arc::new(Mutex::new(Shared { secrets: vec![tenant.secret.clone()], ..Shared::default() }));
    let callers = 2 + dice.below(2);
    for number in 0..=callers {
        let skew_ms = i64::try_from(dice.below(SKEW_MS)).unwrap();
        let process = Process::scheduled(simulation, &schedule, number, skew_ms, planted);
        let is_caller = number < callers;
        let deeds =
            (0..2 + dice.below(3)).map(|_| if is_caller { call(&mut dice) } else { change(&mut dice) }).collect();
        let (schedule, shared, tenant) = (schedule.clone(), Arc::clone(&shared), tenant.clone());
        let player = Player { process, schedule, number, tenant, planted, shared, remembered: BTreeMap::new() };
        let own_dice = Dice(dice.next());
        player.schedule.enter();
        tokio::spawn(player.play(deeds, own_dice));
    }
    schedule.run(&mut dice, &chances, &simulation.clock).await;
    let events = std::mem::take(&mut shared.lock().unwrap().events);
    let history = History { limit, is_faultless, events };
    if planted.is_none() && seed.is_multiple_of(8) {
        ends_well(simulation, &tenant, limit).await;
    }
    history
}

fn call(dice: &mut Dice) -> Deed {
    if dice.one_in(5) { Deed::Replay } else { Deed::Call }
}

fn change(dice: &mut Dice) -> Deed {
    match dice.below(5) {
        0 => Deed::Rotate { overlap: 0 },
        1 => Deed::Rotate { overlap: 1 + u32::try_from(dice.below(15)).unwrap() },
        2 => Deed::Suspend,
        _ => Deed::Reactivate,
    }
}

/// Whatever has happened: with a new secret and reactivated, a process that knows nothing accepts as many calls as the
/// limit says, and no more.
async fn ends_well(simulation: &Simulation, tenant: &Tenant, limit: u32) {
    simulation.clock.advance(120_000);
    let process = Process::unscheduled(simulation);
    let (id, tenants) = (crate::simulation::id(tenant), process.app.tenants());
    tenants.reactivate(&id, &process.change("at-last-1")).await.unwrap();
    let rotated = tenants.rotate_secret(&id, OverlapSeconds::default(), &process.change("at-last-2")).await.unwrap();
    let signing = process.signing(&tenant.with_secret(rotated.secret.unwrap().expose()));
    for _ in 0..limit {
        process.call(&signing, "at-last").await.unwrap();
    }
    let refused = process.call(&signing, "at-last").await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::RateLimited);
}

impl History {
    fn calls(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(|event| matches!(event.deed, Deed::Call | Deed::Replay))
    }

    fn accepted(&self) -> impl Iterator<Item = (&Event, u64)> {
        self.calls().filter_map(|call| match call.outcome {
            Outcome::Accepted(minute) => Some((call, minute)),
            _ => None,
        })
    }

    /// What must not be.
    fn violations(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (call, minute) in self.accepted() {
            if self.is_suspended_throughout(call) {
                found.push(format!("I1: accepted while suspended: {call:?}"));
            }
            if let Some(why) = self.is_dead(call) {
                found.push(format!("{why}: accepted with a dead secret: {call:?}"));
            }
            // It was counted when it came, or later if others were counted later already.
            let skew = i64::try_from(SKEW_MS).unwrap();
            let of = |millis: i64| Minute::from(Timestamp::from_millis(millis)).number();
            if minute < of(call.at.0) || minute > of(call.at.1 + skew) {
                found.push(format!("I3: counted in another minute than it was made in: {call:?}"));
            }
        }
        for (minute, count) in self.by_minute() {
            if count > self.limit {
                found.push(format!("I3: {count} calls in minute {minute} with a limit of {}", self.limit));
            }
        }
        let mut nonces = BTreeMap::new();
        for nonce in self.accepted().filter_map(|(call, _)| call.nonce.as_ref()) {
            *nonces.entry(nonce).or_insert(0) += 1;
        }
        found.extend(
            nonces.iter().filter(|(_, count)| **count > 1).map(|(nonce, _)| format!("accepted twice: {nonce}")),
        );
        if self.is_faultless {
            found.extend(self.calls().filter_map(|call| self.false_refusal(call)));
        }
        found
    }

    fn by_minute(&self) -> BTreeMap<u64, u32> {
        let mut counts = BTreeMap::new();
        for (_, minute) in self.accepted() {
            *counts.entry(minute).or_insert(0) += 1;
        }
        counts
    }

    /// Whether at every moment of the call a suspension had been answered and no reactivation could have undone it.
    fn is_suspended_throughout(&self, call: &Event) -> bool {
        let suspensions = || self.events.iter().filter(|event| matches!(event.deed, Deed::Suspend) && event.is_made());
        let reactivations = || self.events.iter().filter(|event| matches!(event.deed, Deed::Reactivate));
        (call.steps.0..=call.steps.1).all(|moment| {
            suspensions().any(|suspension| {
                let is_undone =
                    |reactivation: &Event| reactivation.steps.1 > suspension.steps.0 && reactivation.steps.0 < moment;
                suspension.steps.1 <= moment && !reactivations().any(is_undone)
            })
        })
    }

    /// The rotations that surely came after a secret was made, and before the call.
    fn rotations_between<'a>(&'a self, call: &'a Event) -> impl Iterator<Item = &'a Event> {
        let maker = self.events.iter().find(|event| event.is_rotation() && event.secret == call.secret);
        self.events.iter().filter(move |rotation| {
            rotation.is_rotation()
                && rotation.is_made()
                && rotation.is_before(call)
                && maker.is_none_or(|maker| maker.is_before(rotation))
        })
    }

    /// Why the secret of a call was surely dead before the call came.
    fn is_dead(&self, call: &Event) -> Option<&'static str> {
        let rotations: Vec<_> = self.rotations_between(call).collect();
        let is_over = |rotation: &&&Event| {
            let Deed::Rotate { overlap } = rotation.deed else { return false };
            call.at.0 >= rotation.at.0 + i64::from(overlap) * 1_000
        };
        if rotations.iter().any(|rotation| is_over(&rotation)) {
            return Some("I1");
        }
        let two = rotations.iter().any(|one| rotations.iter().any(|other| one.is_before(other)));
        two.then_some("I2")
    }

    /// What was refused, or failed, for no reason that there could be.
    fn false_refusal(&self, call: &Event) -> Option<String> {
        let others = || self.events.iter().filter(|event| event.steps.0 < call.steps.1);
        let is_newest =
            !others().any(|event| event.is_rotation() && event.secret != call.secret && !self.made_before(event, call));
        // A nonce is used up by whoever comes first, also if that call is refused then.
        let uses = |other: &&Event| other.nonce == call.nonce && other.steps.0 < call.steps.1;
        let is_first = call.nonce.is_none() || self.calls().filter(uses).count() == 1;
        let no_suspension = !others().any(|event| matches!(event.deed, Deed::Suspend));
        let is_false = match call.outcome {
            Outcome::Unknown => true,
            // What is sent again may be too old by then.
            Outcome::Refused(ErrorCode::Unauthenticated) => is_newest && is_first && matches!(call.deed, Deed::Call),
            Outcome::Refused(ErrorCode::TenantSuspended) => no_suspension,
            // Somebody else has had the whole of a minute that this call was in.
            Outcome::Refused(ErrorCode::RateLimited) => {
                let of = |millis: i64| Minute::from(Timestamp::from_millis(millis)).number();
                let skew = i64::try_from(SKEW_MS).unwrap();
                let counts = self.by_minute();
                let mut minutes = of(call.at.0)..=of(call.at.1 + skew);
                !minutes.any(|minute| counts.get(&minute) == Some(&self.limit))
            }
            _ => false,
        };
        is_false.then(|| format!("refused for no reason: {call:?}"))
    }

    /// Whether a rotation was surely over before the secret of a call was made.
    fn made_before(&self, rotation: &Event, call: &Event) -> bool {
        let maker = self.events.iter().find(|event| event.is_rotation() && event.secret == call.secret);
        maker.is_some_and(|maker| rotation.is_before(maker))
    }
}

#[test]
fn whatever_happens_at_once_no_call_is_accepted_on_what_was_before_and_none_over_the_limit() {
    let Some(seen) = played("RELAY", USUAL, judge) else { return };
    // Everything that can come of a call has come of many.
    for outcome in ["accepted", "Unauthenticated", "TenantSuspended", "RateLimited", "Done", "Unknown"] {
        let count = seen.iter().filter(|(name, _)| name.contains(outcome)).map(|(_, count)| *count).sum::<i32>();
        assert!(count > 40, "{outcome}: {seen:?}");
    }
}

/// Plays the histories of these seeds. How often what came of a deed.
#[tokio::main(flavor = "current_thread")]
async fn judge(seeds: Vec<u64>) -> BTreeMap<String, i32> {
    let simulation = Simulation::start(BEGINNING_MS);
    let mut seen = BTreeMap::new();
    for seed in seeds {
        let history = play(&simulation, seed, None).await;
        let violations = history.violations();
        assert!(violations.is_empty(), "LATCHKEY_RELAY_SEED={seed} {violations:#?}\n{history:#?}");
        for event in &history.events {
            let outcome = match event.outcome {
                Outcome::Accepted(_) => "accepted".to_owned(),
                other => format!("{other:?}"),
            };
            *seen.entry(outcome).or_insert(0) += 1;
        }
    }
    seen
}

#[tokio::test]
async fn a_seed_plays_the_same_history_again() {
    let simulation = Simulation::start(BEGINNING_MS);
    for seed in 0..8 {
        let [one, other] = [play(&simulation, seed, None).await, play(&simulation, seed, None).await];
        let facts = |history: &History| {
            let fact = |event: &Event| {
                format!("{} {:?} {:?} {:?} {:?}", event.process, event.deed, event.steps, event.at, event.outcome)
            };
            history.events.iter().map(fact).collect::<Vec<_>>()
        };
        assert_eq!(facts(&one), facts(&other), "{seed}");
    }
}

/// Plays histories until the mistake shows.
async fn is_found(planted: Planted, sign: &str) {
    let simulation = Simulation::start(BEGINNING_MS);
    for seed in 0..FOUND_WITHIN {
        let violations = play(&simulation, seed, Some(planted)).await.violations();
        if violations.iter().any(|violation| violation.contains(sign)) {
            return;
        }
    }
    panic!("{planted:?} is not found in {FOUND_WITHIN} histories");
}

#[tokio::test]
async fn a_process_that_remembers_whom_it_let_in_is_found() {
    is_found(Planted::StaleAcceptance, "I1").await;
}

#[tokio::test]
async fn a_count_without_a_bound_is_found() {
    is_found(Planted::NoLimit, "I3").await;
}

#[tokio::test]
async fn a_nonce_that_is_forgotten_is_found() {
    is_found(Planted::ForgottenNonces, "accepted twice").await;
}
