//! What bounds a tenant outside the relay: rows that it keeps, and calls of its API keys and end users.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::values::limits::{RatePerMinute, RowsPerEndUser, RowsPerTenant};

/// The limits that a tenant's configuration sets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Limits {
    /// Maximum number of rows that one end user may have of each kind, and of messages in one session; null if the
    /// deployment's default applies.
    pub rows_per_end_user: Option<RowsPerEndUser>,
    /// Maximum number of rows that the tenant may have of each kind; null if the deployment's default applies.
    pub rows_per_tenant: Option<RowsPerTenant>,
    /// Maximum number of calls that each API key may make in one calendar minute; null if there is no limit.
    pub calls_per_min_per_key: Option<RatePerMinute>,
    /// Maximum number of calls that may be made for each end user in one calendar minute; null if there is no limit.
    pub calls_per_min_per_end_user: Option<RatePerMinute>,
}

/// How many rows of each kind may be kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowQuotas {
    /// By one end user, and of messages in one session.
    pub per_end_user: RowsPerEndUser,
    pub per_tenant: RowsPerTenant,
}

impl RowQuotas {
    /// The quotas of a tenant for which these are the deployment's.
    #[must_use]
    pub fn of_tenant(self, limits: &Limits) -> Self {
        Self {
            per_end_user: limits.rows_per_end_user.unwrap_or(self.per_end_user),
            per_tenant: limits.rows_per_tenant.unwrap_or(self.per_tenant),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_tenant_does_not_set_is_the_deployments() {
        let rows = RowsPerEndUser::new(3).unwrap();
        let limits = Limits { rows_per_end_user: Some(rows), ..Limits::default() };
        let deployment = RowQuotas { per_tenant: RowsPerTenant::new(80).unwrap(), ..RowQuotas::default() };
        let quotas = deployment.of_tenant(&limits);
        assert_eq!((quotas.per_end_user, quotas.per_tenant.get()), (rows, 80));
        assert_eq!(deployment.of_tenant(&Limits::default()), deployment);
    }
}
