//! Whether a tenant may act.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::time::clock::Timestamp;
use crate::domain::values::text::Reason;

/// Whether a tenant may act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TenantStatus {
    /// The tenant may act.
    Active,
    /// Every call of the tenant is refused.
    Suspended {
        /// Time of the suspension.
        since: Timestamp,
        /// Reason, if the operator gave one.
        reason: Option<Reason>,
    },
}

/// Status by which a list of tenants is filtered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StatusFilter {
    /// Tenants that may act.
    Active,
    /// Tenants that are suspended.
    Suspended,
}
