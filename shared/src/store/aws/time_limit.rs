//! Limits of time whose timers are used again.
//!
//! To begin a timer that ends before all others, tokio wakes the thread that waits for the next one, even if that is
//! its own: a system call, and one more to find out that nothing has happened. To put a timer off is a write to memory.
//! What is limited here ends in time, nearly always, and its timer is then put off for the next.

use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Mutex, PoisonError};

use futures_util::future::{Either, select};
use tokio::time::{Instant, Sleep, sleep_until};

/// A limit of time for one future after the other, or for several at once.
#[derive(Default)]
pub struct TimeLimit {
    /// Those that limit nothing. They go on, and nobody waits for them.
    timers: Mutex<Vec<Pin<Box<Sleep>>>>,
}

impl TimeLimit {
    /// What the future gives; `None` if it does not until then. It is not polled any more after that.
    pub async fn until<F: Future>(&self, deadline: Instant, future: F) -> Option<F::Output> {
        let mut timer = self.timer(deadline);
        match select(pin!(future), timer.as_mut()).await {
            Either::Left((output, _)) => {
                self.timers().push(timer);
                Some(output)
            }
            Either::Right(_) => None,
        }
    }

    fn timer(&self, deadline: Instant) -> Pin<Box<Sleep>> {
        let kept = self.timers().pop();
        kept.map_or_else(
            || Box::pin(sleep_until(deadline)),
            |mut timer| {
                timer.as_mut().reset(deadline);
                timer
            },
        )
    }

    fn timers(&self) -> std::sync::MutexGuard<'_, Vec<Pin<Box<Sleep>>>> {
        self.timers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for TimeLimit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TimeLimit")
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the runtime of a test is its own")]
mod tests {
    use std::future::{pending, ready};
    use std::time::Duration;

    use futures_util::future::join;
    use tokio::time::sleep;

    use super::*;

    const SOON: Duration = Duration::from_millis(20);
    const LATE: Duration = Duration::from_secs(30);

    fn after(time: Duration) -> Instant {
        Instant::now() + time
    }

    #[tokio::test]
    async fn a_timer_that_is_used_again_limits_as_a_new_one() {
        let limit = TimeLimit::default();
        assert_eq!(limit.until(after(SOON), ready(1)).await, Some(1));
        for _ in 0..3 {
            let began = Instant::now();
            assert_eq!(limit.until(after(SOON), pending::<()>()).await, None);
            assert!(began.elapsed() >= SOON);
            // Once put off to long after, and once to before what it was put off to.
            assert_eq!(limit.until(after(LATE), sleep(SOON)).await, Some(()));
        }
    }

    #[tokio::test]
    async fn what_comes_after_the_timers_end_has_its_whole_time() {
        let limit = TimeLimit::default();
        assert_eq!(limit.until(after(SOON), ready(())).await, Some(()));
        sleep(2 * SOON).await;
        assert_eq!(limit.until(after(LATE), sleep(SOON)).await, Some(()));
    }

    #[tokio::test]
    async fn several_at_once_have_a_timer_each() {
        let limit = TimeLimit::default();
        let (long, short) = (limit.until(after(LATE), sleep(2 * SOON)), limit.until(after(SOON), pending::<()>()));
        assert_eq!(join(long, short).await, (Some(()), None));
        assert_eq!(limit.timers().len(), 1);
    }
}
