//! Strikes: abuse by somebody who has the tenant's secret is counted, and the last one suspends the tenant.
//!
//! A strike is one transaction with everything that it brings with it: the mark that it was counted, and when it is the
//! last, the suspension, its audit event and what it owes to the tenant's receiver. So none counts twice, and the
//! tenant is never over the threshold and active.

use aws_sdk_dynamodb::types::AttributeValue;

use super::Relay;
use super::items::{self, Abuse, Attempt, STRIKES, STRUCK, Signed, stale};
use crate::domain::{Action, Actor, AuditEvent, EventType};
use crate::error::{Error, Result, report_strike};
use crate::store::audit::put_event;
use crate::store::callbacks::Subscription;
use crate::store::dynamodb::{
    ATTEMPTS, CONFLICT_ATTEMPTS, Commit, Condition, Reader, Transaction, Update, millis, number, text,
};
use crate::store::keys::{self, Kind, TENANT_STATUS};
use crate::store::tenants::items::{ACTIVE, SUSPENDED};

/// What a strike does beside being counted.
#[derive(Debug, Clone, Copy)]
enum Threshold<'a> {
    /// Nothing, however many there are.
    Light,
    /// Nothing, if there are fewer than this before it.
    Before(u32),
    /// It suspends, if there are at least this many before it and the tenant is as it was read.
    Last(u32, &'a Subscription),
}

impl Relay<'_> {
    /// Counts a strike, if the abuse was not counted and its call would have been accepted otherwise: nobody strikes
    /// with a secret that is dead.
    pub(super) async fn strike(&self, signed: &Signed<'_>, abuse: &Abuse<'_>) -> Result<Attempt> {
        let Some(last) = self.strikes_to_suspend.checked_sub(1) else {
            let struck = self.strike_at(signed, abuse, Threshold::Light).await?;
            self.report(signed, &struck, false);
            return Ok(struck);
        };
        // As often as it takes: nobody is to hold up a suspension by updates at the same moment.
        for attempt in 0..CONFLICT_ATTEMPTS {
            self.table.jitter.give_way(attempt).await;
            let struck = self.strike_at(signed, abuse, Threshold::Before(last)).await?;
            self.report(signed, &struck, false);
            let Attempt::Refused(Some(state)) = &struck else { return Ok(struck) };
            let reader = Reader::of(state);
            if reader.text(TENANT_STATUS)? != ACTIVE || reader.number::<u32>(STRIKES)? < last {
                return Ok(struck);
            }
            let configuration = self.table.get(keys::configuration(self.tenant)).await?;
            let subscription = Subscription::read(state, configuration.as_ref())?;
            if subscription.is_torn() && attempt < ATTEMPTS {
                continue;
            }
            let struck = self.strike_at(signed, abuse, Threshold::Last(last, &subscription)).await?;
            self.report(signed, &struck, true);
            match &struck {
                Attempt::Refused(Some(newer))
                    if Reader::of(newer).number::<u64>("revision")? != subscription.revision => {}
                Attempt::Struck => {
                    subscription.report_suspension(self.tenant, signed.request_id);
                    return Ok(struck);
                }
                _ => return Ok(struck),
            }
        }
        Err(Error::unavailable("the tenant kept changing"))
    }

    /// Reports the strike, if there was one: the line of the call says no more than of any other that is over the
    /// limit.
    fn report(&self, signed: &Signed<'_>, struck: &Attempt, suspends: bool) {
        if matches!(struck, Attempt::Struck) {
            report_strike(self.tenant, signed.request_id, signed.at, suspends);
        }
    }

    async fn strike_at(&self, signed: &Signed<'_>, abuse: &Abuse<'_>, threshold: Threshold<'_>) -> Result<Attempt> {
        let mut state = items::strike(self.tenant, abuse);
        let mut due = items::is_unstruck(signed, abuse);
        let mut transaction = Transaction::new();
        match threshold {
            Threshold::Light => {}
            Threshold::Before(last) => due = due.and("abuse_strikes < :last", [(":last", number(last))]),
            Threshold::Last(last, subscription) => {
                due = due
                    .and("abuse_strikes >= :last", [(":last", number(last))])
                    .and("revision = :before", [(":before", number(subscription.revision))]);
                let told = (EventType::TenantSuspended, signed.at);
                subscription.owe_status(&mut transaction, self.table.jitter.random(), self.tenant, told)?;
                state = suspending(state, signed, format!("abuse_strikes reached {}", self.strikes_to_suspend));
                put_event(&mut transaction, self.tenant, &suspended(signed))?;
            }
        }
        if let Abuse::Replay(nonce) = abuse {
            let nonce = keys::of_kind(self.tenant, Kind::Nonce, nonce);
            let mark = Update::of(nonce).set(STRUCK, AttributeValue::Bool(true));
            transaction.update(mark, Condition::new("attribute_not_exists(struck)", []));
        }
        let state = transaction.update(state, due);
        Ok(match self.table.commit(transaction).await.map_err(stale)? {
            Commit::Done => Attempt::Struck,
            Commit::Refused(refused) => Attempt::Refused(refused.item(state)),
        })
    }
}

fn suspended(signed: &Signed<'_>) -> AuditEvent {
    AuditEvent {
        action: Action::TenantSuspended,
        actor: Actor::RelayGuard,
        at: signed.at,
        request_id: signed.request_id.to_owned(),
        key_id: None,
        principal: None,
        label: None,
        fields: Vec::new(),
        subject: None,
        details: serde_json::Map::new(),
    }
}

/// The same update, and the suspension of the tenant.
fn suspending(update: Update, signed: &Signed<'_>, reason: String) -> Update {
    update
        .set(TENANT_STATUS, text(SUSPENDED))
        .set("suspended_at", millis(signed.at))
        .set("suspended_reason", text(reason))
        .set("updated_at", millis(signed.at))
        .increment("revision")
}
