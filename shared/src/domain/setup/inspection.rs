//! The inspection: all checks of a set-up, in the order in which one sets up.

use super::check::Check;
use super::facts::{Look, SetupDefaults, SetupFacts};
use super::lines::Lines;
use super::{keys, registration, services, signing};
use crate::domain::ids::tenant_id::TenantId;
use crate::domain::tenants::status::TenantStatus;
use crate::domain::time::clock::Timestamp;
use crate::domain::values::text::TenantName;

/// What a tenant's set-up shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    pub tenant_id: TenantId,
    pub tenant_name: TenantName,
    pub checked_at: Timestamp,
    pub checks: Vec<Check>,
}

impl Setup {
    /// Inspects a set-up. `address` is that of the service, without a slash at its end, for the lines to paste.
    pub fn inspect(facts: &SetupFacts, defaults: SetupDefaults, address: &str, now: Timestamp) -> Self {
        let summary = &facts.tenant.summary;
        let lines = Lines { address, tenant_id: &summary.id };
        let look = Look { facts, defaults, lines: &lines, now };
        let checks = [
            vec![tenant(&look)],
            keys::checks(&look),
            registration::checks(&look),
            signing::checks(&look),
            services::checks(&look),
        ];
        Self {
            tenant_id: summary.id.clone(),
            tenant_name: summary.name.clone(),
            checked_at: now,
            checks: checks.concat(),
        }
    }
}

fn tenant(look: &Look<'_>) -> Check {
    let check = match &look.facts.tenant.summary.status {
        TenantStatus::Active => Check::works("tenant", "The tenant is active."),
        TenantStatus::Suspended { since, reason } => {
            let why =
                reason.as_ref().map_or_else(|| "no reason was given".to_owned(), |reason| format!("\"{reason}\""));
            let says = format!("The tenant is suspended ({why}): all its calls are refused, and so are its tokens.");
            Check::fails("tenant", says, "Clear up the reason. The operator then reactivates it: reactivate/tenant.")
                .at(Some(*since))
        }
    };
    check.proven_by(look.lines.whoami())
}
