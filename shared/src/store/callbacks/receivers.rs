//! Receivers: one for each flow of a tenant. Its item has the lease of who delivers to it, and its breaker.

use std::time::Duration;

use uuid::Uuid;

use crate::domain::{
    Action, Actor, AuditEvent, Breaker, CallbackUrl, Change, DisableCause, Flow, LastFailure, Outcome, ReceiverSummary,
    TenantId, Timestamp,
};
use crate::error::{Error, Result};
use crate::store::audit::put_event;
use crate::store::dynamodb::{Condition, Item, Reader, Table, Transaction, Update, Updated, millis, text};
use crate::store::keys;

/// How long one process may deliver to a receiver: longer than its function runs, so that two never do, and short, so
/// that a process that died is not waited for.
const LEASE: Duration = Duration::from_mins(1);

const BREAKER: &str = "breaker";
/// What the breaker of a flow that is disabled begins with.
const DISABLED: &str = r#"{"state":"disabled","#;
const LEASE_UNTIL: &str = "lease_until";
const LEASED_BY: &str = "leased_by";
const LAST_SUCCESS_AT: &str = "last_success_at";
const LAST_FAILURE_AT: &str = "last_failure_at";
const LAST_FAILURE: &str = "last_failure";
/// The base that the last attempt went to.
const LAST_BASE: &str = "last_base";

/// A receiver that this process delivers to.
#[derive(Debug)]
pub struct Leased {
    pub tenant: TenantId,
    pub flow: Flow,
    holder: Uuid,
    pub breaker: Breaker,
    last: Option<(Timestamp, Outcome, CallbackUrl)>,
    /// The base that the last attempt before this lease went to.
    base: Option<CallbackUrl>,
    /// When and why the flow was disabled, if it was under this lease.
    disabled: Option<(Timestamp, DisableCause)>,
}

impl Leased {
    /// Notes an attempt.
    pub fn note(&mut self, outcome: Outcome, base: &CallbackUrl, now: Timestamp) {
        let (breaker, change) = self.breaker.after(outcome, now);
        self.breaker = breaker;
        self.last = Some((now, outcome, base.clone()));
        if let Some(Change::Disabled(cause)) = change {
            self.disabled = Some((now, cause));
        }
    }

    /// The audit event of a flow that was disabled. The lease's holder is in the place of a request's id: one run can
    /// disable two flows of a tenant in one millisecond, and its own id would be that of both events.
    fn disabling(&self) -> Option<AuditEvent> {
        let (at, cause) = self.disabled?;
        let event = AuditEvent {
            action: Action::CallbacksDisabled,
            actor: Actor::CallbackDeliverer,
            at,
            request_id: self.holder.to_string(),
            key_id: None,
            principal: None,
            label: None,
            fields: Vec::new(),
            subject: None,
            details: serde_json::Map::new(),
        };
        Some(event.with("flow", self.flow).with("cause", cause))
    }
}

/// The write that lets everything through to a receiver again.
pub fn reactivated(tenant: &TenantId, flow: Flow) -> Update {
    Update::of(keys::delivery(tenant, flow)).remove(BREAKER)
}

/// That nothing is let through to a receiver until somebody reactivates it.
pub fn is_disabled() -> Condition {
    Condition::new(format!("begins_with({BREAKER}, :disabled)"), [(":disabled", text(DISABLED))])
}

impl Table {
    /// Takes the lease on a receiver; `None` if another process has it.
    pub(super) async fn lease_receiver(
        &self,
        tenant: TenantId,
        flow: Flow,
        holder: Uuid,
        now: Timestamp,
    ) -> Result<Option<Leased>> {
        let update = Update::of(keys::delivery(&tenant, flow))
            .set(LEASE_UNTIL, millis(now.plus(LEASE)))
            .set(LEASED_BY, text(holder));
        let free = Condition::new(
            format!("attribute_not_exists({LEASE_UNTIL}) OR {LEASE_UNTIL} < :now"),
            [(":now", millis(now))],
        );
        match self.update(update, free).await? {
            Updated::Done(item) => {
                let (breaker, base) = (breaker(&item)?, base(&item)?);
                Ok(Some(Leased { tenant, flow, holder, breaker, last: None, base, disabled: None }))
            }
            Updated::Refused(_) => Ok(None),
        }
    }

    /// Gives the lease back, and keeps what is known of the receiver now. A lease that ends by itself would save this
    /// write, and let an event that comes right after wait for a minute. One that another process has since is left
    /// alone. If the flow is disabled now, its audit event is written with that.
    pub(super) async fn release_receiver(&self, leased: &Leased) -> Result<()> {
        let breaker = serde_json::to_string(&leased.breaker).map_err(Error::internal)?;
        let receiver = keys::delivery(&leased.tenant, leased.flow);
        let mut update = Update::of(receiver).remove(LEASE_UNTIL).remove(LEASED_BY);
        if let Some((at, outcome, base)) = &leased.last {
            update = update.set(BREAKER, text(breaker)).set(LAST_BASE, text(base));
            let is_success = outcome.is_success();
            update = if is_success {
                update.set(LAST_SUCCESS_AT, millis(*at))
            } else {
                update.set(LAST_FAILURE_AT, millis(*at)).set(LAST_FAILURE, text(outcome))
            };
            // What was seen of another receiver says nothing of this one.
            if leased.base.as_ref().is_some_and(|earlier| earlier != base) {
                update = if is_success {
                    update.remove(LAST_FAILURE_AT).remove(LAST_FAILURE)
                } else {
                    update.remove(LAST_SUCCESS_AT)
                };
            }
        }
        let ours = Condition::new(format!("{LEASED_BY} = :holder"), [(":holder", text(leased.holder))]);
        let Some(event) = leased.disabling() else { return self.update(update, ours).await.map(|_| ()) };
        let mut transaction = Transaction::new();
        transaction.update(update, ours);
        put_event(&mut transaction, &leased.tenant, &event)?;
        self.commit(transaction).await.map(|_| ())
    }
}

/// What an operator sees of a receiver, but for what is pending. One that nothing was delivered to yet has no item.
///
/// # Errors
/// If the item can't be read.
pub fn summary(item: &Item) -> Result<ReceiverSummary> {
    let reader = Reader::of(item);
    let failure =
        |at| -> Result<LastFailure> { Ok(LastFailure { at, outcome: reader.text(LAST_FAILURE)?.to_owned() }) };
    Ok(ReceiverSummary {
        state: breaker(item)?.into(),
        pending: 0,
        oldest_pending_at: None,
        last_success_at: reader.optional_millis(LAST_SUCCESS_AT)?,
        last_failure: reader.optional_millis(LAST_FAILURE_AT)?.map(failure).transpose()?,
        last_base: base(item)?,
    })
}

fn base(item: &Item) -> Result<Option<CallbackUrl>> {
    let reader = Reader::of(item);
    Ok(reader.optional_text(LAST_BASE)?.map(CallbackUrl::from_stored))
}

fn breaker(item: &Item) -> Result<Breaker> {
    let reader = Reader::of(item);
    let Some(text) = reader.optional_text(BREAKER)? else { return Ok(Breaker::default()) };
    serde_json::from_str(text).map_err(|_| reader.unreadable(BREAKER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_breaker_of_a_disabled_flow_and_no_other_begins_as_the_condition_says() {
        let now = Timestamp::from_millis(0);
        let written = |breaker: Breaker| serde_json::to_string(&breaker).unwrap();
        let gone = Breaker::default().after(Outcome::Status(410), now).0;
        assert!(written(gone).starts_with(DISABLED));
        let open = Breaker::Open { since: now, probes: 0, probe_at: now };
        assert!(![Breaker::default(), open].into_iter().any(|breaker| written(breaker).starts_with(DISABLED)));
    }
}
