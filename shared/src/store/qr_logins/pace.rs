//! How fast a login is polled.
//!
//! A process remembers which logins it has answered within the last second. It does not write that down: a login is
//! polled some sixty times and is over, and a write for each would cost more than all else about it. So the bound is
//! one poll a second of a login in each process; a platform that runs several at once lets through as many more.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::domain::{KeyHash, QrSessionId, Timestamp};

/// The time between two polls of a login.
const APART: Duration = Duration::from_secs(1);

/// The logins that a process was polled for within the last second, by id and poll token. By id alone, a wrong token
/// would get 429 for a login that is there and 410 for one that is not.
#[derive(Clone, Default)]
pub struct PollPace(Arc<Mutex<HashMap<(QrSessionId, String), Timestamp>>>);

impl PollPace {
    /// How many logins are remembered at most. A process answers one call at a time, some hundreds a second.
    const MOST: usize = 10_000;

    /// Whether the login was polled less than a second ago.
    pub fn is_too_fast(&self, id: &QrSessionId, token: &KeyHash, now: Timestamp) -> bool {
        let polled = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        polled.get(&(id.clone(), token.to_text())).is_some_and(|at| now < at.plus(APART))
    }

    /// Notes that the login was polled, and has to be polled again.
    pub fn note(&self, id: &QrSessionId, token: &KeyHash, now: Timestamp) {
        let mut polled = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if polled.len() >= Self::MOST {
            polled.retain(|_, at| now < at.plus(APART));
        }
        if polled.len() >= Self::MOST {
            let oldest = polled.iter().min_by_key(|(_, at)| **at).map(|(polled, _)| polled.clone());
            oldest.map(|oldest| polled.remove(&oldest));
        }
        polled.insert((id.clone(), token.to_text()), now);
    }
}

impl fmt::Debug for PollPace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PollPace")
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

    #[test]
    fn what_is_remembered_is_bounded_and_the_oldest_goes() {
        let (pace, token) = (PollPace::default(), PollToken::hash_of("token"));
        for number in 0..PollPace::MOST {
            pace.note(&id(number), &token, at(i64::try_from(number).unwrap() / 100));
        }
        pace.note(&id(PollPace::MOST), &token, at(100));
        assert_eq!(pace.0.lock().unwrap().len(), PollPace::MOST);
        assert!(pace.is_too_fast(&id(PollPace::MOST), &token, at(100)));
        // Of those that are a second old none is left.
        pace.note(&id(PollPace::MOST + 1), &token, at(2000));
        assert_eq!(pace.0.lock().unwrap().len(), 1);
    }
}
