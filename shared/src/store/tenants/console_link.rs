//! Links to the console. Each is one transaction: the link, the audit event, and what is remembered under an
//! idempotency key. No tenant is ever removed, so that it was read is enough.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Committed, Tenants};
use crate::domain::{
    Action, AuditEvent, ChangeContext, ConsoleCode, ConsoleId, ConsoleLabel, ConsoleLink, ConsoleParty, KeyHash,
    LINK_LIFETIME, TenantId, Timestamp,
};
use crate::error::{Error, Result};
use crate::store::audit::put_event_of;
use crate::store::console::items as console_items;
use crate::store::dynamodb::{Condition, Transaction};

/// A link that was made.
pub struct IssuedConsoleLink {
    /// Its code. `None` when the answer is a replay and the code can't be shown again.
    pub code: Option<ConsoleCode>,
    pub summary: ConsoleLinkSummary,
}

impl fmt::Debug for IssuedConsoleLink {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("IssuedConsoleLink")
    }
}

/// What the answer says of a link, as it is remembered under an idempotency key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConsoleLinkSummary {
    pub id: ConsoleId,
    pub tenant_id: Option<TenantId>,
    pub label: ConsoleLabel,
    pub expires_at: Timestamp,
}

impl Tenants<'_> {
    /// Makes a link to the console of that party. `made_with` is the operator's key behind it, with which the
    /// operator's sessions end.
    ///
    /// # Errors
    /// If there is no such tenant.
    pub async fn provision_console_link(
        self,
        party: ConsoleParty,
        label: ConsoleLabel,
        made_with: KeyHash,
        change: &ChangeContext,
    ) -> Result<IssuedConsoleLink> {
        // An id that we did not make is no tenant's.
        let code = ConsoleCode::generate(party.clone(), self.random)?.ok_or(Error::TenantNotFound)?;
        // Read, and not only checked: a revocation from now on has to end the link, too.
        let epoch = match party.tenant() {
            Some(id) => self.get(id).await?.ok_or(Error::TenantNotFound)?.epoch,
            None => 0,
        };
        let link = ConsoleLink {
            id: code.id().clone(),
            made_with: party.tenant().is_none().then_some(made_with),
            party,
            label,
            hash: code.hash(),
            epoch,
            expires_at: change.at.plus(LINK_LIFETIME),
        };
        let tenant = link.party.tenant();
        let summary = ConsoleLinkSummary {
            id: link.id.clone(),
            tenant_id: tenant.cloned(),
            label: link.label.clone(),
            expires_at: link.expires_at,
        };
        let event = change.event_about(Action::ConsoleLinkProvisioned, &link.id).with("label", &link.label);
        let mut transaction = Transaction::new();
        transaction.put(console_items::link(&link), Condition::is_new());
        put_event_of(&mut transaction, tenant, &event)?;
        match self.commit(change, transaction, &summary, Some(code.expose())).await? {
            Committed::Done => Ok(IssuedConsoleLink { code: Some(code), summary }),
            Committed::Replay(replay) => {
                let summary: ConsoleLinkSummary = replay.read()?;
                let event = AuditEvent { subject: Some(summary.id.to_string()), ..event };
                self.note_replay_of(tenant, event, &replay).await?;
                let code = replay.secret.as_deref().and_then(|text| ConsoleCode::parse(text));
                Ok(IssuedConsoleLink { code, summary })
            }
            Committed::Refused(_) => Err(Error::unavailable("the id of a new console link was taken already")),
        }
    }
}
