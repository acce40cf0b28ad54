//! Who goes on next.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::sync::{Notify, oneshot};

use super::SimulatedClock;
use crate::support::Dice;

/// Where a process has stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Before it begins something.
    Begin,
    /// Before a call to AWS reaches it; whether the call writes.
    Call { is_write: bool },
    /// Before the answer of a call reaches the process.
    Answer,
}

/// How it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Go,
    /// What was under way is lost.
    Lost,
    /// AWS refuses the write, because of a transaction on the item.
    Conflict,
    /// The call reaches AWS twice, as one does that is made again because its answer was lost.
    Twice,
    /// The process dies.
    Crash,
}

/// How likely it is that something goes wrong: one in so many, and 0 for never.
#[derive(Debug, Clone, Copy, Default)]
pub struct Chances {
    /// A call never arrives.
    pub lost_call: usize,
    /// A call is carried out, and its answer never arrives.
    pub lost_answer: usize,
    pub conflict: usize,
    pub twice: usize,
    pub crash: usize,
    /// Seconds pass, and not milliseconds.
    pub long_wait: usize,
    /// How many milliseconds a step takes at most; with 0 the clock stands.
    pub step_ms: usize,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    steps: usize,
    waiting: BTreeMap<usize, (Stop, oneshot::Sender<Fate>)>,
}

/// Where a process stops: in a schedule or nowhere.
#[derive(Debug, Clone, Default)]
pub struct Stops {
    pub schedule: Option<(Schedule, usize)>,
    /// Told when the process dies.
    pub death: Arc<Notify>,
}

impl Stops {
    /// Stops until the schedule lets the process go on: never, if it dies here.
    pub async fn stop(&self, stop: Stop) -> Fate {
        let Some((schedule, process)) = &self.schedule else { return Fate::Go };
        let fate = schedule.stop(*process, stop).await;
        if fate == Fate::Crash {
            self.death.notify_one();
            std::future::pending::<()>().await;
        }
        fate
    }
}

/// The order of the steps of many processes. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Schedule {
    state: Arc<Mutex<State>>,
    stopped: Arc<Notify>,
}

impl Schedule {
    /// A process is there, which goes on by itself until it stops.
    pub fn enter(&self) {
        self.state.lock().unwrap().running += 1;
    }

    /// A process has ended.
    pub fn leave(&self) {
        self.state.lock().unwrap().running -= 1;
        self.stopped.notify_one();
    }

    /// How many steps were taken: the time by which it is known what was before what.
    pub fn steps(&self) -> usize {
        self.state.lock().unwrap().steps
    }

    /// Stops a process until it is chosen to go on.
    pub async fn stop(&self, process: usize, stop: Stop) -> Fate {
        let (go, gone) = oneshot::channel();
        {
            let mut state = self.state.lock().unwrap();
            state.waiting.insert(process, (stop, go));
            state.running -= 1;
        }
        self.stopped.notify_one();
        gone.await.unwrap()
    }

    /// Lets the processes go on, one after the other, until all have ended.
    pub async fn run(&self, dice: &mut Dice, chances: &Chances, clock: &SimulatedClock) {
        loop {
            while self.state.lock().unwrap().running > 0 {
                self.stopped.notified().await;
            }
            let mut state = self.state.lock().unwrap();
            let processes: Vec<_> = state.waiting.keys().copied().collect();
            if processes.is_empty() {
                return;
            }
            let (stop, go) = state.waiting.remove(dice.of(&processes)).unwrap();
            let likely = |dice: &mut Dice, many: usize| many > 0 && dice.one_in(many);
            let fate = match stop {
                Stop::Call { is_write: true } if likely(dice, chances.conflict) => Fate::Conflict,
                Stop::Call { .. } if likely(dice, chances.lost_call) => Fate::Lost,
                Stop::Answer if likely(dice, chances.lost_answer) => Fate::Lost,
                Stop::Call { .. } if likely(dice, chances.twice) => Fate::Twice,
                Stop::Call { .. } | Stop::Answer if likely(dice, chances.crash) => Fate::Crash,
                _ => Fate::Go,
            };
            let is_long = likely(dice, chances.long_wait);
            let millis = if is_long { 1_000 + dice.below(20_000) } else { dice.below(chances.step_ms + 1) };
            clock.advance(i64::try_from(millis).unwrap());
            state.steps += 1;
            state.running += 1;
            go.send(fate).unwrap();
        }
    }
}
