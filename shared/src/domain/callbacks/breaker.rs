//! Whether the receiver of a tenant's flow is tried at all.
//!
//! | From | To | When |
//! |---|---|---|
//! | closed | open | 10 failures in a row, over 2 minutes or more |
//! | open | closed | a success |
//! | open | disabled | 5 days without a success |
//! | closed, open | disabled | a 410 |
//! | disabled | closed | somebody reactivates the flow |
//!
//! While it is open, one attempt is let through now and then, so that a dead receiver costs one probe and not one
//! attempt an event. The alternative, a rate of failures in a sliding window, needs a counter that two events share.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::schedule::Outcome;
use crate::domain::time::clock::Timestamp;

/// The failures in a row after which it opens.
const FAILURES: u32 = 10;

/// The time over which they must be spread: a receiver that restarts fails ten times in a moment.
const SPREAD: Duration = Duration::from_mins(2);

/// The longest wait between two probes. The first is a minute, and each is twice the one before.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// The time for which it is open before the flow is disabled.
const PATIENCE: Duration = Duration::from_hours(5 * 24);

/// What disabled a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisableCause {
    /// The receiver answered 410.
    Gone,
    /// No attempt succeeded for 5 days.
    NoSuccess,
}

/// The breaker of one flow of one tenant. By default it is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Breaker {
    /// Everything is let through.
    Closed {
        /// Failures since the last success.
        failures: u32,
        /// The time of the first of them.
        since: Option<Timestamp>,
    },
    /// Probes are let through.
    Open {
        since: Timestamp,
        /// Probes that have failed.
        probes: u32,
        /// The time of the next.
        probe_at: Timestamp,
    },
    /// Nothing is let through until somebody reactivates the flow.
    Disabled { since: Timestamp, cause: DisableCause },
}

impl Default for Breaker {
    fn default() -> Self {
        Self::Closed { failures: 0, since: None }
    }
}

/// What a breaker lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Every event that is due.
    All,
    /// One event: the oldest.
    Probe,
    /// None before this moment.
    After(Timestamp),
    /// None.
    Disabled,
}

/// A change of state, of which the operator should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Opened,
    Closed,
    Disabled(DisableCause),
}

impl Breaker {
    /// What it lets through at this moment.
    pub fn admission(self, now: Timestamp) -> Admission {
        match self {
            Self::Closed { .. } => Admission::All,
            Self::Open { probe_at, .. } if now < probe_at => Admission::After(probe_at),
            Self::Open { .. } => Admission::Probe,
            Self::Disabled { .. } => Admission::Disabled,
        }
    }

    /// Its state after an attempt, and the change if it is another one.
    #[must_use]
    pub fn after(self, outcome: Outcome, now: Timestamp) -> (Self, Option<Change>) {
        let disabled = |cause| (Self::Disabled { since: now, cause }, Some(Change::Disabled(cause)));
        match self {
            // An attempt that was under way when the flow was disabled decides nothing: who disabled it is to be asked.
            Self::Disabled { .. } => (self, None),
            _ if outcome.is_gone() => disabled(DisableCause::Gone),
            Self::Closed { .. } if outcome.is_success() => (Self::default(), None),
            Self::Open { .. } if outcome.is_success() => (Self::default(), Some(Change::Closed)),
            Self::Closed { failures, since } => {
                let (failures, first) = (failures.saturating_add(1), since.unwrap_or(now));
                if failures >= FAILURES && now >= first.plus(SPREAD) {
                    (Self::Open { since: now, probes: 0, probe_at: now.plus(wait(0)) }, Some(Change::Opened))
                } else {
                    (Self::Closed { failures, since: Some(first) }, None)
                }
            }
            // No probe: it was under way when the breaker opened.
            Self::Open { probe_at, .. } if now < probe_at => (self, None),
            // Counted from the opening and not from the first failure: a tenant with an event a week must not be
            // disabled by the second that fails.
            Self::Open { since, .. } if now >= since.plus(PATIENCE) => disabled(DisableCause::NoSuccess),
            Self::Open { since, probes, .. } => {
                let probes = probes.saturating_add(1);
                (Self::Open { since, probes, probe_at: now.plus(wait(probes)) }, None)
            }
        }
    }
}

/// The wait for the next probe after so many.
fn wait(probes: u32) -> Duration {
    Duration::from_mins(1).saturating_mul(2_u32.saturating_pow(probes)).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::callbacks::schedule::ErrorClass;

    const FAILURE: Outcome = Outcome::Status(500);
    const SUCCESS: Outcome = Outcome::Status(204);
    const GONE: Outcome = Outcome::Status(410);
    const MINUTE: i64 = 60;
    const DAY: i64 = 86_400;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_718_966_400_000 + seconds * 1000)
    }

    fn fail(breaker: Breaker, times: u32, second: i64) -> (Breaker, Option<Change>) {
        (0..times).fold((breaker, None), |(breaker, _), _| breaker.after(FAILURE, at(second)))
    }

    /// Open since second 120.
    fn open() -> Breaker {
        let (breaker, _) = fail(Breaker::default(), 9, 0);
        let (breaker, change) = breaker.after(FAILURE, at(120));
        assert_eq!(change, Some(Change::Opened));
        breaker
    }

    #[test]
    fn it_opens_after_ten_failures_over_two_minutes() {
        let (breaker, change) = fail(Breaker::default(), 100, 0);
        assert_eq!((breaker, change), (Breaker::Closed { failures: 100, since: Some(at(0)) }, None));
        assert_eq!(breaker.after(FAILURE, at(119)).1, None);
        assert_eq!(breaker.after(FAILURE, at(120)).1, Some(Change::Opened));
        let (nine, _) = fail(Breaker::default(), 8, 0);
        let (nine, change) = nine.after(FAILURE, at(DAY));
        assert_eq!((nine.admission(at(DAY)), change), (Admission::All, None));
        assert_eq!(nine.after(Outcome::Error(ErrorClass::Dns), at(DAY)).1, Some(Change::Opened));
    }

    #[test]
    fn a_success_forgets_the_failures_before_it() {
        let (nine, _) = fail(Breaker::default(), 9, 0);
        let (breaker, change) = nine.after(SUCCESS, at(130));
        assert_eq!((breaker, change), (Breaker::default(), None));
        assert_eq!(breaker.after(FAILURE, at(140)).0, Breaker::Closed { failures: 1, since: Some(at(140)) });
        assert_eq!(open().after(SUCCESS, at(121)), (Breaker::default(), Some(Change::Closed)));
    }

    #[test]
    fn probes_come_after_one_two_four_and_at_most_sixty_minutes() {
        let (mut breaker, mut second, mut waits) = (open(), 120, Vec::new());
        for _ in 0..8 {
            let Admission::After(moment) = breaker.admission(at(second)) else { panic!("{breaker:?}") };
            let wait = i64::try_from(at(second).seconds_until(moment)).unwrap();
            assert_eq!(breaker.admission(at(second + wait - 1)), Admission::After(moment));
            second += wait;
            assert_eq!(breaker.admission(at(second)), Admission::Probe);
            breaker = breaker.after(FAILURE, at(second)).0;
            waits.push(wait / MINUTE);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
    }

    #[test]
    fn an_attempt_that_was_under_way_is_no_probe() {
        assert_eq!(open().after(FAILURE, at(121)), (open(), None));
    }

    #[test]
    fn five_days_without_a_success_disable_it() {
        let since = 120;
        let (breaker, change) = open().after(FAILURE, at(since + 5 * DAY - 1));
        assert_eq!(change, None);
        let (breaker, change) = breaker.after(FAILURE, at(since + 6 * DAY));
        assert_eq!(change, Some(Change::Disabled(DisableCause::NoSuccess)));
        assert_eq!(breaker.admission(at(100 * DAY)), Admission::Disabled);
        let one = Breaker::default().after(FAILURE, at(0)).0;
        assert_eq!(one.after(FAILURE, at(6 * DAY)).1, None, "two failures are no dead receiver");
    }

    #[test]
    fn a_receiver_that_is_gone_is_disabled_at_once_and_stays_so() {
        for breaker in [Breaker::default(), open()] {
            let (breaker, change) = breaker.after(GONE, at(130));
            assert_eq!(change, Some(Change::Disabled(DisableCause::Gone)));
            assert_eq!(breaker, Breaker::Disabled { since: at(130), cause: DisableCause::Gone });
            for outcome in [SUCCESS, FAILURE, GONE] {
                assert_eq!(breaker.after(outcome, at(7 * DAY)), (breaker, None));
            }
        }
    }

    #[test]
    fn it_is_stored_as_an_object_that_can_be_read_again() {
        let disabled = Breaker::Disabled { since: at(0), cause: DisableCause::NoSuccess };
        for (breaker, state) in [(Breaker::default(), "closed"), (open(), "open"), (disabled, "disabled")] {
            let json = serde_json::to_value(breaker).unwrap();
            assert_eq!(json["state"], state);
            assert_eq!(serde_json::from_value::<Breaker>(json).unwrap(), breaker);
        }
    }

    proptest! {
        /// Whatever happens, in whatever order, and however the clock moves.
        #[test]
        fn a_success_always_closes_what_is_not_disabled(steps in prop::collection::vec((0..4_u8, 0..DAY), 0..200)) {
            let mut breaker = Breaker::default();
            for (kind, second) in steps {
                let outcome = [FAILURE, FAILURE, Outcome::Error(ErrorClass::Timeout), SUCCESS][usize::from(kind)];
                let (after, change) = breaker.after(outcome, at(second));
                prop_assert_eq!(change == Some(Change::Closed), matches!(breaker, Breaker::Open { .. }) && kind == 3);
                prop_assert!(kind != 3 || after == Breaker::default());
                prop_assert!(!matches!(after, Breaker::Disabled { .. }), "no five days have passed");
                breaker = after;
            }
        }
    }
}
