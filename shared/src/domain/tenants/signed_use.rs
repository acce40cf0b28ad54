//! When and how a tenant last signed a call.

use serde::{Deserialize, Serialize};

use crate::domain::time::clock::{Day, Timestamp};

/// What is kept of a tenant's accepted calls, for the inspection of its set-up. All of it is written by the update that
/// counts a call, so it costs no write of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedUse {
    /// The beginning of the minute of the last one.
    pub last_minute: Option<Timestamp>,
    /// The last day on which one was signed with v1.
    pub v1_on: Option<Day>,
    /// The last day on which one was signed with v2.
    pub v2_on: Option<Day>,
    /// How far the signer's clock was ahead when a day was noted last, in milliseconds; negative if it was behind.
    pub ahead_ms: Option<i64>,
}
