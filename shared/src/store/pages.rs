//! Lists: one Query a page, never a Scan.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::Select;

use super::dynamodb::{Item, Key, PK, Place, Reader, SK, Table, failed, found, text};
use super::keys::{self, Kind, LISTING_ORDER, OF_TENANTS, TENANT_LISTING};
use crate::domain::{Cursor, CursorPage, Offset, PageLimit, Problem, TenantId};
use crate::error::{Error, Result};

impl Table {
    /// What a tenant has of one kind, newest first. One call.
    pub async fn list<T>(
        &self,
        tenant: &TenantId,
        kind: Kind,
        cursor: Option<&Cursor>,
        limit: PageLimit,
        read: impl Fn(&Item) -> Result<T>,
    ) -> Result<CursorPage<T>> {
        let listing = keys::partition_of_list(tenant, kind);
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

/// The items of one page, and one more that tells whether there is a next.
pub struct QueryPage {
    items: Vec<Item>,
    /// Whether DynamoDB stopped before it had as many: an answer of its has at most 1 MB.
    cut_short: bool,
}

pub async fn read_page(query: QueryFluentBuilder, limit: PageLimit) -> Result<QueryPage> {
    let most = i32::try_from(limit.get()).unwrap_or(i32::MAX).saturating_add(1);
    let answer = query.limit(most).send().await.map_err(failed)?;
    Ok(QueryPage { items: found(answer.items), cut_short: answer.last_evaluated_key.is_some() })
}

/// Makes the page of its rows; `order` is the attribute that is the position in the list.
pub fn page<T>(
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
    let next = last.map(|item| Reader::of(item).text(order)).transpose()?.map(|position| Cursor::new(query, position));
    Ok(CursorPage { rows, next })
}

/// The key of the row at a cursor in a list that is one partition of the table; `None` without a cursor.
pub fn after_in(
    partition: &str,
    cursor: Option<&Cursor>,
    query: &str,
    is_position: impl Fn(&str) -> bool,
) -> Result<Option<Place>> {
    let Some(cursor) = cursor else { return Ok(None) };
    let refused = |problem| Error::invalid("cursor", problem);
    let position = cursor.position(query).map_err(refused)?;
    if !is_position(position) {
        return Err(refused(Problem::new("must be the next_cursor of an earlier answer")));
    }
    Ok(Some(HashMap::from([(PK.to_owned(), text(partition)), (SK.to_owned(), text(position))])))
}

/// The key of the index row at a cursor: that of the item with an id, and the index's own.
pub fn after(
    cursor: &Cursor,
    query: &str,
    attribute: &str,
    value: &str,
    key: impl Fn(&str) -> Option<Key>,
) -> Result<Place> {
    let refused = |problem| Error::invalid("cursor", problem);
    let position = cursor.position(query).map_err(refused)?;
    let key = keys::id_at(position)
        .and_then(key)
        .ok_or_else(|| refused(Problem::new("must be the next_cursor of an earlier answer")))?;
    let mut place = Place::from(key);
    place.insert(LISTING_ORDER.to_owned(), text(position));
    place.insert(attribute.to_owned(), text(value));
    Ok(place)
}

/// Where skipping led.
pub enum Skipped {
    /// To a row, after which the page starts; `None` is the first.
    To(Option<Place>),
    All,
}

pub async fn skip(query: QueryFluentBuilder, offset: Offset) -> Result<Skipped> {
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
