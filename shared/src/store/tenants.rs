//! Tenants: reading, listing, updating, suspending, reactivating. Provisioning and rotation are in files of their own.

use std::fmt;

use aws_sdk_dynamodb::types::TransactWriteItem;

use super::expression::{Condition, Update, put};
use super::item::{Item, Reader, millis, number, text};
use super::keys::{self, TENANT_STATUS};
use super::outcomes::{self, Outcome, Replay};
use super::secrets::Secrets;
use super::table::{ATTEMPTS, Commit, Table};
use super::tenant_items::{self, ACTIVE, SUSPENDED};
use crate::domain::{Action, AuditEvent, Change, Random, Reason, Tenant, TenantId, TenantPatch};
use crate::error::{Error, Result};

/// The tenants in the stores.
#[derive(Clone, Copy)]
pub struct Tenants<'a> {
    pub(crate) table: &'a Table,
    pub(crate) secrets: &'a Secrets,
    pub(crate) random: &'a dyn Random,
}

impl fmt::Debug for Tenants<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Tenants")
    }
}

impl Tenants<'_> {
    /// A tenant; `None` if there is no such one. One call.
    ///
    /// # Errors
    /// If the table fails or an item can't be read.
    pub async fn get(self, id: &TenantId) -> Result<Option<Tenant>> {
        let items = self.table.get_all(vec![keys::state(id), keys::configuration(id)]).await?;
        let [state, configuration] = ["STATE", "CONFIG"].map(|sort_key| {
            items
                .iter()
                .find(|item| item.get(keys::SK).and_then(|value| value.as_s().ok()).is_some_and(|sk| sk == sort_key))
        });
        match (state, configuration) {
            (Some(state), Some(configuration)) => tenant_items::tenant(state, configuration),
            (Some(state), None) if tenant_items::summary(state)?.is_some() => {
                Err(Reader(state).unreadable("configuration"))
            }
            _ => Ok(None),
        }
    }

    /// Writes exactly the fields that `patch` has. Read, decide, write if nobody else has written since; so two updates at
    /// once lose nothing, and rules that tie fields together hold for the outcome as a whole.
    ///
    /// # Errors
    /// If there is no such tenant, if the outcome breaks a rule, or if others kept getting in between.
    pub async fn update(self, id: &TenantId, patch: TenantPatch, change: &Change) -> Result<Tenant> {
        let fields = patch.fields();
        for _ in 0..ATTEMPTS {
            let mut tenant = self.get(id).await?.ok_or(Error::TenantNotFound)?;
            let before = tenant.revision;
            patch.clone().apply(&mut tenant)?;
            let mut writes = Vec::new();
            if !fields.is_empty() {
                tenant.summary.updated_at = Some(change.at);
                tenant.revision += 1;
                let (state, configuration) = tenant_items::patched(&patch, &tenant);
                let unchanged = Condition::new("revision = :before", [(":before", number(before))]);
                let exists = Condition::new("attribute_exists(pk)", []);
                writes.push(state.set("updated_at", millis(change.at)).in_transaction(&self.table.name, unchanged)?);
                writes.push(self.event(id, &change.event(Action::TenantUpdated, fields.clone()))?);
                writes.extend(configuration.map(|update| update.in_transaction(&self.table.name, exists)).transpose()?);
            }
            let facts = serde_json::to_string(&tenant).map_err(Error::internal)?;
            match self.commit(change, writes, &Outcome { facts, secret: None }).await? {
                Committed::Done => return Ok(tenant),
                Committed::Replay(replay) => return serde_json::from_str(&replay.facts).map_err(Error::internal),
                Committed::Refused(_) => {}
            }
        }
        Err(Error::StaleUpdate)
    }

    /// Suspends a tenant. From the answer on, every call that it signs is refused, because every such call asks for the item
    /// that is written here. Suspending twice changes nothing, not even the reason.
    ///
    /// # Errors
    /// If there is no such tenant.
    pub async fn suspend(self, id: &TenantId, reason: Option<Reason>, change: &Change) -> Result<()> {
        let update = Update::of(keys::state(id))
            .set(TENANT_STATUS, text(SUSPENDED))
            .set("suspended_at", millis(change.at))
            .set_or_remove("suspended_reason", reason.map(text));
        let active = Condition::new("tenant_status = :active", [(":active", text(ACTIVE))]);
        self.change_status(id, update, active, Action::TenantSuspended, change).await
    }

    /// Undoes a suspension and forgets the strikes that may have led to it. Reactivating an active tenant without strikes
    /// changes nothing.
    ///
    /// # Errors
    /// If there is no such tenant.
    pub async fn reactivate(self, id: &TenantId, change: &Change) -> Result<()> {
        let update = Update::of(keys::state(id))
            .set(TENANT_STATUS, text(ACTIVE))
            .set("abuse_strikes", number(0))
            .remove("suspended_at")
            .remove("suspended_reason");
        let suspended = Condition::new(
            "tenant_status = :suspended OR (tenant_status = :active AND abuse_strikes > :zero)",
            [(":suspended", text(SUSPENDED)), (":active", text(ACTIVE)), (":zero", number(0))],
        );
        self.change_status(id, update, suspended, Action::TenantReactivated, change).await
    }

    async fn change_status(
        self,
        id: &TenantId,
        update: Update,
        due: Condition,
        action: Action,
        change: &Change,
    ) -> Result<()> {
        let update = update.set("updated_at", millis(change.at)).increment("revision");
        let writes =
            vec![update.in_transaction(&self.table.name, due)?, self.event(id, &change.event(action, Vec::new()))?];
        let state = match self.commit(change, writes, &Outcome::default()).await? {
            Committed::Done | Committed::Replay(_) => return Ok(()),
            Committed::Refused(state) => state,
        };
        // The condition failed: either there is nothing to change, or there is no such tenant.
        let exists = state.map(|state| tenant_items::summary(&state)).transpose()?.flatten().is_some();
        if !exists {
            return Err(Error::TenantNotFound);
        }
        // Nothing to change, and even that is an outcome: the same key must not change anything later.
        self.commit(change, Vec::new(), &Outcome::default()).await.map(|_| ())
    }

    /// The write that keeps an audit event.
    pub(super) fn event(self, id: &TenantId, event: &AuditEvent) -> Result<TransactWriteItem> {
        let mut item = keys::audit(id, event);
        let event = serde_json::to_string(event).map_err(Error::internal)?;
        item.insert("event".to_owned(), text(event));
        put(&self.table.name, item, Condition::new("attribute_not_exists(pk)", []))
    }

    /// Commits `writes`, of which the first is the tenant's hot item, and remembers `outcome` under the idempotency key, if
    /// there is one.
    pub(super) async fn commit(
        self,
        change: &Change,
        mut writes: Vec<TransactWriteItem>,
        outcome: &Outcome<'_>,
    ) -> Result<Committed> {
        let position = writes.len();
        if let Some(once) = &change.once {
            writes.push(outcomes::remember(&self.table.name, change, once, None, outcome, self.random)?);
        }
        if writes.is_empty() {
            return Ok(Committed::Done);
        }
        match self.table.commit(writes).await? {
            Commit::Done => Ok(Committed::Done),
            Commit::Refused(refused) => match (&change.once, refused.item(position)) {
                // The key first: a request that was already carried out is answered as it was then, whatever is true now.
                (Some(once), Some(item)) => Ok(Committed::Replay(outcomes::replay(item, once, change.at)?)),
                _ => Ok(Committed::Refused(refused.item(0).cloned())),
            },
        }
    }
}

/// How a change of a tenant ended.
pub(super) enum Committed {
    /// It is made.
    Done,
    /// It was made before, under the same idempotency key.
    Replay(Replay),
    /// It was not made, because of the tenant's state: the hot item, if there is one.
    Refused(Option<Item>),
}
