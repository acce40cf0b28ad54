//! Removes what requests left behind: unfinished provisioning (see `store::tenants`), and the messages of
//! deleted sessions. Enters into the search what an older release left out.

mod deleted_sessions;
mod search_entries;

use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;

use super::dynamodb::{Condition, Item, Reader, Update, failed, found, millis, text};
use super::keys::{self, TENANT_STATUS, TENANTS_BY_STATUS};
use super::tenants::Tenants;
use super::tenants::items::{self, PENDING, REMOVED};
use crate::domain::{Clock, Timestamp};
use crate::error::Result;

/// For how long a removed tenant is remembered, and its secrets deleted again: a request to create one may have been on
/// its way when its function was stopped.
const REMOVED_FOR: Duration = Duration::from_hours(1);

/// How long a run goes on: less than the function's timeout, so that it can say what it left.
const RUN: Duration = Duration::from_secs(45);

/// How many tenants of each kind one run looks at. The next run goes on.
const MOST: i32 = 200;

/// What a run did.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Reconciled {
    /// Tenants whose provisioning never finished, removed with their secrets.
    pub removed: usize,
    /// Removed tenants that are now forgotten.
    pub forgotten: usize,
    /// Deleted sessions whose messages are now deleted too.
    pub cleared: usize,
    /// Tenants of an older release that can now be searched for.
    pub entered: usize,
    /// Why a store failed at a tenant, for the log; the next run tries again.
    pub failures: Vec<String>,
}

impl Tenants<'_> {
    /// Removes tenants whose provisioning began and can't be running any more, with their secrets. Safe beside
    /// everything else, and beside itself: the first step fences the tenant off with the condition that provisioning's
    /// last step has.
    ///
    /// # Errors
    /// If the table can't be asked which tenants there are.
    pub async fn reconcile(self, clock: &dyn Clock) -> Result<Reconciled> {
        let started = clock.now();
        let mut done = Reconciled::default();
        // New ones first: a run that is out of time has left out only what was looked at before.
        let pending = self.unfinished(PENDING, started).await?;
        let removed = self.unfinished(REMOVED, Timestamp::from_millis(i64::MAX)).await?;
        let tasks = pending.iter().map(|item| (item, PENDING)).chain(removed.iter().map(|item| (item, REMOVED)));
        for (item, status) in tasks {
            if started.plus(RUN) <= clock.now() {
                done.failures.push("out of time".to_owned());
                break;
            }
            let outcome = match status {
                PENDING => self.remove(item, started).await.map(|removed| done.removed += usize::from(removed)),
                _ => self.forget(item, started).await.map(|over| done.forgotten += usize::from(over)),
            };
            done.failures.extend(outcome.err().and_then(|error| error.cause()));
        }
        let entered = self.enter_tenants(clock, started.plus(RUN), &mut done).await;
        done.failures.extend(entered.err().and_then(|error| error.cause()));
        let cleared = self.clear_deleted_sessions(clock, started.plus(RUN), &mut done).await;
        done.failures.extend(cleared.err().and_then(|error| error.cause()));
        Ok(done)
    }

    /// Deletes the messages of deleted sessions, until the time is up: the next run goes on.
    async fn clear_deleted_sessions(self, clock: &dyn Clock, until: Timestamp, done: &mut Reconciled) -> Result<()> {
        let mut from = None;
        loop {
            let (marks, next) = self.table.tombstones(from).await?;
            for mark in &marks {
                match self.table.clear(mark, clock, until).await {
                    Ok(true) => done.cleared += 1,
                    Ok(false) => return Ok(()),
                    // One that fails is not in the way of the others.
                    Err(error) => done.failures.extend(error.cause()),
                }
            }
            from = next;
            if from.is_none() {
                return Ok(());
            }
        }
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
        Ok(found(query.send().await.map_err(failed)?.items))
    }

    /// Fences a pending tenant off, so that its provisioning can't finish, then deletes its secrets. `false` if it
    /// finished before: the index may be behind.
    async fn remove(self, item: &Item, now: Timestamp) -> Result<bool> {
        let id = &items::tenant_id(item)?;
        let update = Update::of(keys::state(id))
            .set(TENANT_STATUS, text(REMOVED))
            .set("lease_until", millis(now.plus(REMOVED_FOR)));
        let pending = Condition::new("tenant_status = :pending", [(":pending", text(PENDING))]);
        if self.table.update(update, pending).await?.done().is_none() {
            return Ok(false);
        }
        self.secrets.delete(id).await.map(|()| true)
    }

    /// Deletes the secrets of a removed tenant again, and when its hour is over the tombstone too; then `true`.
    async fn forget(self, item: &Item, now: Timestamp) -> Result<bool> {
        let id = &items::tenant_id(item)?;
        self.secrets.delete(id).await?;
        if now < Reader::of(item).millis("lease_until")? {
            return Ok(false);
        }
        let request = self
            .table
            .client
            .delete_item()
            .table_name(&self.table.name)
            .set_key(Some(keys::state(id).into()))
            .condition_expression("tenant_status = :removed")
            .expression_attribute_values(":removed", text(REMOVED));
        match request.send().await {
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => Ok(true),
            answer => answer.map(|_| true).map_err(failed),
        }
    }
}
