//! Inputs that operations of several surfaces have in common.

use schemars::JsonSchema;
use serde::Deserialize;

use super::operation::Input;
use crate::domain::{Cursor, PageLimit, TenantId};

/// No parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Empty {}

impl Input for Empty {}

/// Which tenant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantQuery {
    /// The tenant's id.
    pub tenant_id: TenantId,
}

impl Input for TenantQuery {
    fn tenant_id(&self) -> Option<&str> {
        Some(self.tenant_id.as_str())
    }
}

/// Which tenant, and which page of a list of what it has.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantPageQuery {
    /// The tenant's id.
    pub tenant_id: TenantId,
    /// Rows on the page.
    #[serde(default)]
    pub limit: PageLimit,
    /// The `next_cursor` of the page before.
    pub cursor: Option<Cursor>,
}

impl Input for TenantPageQuery {
    fn tenant_id(&self) -> Option<&str> {
        Some(self.tenant_id.as_str())
    }
}

/// Which page.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// Rows on the page.
    #[serde(default)]
    pub limit: PageLimit,
    /// The `next_cursor` of the page before.
    pub cursor: Option<Cursor>,
}

impl Input for PageQuery {}
