//! What is said of a callback, in a list and by itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event::EventId;
use super::types::EventType;
use crate::domain::time::clock::Timestamp;

/// What has become of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallbackState {
    /// It is to be attempted, or waits until its flow is reactivated.
    Pending,
    /// The receiver has it.
    Delivered,
    /// Its last attempt has failed.
    Failed,
    /// It is of no use any more, or the tenant has no base for callbacks any more.
    Discarded,
}

impl CallbackState {
    const ALL: [Self; 4] = [Self::Pending, Self::Delivered, Self::Failed, Self::Discarded];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Discarded => "discarded",
        }
    }

    /// Reads what [`CallbackState::as_str`] gives.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// A callback in a list, without its body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CallbackSummary {
    /// Id of the event: `evt_` and 32 hexadecimal digits.
    pub event_id: EventId,
    /// Type of the event.
    #[serde(rename = "type")]
    pub event_type: EventType,
    /// What has become of it.
    pub state: CallbackState,
    /// How many attempts were made; since the last replay, if there was one.
    pub attempts: u32,
    /// What came of the last attempt: the status of the answer, or the kind of the failure (`dns`, `address_refused`,
    /// `connect`, `tls`, `timeout`, `protocol`). Null before the first.
    pub last_outcome: Option<String>,
    /// When the next attempt is due; null if none is.
    pub next_attempt_at: Option<Timestamp>,
    /// Time of the change that it tells of.
    pub created_at: Timestamp,
    /// Time of the last replay; null if there was none.
    pub replayed_at: Option<Timestamp>,
}

/// A callback by itself, with its body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CallbackDetails {
    #[serde(flatten)]
    pub summary: CallbackSummary,
    /// Body of each attempt, as the text that is sent: signatures are over its bytes.
    pub body: String,
    /// Last ten attempts, oldest first; also those from before a replay.
    pub last_attempts: Vec<CallbackAttempt>,
}

/// An attempt to deliver a callback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CallbackAttempt {
    /// Time at which it began.
    pub at: Timestamp,
    /// What came of it: the status of the answer, or the kind of the failure.
    pub outcome: String,
}

/// Which callbacks a list has: all, without any of these.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallbackFilter {
    pub state: Option<CallbackState>,
    pub event_type: Option<EventType>,
}

/// Which callbacks are to be delivered anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplayScope {
    /// Those of these events.
    Events(Vec<EventId>),
    /// Those in a state whose events were made at `since` or later, and before `until`.
    State { state: CallbackState, since: Timestamp, until: Option<Timestamp> },
}

/// Why a callback is not delivered anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotReplayed {
    /// There is no such event of the tenant's, or not any more.
    NotFound,
    /// The tenant's `callback_types` do not name its type.
    NotWanted,
    /// It is of no use to anybody any more.
    OfNoUse,
}

/// A callback that a replay leaves as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SkippedCallback {
    /// Id of the event.
    pub event_id: EventId,
    /// Why it is left as it is.
    pub reason: NotReplayed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_by_its_name() {
        for state in CallbackState::ALL {
            assert_eq!(CallbackState::parse(state.as_str()), Some(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
        assert_eq!(CallbackState::parse("Pending"), None);
    }
}
