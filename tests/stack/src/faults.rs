//! What goes wrong on purpose: calls that are lost, answered with an error, late, or held back until a test lets them
//! go.
//!
//! Faults hit the calls of functions only. The developer's calls, and so a test's own look into the stores, are never
//! disturbed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;

use crate::calls::Service;
use crate::system::lock;

/// How long a test waits for calls that are to be held. No call takes as long, with all its attempts.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// Which calls are meant. Every condition that is set must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Match {
    function: Option<String>,
    service: Option<Service>,
    operation: Option<String>,
    index: Option<usize>,
}

impl Match {
    /// Every call of every function.
    pub fn any() -> Self {
        Self::default()
    }

    /// Only calls of the function with this binary.
    #[must_use]
    pub fn function(mut self, binary: &str) -> Self {
        self.function = Some(binary.to_owned());
        self
    }

    /// Only calls to this service.
    #[must_use]
    pub fn service(mut self, service: Service) -> Self {
        self.service = Some(service);
        self
    }

    /// Only this operation, as in `PutItem`.
    #[must_use]
    pub fn operation(mut self, operation: &str) -> Self {
        self.operation = Some(operation.to_owned());
        self
    }

    /// Only the call with this number (from 0) within its invocation, with the SDK's retries of it.
    #[must_use]
    pub fn index(mut self, index: usize) -> Self {
        self.index = Some(index);
        self
    }

    fn hits(&self, call: &Call<'_>) -> bool {
        self.function.as_deref().is_none_or(|function| function == call.function)
            && self.service.is_none_or(|service| service == call.service)
            && self.operation.as_deref().is_none_or(|operation| operation == call.operation)
            && self.index.is_none_or(|index| Some(index) == call.index)
    }
}

/// What happens to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The connection is closed; the call is not executed.
    NotSent,
    /// The call is executed, then the connection is closed without an answer.
    NoAnswer,
    /// The call is executed only after this time, even if the caller has given up by then.
    Delay(Duration),
    /// The call is executed at once, and answered only after this time.
    SlowAnswer(Duration),
    /// The call is executed as if it had named another version of a secret, as by a stand-in for AWS that does not heed
    /// the token of the request.
    AnotherVersion,
    /// The call is not executed and answered with this status and AWS error code.
    Status(u16, String),
}

/// Calls and what happens to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    matcher: Match,
    effect: Effect,
    times: Option<usize>,
}

impl Fault {
    /// The effect on every matching call, until the faults are cleared.
    pub fn new(matcher: Match, effect: Effect) -> Self {
        Self { matcher, effect, times: None }
    }

    /// Only the next matching call.
    #[must_use]
    pub fn once(self) -> Self {
        self.count(1)
    }

    /// Only the next `times` matching calls.
    #[must_use]
    pub fn count(mut self, times: usize) -> Self {
        self.times = Some(times);
        self
    }
}

/// How a process "dies" at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrashMode {
    /// Before the call: it never reaches AWS.
    NotSent,
    /// After the call: AWS has done it, the process does not know.
    DoneButNoAnswer,
}

/// A fault that was injected, to see whether it came into effect.
#[derive(Debug, Clone)]
pub struct Injected {
    fired: Arc<AtomicUsize>,
}

impl Injected {
    /// How many calls it has hit. A crash counts once, whatever is refused after it.
    pub fn fired(&self) -> usize {
        self.fired.load(Ordering::SeqCst)
    }
}

/// The plan of what goes wrong. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    plan: Arc<Mutex<Plan>>,
}

#[derive(Debug, Default)]
struct Plan {
    rules: Vec<Rule>,
    crashes: Vec<Crash>,
    holds: Vec<Hold>,
}

#[derive(Debug)]
struct Rule {
    fault: Fault,
    fired: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct Crash {
    function: String,
    at: usize,
    mode: CrashMode,
    /// Whether the process is ended, too.
    lethal: bool,
    /// The invocation that it has met; none while it waits for the next one.
    invocation: Option<String>,
    fired: Arc<AtomicUsize>,
}

#[derive(Debug, Clone)]
struct Hold {
    matcher: Match,
    reached: Arc<watch::Sender<usize>>,
    released: watch::Receiver<bool>,
}

/// What the plan has for a call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fate {
    /// What happens to it.
    pub(crate) effect: Option<Effect>,
    /// Whether the process ends with it.
    pub(crate) lethal: bool,
}

/// A call as the plan sees it.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) function: &'a str,
    pub(crate) service: Service,
    pub(crate) operation: &'a str,
    pub(crate) invocation: Option<&'a str>,
    pub(crate) index: Option<usize>,
}

impl Faults {
    /// Adds a fault. Where several match a call, the one that was added first has its effect.
    pub fn inject(&self, fault: Fault) -> Injected {
        let fired = Arc::new(AtomicUsize::new(0));
        lock(&self.plan).rules.push(Rule { fault, fired: Arc::clone(&fired) });
        Injected { fired }
    }

    /// Ends every fault and crash, and releases every held call.
    pub fn clear(&self) {
        *lock(&self.plan) = Plan::default();
    }

    /// The next invocation of the function is cut off at its call number `index` (from 0, retries not counted): from
    /// then until the invocation is over, nothing that the process sends reaches AWS. The process lives on, and answers
    /// what a function answers when AWS is gone.
    pub fn crash(&self, function: &str, index: usize, mode: CrashMode) -> Injected {
        self.add_crash(function, index, mode, false)
    }

    /// The same, but the process is killed at that call, as by a lack of memory: there is no answer, and no retry to
    /// wait for.
    pub fn kill(&self, function: &str, index: usize, mode: CrashMode) -> Injected {
        self.add_crash(function, index, mode, true)
    }

    fn add_crash(&self, function: &str, at: usize, mode: CrashMode, lethal: bool) -> Injected {
        let fired = Arc::new(AtomicUsize::new(0));
        lock(&self.plan).crashes.push(Crash {
            function: function.to_owned(),
            at,
            mode,
            lethal,
            invocation: None,
            fired: Arc::clone(&fired),
        });
        Injected { fired }
    }

    /// Holds every matching call back, unexecuted, until [`Held::release`].
    pub fn hold(&self, matcher: Match) -> Held {
        let (release, released) = watch::channel(false);
        let (reached, waiting) = watch::channel(0);
        lock(&self.plan).holds.push(Hold { matcher, reached: Arc::new(reached), released });
        Held { release, waiting }
    }

    /// An invocation begins: a crash that waits for this function has met it.
    pub(crate) fn begin(&self, function: &str, invocation: &str) {
        let mut plan = lock(&self.plan);
        let waiting = plan.crashes.iter_mut().find(|crash| crash.function == function && crash.invocation.is_none());
        if let Some(crash) = waiting {
            crash.invocation = Some(invocation.to_owned());
        }
    }

    /// An invocation is over, and so is its crash.
    pub(crate) fn end(&self, invocation: &str) {
        lock(&self.plan).crashes.retain(|crash| crash.invocation.as_deref() != Some(invocation));
    }

    /// Waits where the plan says so, then answers what happens to the call.
    pub(crate) async fn meet(&self, call: &Call<'_>) -> Fate {
        let holds: Vec<Hold> = {
            let mut plan = lock(&self.plan);
            plan.holds.retain(|hold| hold.released.has_changed().is_ok() && !*hold.released.borrow());
            plan.holds.iter().filter(|hold| hold.matcher.hits(call)).cloned().collect()
        };
        for mut hold in holds {
            hold.reached.send_modify(|waiting| *waiting += 1);
            // An error is a dropped `Held`: released as well.
            let _ = hold.released.wait_for(|released| *released).await;
        }
        lock(&self.plan).fate(call)
    }
}

impl Plan {
    fn fate(&mut self, call: &Call<'_>) -> Fate {
        let crash = self.crashes.iter().find(|crash| crash.meets(call));
        if let (Some(crash), Some(index)) = (crash, call.index) {
            if crash.fired.load(Ordering::SeqCst) > 0 {
                return Fate { effect: Some(Effect::NotSent), lethal: false };
            }
            if index == crash.at {
                crash.fired.store(1, Ordering::SeqCst);
                let effect = match crash.mode {
                    CrashMode::NotSent => Effect::NotSent,
                    CrashMode::DoneButNoAnswer => Effect::NoAnswer,
                };
                return Fate { effect: Some(effect), lethal: crash.lethal };
            }
        }
        let rule = self.rules.iter().find(|rule| rule.hits(call));
        let effect = rule.map(|rule| {
            rule.fired.fetch_add(1, Ordering::SeqCst);
            rule.fault.effect.clone()
        });
        Fate { effect, lethal: false }
    }
}

impl Crash {
    fn meets(&self, call: &Call<'_>) -> bool {
        self.invocation.is_some() && self.invocation.as_deref() == call.invocation
    }
}

impl Rule {
    fn hits(&self, call: &Call<'_>) -> bool {
        let left = self.fault.times.is_none_or(|times| self.fired.load(Ordering::SeqCst) < times);
        left && self.fault.matcher.hits(call)
    }
}

/// Calls that are being held back. Dropping it releases them.
#[derive(Debug)]
pub struct Held {
    release: watch::Sender<bool>,
    waiting: watch::Receiver<usize>,
}

impl Held {
    /// Returns when the first call is held.
    pub async fn reached(&self) {
        self.reached_by(1).await;
    }

    /// Returns when this many calls are held, the SDK's retries counted.
    ///
    /// # Panics
    /// If they do not come within a minute: a test that waits for a call that nobody makes must fail, not hang.
    pub async fn reached_by(&self, calls: usize) {
        let mut waiting = self.waiting.clone();
        let held = waiting.wait_for(|waiting| *waiting >= calls);
        // An error of the channel means that the faults were cleared: nothing more will come.
        let in_time = tokio::time::timeout(LONGEST_WAIT, held).await.is_ok();
        assert!(in_time, "{calls} calls were to be held");
    }

    /// Lets the held calls go, and those that follow pass.
    pub fn release(self) {
        self.release.send_replace(true);
    }
}

#[cfg(test)]
mod tests;
