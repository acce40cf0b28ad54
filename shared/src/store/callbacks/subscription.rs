//! What a change of a tenant's status has to know of the tenant: the number of its state, and what it wants to be told.
//!
//! It reads no more than that of the configuration, and a suspension does without it: what can't be read must not keep
//! a tenant active.

use serde_json::json;

use super::owe_if;
use crate::domain::{CallbackTypes, CallbackUrl, EventType, NewEvent, Random, TenantId, Timestamp};
use crate::error::{Error, Result};
use crate::store::dynamodb::{ATTEMPTS, Item, Reader, Table, Transaction, pause};
use crate::store::keys;
use crate::store::tenants::items::{self, ACTIVE, SUSPENDED};

/// What a tenant wants to be told, as its items have it.
#[derive(Debug)]
pub(in crate::store) struct Subscription {
    /// The revision of the tenant that this was read at.
    pub revision: u64,
    wanted: Result<(Option<CallbackUrl>, CallbackTypes)>,
}

impl Subscription {
    /// Reads the two items.
    ///
    /// # Errors
    /// If the hot item can't be read.
    pub fn read(state: &Item, configuration: Option<&Item>) -> Result<Self> {
        let reader = Reader::of(state);
        let wanted = || {
            let configuration = configuration.ok_or_else(|| reader.unreadable("configuration"))?;
            if items::are_of_one_moment(state, configuration)? {
                items::wanted_callbacks(Reader::of(configuration))
            } else {
                Err(Error::unavailable("the tenant's items stayed of two moments"))
            }
        };
        Ok(Self { revision: reader.number("revision")?, wanted: wanted() })
    }

    /// Whether the items are of two moments, so that another read can find what this one has not.
    pub fn is_torn(&self) -> bool {
        matches!(self.wanted, Err(Error::Unavailable(_)))
    }

    /// Owes the event of a new status, for a transaction that checks that the revision is the one that was read. If
    /// nobody can know whether a suspension is to be told, it is not.
    ///
    /// # Errors
    /// If the configuration can't be read and it is no suspension, or there is no randomness to be had.
    pub fn owe_status(
        &self,
        transaction: &mut Transaction,
        random: &dyn Random,
        tenant_id: &TenantId,
        (event_type, created_at): (EventType, Timestamp),
    ) -> Result<()> {
        let is_suspension = event_type == EventType::TenantSuspended;
        let (base, types) = match &self.wanted {
            Ok(wanted) => wanted,
            Err(_) if is_suspension => return Ok(()),
            Err(Error::Unavailable(_)) => return Err(Error::unavailable("the tenant's items stayed of two moments")),
            Err(error) => return Err(Error::internal(error.cause().unwrap_or_default())),
        };
        let data = if is_suspension {
            json!({ "status": SUSPENDED, "suspended_at": created_at })
        } else {
            json!({ "status": ACTIVE, "suspended_at": null })
        };
        let told = NewEvent { event_type, tenant_id, created_at, sequence: self.revision + 1, data };
        owe_if(base.is_some() && types.wants(event_type), transaction, random, told).map(|_| ())
    }

    /// Writes an error line, if a suspension that was made owes nothing because of what can't be read.
    pub fn report_suspension(&self, tenant_id: &TenantId, request_id: &str) {
        if let Err(error) = &self.wanted {
            error.report(tenant_id, request_id, "the tenant is suspended, and its receiver is not told");
        }
    }
}

impl Table {
    /// The hot item of a tenant and what it wants to be told; `None` if there is no such tenant. One call.
    ///
    /// # Errors
    /// If the table fails, or the hot item can't be read.
    pub(in crate::store) async fn subscription(&self, id: &TenantId) -> Result<Option<(Item, Subscription)>> {
        let mut attempt = 0;
        loop {
            pause(attempt).await;
            attempt += 1;
            let items = self.get_all(&[keys::state(id), keys::configuration(id)]).await?;
            let found = |sort_key| items.iter().find(|item| keys::has_sort_key(item, sort_key));
            let Some(state) = found(keys::STATE).filter(|state| !items::is_of_no_tenant(state)) else {
                return Ok(None);
            };
            let subscription = Subscription::read(state, found(keys::CONFIGURATION))?;
            if attempt == ATTEMPTS || !subscription.is_torn() {
                return Ok(Some((state.clone(), subscription)));
            }
        }
    }
}
