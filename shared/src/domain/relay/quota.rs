//! Calendar minutes, and the quota of calls in one.

use std::fmt;
use std::time::Duration;

use crate::domain::ids::tenant_id::TenantId;
use crate::domain::time::clock::Timestamp;
use crate::domain::values::limits::RatePerMinute;

/// The length of a minute.
const LENGTH: Duration = Duration::from_mins(1);

/// A calendar minute in UTC, by its number since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minute(u64);

impl Minute {
    /// The minute with this number.
    pub fn from_number(number: u64) -> Self {
        Self(number)
    }

    pub fn number(self) -> u64 {
        self.0
    }

    /// The beginning of the minute.
    pub fn start(self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(self.0.saturating_mul(60_000)).unwrap_or(i64::MAX))
    }

    /// The end of the minute, which is the start of the next.
    pub fn end(self) -> Timestamp {
        let minutes = u32::try_from(self.0.saturating_add(1)).unwrap_or(u32::MAX);
        Timestamp::from_millis(0).plus(LENGTH * minutes)
    }
}

impl From<Timestamp> for Minute {
    fn from(moment: Timestamp) -> Self {
        Self(moment.as_seconds() / LENGTH.as_secs())
    }
}

/// Whose calls a limit bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitOf {
    /// A tenant's signed calls.
    Relay,
    /// Those of an API key.
    ApiKey,
    /// Those for an end user.
    EndUser,
}

impl LimitOf {
    /// The name of the limit in headers.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::ApiKey => "api-key",
            Self::EndUser => "end-user",
        }
    }
}

/// The number of calls that may be made in a calendar minute, and the number of those that are left.
///
/// The two fields are those of `draft-ietf-httpapi-ratelimit-headers-10`: `RateLimit-Policy` states the rule (`q` calls
/// in a window of `w` seconds), `RateLimit` the rest (`r` calls for the next `t` seconds).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    pub of: LimitOf,
    pub limit: RatePerMinute,
    /// Number of calls that are left; 0 after a refusal.
    pub remaining: u32,
    /// The minute to which the count belongs.
    pub minute: Minute,
    /// Whole seconds until it ends, at least 1.
    pub resets_in: u64,
}

impl Quota {
    /// The rest after `used` calls, as it is `now`.
    pub fn new(of: LimitOf, limit: RatePerMinute, used: u32, minute: Minute, now: Timestamp) -> Self {
        let resets_in = now.seconds_until(minute.end()).max(1);
        Self { of, limit, remaining: limit.get().saturating_sub(used), minute, resets_in }
    }

    /// The value of `RateLimit-Policy`.
    pub fn policy(&self) -> String {
        format!("\"{}\";q={};w={}", self.of.as_str(), self.limit.get(), LENGTH.as_secs())
    }
}

impl fmt::Display for Quota {
    /// The value of `RateLimit`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "\"{}\";r={};t={}", self.of.as_str(), self.remaining, self.resets_in)
    }
}

/// The quota of a caller of a tenant that proved who it is, whatever came of its call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantQuota {
    pub tenant_id: TenantId,
    pub quota: Quota,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_minute_begins_with_its_first_millisecond() {
        let minute = Minute::from(at(1_718_966_400_000));
        assert_eq!(Minute::from(at(1_718_966_459_999)), minute);
        assert_eq!(minute.end(), at(1_718_966_460_000));
        assert_eq!(Minute::from(minute.end()).number(), minute.number() + 1);
        assert_eq!(Minute::from(at(1_718_966_399_999)).number(), minute.number() - 1);
    }

    #[test]
    fn a_quota_says_what_is_left_and_for_how_long() {
        let (limit, minute) = (RatePerMinute::new(60).unwrap(), Minute::from(at(1_718_966_400_000)));
        let quota = Quota::new(LimitOf::Relay, limit, 1, minute, at(1_718_966_400_000));
        assert_eq!(
            (quota.policy().as_str(), quota.to_string().as_str()),
            ("\"relay\";q=60;w=60", "\"relay\";r=59;t=60")
        );
        let of_key = Quota::new(LimitOf::ApiKey, limit, 60, minute, at(1_718_966_400_000));
        assert_eq!(
            (of_key.policy().as_str(), of_key.to_string().as_str()),
            ("\"api-key\";q=60;w=60", "\"api-key\";r=0;t=60")
        );
        let last = Quota::new(LimitOf::Relay, limit, 61, minute, at(1_718_966_459_001));
        assert_eq!(last.to_string(), "\"relay\";r=0;t=1");
        // The minute has ended while the call was on its way.
        assert_eq!(Quota::new(LimitOf::Relay, limit, 0, minute, minute.end()).resets_in, 1);
    }
}
