//! When and how a tenant last signed a call, on its hot item.
//!
//! Days are numbers there, and not texts as elsewhere: each signed call compares one with its own, and writing a date
//! would cost more than the rest of that.

use std::time::Duration;

use crate::domain::{Day, Minute, SignedUse, SigningVersion, Timestamp};
use crate::error::Result;
use crate::store::dynamodb::Reader;

/// The minute that a signed call was counted in last.
pub const COUNTED_MINUTE: &str = "counted_minute";
/// The last day on which a call was signed with v1, and with v2.
const SIGNED_V1_ON: &str = "signed_v1_on";
const SIGNED_V2_ON: &str = "signed_v2_on";
/// How far the signer's clock was ahead when such a day was noted last, in milliseconds.
pub const SIGNED_AHEAD: &str = "signed_ahead_ms";

const DAY: Duration = Duration::from_hours(24);

/// A calendar day in UTC, by its number since 1970.
pub fn day_number(at: Timestamp) -> u32 {
    u32::try_from(at.as_seconds() / DAY.as_secs()).unwrap_or(u32::MAX)
}

/// The attribute that has the last day on which a call was signed with that version.
pub fn signed_on(version: SigningVersion) -> &'static str {
    match version {
        SigningVersion::V1 => SIGNED_V1_ON,
        SigningVersion::V2 => SIGNED_V2_ON,
    }
}

/// The last days on which calls were signed.
#[derive(Debug, Clone, Copy)]
pub struct SignedDays {
    v1: Option<u32>,
    v2: Option<u32>,
}

impl SignedDays {
    /// Reads them from a hot item.
    ///
    /// # Errors
    /// If one can't be read.
    pub fn read(state: Reader<'_>) -> Result<Self> {
        Ok(Self { v1: state.optional_number(SIGNED_V1_ON)?, v2: state.optional_number(SIGNED_V2_ON)? })
    }

    /// The last day on which one was signed with that version.
    pub fn last(self, version: SigningVersion) -> Option<u32> {
        match version {
            SigningVersion::V1 => self.v1,
            SigningVersion::V2 => self.v2,
        }
    }

    fn day(self, version: SigningVersion) -> Option<Day> {
        self.last(version).map(|number| Timestamp::from_millis(0).plus(DAY.saturating_mul(number)).day())
    }
}

/// When and how it last signed a call.
pub fn signed_use(state: Reader<'_>) -> Result<SignedUse> {
    let days = SignedDays::read(state)?;
    let minute = Some(state.number(COUNTED_MINUTE)?).filter(|minute| *minute > 0).map(Minute::from_number);
    Ok(SignedUse {
        last_minute: minute.map(Minute::start),
        v1_on: days.day(SigningVersion::V1),
        v2_on: days.day(SigningVersion::V2),
        ahead_ms: state.optional_number(SIGNED_AHEAD)?,
    })
}
