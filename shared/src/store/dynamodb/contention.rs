//! Writes that a transaction on the same item is in the way of. DynamoDB refuses them, and the SDK doesn't try again.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{Random, draw};

/// How often a write is tried that a transaction on one of its items is in the way of. With the waits in between this
/// takes 3 seconds on average and 6.4 at most, within the time that a request has.
pub const CONFLICT_ATTEMPTS: u32 = 20;

/// The longest first wait. A transaction takes about half of it.
const FIRST: Duration = Duration::from_millis(25);
/// The longest wait of all.
const LONGEST: Duration = Duration::from_millis(400);

/// The randomness of waits.
#[derive(Clone)]
pub struct Jitter(Arc<dyn Random>);

impl Jitter {
    /// Draws from this source.
    pub fn new(random: Arc<dyn Random>) -> Self {
        Self(random)
    }

    /// The source.
    pub fn random(&self) -> &dyn Random {
        &*self.0
    }

    /// Lets others on the same item finish, before an attempt that is not the first.
    pub async fn give_way(&self, attempt: u32) {
        let wait = self.wait(attempt);
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// How long to wait before an attempt, from 0: nothing before the first, and then any time up to a bound that
    /// doubles. With fixed times, those who met would meet again: see "Exponential Backoff and Jitter" in the AWS
    /// Architecture Blog.
    fn wait(&self, attempt: u32) -> Duration {
        let Some(doublings) = attempt.checked_sub(1) else { return Duration::ZERO };
        let most = FIRST.saturating_mul(2_u32.saturating_pow(doublings)).min(LONGEST);
        // Without randomness, the longest wait: it meets fewer.
        draw::<2>(&*self.0).map_or(most, |bytes| most * u32::from(u16::from_be_bytes(bytes)) / u32::from(u16::MAX))
    }
}

impl fmt::Debug for Jitter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Jitter")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::RandomnessUnavailable;

    struct Fixed(Option<u8>);

    impl Random for Fixed {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomnessUnavailable> {
            bytes.fill(self.0.ok_or(RandomnessUnavailable)?);
            Ok(())
        }
    }

    fn waits(byte: Option<u8>) -> Vec<u128> {
        let jitter = Jitter::new(Arc::new(Fixed(byte)));
        (0..CONFLICT_ATTEMPTS).map(|attempt| jitter.wait(attempt).as_millis()).collect()
    }

    #[test]
    fn a_wait_is_random_and_its_bound_doubles_up_to_the_longest() {
        let mut longest = vec![0, 25, 50, 100, 200];
        longest.resize(CONFLICT_ATTEMPTS as usize, 400);
        assert_eq!(waits(Some(u8::MAX)), longest);
        assert_eq!(waits(None), longest);
        assert_eq!(waits(Some(0x80))[..4], [0, 12, 25, 50]);
        assert_eq!(waits(Some(0)), [0; CONFLICT_ATTEMPTS as usize]);
        assert!(longest.iter().sum::<u128>() < 6_400);
    }
}
