//! What a tenant's set-up shows: noting refusals of proven callers, and reading all that is known.

mod items;

use super::callbacks::receivers;
use super::directory::items as directory;
use super::dynamodb::{Item, Table, at};
use super::keys::{self, Kind};
use super::memory::Memory;
use super::tenants::{Tenants, api_key_items};
use crate::domain::{Cursor, Flow, PageLimit, Refusal, RefusalCause, SetupFacts, TenantId, Timestamp};
use crate::error::{Error, Result};

/// How many of a tenant's API keys are looked at, the newest first.
const KEYS: u64 = 100;

/// When a process noted a cause for a tenant last.
pub type RefusalMemory = Memory<(TenantId, RefusalCause), Timestamp>;

impl Table {
    /// Notes why a proven caller was refused, unless a later refusal of that cause is noted already.
    ///
    /// # Errors
    /// If the table fails. The refusal is what matters, so nothing comes of it but that the next one is noted again.
    pub async fn note_refusal(&self, tenant: &TenantId, refusal: &Refusal) -> Result<()> {
        let (update, newer) = items::noted(tenant, refusal);
        self.update(update, newer).await.map(|_| ())
    }
}

impl Tenants<'_> {
    /// What is known of a tenant's set-up; `None` if there is no such tenant. Five calls: lists are read from their
    /// index, with eventual consistency.
    ///
    /// # Errors
    /// If the table fails or an item can't be read.
    pub async fn setup(self, id: &TenantId) -> Result<Option<SetupFacts>> {
        let deliveries: Vec<_> = Flow::ALL.into_iter().map(|flow| keys::delivery(id, flow)).collect();
        let noted = keys::setup(id);
        let extra = deliveries.iter().cloned().chain([noted.clone()]).collect();
        let (Some(tenant), found) = self.read(id, extra).await? else { return Ok(None) };
        let nothing = Item::default();
        let receiver = |key| receivers::summary(at(&found, key).unwrap_or(&nothing));
        let receivers = Flow::ALL.into_iter().zip(&deliveries).map(|(flow, key)| Ok((flow, receiver(key)?)));
        let (first, one): (Option<&Cursor>, _) = (None, limit(1)?);
        let table = self.table;
        let api_keys = table.list(id, Kind::ApiKey, first, limit(KEYS)?, api_key_items::read).await?;
        let organizations = table.list(id, Kind::Organization, first, one, directory::organization).await?;
        let users = table.list(id, Kind::User, first, one, directory::user).await?;
        let customers = table.list(id, Kind::RegisteredTenant, first, one, directory::registered_tenant).await?;
        Ok(Some(SetupFacts {
            receivers: receivers.collect::<Result<_>>()?,
            refusals: at(&found, &noted).map(items::refusals).transpose()?.unwrap_or_default(),
            keys: api_keys.rows,
            organization: organizations.rows.first().map(|newest| newest.record.created_at),
            user: users.rows.first().map(|newest| newest.record.created_at),
            registered_tenant: customers.rows.first().map(|newest| newest.created_at),
            tenant,
        }))
    }
}

fn limit(rows: u64) -> Result<PageLimit> {
    PageLimit::new(rows).map_err(Error::internal)
}
