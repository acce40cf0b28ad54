//! Many processes on one AWS, whose every step is taken in the order that a seed says.
//!
//! A process is what a function's process has: the library with its clients, and what these keep between requests. It
//! does one thing at a time, and stops before it begins one, before each call to AWS, and before it gets the answer.
//! Only when all have stopped, one is chosen to go on; so nothing depends on the machine, and a seed replays every
//! interleaving of calls, losses, deaths and clocks. There is no network, and no waiting: a run takes milliseconds.

mod mistakes;
mod process;
mod schedule;
mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use shared::domain::{Clock, Timestamp};
use stack::Offline;

use crate::support::repository;

pub use mistakes::{Planted, is_callback};
pub use process::{Process, Setup, id, signed};
pub use schedule::{Chances, Fate, Schedule, Stop};
pub use wire::Watcher;

/// The AWS of a simulation, and its time.
#[derive(Debug, Clone)]
pub struct Simulation {
    pub offline: Arc<Offline>,
    pub clock: SimulatedClock,
}

impl Simulation {
    pub fn start(now_ms: i64) -> Self {
        let offline = Offline::start(&repository().join("template.yaml")).unwrap();
        Self { offline: Arc::new(offline), clock: SimulatedClock { now: Arc::new(AtomicI64::new(now_ms)), skew_ms: 0 } }
    }
}

/// A clock that goes only when it is told to. Clones share the time, and each is off by its own amount.
#[derive(Debug, Clone)]
pub struct SimulatedClock {
    now: Arc<AtomicI64>,
    skew_ms: i64,
}

impl SimulatedClock {
    pub fn off_by(&self, skew_ms: i64) -> Self {
        Self { skew_ms, ..self.clone() }
    }

    pub fn set(&self, now_ms: i64) {
        self.now.store(now_ms, Ordering::SeqCst);
    }

    pub fn advance(&self, millis: i64) {
        self.now.fetch_add(millis, Ordering::SeqCst);
    }

    pub fn now_ms(&self) -> i64 {
        self.now.load(Ordering::SeqCst) + self.skew_ms
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now_ms())
    }
}
