//! Lists: one Query a page, never a Scan.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Select};

use super::api_keys;
use super::entries;
use super::item::{Item, Reader, text};
use super::keys::{
    self, ALL, AUDIT, Kind, LISTING, LISTING_ORDER, OF_TENANTS, PK, SK, TENANT_LISTING, TENANT_STATUS, TENANTS,
    TENANTS_BY_STATUS,
};
use super::projects::Directory;
use super::table::{Table, failed};
use super::tenant_items::{self, ACTIVE, SUSPENDED};
use super::tenants::Tenants;
use crate::domain::{
    ApiKey, AuditEvent, Cursor, CursorPage, Offset, Organization, PageLimit, Problem, RegisteredTenant, StatusFilter,
    TenantId, TenantSummary, Timestamp, User,
};
use crate::error::{Error, Result};

/// Where a list begins.
#[derive(Debug, Clone)]
pub enum Start {
    /// With the newest.
    First,
    /// After the last row of an earlier page.
    After(Cursor),
    /// After this many rows. Skipped rows are counted by DynamoDB without being sent; 10 000 of them take up to five calls.
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
        page(&page_read, limit, &name, LISTING_ORDER, tenant_items::summary)
    }

    /// A tenant's audit events, newest first; only those at or after `since`, if it is given.
    ///
    /// # Errors
    /// If there is no such tenant, or the cursor is of another list.
    pub async fn audit_events(
        self,
        id: &TenantId,
        since: Option<Timestamp>,
        cursor: Option<&Cursor>,
        limit: PageLimit,
    ) -> Result<CursorPage<AuditEvent>> {
        let partition = keys::tenant_partition(id);
        let from = keys::audit_from(since.unwrap_or(Timestamp::from_millis(0)));
        let name = format!("audit-events/{id}/{from}");
        let start = cursor.map(|cursor| -> Result<Item> {
            let refused = |problem| Error::invalid("cursor", problem);
            let position = cursor.position(&name).map_err(refused)?;
            // DynamoDB refuses a start outside of the range that is asked for.
            if !position.starts_with(AUDIT) || position < from.as_str() {
                return Err(refused(Problem::new("must be the next_cursor of an earlier answer")));
            }
            Ok(HashMap::from([(PK.to_owned(), text(&partition)), (SK.to_owned(), text(position))]))
        });
        let query = self
            .table
            .client
            .query()
            .table_name(&self.table.name)
            .consistent_read(true)
            .key_condition_expression("pk = :partition AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":partition", text(&partition))
            .expression_attribute_values(":from", text(from))
            // The character after `#`: behind every audit event and before everything that isn't one.
            .expression_attribute_values(":to", text(AUDIT.replace('#', "$")))
            .scan_index_forward(false)
            .set_exclusive_start_key(start.transpose()?);
        let page_read = read_page(query, limit).await?;
        let events = page(&page_read, limit, &name, SK, |item| {
            let row = Reader(item);
            serde_json::from_str(row.text("event")?).map(Some).map_err(|_| row.unreadable("event"))
        })?;
        self.of_tenant(id, events).await
    }
}

impl Table {
    /// What a tenant has of one kind, newest first. One call.
    async fn list<T>(
        &self,
        tenant: &TenantId,
        kind: Kind,
        cursor: Option<&Cursor>,
        limit: PageLimit,
        read: impl Fn(&Item) -> Result<T>,
    ) -> Result<CursorPage<T>> {
        let listing = keys::listing(tenant, kind);
        let key = |id: &str| Some(keys::of_kind(tenant, kind, id));
        let start = cursor.map(|cursor| after(cursor, &listing, TENANT_LISTING, &listing, key)).transpose()?;
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(OF_TENANTS)
            .key_condition_expression("tenant_listing = :value")
            .expression_attribute_values(":value", text(&listing))
            .scan_index_forward(false)
            .set_exclusive_start_key(start);
        let page_read = read_page(query, limit).await?;
        page(&page_read, limit, &listing, LISTING_ORDER, |item| read(item).map(Some))
    }
}

impl Tenants<'_> {
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
        self.of_tenant(id, self.table.list(id, Kind::ApiKey, cursor, limit, api_keys::read).await?).await
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
        self.of_tenant(id, self.table.list(id, Kind::Organization, cursor, limit, entries::organization).await?).await
    }

    /// The users that a tenant has registered, newest first.
    ///
    /// # Errors
    /// If there is no such tenant, or the cursor is of another list.
    pub async fn users(self, id: &TenantId, cursor: Option<&Cursor>, limit: PageLimit) -> Result<CursorPage<User>> {
        self.of_tenant(id, self.table.list(id, Kind::User, cursor, limit, entries::user).await?).await
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
        let page = self.table.list(id, Kind::RegisteredTenant, cursor, limit, entries::registered_tenant).await?;
        self.of_tenant(id, page).await
    }

    /// The page, if it is of a tenant: an empty one may be of none.
    async fn of_tenant<T>(self, id: &TenantId, page: CursorPage<T>) -> Result<CursorPage<T>> {
        if page.rows.is_empty() {
            let state = self.table.get(keys::state(id)).await?.ok_or(Error::TenantNotFound)?;
            tenant_items::summary(&state)?.ok_or(Error::TenantNotFound)?;
        }
        Ok(page)
    }
}

impl Directory<'_> {
    /// The organizations that are registered, newest first. One call.
    ///
    /// # Errors
    /// If the cursor is of another list.
    pub async fn organizations(self, cursor: Option<&Cursor>, limit: PageLimit) -> Result<CursorPage<Organization>> {
        self.table.list(self.tenant(), Kind::Organization, cursor, limit, entries::organization).await
    }

    /// The users that are registered, newest first. One call.
    ///
    /// # Errors
    /// If the cursor is of another list.
    pub async fn users(self, cursor: Option<&Cursor>, limit: PageLimit) -> Result<CursorPage<User>> {
        self.table.list(self.tenant(), Kind::User, cursor, limit, entries::user).await
    }
}

/// The rows of one page, and one more that tells whether there is a next.
struct QueryPage {
    items: Vec<Item>,
    /// Whether DynamoDB stopped before it had as many: an answer of its has at most 1 MB.
    cut_short: bool,
}

async fn read_page(query: QueryFluentBuilder, limit: PageLimit) -> Result<QueryPage> {
    let most = i32::try_from(limit.get()).unwrap_or(i32::MAX).saturating_add(1);
    let answer = query.limit(most).send().await.map_err(failed)?;
    Ok(QueryPage { items: answer.items.unwrap_or_default(), cut_short: answer.last_evaluated_key.is_some() })
}

/// Makes the page of its rows; `order` is the attribute that is the position in the list.
fn page<T>(
    QueryPage { items, cut_short }: &QueryPage,
    limit: PageLimit,
    query: &str,
    order: &'static str,
    read: impl Fn(&Item) -> Result<Option<T>>,
) -> Result<CursorPage<T>> {
    let limit = usize::try_from(limit.get()).unwrap_or(usize::MAX);
    let shown = items.get(..limit.min(items.len())).unwrap_or_default();
    let rows = shown.iter().map(read).filter_map(Result::transpose).collect::<Result<Vec<_>>>()?;
    let last = shown.last().filter(|_| items.len() > limit || *cut_short);
    let next = last.map(|item| Reader(item).text(order)).transpose()?.map(|position| Cursor::new(query, position));
    Ok(CursorPage { rows, next })
}

/// The key of the index row at a cursor: that of the item with an id, and the index's own.
fn after(
    cursor: &Cursor,
    query: &str,
    attribute: &str,
    value: &str,
    key: impl Fn(&str) -> Option<Item>,
) -> Result<Item> {
    let refused = |problem| Error::invalid("cursor", problem);
    let position = cursor.position(query).map_err(refused)?;
    let mut key = keys::id_at(position)
        .and_then(key)
        .ok_or_else(|| refused(Problem::new("must be the next_cursor of an earlier answer")))?;
    key.insert(LISTING_ORDER.to_owned(), text(position));
    key.insert(attribute.to_owned(), text(value));
    Ok(key)
}

/// Where skipping led.
enum Skipped {
    /// To a row, after which the page starts; `None` is the first.
    To(Option<HashMap<String, AttributeValue>>),
    All,
}

async fn skip(query: QueryFluentBuilder, offset: Offset) -> Result<Skipped> {
    let mut left = i32::try_from(offset.get()).unwrap_or(i32::MAX);
    let mut from = None;
    while left > 0 {
        let count = query.clone().select(Select::Count).limit(left).set_exclusive_start_key(from);
        let answer = count.send().await.map_err(failed)?;
        left = left.saturating_sub(answer.scanned_count);
        match answer.last_evaluated_key {
            Some(key) => from = Some(key),
            None => return Ok(Skipped::All),
        }
    }
    Ok(Skipped::To(from))
}
