//! Removes what provisioning left behind. See [`super::provision`] for what that can be.

use aws_sdk_dynamodb::error::SdkError;
use std::time::Duration;

use super::expression::{Condition, Update};
use super::item::{Item, Reader, millis, text};
use super::keys::{self, TENANT_STATUS, TENANTS_BY_STATUS};
use super::tenant_items::{self, PENDING, REMOVED};
use super::tenants::Tenants;
use crate::domain::{TenantId, Timestamp};
use crate::error::{Error, Result};

/// For how long a removed tenant is remembered, and its secret deleted again: a request to create it may have been on its
/// way when its function was stopped.
const TOMBSTONE: Duration = Duration::from_hours(1);

/// How many tenants of each kind one run looks at. The next run goes on.
const MOST: i32 = 200;

/// What a run did.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Reconciled {
    /// Tenants whose provisioning never finished, removed with their secrets.
    pub removed: usize,
    /// Removed tenants that are now forgotten.
    pub forgotten: usize,
    /// Why a store failed at a tenant, for the log; the next run tries again.
    pub failures: Vec<String>,
}

impl Tenants<'_> {
    /// Removes tenants whose provisioning began and can't be running any more, with their secrets. Safe beside everything
    /// else, and beside itself: the first step fences the tenant off with the condition that provisioning's last step has.
    ///
    /// # Errors
    /// If the table can't be asked which tenants there are.
    pub async fn reconcile(self, now: Timestamp) -> Result<Reconciled> {
        let mut done = Reconciled::default();
        for item in self.unfinished(REMOVED, Timestamp::from_millis(i64::MAX)).await? {
            let over = Reader(&item).millis("lease_until")? <= now;
            match self.forget(&tenant_items::tenant_id(&item)?, over).await {
                Ok(()) => done.forgotten += usize::from(over),
                Err(error) => done.failures.extend(error.cause()),
            }
        }
        for item in self.unfinished(PENDING, now).await? {
            match self.remove(&tenant_items::tenant_id(&item)?, now).await {
                Ok(removed) => done.removed += usize::from(removed),
                Err(error) => done.failures.extend(error.cause()),
            }
        }
        Ok(done)
    }

    /// Tenants with that status, oldest first, whose lease ends at or before `until`.
    async fn unfinished(self, status: &str, until: Timestamp) -> Result<Vec<Item>> {
        let query = self
            .table
            .client
            .query()
            .table_name(&self.table.name)
            .index_name(TENANTS_BY_STATUS)
            .key_condition_expression("tenant_status = :status")
            .filter_expression("lease_until <= :until")
            .expression_attribute_values(":status", text(status))
            .expression_attribute_values(":until", millis(until))
            .limit(MOST);
        Ok(query.send().await.map_err(Error::unavailable)?.items.unwrap_or_default())
    }

    /// Fences a pending tenant off, so that its provisioning can't finish, then deletes its secret. `false` if it finished
    /// before: the index may be behind.
    async fn remove(self, id: &TenantId, now: Timestamp) -> Result<bool> {
        let update = Update::of(keys::state(id))
            .set(TENANT_STATUS, text(REMOVED))
            .set("lease_until", millis(now.plus(TOMBSTONE)));
        let pending = Condition::new("tenant_status = :pending", [(":pending", text(PENDING))]);
        let (key, expression, condition, values) = update.parts(pending);
        let request = self
            .table
            .client
            .update_item()
            .table_name(&self.table.name)
            .set_key(Some(key))
            .update_expression(expression)
            .condition_expression(condition)
            .set_expression_attribute_values(Some(values));
        match request.send().await {
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => Ok(false),
            Err(error) => Err(Error::unavailable(error)),
            Ok(_) => self.secrets.delete(id).await.map(|()| true),
        }
    }

    /// Deletes the secret of a removed tenant again, and when its time is `over` the tombstone too.
    async fn forget(self, id: &TenantId, over: bool) -> Result<()> {
        self.secrets.delete(id).await?;
        if !over {
            return Ok(());
        }
        let request = self
            .table
            .client
            .delete_item()
            .table_name(&self.table.name)
            .set_key(Some(keys::state(id)))
            .condition_expression("tenant_status = :removed")
            .expression_attribute_values(":removed", text(REMOVED));
        match request.send().await {
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => Ok(()),
            answer => answer.map(|_| ()).map_err(Error::unavailable),
        }
    }
}
