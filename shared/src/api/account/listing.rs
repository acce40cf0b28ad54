//! What all kinds of rows have in common in requests and answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::operation::{Input, Output};
use crate::domain::{OffsetPage, PageLimit, PageNumber, PageRequest, PathId};

/// Which page.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// Its number, from 1. A page more than 50 000 rows back is refused.
    #[serde(default)]
    pub page: PageNumber,
    /// Rows on it.
    #[serde(default)]
    pub limit: PageLimit,
}

impl PageQuery {
    pub fn request(&self) -> PageRequest {
        PageRequest { page: self.page, limit: self.limit }
    }
}

impl Input for PageQuery {}

/// Which one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResourcePath {
    /// Its id.
    pub id: PathId,
}

impl Input for ResourcePath {}

/// Which one, and which page of what is in it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResourcePageQuery {
    /// The id of what the list is in.
    pub id: PathId,
    /// Its number, from 1. A page more than 50 000 rows back is refused.
    #[serde(default)]
    pub page: PageNumber,
    /// Rows on it.
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
    /// Newest first.
    pub items: Vec<T>,
    /// How many there are that the caller sees.
    pub total: u64,
    pub page: PageNumber,
    pub limit: PageLimit,
    /// Whether there is another page.
    pub has_more: bool,
}

impl<T> From<OffsetPage<T>> for ListPage<T> {
    fn from(page: OffsetPage<T>) -> Self {
        let (has_more, request) = (page.has_more(), page.request);
        Self { items: page.items, total: page.total, page: request.page, limit: request.limit, has_more }
    }
}

impl<T: Serialize + JsonSchema + Send + 'static> Output for ListPage<T> {}

/// It is gone.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Deleted {
    pub deleted: bool,
}

impl Deleted {
    /// The answer after a deletion.
    pub const DONE: Self = Self { deleted: true };
}

impl Output for Deleted {}
