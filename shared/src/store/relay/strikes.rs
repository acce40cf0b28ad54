//! Strikes: abuse by somebody who has the tenant's secret is counted, and the last one suspends the tenant.
//!
//! A strike is one transaction with everything that it brings with it: the mark that it was counted, and when it is the
//! last, the suspension and its audit event. So none counts twice, and the tenant is never over the threshold and
//! active.

use aws_sdk_dynamodb::types::AttributeValue;

use super::Relay;
use super::items::{self, Abuse, Attempt, STRIKES, STRUCK, Signed, stale};
use crate::domain::{Action, Actor, AuditEvent};
use crate::error::Result;
use crate::store::audit::put_event;
use crate::store::dynamodb::{Commit, Condition, Reader, Transaction, Update, millis, number, text};
use crate::store::keys::{self, Kind, TENANT_STATUS};
use crate::store::tenants::items::SUSPENDED;

/// What a strike does beside being counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Threshold {
    /// Nothing, however many there are.
    Light,
    /// Nothing, if there are fewer than this before it.
    Before(u32),
    /// It suspends, if there are at least this many before it.
    Last(u32),
}

impl Relay<'_> {
    /// Counts a strike, if the abuse was not counted and its call would have been accepted otherwise: nobody strikes
    /// with a secret that is dead.
    pub(super) async fn strike(&self, signed: &Signed<'_>, abuse: &Abuse<'_>) -> Result<Attempt> {
        let Some(last) = self.strikes_to_suspend.checked_sub(1) else {
            return self.strike_at(signed, abuse, Threshold::Light).await;
        };
        match self.strike_at(signed, abuse, Threshold::Before(last)).await? {
            Attempt::Refused(Some(item)) if Reader::of(&item).number::<u32>(STRIKES)? >= last => {
                self.strike_at(signed, abuse, Threshold::Last(last)).await
            }
            struck => Ok(struck),
        }
    }

    async fn strike_at(&self, signed: &Signed<'_>, abuse: &Abuse<'_>, threshold: Threshold) -> Result<Attempt> {
        let mut state = items::strike(self.tenant, abuse);
        let mut due = items::is_unstruck(signed, abuse);
        let mut transaction = Transaction::new();
        match threshold {
            Threshold::Light => {}
            Threshold::Before(last) => due = due.and("abuse_strikes < :last", [(":last", number(last))]),
            Threshold::Last(last) => {
                due = due.and("abuse_strikes >= :last", [(":last", number(last))]);
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
            Commit::Refused(refused) => Attempt::Refused(refused.item(state).cloned()),
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
