//! Inputs that operations of several surfaces have in common.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::operation::Input;
use crate::domain::{Cursor, PageLimit, TenantId};

/// Empty query or request body: the operation takes no parameters here.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Empty {}

impl Input for Empty {}

/// Parameters that name a tenant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantQuery {
    /// Id of the tenant: `tnt_` and 32 hexadecimal digits.
    pub tenant_id: TenantId,
}

impl Input for TenantQuery {
    fn tenant_id(&self) -> Option<&str> {
        Some(self.tenant_id.as_str())
    }
}

/// Query parameters that name a tenant and one page of a list of its items.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantPageQuery {
    /// Id of the tenant: `tnt_` and 32 hexadecimal digits.
    pub tenant_id: TenantId,
    /// Maximum number of items on the page, 1 to 100 (default 20).
    #[serde(default)]
    pub limit: PageLimit,
    /// Cursor of the page: the `next_cursor` of the previous page. Absent for the first page.
    pub cursor: Option<Cursor>,
}

impl Input for TenantPageQuery {
    fn tenant_id(&self) -> Option<&str> {
        Some(self.tenant_id.as_str())
    }
}

/// Query parameters that name one page of a list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// Maximum number of items on the page, 1 to 100 (default 20).
    #[serde(default)]
    pub limit: PageLimit,
    /// Cursor of the page: the `next_cursor` of the previous page. Absent for the first page.
    pub cursor: Option<Cursor>,
}

impl Input for PageQuery {}

/// An API key in a request body. It authenticates the caller and is used for nothing else.
#[derive(Default)]
pub struct ApiKeyField(Option<Zeroizing<String>>);

impl ApiKeyField {
    /// The text of the key.
    pub fn get(&self) -> Option<&Zeroizing<String>> {
        self.0.as_ref()
    }
}

impl fmt::Debug for ApiKeyField {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApiKeyField")
    }
}

impl<'de> Deserialize<'de> for ApiKeyField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self)
    }
}

impl JsonSchema for ApiKeyField {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ApiKeyField".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "null"], "format": "password" })
    }
}
