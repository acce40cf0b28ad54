//! What an operator sees of the receiver of a flow.

use schemars::JsonSchema;
use serde::Serialize;

use super::breaker::Breaker;
use crate::domain::tenants::public_url::CallbackUrl;
use crate::domain::time::clock::Timestamp;

/// Whether a receiver is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReceiverState {
    /// Each event is attempted when it is due.
    Closed,
    /// It has failed many times in a row: one event at a time is tried.
    Open,
    /// Nothing is attempted until the operator reactivates the flow.
    Disabled,
}

impl From<Breaker> for ReceiverState {
    fn from(breaker: Breaker) -> Self {
        match breaker {
            Breaker::Closed { .. } => Self::Closed,
            Breaker::Open { .. } => Self::Open,
            Breaker::Disabled { .. } => Self::Disabled,
        }
    }
}

/// The last attempt that failed, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LastFailure {
    /// Time at which it began.
    pub at: Timestamp,
    /// What came of it: the status of the answer, or the kind of the failure (`dns`, `address_refused`, `connect`,
    /// `tls`, `timeout`, `protocol`).
    pub outcome: String,
}

/// Receiver of the callbacks of one flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReceiverSummary {
    /// State of its breaker.
    pub state: ReceiverState,
    /// How many callbacks are pending: due, waiting for another attempt, or for a reactivation.
    pub pending: u32,
    /// Time of the change that the oldest pending callback tells of; null if none is pending.
    pub oldest_pending_at: Option<Timestamp>,
    /// Time of the last attempt that succeeded at the base of the last attempt; null if none has.
    pub last_success_at: Option<Timestamp>,
    /// The last attempt that failed there; null if none has.
    pub last_failure: Option<LastFailure>,
    /// The base that the last attempt went to, for the inspection of a set-up: after a change of the tenant's base, an
    /// earlier one says nothing.
    #[serde(skip)]
    pub last_base: Option<CallbackUrl>,
}

impl ReceiverSummary {
    /// Takes a pending callback into account, of a change at that time.
    pub fn count_pending(&mut self, created_at: Timestamp) {
        self.pending = self.pending.saturating_add(1);
        self.oldest_pending_at = Some(self.oldest_pending_at.map_or(created_at, |oldest| oldest.min(created_at)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_of_what_is_pending_is_named_in_whatever_order_it_comes() {
        let mut summary = ReceiverSummary {
            state: ReceiverState::from(Breaker::default()),
            pending: 0,
            oldest_pending_at: None,
            last_success_at: None,
            last_failure: None,
            last_base: None,
        };
        for (millis, oldest) in [(20, 20), (30, 20), (10, 10)] {
            summary.count_pending(Timestamp::from_millis(millis));
            assert_eq!(summary.oldest_pending_at, Some(Timestamp::from_millis(oldest)));
        }
        assert_eq!((summary.state, summary.pending), (ReceiverState::Closed, 3));
    }
}
