//! Parts of requests and answers that all kinds of resources share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::api::operation::{Input, Output};
use crate::domain::{Cursor, OffsetPage, PageLimit, PageNumber, PageRequest, PathId, Problem};
use crate::error::{Error, RequestPart, Result};

/// Query parameters that select one page of a list by its number or its cursor.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// Number of the page, from 1 (default 1). A page that starts after more than 50 000 items is refused.
    // No `default`: clients that send it would send it with a cursor, too.
    #[schemars(extend("x-default" = 1))]
    pub page: Option<PageNumber>,
    /// Cursor of the page: the `next_cursor` of the previous page. An alternative to `page`: sending both is an error.
    /// With it, no item comes twice whatever is made meanwhile.
    pub cursor: Option<Cursor>,
    /// Maximum number of items on the page, 1 to 100 (default 20).
    #[serde(default)]
    pub limit: PageLimit,
}

impl PageQuery {
    /// The page of the list.
    ///
    /// # Errors
    /// If both a number and a cursor are given.
    pub fn request(&self) -> Result<PageRequest> {
        page(self.page, self.cursor.as_ref(), self.limit)
    }
}

impl Input for PageQuery {}

/// Path parameters that name a resource.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResourcePath {
    /// UUID of the resource. A malformed id is treated as an unknown id.
    pub id: PathId,
}

impl Input for ResourcePath {
    fn resource(&self) -> Option<Uuid> {
        Some(self.id.get())
    }
}

/// Parameters that name a resource and select one page of the list within it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResourcePageQuery {
    /// UUID of the resource that contains the list. A malformed id is treated as an unknown id.
    pub id: PathId,
    /// Number of the page, from 1 (default 1). A page that starts after more than 50 000 items is refused.
    // No `default`: clients that send it would send it with a cursor, too.
    #[schemars(extend("x-default" = 1))]
    pub page: Option<PageNumber>,
    /// Cursor of the page: the `next_cursor` of the previous page. An alternative to `page`: sending both is an error.
    /// With it, no item comes twice whatever is made meanwhile.
    pub cursor: Option<Cursor>,
    /// Maximum number of items on the page, 1 to 100 (default 20).
    #[serde(default)]
    pub limit: PageLimit,
}

impl ResourcePageQuery {
    /// The page of the list.
    ///
    /// # Errors
    /// If both a number and a cursor are given.
    pub fn request(&self) -> Result<PageRequest> {
        page(self.page, self.cursor.as_ref(), self.limit)
    }
}

impl Input for ResourcePageQuery {
    fn resource(&self) -> Option<Uuid> {
        Some(self.id.get())
    }
}

fn page(page: Option<PageNumber>, cursor: Option<&Cursor>, limit: PageLimit) -> Result<PageRequest> {
    if page.is_some() && cursor.is_some() {
        return Err(Error::invalid("page", Problem::new("can't go with cursor")).in_part(RequestPart::Query));
    }
    Ok(PageRequest { page: page.unwrap_or_default(), cursor: cursor.cloned(), limit })
}

/// One page of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}List")]
pub struct ListPage<T> {
    /// Items of the page, newest first.
    pub items: Vec<T>,
    /// Number of items in the whole list that the caller may see.
    pub total: u64,
    /// Number of this page, from 1; 1 if it was asked for by a cursor.
    pub page: PageNumber,
    /// Maximum number of items on a page, as requested.
    pub limit: PageLimit,
    /// Whether another page follows this one.
    pub has_more: bool,
    /// Cursor of the next page; null on the last one.
    pub next_cursor: Option<Cursor>,
}

impl<T> From<OffsetPage<T>> for ListPage<T> {
    fn from(page: OffsetPage<T>) -> Self {
        let (has_more, request) = (page.has_more(), page.request);
        let PageRequest { page: number, limit, .. } = request;
        Self { items: page.items, total: page.total, page: number, limit, has_more, next_cursor: page.next }
    }
}

impl<T: Serialize + JsonSchema + Send + 'static> Output for ListPage<T> {}

/// Confirmation that a resource was deleted.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Deleted {
    /// Whether the resource was deleted: always true.
    pub deleted: bool,
}

impl Deleted {
    /// The answer after a deletion.
    pub const DONE: Self = Self { deleted: true };
}

impl Output for Deleted {}
