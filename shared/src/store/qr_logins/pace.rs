//! How fast a login is polled.
//!
//! A process remembers which logins it has answered within the last second. It does not write that down: a login is
//! polled some sixty times and is over, and a write for each would cost more than all else about it. So the bound is
//! one poll a second of a login in each process; a platform that runs several at once lets through as many more.

use std::time::Duration;

use crate::domain::{KeyHash, QrSessionId, Timestamp};
use crate::store::memory::Memory;

/// The time between two polls of a login.
const APART: Duration = Duration::from_secs(1);

/// When a process was polled for which logins, by id and poll token. By id alone, a wrong token would get 429 for a
/// login that is there and 410 for one that is not.
#[derive(Debug, Clone, Default)]
pub struct PollPace(Memory<(QrSessionId, String), Timestamp>);

impl PollPace {
    /// Whether the login was polled less than a second ago.
    pub fn is_too_fast(&self, id: &QrSessionId, token: &KeyHash, now: Timestamp) -> bool {
        self.0.get(&(id.clone(), token.to_text())).is_some_and(|at| now < at.plus(APART))
    }

    /// Notes that the login was polled, and has to be polled again.
    pub fn note(&self, id: &QrSessionId, token: &KeyHash, now: Timestamp) {
        self.0.keep((id.clone(), token.to_text()), now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::PollToken;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn id(number: usize) -> QrSessionId {
        QrSessionId::parse(&format!("{number:032}")).unwrap()
    }

    #[test]
    fn a_login_is_polled_once_a_second_and_others_are_not_slowed_down() {
        let (pace, token) = (PollPace::default(), PollToken::hash_of("token"));
        assert!(!pace.is_too_fast(&id(1), &token, at(0)));
        pace.note(&id(1), &token, at(0));
        assert!(pace.is_too_fast(&id(1), &token, at(999)) && !pace.is_too_fast(&id(1), &token, at(1000)));
        assert!(!pace.is_too_fast(&id(2), &token, at(0)));
        assert!(!pace.is_too_fast(&id(1), &PollToken::hash_of("another"), at(0)));
    }
}
