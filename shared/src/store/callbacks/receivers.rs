//! Receivers: one for each flow of a tenant. Its item has the lease of who delivers to it, and its breaker.

use std::time::Duration;

use uuid::Uuid;

use crate::domain::{Breaker, Flow, Outcome, TenantId, Timestamp};
use crate::error::{Error, Result};
use crate::store::dynamodb::{Condition, Item, Reader, Table, Update, Updated, millis, text};
use crate::store::keys;

/// How long one process may deliver to a receiver: longer than its function runs, so that two never do, and short, so
/// that a process that died is not waited for.
const LEASE: Duration = Duration::from_mins(1);

const BREAKER: &str = "breaker";
const LEASE_UNTIL: &str = "lease_until";
const LEASED_BY: &str = "leased_by";

/// A receiver that this process delivers to.
#[derive(Debug)]
pub struct Leased {
    holder: Uuid,
    pub breaker: Breaker,
    last: Option<(Timestamp, Outcome)>,
}

impl Leased {
    /// Notes an attempt.
    pub fn note(&mut self, outcome: Outcome, now: Timestamp) {
        self.breaker = self.breaker.after(outcome, now).0;
        self.last = Some((now, outcome));
    }
}

/// The write that lets everything through to a receiver again.
pub fn reactivated(tenant: &TenantId, flow: Flow) -> Update {
    Update::of(keys::delivery(tenant, flow)).remove(BREAKER)
}

impl Table {
    /// Takes the lease on a receiver; `None` if another process has it.
    pub(super) async fn lease_receiver(
        &self,
        tenant: &TenantId,
        flow: Flow,
        holder: Uuid,
        now: Timestamp,
    ) -> Result<Option<Leased>> {
        let update = Update::of(keys::delivery(tenant, flow))
            .set(LEASE_UNTIL, millis(now.plus(LEASE)))
            .set(LEASED_BY, text(holder));
        let free = Condition::new(
            format!("attribute_not_exists({LEASE_UNTIL}) OR {LEASE_UNTIL} < :now"),
            [(":now", millis(now))],
        );
        match self.update(update, free).await? {
            Updated::Done(item) => Ok(Some(Leased { holder, breaker: breaker(&item)?, last: None })),
            Updated::Refused(_) => Ok(None),
        }
    }

    /// Gives the lease back, and keeps what is known of the receiver now. One that another process has since is left
    /// alone.
    pub(super) async fn release_receiver(&self, tenant: &TenantId, flow: Flow, leased: &Leased) -> Result<()> {
        let breaker = serde_json::to_string(&leased.breaker).map_err(Error::internal)?;
        let mut update = Update::of(keys::delivery(tenant, flow)).remove(LEASE_UNTIL).remove(LEASED_BY);
        if let Some((at, outcome)) = leased.last {
            update = update.set(BREAKER, text(breaker));
            update = if outcome.is_success() {
                update.set("last_success_at", millis(at))
            } else {
                update.set("last_failure_at", millis(at)).set("last_failure", text(outcome))
            };
        }
        let ours = Condition::new(format!("{LEASED_BY} = :holder"), [(":holder", text(leased.holder))]);
        self.update(update, ours).await.map(|_| ())
    }
}

fn breaker(item: &Item) -> Result<Breaker> {
    let reader = Reader::of(item);
    let Some(text) = reader.optional_text(BREAKER)? else { return Ok(Breaker::default()) };
    serde_json::from_str(text).map_err(|_| reader.unreadable(BREAKER))
}
