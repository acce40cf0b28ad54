//! Calls of API keys and for end users, counted where a limit is set.
//!
//! Each calendar minute of a key or an end user is an item of its own: the first call of a minute and every later one
//! are the same conditional write, which accepts the call and counts it. Nothing has to be known before and nothing
//! reset; what is over is cleaned up. The map of signed calls (`relay`) is on an item that their write needs anyway.

use std::fmt;
use std::time::Duration;

use super::dynamodb::{Condition, Reader, Table, Update, Updated, number, time_to_live};
use super::keys;
use crate::domain::{ApiKeyId, ExternalId, LimitOf, Minute, Quota, RatePerMinute, TenantId, TenantQuota, Timestamp};
use crate::error::{Error, Result};

/// How many calls were accepted.
const ACCEPTED_CALLS: &str = "accepted_calls";

/// For how long a count is kept after its minute: longer than any clock is behind.
const KEPT: Duration = Duration::from_mins(10);

/// Whose calls are counted.
#[derive(Debug, Clone, Copy)]
pub enum Counted<'a> {
    ApiKey(&'a ApiKeyId),
    EndUser(&'a ExternalId),
}

impl Counted<'_> {
    fn limit(self) -> LimitOf {
        match self {
            Self::ApiKey(_) => LimitOf::ApiKey,
            Self::EndUser(_) => LimitOf::EndUser,
        }
    }
}

impl fmt::Display for Counted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ApiKey(id) => write!(formatter, "{id}"),
            Self::EndUser(id) => write!(formatter, "OF@{}", id.digest()),
        }
    }
}

impl Table {
    /// Accepts a call and counts it, if its minute has room. One call to AWS. An attempt whose answer was lost is made
    /// again and counts twice: so a call too many may be refused, and none is accepted that is not counted.
    ///
    /// # Errors
    /// If the minute is full, or the table fails.
    pub async fn count_call(
        &self,
        tenant: &TenantId,
        counted: Counted<'_>,
        limit: RatePerMinute,
        at: Timestamp,
    ) -> Result<Quota> {
        let minute = Minute::from(at);
        let update = Update::of(keys::calls(tenant, counted, minute))
            .increment(ACCEPTED_CALLS)
            .set("purge_at", time_to_live(minute.end().plus(KEPT)));
        let room = format!("attribute_not_exists({ACCEPTED_CALLS}) OR {ACCEPTED_CALLS} < :limit");
        let room = Condition::new(room, [(":limit", number(limit.get()))]);
        let quota = |used| Quota::new(counted.limit(), limit, used, minute, at);
        match self.update(update, room).await {
            Ok(Updated::Done(item)) => Ok(quota(Reader::of(&item).number(ACCEPTED_CALLS)?)),
            Ok(Updated::Refused(_)) => {
                Err(Error::RateLimited(TenantQuota { tenant_id: tenant.clone(), quota: quota(limit.get()) }))
            }
            // Nobody who only calls has asked for a change.
            Err(Error::StaleUpdate) => Err(Error::unavailable("the count of a minute kept changing")),
            Err(error) => Err(error),
        }
    }
}
