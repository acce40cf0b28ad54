//! Inspection of a tenant's set-up: what works, what does not, and what to change.

use schemars::JsonSchema;
use serde::Serialize;

use crate::api::common::{Empty, TenantQuery};
use crate::api::operation::{Operation, Output, Route};
use crate::auth::Operator;
use crate::domain::{Check, CheckState, Seen, Setup, TenantId, TenantName, Timestamp};

/// Inspects a tenant's set-up.
#[derive(Debug, Clone, Copy)]
pub struct FetchSetup;

impl Operation for FetchSetup {
    const ROUTE: Route = Route::get("fetch-setup", "/api/v1/fetch/setup")
        .about("Inspect a tenant's set-up: what works, what does not, and what to change");
    type Caller = Operator;
    type Query = TenantQuery;
    type Body = Empty;
    type Output = SetupView;
}

/// What a tenant's set-up shows.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SetupView {
    /// Id of the tenant: `tnt_` and 32 hexadecimal digits.
    pub tenant_id: TenantId,
    /// Name that the operator gave to the tenant.
    pub tenant_name: TenantName,
    /// Time of the inspection.
    pub checked_at: Timestamp,
    /// Checks, in the order in which one sets up.
    pub checks: Vec<CheckView>,
}

impl From<Setup> for SetupView {
    fn from(setup: Setup) -> Self {
        Self {
            tenant_id: setup.tenant_id,
            tenant_name: setup.tenant_name,
            checked_at: setup.checked_at,
            checks: setup.checks.into_iter().map(Into::into).collect(),
        }
    }
}

impl Output for SetupView {}

/// Check of a set-up.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CheckView {
    /// Name of the check, which stays as it is.
    pub check: &'static str,
    /// Whether it `works`, `fails`, is `unseen` so far, or what it is about is `off`.
    pub state: CheckState,
    /// What was seen, in a sentence for people. It can have texts in it that users chose, such as a name.
    pub says: String,
    /// Time at which it was last seen, or the day (UTC) where no more is kept; null if it was not.
    pub last_seen: Option<Seen>,
    /// What to change, in sentences for people; null if nothing is.
    pub mend: Option<String>,
    /// Line for a shell that proves it, with `curl`, and `openssl` 3 where something is signed. Secrets in it are
    /// variables of the shell, and so is `LATCHKEY_URL` where the deployment does not say its address.
    pub curl: String,
}

impl From<Check> for CheckView {
    fn from(check: Check) -> Self {
        let Check { name, state, says, last_seen, mend, curl } = check;
        Self { check: name, state, says, last_seen, mend, curl }
    }
}
