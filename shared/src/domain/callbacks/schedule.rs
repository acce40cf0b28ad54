//! What came of an attempt to deliver an event, and what follows for the event.

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::time::clock::Timestamp;
use crate::domain::values::random::{Random, RandomnessUnavailable, draw};

/// The waits between one attempt and the next, nearly 76 hours in all: the sample schedule of Standard Webhooks, and a
/// minute between its second and third. The first attempt is made at once.
const WAITS: [Duration; 10] = [
    Duration::from_secs(5),
    Duration::from_mins(1),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
    Duration::from_hours(14),
    Duration::from_hours(20),
    Duration::from_hours(24),
];

/// The longest wait that a receiver can ask for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(24);

/// Kind of a failure of which no status tells. It says nothing of the receiver's answer and of its network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// The name was not resolved.
    Dns,
    /// The base, or an address that its name stands for, is none that may be dialled.
    AddressRefused,
    /// No connection within 3 seconds.
    Connect,
    /// No TLS session: a certificate that is not trusted or of another name, or no common version.
    Tls,
    /// No answer within 10 seconds from the start.
    Timeout,
    /// The connection broke off, or the answer was no HTTP or its head too large.
    Protocol,
}

impl ErrorClass {
    const ALL: [Self; 6] = [Self::Dns, Self::AddressRefused, Self::Connect, Self::Tls, Self::Timeout, Self::Protocol];

    /// Its name in lists and in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::AddressRefused => "address_refused",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Protocol => "protocol",
        }
    }
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The status of the answer.
    Status(u16),
    /// There was no answer.
    Error(ErrorClass),
}

impl Outcome {
    /// Whether the receiver has the event: any 2xx. A redirect is a failure, since it is not followed: the signature is
    /// for the path that was called, and an address that somebody else names is not one that the operator checked.
    pub fn is_success(self) -> bool {
        matches!(self, Self::Status(200..=299))
    }

    /// Whether the receiver wants no more callbacks (410 Gone, as Standard Webhooks has it).
    pub fn is_gone(self) -> bool {
        self == Self::Status(410)
    }

    /// Whether `Retry-After` of the answer counts: RFC 9110 §10.2.3 gives it a meaning for 503, RFC 6585 §4 for 429,
    /// and else for redirects only.
    fn is_told_to_wait(self) -> bool {
        matches!(self, Self::Status(429 | 503))
    }

    /// Reads what `Display` writes: a status or the name of an error class.
    pub fn parse(text: &str) -> Option<Self> {
        let class = ErrorClass::ALL.into_iter().find(|class| class.as_str() == text);
        class.map(Self::Error).or_else(|| text.parse().ok().map(Self::Status))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(formatter, "{status}"),
            Self::Error(class) => formatter.write_str(class.as_str()),
        }
    }
}

/// The time that an answer names in `Retry-After` (RFC 9110 §10.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// Seconds from the answer on.
    Seconds(u64),
    /// A moment.
    At(Timestamp),
}

impl RetryAfter {
    /// Reads the value of the header: whole seconds, or a date in any of the three forms of RFC 9110 §5.6.7. `None` if
    /// it is neither; then it counts for nothing.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_matches([' ', '\t']);
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            // What fits into no number is as long as can be, too.
            return Some(Self::Seconds(text.parse().unwrap_or(u64::MAX)));
        }
        let since = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(Self::At(Timestamp::from_millis(0).plus(since)))
    }

    /// The moment until which to wait, at most 24 hours from now.
    fn until(self, now: Timestamp) -> Timestamp {
        let asked = match self {
            Self::Seconds(seconds) => now.plus(Duration::from_secs(seconds)),
            Self::At(moment) => moment,
        };
        asked.min(now.plus(LONGEST_RETRY_AFTER))
    }
}

/// An attempt that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempted {
    pub outcome: Outcome,
    pub retry_after: Option<RetryAfter>,
}

impl From<ErrorClass> for Attempted {
    fn from(class: ErrorClass) -> Self {
        Self { outcome: Outcome::Error(class), retry_after: None }
    }
}

/// The random part of a wait, up to 20 % more or less: events that failed together are not attempted together again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jitter(u16);

impl Jitter {
    /// The steps from the least wait to the longest, of a thousandth of the wait each.
    const STEPS: u16 = 400;

    /// A new one.
    ///
    /// # Errors
    /// If no randomness is available.
    pub fn draw(random: &dyn Random) -> Result<Self, RandomnessUnavailable> {
        Ok(Self(u16::from_be_bytes(draw(random)?) % (Self::STEPS + 1)))
    }

    fn of(self, wait: Duration) -> Duration {
        wait * (1000 - u32::from(Self::STEPS / 2) + u32::from(self.0)) / 1000
    }
}

/// What follows for an event from an attempt to deliver it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It is delivered.
    Delivered,
    /// It is to be attempted again, not before this moment.
    Retry(Timestamp),
    /// Its last attempt has failed.
    Failed,
    /// Its next attempt would come when it is of no use to anybody.
    Discarded,
    /// It has failed, and its flow of the tenant is disabled.
    Gone,
}

impl Next {
    /// The most attempts that are made for an event.
    pub const MOST_ATTEMPTS: usize = WAITS.len() + 1;

    /// What follows. `attempts` is the number of attempts that were made, this one included; `useless_from` the moment
    /// from which the event is of no use ([`useless_from`](super::event::useless_from)).
    pub fn after(
        attempted: Attempted,
        attempts: usize,
        useless_from: Option<Timestamp>,
        now: Timestamp,
        jitter: Jitter,
    ) -> Self {
        let Attempted { outcome, retry_after } = attempted;
        if outcome.is_success() {
            return Self::Delivered;
        }
        if outcome.is_gone() {
            return Self::Gone;
        }
        let Some(wait) = WAITS.get(attempts.saturating_sub(1)) else { return Self::Failed };
        let scheduled = now.plus(jitter.of(*wait));
        // A receiver can ask for more time and not for less: it would set the pace at which it is called.
        let asked = retry_after.filter(|_| outcome.is_told_to_wait()).map(|asked| asked.until(now));
        let at = asked.map_or(scheduled, |asked| asked.max(scheduled));
        if useless_from.is_some_and(|end| at >= end) { Self::Discarded } else { Self::Retry(at) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::values::random::SystemRandomness;

    const NOW: i64 = 1_718_966_400_000;
    const HOUR: i64 = 3_600_000;
    const NO_JITTER: Jitter = Jitter(200);

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(NOW + millis)
    }

    fn status(status: u16) -> Attempted {
        Attempted { outcome: Outcome::Status(status), retry_after: None }
    }

    fn next(attempted: Attempted, attempts: usize) -> Next {
        Next::after(attempted, attempts, None, at(0), NO_JITTER)
    }

    #[test]
    fn eleven_attempts_take_nearly_76_hours() {
        let mut waits = Vec::new();
        let mut now = at(0);
        for attempts in 1..Next::MOST_ATTEMPTS {
            let Next::Retry(moment) = Next::after(status(500), attempts, None, now, NO_JITTER) else { panic!() };
            waits.push(now.seconds_until(moment));
            now = moment;
        }
        assert_eq!(next(status(500), Next::MOST_ATTEMPTS), Next::Failed);
        assert_eq!(waits, [5, 60, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]);
        assert_eq!((waits.len() + 1, waits.iter().sum::<u64>()), (Next::MOST_ATTEMPTS, 272_165));
        assert_eq!(next(status(500), 0), Next::Retry(at(5000)));
        assert_eq!(next(status(500), usize::MAX), Next::Failed);
    }

    #[test]
    fn what_follows_depends_on_the_outcome() {
        for code in 100..=599 {
            let expected = match code {
                200..=299 => Next::Delivered,
                410 => Next::Gone,
                _ => Next::Retry(at(5000)),
            };
            assert_eq!(next(status(code), 1), expected, "{code}");
        }
        for class in ErrorClass::ALL {
            assert_eq!(next(class.into(), 1), Next::Retry(at(5000)), "{class:?}");
            assert_eq!(next(class.into(), 11), Next::Failed, "{class:?}");
        }
        assert_eq!((next(status(204), 11), next(status(410), 11)), (Next::Delivered, Next::Gone));
    }

    #[test]
    fn a_wait_is_up_to_a_fifth_longer_or_shorter() {
        struct Fixed(u16);
        impl Random for Fixed {
            fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomnessUnavailable> {
                bytes.copy_from_slice(&self.0.to_be_bytes());
                Ok(())
            }
        }
        for (drawn, millis) in [(0, 4000), (200, 5000), (400, 6000), (401, 4000), (u16::MAX, 5_000 + 5 * (172 - 200))] {
            let jitter = Jitter::draw(&Fixed(drawn)).unwrap();
            let next = Next::after(status(500), 1, None, at(0), jitter);
            assert_eq!(next, Next::Retry(at(millis)), "{drawn}");
        }
        let drawn: Vec<_> = (0..64).map(|_| Jitter::draw(&SystemRandomness::new()).unwrap().0).collect();
        assert!(drawn.iter().any(|one| *one != drawn[0]) && drawn.iter().all(|one| *one <= 400));
    }

    #[test]
    fn a_receiver_can_ask_for_up_to_a_day_with_429_and_503() {
        let told = |code, text: &str| {
            let retry_after = Some(RetryAfter::parse(text).unwrap());
            next(Attempted { retry_after, ..status(code) }, 2)
        };
        for code in [429, 503] {
            assert_eq!(told(code, "120"), Next::Retry(at(120_000)));
            assert_eq!(told(code, "Fri, 21 Jun 2024 11:40:00 GMT"), Next::Retry(at(HOUR)));
            // Not less than the schedule's minute.
            for sooner in ["0", "59", "Fri, 21 Jun 2024 10:40:01 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"] {
                assert_eq!(told(code, sooner), Next::Retry(at(60_000)), "{sooner}");
            }
            for longer in ["86401", "99999999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
                assert_eq!(told(code, longer), Next::Retry(at(24 * HOUR)), "{longer}");
            }
        }
        for code in [301, 302, 404, 413, 500, 502, 504] {
            assert_eq!(told(code, "3600"), Next::Retry(at(60_000)), "{code}");
        }
        assert_eq!((told(200, "3600"), told(410, "3600")), (Next::Delivered, Next::Gone));
    }

    #[test]
    fn a_retry_after_is_seconds_or_a_date_in_any_of_its_forms() {
        let moment = Some(RetryAfter::At(Timestamp::from_millis(784_111_777_000)));
        for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(RetryAfter::parse(text), moment, "{text}");
        }
        assert_eq!(RetryAfter::parse(" 007\t"), Some(RetryAfter::Seconds(7)));
        for text in ["", " ", "-1", "+1", "1.5", "1s", "1, 2", "soon", "2024-06-21T10:40:00Z", "Sun, 06 Nov 1994", "é"]
        {
            assert_eq!(RetryAfter::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_event_is_discarded_when_its_next_attempt_would_come_too_late() {
        let next = |end: i64, attempted| Next::after(attempted, 1, Some(at(end)), at(0), NO_JITTER);
        assert_eq!(next(5001, status(500)), Next::Retry(at(5000)));
        for end in [5000, 4999, 0, -1] {
            assert_eq!(next(end, status(500)), Next::Discarded, "{end}");
        }
        assert_eq!((next(0, status(200)), next(0, status(410))), (Next::Delivered, Next::Gone));
        let busy = Attempted { retry_after: Some(RetryAfter::Seconds(900)), ..status(503) };
        assert_eq!(next(900_000, busy), Next::Discarded);
    }

    #[test]
    fn an_outcome_is_read_as_it_was_written() {
        let outcomes = [Outcome::Status(200), Outcome::Status(503)].into_iter();
        for outcome in outcomes.chain(ErrorClass::ALL.map(Outcome::Error)) {
            assert_eq!(Outcome::parse(&outcome.to_string()), Some(outcome));
        }
        for class in ErrorClass::ALL {
            assert_eq!(serde_json::to_value(class).unwrap(), class.as_str());
        }
        for text in ["", "ok", "-1", "99999", "Dns"] {
            assert_eq!(Outcome::parse(text), None, "{text}");
        }
    }
}
