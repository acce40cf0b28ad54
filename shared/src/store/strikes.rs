//! Strikes: abuse by somebody who has the tenant's secret is counted, and the last one suspends the tenant.
//!
//! A strike is one transaction with everything that it brings with it: the mark that it was counted, and when it is the last,
//! the suspension and its audit event. So none counts twice, and the tenant is never over the threshold and active.

use aws_sdk_dynamodb::types::AttributeValue;

use super::expression::{Condition, Update};
use super::item::{Item, Reader, millis, number, text};
use super::keys::{self, Kind, TENANT_STATUS};
use super::relay::{Relay, stale};
use super::relay_items::{self, Abuse, STRIKES, Signed};
use super::table::Commit;
use super::tenant_items::SUSPENDED;
use super::tenants::audit_event;
use crate::domain::{Action, Actor, AuditEvent};
use crate::error::Result;

/// On a nonce: that its second use was counted.
pub(super) const STRUCK: &str = "struck";

/// Whether a strike was counted.
#[derive(Debug)]
pub(super) enum StrikeResult {
    Yes,
    /// There was nothing to count: the hot item as it is, if that is the reason.
    No(Option<Item>),
}

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
    /// Counts a strike, if the abuse was not counted and its call would have been accepted otherwise: nobody strikes with a
    /// secret that is dead.
    pub(super) async fn strike(&self, signed: &Signed<'_>, abuse: &Abuse<'_>) -> Result<StrikeResult> {
        let Some(last) = self.strikes_to_suspend.checked_sub(1) else {
            return self.strike_at(signed, abuse, Threshold::Light).await;
        };
        match self.strike_at(signed, abuse, Threshold::Before(last)).await? {
            StrikeResult::No(Some(item)) if Reader(&item).number::<u32>(STRIKES)? >= last => {
                self.strike_at(signed, abuse, Threshold::Last(last)).await
            }
            struck => Ok(struck),
        }
    }

    async fn strike_at(&self, signed: &Signed<'_>, abuse: &Abuse<'_>, threshold: Threshold) -> Result<StrikeResult> {
        let table = &self.table.name;
        let mut state = relay_items::strike(self.tenant, abuse);
        let mut due = relay_items::is_unstruck(signed, abuse);
        let mut others = Vec::new();
        match threshold {
            Threshold::Light => {}
            Threshold::Before(last) => due = due.and("abuse_strikes < :last", [(":last", number(last))]),
            Threshold::Last(last) => {
                due = due.and("abuse_strikes >= :last", [(":last", number(last))]);
                state = suspending(state, signed, format!("abuse_strikes reached {}", self.strikes_to_suspend));
                others.push(audit_event(table, self.tenant, &suspended(signed))?);
            }
        }
        if let Abuse::Replay(nonce) = abuse {
            let nonce = keys::of_kind(self.tenant, Kind::Nonce, nonce);
            let mark = Update::of(nonce).set(STRUCK, AttributeValue::Bool(true));
            others.push(mark.in_transaction(table, Condition::new("attribute_not_exists(struck)", []))?);
        }
        let writes = [state.in_transaction(table, due)?].into_iter().chain(others).collect();
        Ok(match self.table.commit(writes).await.map_err(stale)? {
            Commit::Done => StrikeResult::Yes,
            Commit::Refused(refused) => StrikeResult::No(refused.item(0).cloned()),
        })
    }
}

fn suspended(signed: &Signed<'_>) -> AuditEvent {
    AuditEvent {
        action: Action::TenantSuspended,
        actor: Actor::RelayGuard,
        at: signed.at,
        request_id: signed.request_id.to_owned(),
        fields: Vec::new(),
        subject: None,
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
