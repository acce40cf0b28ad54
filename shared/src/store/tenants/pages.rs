//! Lists of tenants, and of what a tenant has.

use super::items::{self, ACTIVE, SUSPENDED};
use super::{Tenants, api_key_items};
use crate::domain::{
    ApiKey, AuditEvent, Cursor, CursorPage, Offset, Organization, PageLimit, RegisteredTenant, StatusFilter, TenantId,
    TenantSummary, Timestamp, User,
};
use crate::error::{Error, Result};
use crate::store::audit::EVENT;
use crate::store::directory::items as directory_items;
use crate::store::dynamodb::{Reader, SK, text};
use crate::store::keys::{self, ALL, AUDIT, Kind, LISTING, LISTING_ORDER, TENANT_STATUS, TENANTS, TENANTS_BY_STATUS};
use crate::store::pages::{Skipped, after, after_in, page, read_page, skip};

/// Where a list begins.
#[derive(Debug, Clone)]
pub enum Start {
    /// With the newest.
    First,
    /// After the last row of an earlier page.
    After(Cursor),
    /// After this many rows. Skipped rows are counted by DynamoDB without being sent; 10 000 of them take up to five
    /// calls.
    Skip(Offset),
}

impl Tenants<'_> {
    /// Tenants, newest first.
    ///
    /// # Errors
    /// If the cursor is of another list.
    pub async fn page(
        self,
        filter: Option<StatusFilter>,
        start: &Start,
        limit: PageLimit,
    ) -> Result<CursorPage<TenantSummary>> {
        let (index, attribute, value) = match filter {
            None => (TENANTS, LISTING, ALL),
            Some(StatusFilter::Active) => (TENANTS_BY_STATUS, TENANT_STATUS, ACTIVE),
            Some(StatusFilter::Suspended) => (TENANTS_BY_STATUS, TENANT_STATUS, SUSPENDED),
        };
        let name = format!("tenants/{value}");
        let query = self
            .table
            .client
            .query()
            .table_name(&self.table.name)
            .index_name(index)
            .key_condition_expression(format!("{attribute} = :value"))
            .expression_attribute_values(":value", text(value))
            .scan_index_forward(false);
        let from = match start {
            Start::First => None,
            Start::After(cursor) => {
                let key = |id: &str| TenantId::parse(id).ok().map(|id| keys::state(&id));
                Some(after(cursor, &name, attribute, value, key)?)
            }
            Start::Skip(offset) => match skip(query.clone(), *offset).await? {
                Skipped::To(key) => key,
                Skipped::All => return Ok(CursorPage { rows: Vec::new(), next: None }),
            },
        };
        let page_read = read_page(query.set_exclusive_start_key(from), limit).await?;
        page(&page_read, limit, &name, LISTING_ORDER, items::summary)
    }

    /// The audit events of a tenant, or of none: the operator's own. Newest first; only those at or after `since`, if
    /// it is given.
    ///
    /// # Errors
    /// If there is no such tenant, or the cursor is of another list.
    pub async fn audit_events(
        self,
        of: Option<&TenantId>,
        since: Option<Timestamp>,
        cursor: Option<&Cursor>,
        limit: PageLimit,
    ) -> Result<CursorPage<AuditEvent>> {
        let partition = keys::audit_partition(of);
        let from = keys::audit_from(since.unwrap_or(Timestamp::from_millis(0)));
        let name = format!("audit-events/{}/{from}", of.map_or("operator", TenantId::as_str));
        // DynamoDB refuses a start outside of the range that is asked for.
        let is_position = |position: &str| position.starts_with(AUDIT) && position >= from.as_str();
        let start = after_in(&partition, cursor, &name, is_position)?;
        let query = self
            .table
            .client
            .query()
            .table_name(&self.table.name)
            .consistent_read(true)
            .key_condition_expression("pk = :partition AND sk >= :from")
            .expression_attribute_values(":partition", text(&partition))
            .expression_attribute_values(":from", text(from))
            .scan_index_forward(false)
            .set_exclusive_start_key(start);
        let page_read = read_page(query, limit).await?;
        let events = page(&page_read, limit, &name, SK, |item| {
            let reader = Reader::of(item);
            serde_json::from_str(reader.text(EVENT)?).map(Some).map_err(|_| reader.unreadable(EVENT))
        })?;
        match of {
            Some(id) => self.of_tenant(id, events).await,
            None => Ok(events),
        }
    }

    /// A tenant's API keys, newest first, whatever their state.
    ///
    /// # Errors
    /// If there is no such tenant, or the cursor is of another list.
    pub async fn api_keys(
        self,
        id: &TenantId,
        cursor: Option<&Cursor>,
        limit: PageLimit,
    ) -> Result<CursorPage<ApiKey>> {
        self.of_tenant(id, self.table.list(id, Kind::ApiKey, cursor, limit, api_key_items::read).await?).await
    }

    /// The organizations that a tenant has registered, newest first.
    ///
    /// # Errors
    /// If there is no such tenant, or the cursor is of another list.
    pub async fn organizations(
        self,
        id: &TenantId,
        cursor: Option<&Cursor>,
        limit: PageLimit,
    ) -> Result<CursorPage<Organization>> {
        self.of_tenant(id, self.table.list(id, Kind::Organization, cursor, limit, directory_items::organization).await?)
            .await
    }

    /// The users that a tenant has registered, newest first.
    ///
    /// # Errors
    /// If there is no such tenant, or the cursor is of another list.
    pub async fn users(self, id: &TenantId, cursor: Option<&Cursor>, limit: PageLimit) -> Result<CursorPage<User>> {
        self.of_tenant(id, self.table.list(id, Kind::User, cursor, limit, directory_items::user).await?).await
    }

    /// The tenants of the older kind that a tenant has registered, newest first.
    ///
    /// # Errors
    /// If there is no such tenant, or the cursor is of another list.
    pub async fn registered_tenants(
        self,
        id: &TenantId,
        cursor: Option<&Cursor>,
        limit: PageLimit,
    ) -> Result<CursorPage<RegisteredTenant>> {
        let page =
            self.table.list(id, Kind::RegisteredTenant, cursor, limit, directory_items::registered_tenant).await?;
        self.of_tenant(id, page).await
    }

    /// The page, if it is of a tenant: an empty one may be of none.
    pub(super) async fn of_tenant<T>(self, id: &TenantId, page: CursorPage<T>) -> Result<CursorPage<T>> {
        if page.rows.is_empty() {
            let state = self.table.get(keys::state(id)).await?.ok_or(Error::TenantNotFound)?;
            items::summary(&state)?.ok_or(Error::TenantNotFound)?;
        }
        Ok(page)
    }
}
