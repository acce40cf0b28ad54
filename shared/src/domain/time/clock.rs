//! Time as a parameter: a point in time, and the one place that asks the machine for it.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write as _};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer};
use serde::{Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::domain::values::problem::Problem;

/// The latest time that a timestamp can hold: the end of the year 9999, the last that RFC 3339 can write.
const LATEST_MS: i64 = 253_402_300_799_999;

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z. On the wire it is RFC 3339 in UTC with milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// A timestamp from Unix milliseconds; times outside the years 1970 to 9999 become the nearest end.
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(0, LATEST_MS))
    }

    /// Milliseconds since the Unix epoch, never negative.
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// This time and `duration` more.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(LATEST_MS);
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// This time and `duration` less.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(LATEST_MS);
        Self::from_millis(self.0.saturating_sub(millis))
    }

    /// Whole seconds since the Unix epoch, as JWTs count time (`NumericDate`, RFC 7519 §2).
    pub fn as_seconds(self) -> u64 {
        u64::try_from(self.0 / 1000).unwrap_or_default()
    }

    /// Its date and time of day in UTC: always within the years that can be written, 1970 to 9999.
    pub fn moment(self) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH.saturating_add(time::Duration::milliseconds(self.0))
    }

    /// The calendar day in UTC.
    pub fn day(self) -> Day {
        let date = self.moment().date();
        let mut text = *b"0000-00-00";
        // It fits: a year has four digits.
        let _: io::Result<()> =
            write!(text.as_mut_slice(), "{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day());
        Day(text)
    }

    /// Whole seconds from this time until `later`, rounded up; 0 if `later` is past.
    pub fn seconds_until(self, later: Self) -> u64 {
        let millis = u64::try_from(later.0.saturating_sub(self.0)).unwrap_or(0);
        millis.div_ceil(1000)
    }

    /// Reads RFC 3339, any offset, also one without its colon: Python writes `+0000`, and so do clients that are
    /// generated for it.
    ///
    /// # Errors
    /// If the text is no RFC 3339 date and time, or lies before 1970.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let problem = || Problem::new("must be an RFC 3339 time such as 2026-01-31T12:00:00Z");
        let with_colon = || {
            let (rest, minutes) = text.split_at_checked(text.len().checked_sub(2)?)?;
            OffsetDateTime::parse(&format!("{rest}:{minutes}"), &Rfc3339).ok()
        };
        let parsed = OffsetDateTime::parse(text, &Rfc3339).ok().or_else(with_colon).ok_or_else(problem)?;
        let millis = i64::try_from(parsed.unix_timestamp_nanos() / 1_000_000).map_err(|_| problem())?;
        if (0..=LATEST_MS).contains(&millis) { Ok(Self(millis)) } else { Err(problem()) }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = self.moment();
        let (date, (hour, minute, second, millisecond)) = (moment.date(), moment.time().as_hms_milli());
        let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
        write!(formatter, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "date-time",
            "description": "A time in UTC with milliseconds (RFC 3339), such as `2026-01-31T12:00:00.000Z`.",
        })
    }
}

/// Calendar day in UTC, such as `2026-01-31`.
// The day of the last use, and not its time, is kept: that costs one write a day and not one a request.
// Its text, and no `String`: items have several, and few requests look at them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day([u8; 10]);

impl Day {
    /// Takes back what was stored.
    ///
    /// # Errors
    /// If it is not as long as a day.
    pub fn from_stored(text: &str) -> Result<Self, Problem> {
        text.as_bytes().try_into().map(Self).map_err(|_| Problem::new("is no day"))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(str::from_utf8(&self.0).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Day({self})")
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::from_stored(&text).map_err(de::Error::custom)
    }
}

impl JsonSchema for Day {
    fn schema_name() -> Cow<'static, str> {
        "Day".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "date",
            "description": "Calendar day in UTC, such as `2026-01-31`.",
        })
    }
}

/// The source of the time. A trait so that rules about time are tested without waiting.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(0).plus(elapsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_written_in_utc_with_milliseconds() {
        assert_eq!(Timestamp::from_millis(1_782_000_000_007).to_string(), "2026-06-21T00:00:00.007Z");
    }

    #[test]
    fn a_day_ends_at_midnight_in_utc() {
        assert_eq!(Timestamp::from_millis(1_782_000_000_000).day().to_string(), "2026-06-21");
        assert_eq!(Timestamp::from_millis(1_781_999_999_999).day().to_string(), "2026-06-20");
    }

    #[test]
    fn a_day_is_read_as_it_was_stored() {
        let day = Timestamp::from_millis(1_782_000_000_000).day();
        assert_eq!(Day::from_stored(&day.to_string()), Ok(day));
        assert_eq!(serde_json::to_string(&day).unwrap(), r#""2026-06-21""#);
        for text in ["", "2026-6-21", "2026-06-21T00:00:00Z"] {
            assert!(Day::from_stored(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_written_can_be_read() {
        for millis in [0, 999, 951_782_400_000, 1_782_000_000_007, LATEST_MS] {
            let moment = Timestamp::from_millis(millis);
            assert_eq!(Timestamp::parse(&moment.to_string()), Ok(moment), "{moment}");
            assert_eq!(moment.to_string().get(..10), Some(moment.day().to_string().as_str()));
        }
        let moment = Timestamp::from_millis(1_782_000_000_007);
        assert_eq!(Timestamp::parse(&moment.to_string()), Ok(moment));
        assert_eq!(Timestamp::parse("2026-06-21T02:00:00.007+02:00"), Ok(moment));
        for text in ["2026-06-21T02:00:00.007+0200", "2026-06-20T22:30:00.007-0130", "2026-06-21T00:00:00.007000+0000"]
        {
            assert_eq!(Timestamp::parse(text), Ok(moment), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "now", "2026-06-21", "1782000000007", "1969-12-31T23:59:59Z", "2026-06-21T00:00:00", "é"] {
            assert!(Timestamp::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn seconds_until_rounds_up_and_never_goes_below_zero() {
        let start = Timestamp::from_millis(1000);
        assert_eq!(start.seconds_until(Timestamp::from_millis(1001)), 1);
        assert_eq!(start.seconds_until(Timestamp::from_millis(3000)), 2);
        assert_eq!(start.seconds_until(Timestamp::from_millis(0)), 0);
    }
}
