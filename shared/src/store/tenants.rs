//! Tenants: reading, listing, updating, suspending, reactivating. Provisioning and rotation are in files of their own.

use std::fmt;

use aws_sdk_dynamodb::types::TransactWriteItem;

use super::expression::{Condition, Update, put};
use super::idempotency::{self, Replay, StoredResponse};
use super::item::{Item, Reader, millis, number, text};
use super::keys::{self, Key, TENANT_STATUS};
use super::secrets::Secrets;
use super::table::{ATTEMPTS, Commit, Refused, Table, pause};
use super::tenant_items::{self, ACTIVE, SUSPENDED};
use crate::domain::{Action, AuditEvent, ChangeContext, Random, Reason, Tenant, TenantId, TenantPatch};
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
        self.read(id, None).await.map(|(tenant, _)| tenant)
    }

    /// A tenant, and in the same call what `extra` has.
    async fn read(self, id: &TenantId, extra: Option<Key>) -> Result<(Option<Tenant>, Option<Item>)> {
        let wanted: Vec<Key> = [keys::state(id), keys::configuration(id)].into_iter().chain(extra).collect();
        for attempt in 0..ATTEMPTS {
            pause(attempt).await;
            let items = self.table.get_all(wanted.clone()).await?;
            let found = |sort_key: &str| items.iter().find(|item| keys::has_sort_key(item, sort_key));
            let extra = items.iter().find(|item| !keys::is_of_tenant(item, id)).cloned();
            let (Some(state), configuration) = (found(keys::STATE), found(keys::CONFIGURATION)) else {
                return Ok((None, extra));
            };
            if tenant_items::summary(state)?.is_none() {
                return Ok((None, extra));
            }
            let configuration = configuration.ok_or_else(|| Reader(state).unreadable("configuration"))?;
            if tenant_items::are_of_one_moment(state, configuration)? {
                return Ok((tenant_items::tenant(state, configuration)?, extra));
            }
        }
        Err(Error::unavailable("the tenant's items stayed of two moments"))
    }

    /// Writes exactly the fields that `patch` has. Read, decide, write if nobody else has written since; so two updates at
    /// once lose nothing, and rules that tie fields together hold for the outcome as a whole.
    ///
    /// # Errors
    /// If there is no such tenant, if the outcome breaks a rule, or if others kept getting in between.
    pub async fn update(self, id: &TenantId, patch: TenantPatch, change: &ChangeContext) -> Result<Tenant> {
        for _ in 0..ATTEMPTS {
            let (tenant, outcome) =
                self.read(id, change.idempotency_key.as_ref().map(keys::idempotency_record)).await?;
            // Before the rules: a request that was carried out is answered as it was then, even if it would break one now.
            if let Some((item, key)) = outcome.as_ref().zip(change.idempotency_key.as_ref())
                && let Some(replay) = idempotency::stored(item, key, change.at)?
            {
                return replay.read();
            }
            let mut tenant = tenant.ok_or(Error::TenantNotFound)?;
            let writes = self.patched(&mut tenant, &patch, change)?;
            let body = serde_json::to_string(&tenant).map_err(Error::internal)?;
            match self.commit(change, writes, &StoredResponse { body, secret: None }).await? {
                Committed::Done => return Ok(tenant),
                Committed::Replay(replay) => return replay.read(),
                Committed::Refused(_) => {}
            }
        }
        Err(Error::StaleUpdate)
    }

    /// Makes `tenant` what the patch makes of it. The writes for that: none, if the patch is empty.
    fn patched(
        self,
        tenant: &mut Tenant,
        patch: &TenantPatch,
        change: &ChangeContext,
    ) -> Result<Vec<TransactWriteItem>> {
        let fields = patch.fields();
        patch.clone().apply(tenant)?;
        if fields.is_empty() {
            return Ok(Vec::new());
        }
        let table = &self.table.name;
        let unchanged = Condition::new("revision = :before", [(":before", number(tenant.revision))]);
        tenant.summary.updated_at = Some(change.at);
        tenant.revision += 1;
        let (state, configuration) = tenant_items::patched(patch, tenant);
        let exists = Condition::exists();
        let mut writes = vec![
            state.set("updated_at", millis(change.at)).in_transaction(table, unchanged)?,
            self.event(&tenant.summary.id, &change.event(Action::TenantUpdated, fields))?,
        ];
        writes.extend(configuration.map(|update| update.in_transaction(table, exists)).transpose()?);
        Ok(writes)
    }

    /// Suspends a tenant. From the answer on, every call that it signs is refused, because every such call asks for the item
    /// that is written here. Suspending twice changes nothing, not even the reason.
    ///
    /// # Errors
    /// If there is no such tenant.
    pub async fn suspend(self, id: &TenantId, reason: Option<Reason>, change: &ChangeContext) -> Result<()> {
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
    pub async fn reactivate(self, id: &TenantId, change: &ChangeContext) -> Result<()> {
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
        change: &ChangeContext,
    ) -> Result<()> {
        let update = update.set("updated_at", millis(change.at)).increment("revision");
        let writes =
            vec![update.in_transaction(&self.table.name, due)?, self.event(id, &change.event(action, Vec::new()))?];
        let state = match self.commit(change, writes, &StoredResponse::default()).await? {
            Committed::Done | Committed::Replay(_) => return Ok(()),
            Committed::Refused(refused) => refused.item(0).cloned(),
        };
        // The condition failed: either there is nothing to change, or there is no such tenant.
        let exists = state.map(|state| tenant_items::summary(&state)).transpose()?.flatten().is_some();
        if !exists {
            return Err(Error::TenantNotFound);
        }
        // Nothing to change, and even that is an outcome: the same key must not change anything later.
        self.commit(change, Vec::new(), &StoredResponse::default()).await.map(|_| ())
    }

    /// The write that keeps an audit event.
    pub(super) fn event(self, id: &TenantId, event: &AuditEvent) -> Result<TransactWriteItem> {
        audit_event(&self.table.name, id, event)
    }

    /// Commits `writes` and remembers `outcome` under the idempotency key, if
    /// there is one.
    pub(super) async fn commit(
        self,
        change: &ChangeContext,
        mut writes: Vec<TransactWriteItem>,
        response: &StoredResponse<'_>,
    ) -> Result<Committed> {
        let position = writes.len();
        if let Some(idempotency_key) = &change.idempotency_key {
            writes.push(idempotency::store(&self.table.name, change, idempotency_key, None, response, self.random)?);
        }
        if writes.is_empty() {
            return Ok(Committed::Done);
        }
        match self.table.commit(writes).await? {
            Commit::Done => Ok(Committed::Done),
            Commit::Refused(refused) => match (&change.idempotency_key, refused.item(position)) {
                // The key first: a request that was already carried out is answered as it was then, whatever is true now.
                (Some(idempotency_key), Some(item)) => {
                    Ok(Committed::Replay(idempotency::replay(item, idempotency_key, change.at)?))
                }
                _ => Ok(Committed::Refused(refused)),
            },
        }
    }
}

/// The write that keeps an audit event.
pub(super) fn audit_event(table: &str, id: &TenantId, event: &AuditEvent) -> Result<TransactWriteItem> {
    let mut item = keys::audit(id, event);
    let event = serde_json::to_string(event).map_err(Error::internal)?;
    item.insert("event".to_owned(), text(event));
    put(table, item, Condition::is_new())
}

/// How a change of a tenant ended.
pub(super) enum Committed {
    /// It is made.
    Done,
    /// It was made before, under the same idempotency key.
    Replay(Replay),
    /// It was not made, because of a condition.
    Refused(Refused),
}
