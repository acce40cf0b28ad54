//! Parts of requests and answers that all kinds of resources share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::operation::{Input, Output};
use crate::domain::{OffsetPage, PageLimit, PageNumber, PageRequest, PathId};

/// Query parameters that select one page of a list by its number.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// Number of the page, from 1 (default 1). A page that starts after more than 50 000 items is refused.
    #[serde(default)]
    pub page: PageNumber,
    /// Maximum number of items on the page, 1 to 100 (default 20).
    #[serde(default)]
    pub limit: PageLimit,
}

impl PageQuery {
    pub fn request(&self) -> PageRequest {
        PageRequest { page: self.page, limit: self.limit }
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

impl Input for ResourcePath {}

/// Parameters that name a resource and select one page of the list within it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResourcePageQuery {
    /// UUID of the resource that contains the list. A malformed id is treated as an unknown id.
    pub id: PathId,
    /// Number of the page, from 1 (default 1). A page that starts after more than 50 000 items is refused.
    #[serde(default)]
    pub page: PageNumber,
    /// Maximum number of items on the page, 1 to 100 (default 20).
    #[serde(default)]
    pub limit: PageLimit,
}

impl ResourcePageQuery {
    pub fn request(&self) -> PageRequest {
        PageRequest { page: self.page, limit: self.limit }
    }
}

impl Input for ResourcePageQuery {}

/// One page of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}List")]
pub struct ListPage<T> {
    /// Items of the page, newest first.
    pub items: Vec<T>,
    /// Number of items in the whole list that the caller may see.
    pub total: u64,
    /// Number of this page, from 1.
    pub page: PageNumber,
    /// Maximum number of items on a page, as requested.
    pub limit: PageLimit,
    /// Whether another page follows this one.
    pub has_more: bool,
}

impl<T> From<OffsetPage<T>> for ListPage<T> {
    fn from(page: OffsetPage<T>) -> Self {
        let (has_more, request) = (page.has_more(), page.request);
        Self { items: page.items, total: page.total, page: request.page, limit: request.limit, has_more }
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
