//! Operations of the registry on tenants: the operator registers, configures, suspends and lists them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::tenant_outputs::{
    AuditPage, FetchedTenant, ProvisionedTenant, Reactivated, RotatedSecret, Suspended, TenantsPage, UpdatedTenant,
};
use crate::api::common::{Empty, TenantQuery};
use crate::api::operation::{BodyRule, Input, Operation, Route};
use crate::auth::Operator;
use crate::domain::{
    Cursor, NewTenant, Offset, OverlapSeconds, PageLimit, Problem, Reason, StatusFilter, TenantId, TenantPatch,
    TenantSearch, Timestamp,
};
use crate::error::{Error, Result};
use crate::store::Start;

/// Registers a tenant and shows its secret, once.
#[derive(Debug, Clone, Copy)]
pub struct ProvisionTenant;

impl Operation for ProvisionTenant {
    const ROUTE: Route = Route::post("provision-tenant", "/api/v1/provision/tenant", BodyRule::Required)
        .answering(201)
        .about("Register a tenant; its secret is shown once")
        .example(
            r#"{
                "tenant_name": "Acme",
                "rate_limit_per_min": 120,
                "callback_url_base": "https://api.example.com/latchkey",
                "branding_display_name": "Acme Inc."
            }"#,
        );
    type Caller = Operator;
    type Query = Empty;
    type Body = NewTenant;
    type Output = ProvisionedTenant;
}

/// Changes the tenant fields that are in the body.
#[derive(Debug, Clone, Copy)]
pub struct UpdateTenant;

impl Operation for UpdateTenant {
    const ROUTE: Route = Route::post("update-tenant", "/api/v1/update/tenant", BodyRule::Required)
        .about("Update the tenant fields in the body; null clears a field")
        .example(r#"{"rate_limit_per_min": 300, "branding_display_name": null}"#);
    type Caller = Operator;
    type Query = UpdateQuery;
    type Body = TenantPatch;
    type Output = UpdatedTenant;
}

/// Gives a tenant a new secret.
#[derive(Debug, Clone, Copy)]
pub struct RotateTenantSecret;

impl Operation for RotateTenantSecret {
    const ROUTE: Route = Route::post("rotate-tenant-secret", "/api/v1/rotate/tenant-secret", BodyRule::Optional)
        .about("Replace a tenant's secret, shown once; the old one stays valid for an optional overlap")
        .example(r#"{"overlap_seconds": 86400}"#);
    type Caller = Operator;
    type Query = TenantQuery;
    type Body = Rotation;
    type Output = RotatedSecret;
}

/// Suspends a tenant: every call of it is refused from now on.
#[derive(Debug, Clone, Copy)]
pub struct SuspendTenant;

impl Operation for SuspendTenant {
    const ROUTE: Route = Route::post("suspend-tenant", "/api/v1/suspend/tenant", BodyRule::Optional)
        .about("Suspend a tenant: every call of it is refused from the next one on")
        .example(r#"{"reason": "The contract has ended."}"#);
    type Caller = Operator;
    type Query = TenantQuery;
    type Body = Suspension;
    type Output = Suspended;
}

/// Lifts a suspension and resets the strikes.
#[derive(Debug, Clone, Copy)]
pub struct ReactivateTenant;

impl Operation for ReactivateTenant {
    const ROUTE: Route = Route::post("reactivate-tenant", "/api/v1/reactivate/tenant", BodyRule::Optional)
        .about("Lift a suspension and reset the strikes");
    type Caller = Operator;
    type Query = TenantQuery;
    type Body = Empty;
    type Output = Reactivated;
}

/// Shows a tenant.
#[derive(Debug, Clone, Copy)]
pub struct FetchTenant;

impl Operation for FetchTenant {
    const ROUTE: Route = Route::get("fetch-tenant", "/api/v1/fetch/tenant")
        .about("Get a tenant's configuration and state, without its secret");
    type Caller = Operator;
    type Query = TenantQuery;
    type Body = Empty;
    type Output = FetchedTenant;
}

/// Lists tenants.
#[derive(Debug, Clone, Copy)]
pub struct FetchTenants;

impl Operation for FetchTenants {
    const ROUTE: Route = Route::get("fetch-tenants", "/api/v1/fetch/tenants")
        .about("List tenants, newest first, or search them by name or id");
    type Caller = Operator;
    type Query = TenantsQuery;
    type Body = Empty;
    type Output = TenantsPage;
}

/// Lists the changes that were made to a tenant.
#[derive(Debug, Clone, Copy)]
pub struct FetchAuditEvents;

impl Operation for FetchAuditEvents {
    const ROUTE: Route = Route::get("fetch-audit-events", "/api/v1/fetch/audit-events")
        .about("List the changes made to a tenant, or to the operator's console, newest first");
    type Caller = Operator;
    type Query = AuditQuery;
    type Body = Empty;
    type Output = AuditPage;
}

/// Query parameters that name a tenant to update.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateQuery {
    /// Id of the tenant: `tnt_` and 32 hexadecimal digits.
    pub tenant_id: TenantId,
    /// Whether `webauthn_rp_id` may become another one although passkeys are in use, which then work no more (default
    /// false).
    #[serde(default)]
    pub force: bool,
}

impl Input for UpdateQuery {
    fn tenant_id(&self) -> Option<&str> {
        Some(self.tenant_id.as_str())
    }
}

/// Query parameters that select tenants and one page of them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantsQuery {
    /// Maximum number of tenants on the page, 1 to 100 (default 20).
    #[serde(default)]
    pub limit: PageLimit,
    /// Cursor of the page: the `next_cursor` of the previous page. Absent for the first page.
    pub cursor: Option<Cursor>,
    /// Number of tenants to skip, 0 to 10000. An alternative to `cursor`: sending both is an error, and so is sending
    /// it with `search`.
    pub offset: Option<Offset>,
    /// Status that the listed tenants must have. Absent: tenants of every status are listed.
    pub status: Option<StatusFilter>,
    /// Beginning of the name of the listed tenants, in any case, or of their ids if it begins with `tnt_`; 1 to 120
    /// characters. The list is in the order of names or ids then. Absent: all tenants are listed, newest first.
    pub search: Option<TenantSearch>,
}

impl Input for TenantsQuery {}

impl TenantsQuery {
    /// The start of the page.
    ///
    /// # Errors
    /// If an offset is given together with a cursor or a search.
    pub fn start(&self) -> Result<Start> {
        if self.search.is_some() && self.offset.is_some() {
            return Err(Error::invalid("offset", Problem::new("can't go with search")));
        }
        match (&self.cursor, self.offset) {
            (None, None) => Ok(Start::First),
            (Some(cursor), None) => Ok(Start::After(cursor.clone())),
            (None, Some(offset)) => Ok(Start::Skip(offset)),
            (Some(_), Some(_)) => Err(Error::invalid("offset", Problem::new("can't go with cursor"))),
        }
    }
}

/// Query parameters that name a tenant and one page of its audit events.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    /// Id of the tenant: `tnt_` and 32 hexadecimal digits. Absent: events that are of no tenant are listed, which are
    /// those of the operator's console.
    pub tenant_id: Option<TenantId>,
    /// Maximum number of events on the page, 1 to 100 (default 20).
    #[serde(default)]
    pub limit: PageLimit,
    /// Cursor of the page: the `next_cursor` of the previous page. Absent for the first page.
    pub cursor: Option<Cursor>,
    /// Earliest time of the listed events (RFC 3339), inclusive. Absent: events of any age are listed.
    pub since: Option<Timestamp>,
}

impl Input for AuditQuery {
    fn tenant_id(&self) -> Option<&str> {
        self.tenant_id.as_ref().map(TenantId::as_str)
    }
}

impl Input for NewTenant {}

impl Input for TenantPatch {
    const IS_PATCH: bool = true;
}

/// Request body for rotating a secret or an API key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// Seconds for which the old credential stays valid beside the new one, 0 to 2592000 (30 days). Default: 0, which
    /// makes it invalid at once.
    #[serde(default)]
    pub overlap_seconds: OverlapSeconds,
}

impl Input for Rotation {}

/// Request body for suspending a tenant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Suspension {
    /// Reason for the suspension, 1 to 120 characters, shown when the tenant is fetched. Absent or null: no reason is
    /// stored.
    #[serde(default)]
    pub reason: Option<Reason>,
}

impl Input for Suspension {}
