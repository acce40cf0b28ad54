//! Search entries of tenants that have none: those that an older release has provisioned. Without them, a search would
//! say that there is no such tenant.

use std::time::Duration;

use super::Reconciled;
use crate::domain::{Clock, TenantSummary, Timestamp};
use crate::error::Result;
use crate::store::dynamodb::{Commit, Condition, Key, NewItem, Reader, Transaction, at, failed, found, key, text};
use crate::store::keys::{self, ALL, TENANTS};
use crate::store::tenants::{Tenants, items, search};

/// For how long a tenant is left alone after its provisioning has begun: longer than a function of an older release
/// still runs while it is replaced, and than an index is behind.
const SETTLED: Duration = Duration::from_mins(15);
/// How many tenants are looked at between two marks. Both entries of all of them are one read.
const MOST: i32 = 50;
/// The attribute of the mark: where in the list of tenants the last one is that was looked at.
const ENTERED_TO: &str = "entered_to";

/// How far the list of tenants was looked through.
fn mark() -> Key {
    key(search::SEARCHED.to_owned(), "ENTERED".to_owned())
}

impl Tenants<'_> {
    /// Enters tenants into the search, oldest first, until the time is up: the next run goes on behind the mark. Once
    /// all are there, a run is two calls.
    pub(super) async fn enter_tenants(self, clock: &dyn Clock, until: Timestamp, done: &mut Reconciled) -> Result<()> {
        let settled = clock.now().minus(SETTLED);
        let stored = self.table.get(mark()).await?;
        let mut entered_to = match &stored {
            Some(mark) => Reader::of(mark).text(ENTERED_TO)?.to_owned(),
            // Before all others: no part of a key may be empty.
            None => "0".to_owned(),
        };
        loop {
            let tenants = self.provisioned_after(&entered_to, settled).await?;
            let Some(last) = tenants.last() else { return Ok(()) };
            entered_to = keys::list_position(last.created_at, &last.id);
            for tenant in self.without_entries(&tenants).await? {
                // One that has just got another name stays before the mark.
                if until <= clock.now() || !self.enter(tenant).await? {
                    return Ok(());
                }
                done.entered += 1;
            }
            let mut mark = NewItem::from(mark());
            mark.insert(ENTERED_TO.to_owned(), text(&entered_to));
            let mut transaction = Transaction::new();
            transaction.put(mark, Condition::none());
            self.table.commit(transaction).await?;
        }
    }

    /// The next tenants in the list, oldest first.
    async fn provisioned_after(self, position: &str, settled: Timestamp) -> Result<Vec<TenantSummary>> {
        let query = self
            .table
            .client
            .query()
            .table_name(&self.table.name)
            .index_name(TENANTS)
            .key_condition_expression("listing = :all AND listing_order > :position")
            .expression_attribute_values(":all", text(ALL))
            .expression_attribute_values(":position", text(position))
            .limit(MOST);
        let found = found(query.send().await.map_err(failed)?.items);
        let tenants = found.iter().map(items::summary).filter_map(Result::transpose).collect::<Result<Vec<_>>>()?;
        Ok(tenants.into_iter().take_while(|tenant| tenant.created_at <= settled).collect())
    }

    async fn without_entries(self, tenants: &[TenantSummary]) -> Result<Vec<&TenantSummary>> {
        let places: Vec<_> = tenants.iter().flat_map(search::entries).collect();
        let found = self.table.get_all(&places).await?;
        let lacks = |tenant: &&TenantSummary| search::entries(tenant).iter().any(|entry| at(&found, entry).is_none());
        Ok(tenants.iter().filter(lacks).collect())
    }

    /// `false` if the tenant has another name meanwhile.
    async fn enter(self, tenant: &TenantSummary) -> Result<bool> {
        let mut transaction = Transaction::new();
        let named = Condition::new("tenant_name = :name", [(":name", text(&tenant.name))]);
        transaction.check(keys::state(&tenant.id), named);
        search::enter(&mut transaction, tenant);
        Ok(matches!(self.table.commit(transaction).await?, Commit::Done))
    }
}
