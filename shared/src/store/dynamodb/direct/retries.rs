//! Which calls are made again, when, and how often: the rules of the SDK's standard retries, with its own lists of
//! codes.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_runtime::retries::classifiers::{THROTTLING_ERRORS, TRANSIENT_ERRORS};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::retry::{ErrorKind, ProvideErrorKind};

use crate::domain::{Random, draw};

/// What a process may spend on attempts after the first, as in the SDK. When AWS is down, it is not asked three times
/// as often.
const BUDGET: u32 = 500;
const COST: u32 = 5;
/// An attempt that timed out, or was lost, has cost more.
const TRANSIENT_COST: u32 = 10;
/// What a success at the first attempt gives back.
const REWARD: u32 = 1;

/// How often calls are made again.
pub struct Retries {
    attempts: u32,
    first_wait: Duration,
    longest_wait: Duration,
    budget: AtomicU32,
    random: Arc<dyn Random>,
}

/// A further attempt that is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// How long to wait before it.
    pub wait: Duration,
    /// What its success gives back.
    pub cost: u32,
}

impl Retries {
    pub fn new(config: Option<&RetryConfig>, random: Arc<dyn Random>) -> Self {
        let standard = RetryConfig::standard();
        let config = config.unwrap_or(&standard);
        Self {
            attempts: config.max_attempts(),
            first_wait: config.initial_backoff(),
            longest_wait: config.max_backoff(),
            budget: AtomicU32::new(BUDGET),
            random,
        }
    }

    /// How many attempts there are at most.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Whether a call that failed is made again. `attempt` is the one that failed, from 1.
    pub fn again<E>(&self, attempt: u32, error: &SdkError<E, HttpResponse>) -> Option<Retry>
    where
        E: ProvideErrorMetadata + ProvideErrorKind,
    {
        let kind = kind(error)?;
        if attempt >= self.attempts {
            return None;
        }
        let cost = if kind == ErrorKind::TransientError { TRANSIENT_COST } else { COST };
        self.budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(cost)).ok()?;
        let asked = asked_wait(error).map(|wait| wait.min(self.longest_wait));
        Some(Retry { wait: asked.unwrap_or_else(|| self.wait(attempt)), cost })
    }

    /// Notes that a call succeeded.
    pub fn succeeded(&self, retry: Option<Retry>) {
        let reward = retry.map_or(REWARD, |retry| retry.cost);
        let full = |left: u32| (left < BUDGET).then(|| left.saturating_add(reward).min(BUDGET));
        // It is full most of the time, and then nothing is written.
        let _full = self.budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, full);
    }

    /// Any time up to a bound that doubles with each attempt. Without randomness, the bound.
    fn wait(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1);
        let most = self.first_wait.saturating_mul(2_u32.saturating_pow(doublings)).min(self.longest_wait);
        draw::<2>(&*self.random).map_or(most, |bytes| most * u32::from(u16::from_be_bytes(bytes)) / u32::from(u16::MAX))
    }
}

impl fmt::Debug for Retries {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Retries({})", self.attempts)
    }
}

/// Why another attempt may succeed; `None` if it will not.
fn kind<E>(error: &SdkError<E, HttpResponse>) -> Option<ErrorKind>
where
    E: ProvideErrorMetadata + ProvideErrorKind,
{
    match error {
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => Some(ErrorKind::TransientError),
        SdkError::DispatchFailure(failure) if failure.is_timeout() || failure.is_io() => {
            Some(ErrorKind::TransientError)
        }
        SdkError::DispatchFailure(failure) => failure.as_other(),
        SdkError::ServiceError(refusal) => {
            let code = ProvideErrorMetadata::code(refusal.err()).unwrap_or_default();
            if THROTTLING_ERRORS.contains(&code) {
                return Some(ErrorKind::ThrottlingError);
            }
            if TRANSIENT_ERRORS.contains(&code) {
                return Some(ErrorKind::TransientError);
            }
            let is_passing = matches!(refusal.raw().status().as_u16(), 500 | 502 | 503 | 504);
            refusal.err().retryable_error_kind().or(is_passing.then_some(ErrorKind::TransientError))
        }
        _ => None,
    }
}

/// The wait that AWS asks for.
fn asked_wait<E>(error: &SdkError<E, HttpResponse>) -> Option<Duration> {
    let SdkError::ServiceError(refusal) = error else { return None };
    refusal.raw().headers().get("x-amz-retry-after")?.parse().ok().map(Duration::from_millis)
}
