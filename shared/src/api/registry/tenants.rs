//! The tenant registry: an operator registers, configures, suspends and lists tenants.

use schemars::JsonSchema;
use serde::Deserialize;

use super::tenant_outputs::{
    AuditPage, ProvisionedTenant, Reactivated, RotatedSecret, Suspended, TenantView, TenantsPage, UpdatedTenant,
};
use crate::api::common::{Empty, TenantQuery};
use crate::api::operation::{BodyRule, Input, Operation, Route};
use crate::auth::Operator;
use crate::domain::{
    Cursor, NewTenant, Offset, OverlapSeconds, PageLimit, Problem, Reason, StatusFilter, TenantId, TenantPatch,
    Timestamp,
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

/// Writes exactly the fields in the body.
#[derive(Debug, Clone, Copy)]
pub struct UpdateTenant;

impl Operation for UpdateTenant {
    const ROUTE: Route = Route::post("update-tenant", "/api/v1/update/tenant", BodyRule::Required)
        .about("Change the fields in the body; null clears")
        .example(r#"{"rate_limit_per_min": 300, "branding_display_name": null}"#);
    type Caller = Operator;
    type Query = TenantQuery;
    type Body = TenantPatch;
    type Output = UpdatedTenant;
}

/// Gives a tenant a new secret.
#[derive(Debug, Clone, Copy)]
pub struct RotateTenantSecret;

impl Operation for RotateTenantSecret {
    const ROUTE: Route = Route::post("rotate-tenant-secret", "/api/v1/rotate/tenant-secret", BodyRule::Optional)
        .about("New secret, shown once; the old one is dead at once, or after an overlap")
        .example(r#"{"overlap_seconds": 86400}"#);
    type Caller = Operator;
    type Query = TenantQuery;
    type Body = Rotation;
    type Output = RotatedSecret;
}

/// Refuses every call that the tenant signs, from now on.
#[derive(Debug, Clone, Copy)]
pub struct SuspendTenant;

impl Operation for SuspendTenant {
    const ROUTE: Route = Route::post("suspend-tenant", "/api/v1/suspend/tenant", BodyRule::Optional)
        .about("Refuse every call of the tenant, from the next one on")
        .example(r#"{"reason": "The contract has ended."}"#);
    type Caller = Operator;
    type Query = TenantQuery;
    type Body = Suspension;
    type Output = Suspended;
}

/// Undoes a suspension.
#[derive(Debug, Clone, Copy)]
pub struct ReactivateTenant;

impl Operation for ReactivateTenant {
    const ROUTE: Route = Route::post("reactivate-tenant", "/api/v1/reactivate/tenant", BodyRule::Optional)
        .about("Undo a suspension and reset the strikes");
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
        .about("A tenant's configuration and state, never its secret");
    type Caller = Operator;
    type Query = TenantQuery;
    type Body = Empty;
    type Output = TenantView;
}

/// Lists tenants.
#[derive(Debug, Clone, Copy)]
pub struct FetchTenants;

impl Operation for FetchTenants {
    const ROUTE: Route = Route::get("fetch-tenants", "/api/v1/fetch/tenants").about("Tenants, newest first");
    type Caller = Operator;
    type Query = TenantsQuery;
    type Body = Empty;
    type Output = TenantsPage;
}

/// Lists what was changed about a tenant.
#[derive(Debug, Clone, Copy)]
pub struct FetchAuditEvents;

impl Operation for FetchAuditEvents {
    const ROUTE: Route = Route::get("fetch-audit-events", "/api/v1/fetch/audit-events")
        .about("Who changed what about a tenant, newest first");
    type Caller = Operator;
    type Query = AuditQuery;
    type Body = Empty;
    type Output = AuditPage;
}

/// Which tenants, and which page of them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantsQuery {
    /// Rows on the page.
    #[serde(default)]
    pub limit: PageLimit,
    /// The `next_cursor` of the page before.
    pub cursor: Option<Cursor>,
    /// Rows to skip, instead of a cursor.
    pub offset: Option<Offset>,
    /// Only tenants in this state.
    pub status: Option<StatusFilter>,
}

impl Input for TenantsQuery {}

impl TenantsQuery {
    /// Where the page starts.
    ///
    /// # Errors
    /// If both a cursor and an offset say so.
    pub fn start(&self) -> Result<Start> {
        match (&self.cursor, self.offset) {
            (None, None) => Ok(Start::First),
            (Some(cursor), None) => Ok(Start::After(cursor.clone())),
            (None, Some(offset)) => Ok(Start::Skip(offset)),
            (Some(_), Some(_)) => Err(Error::invalid("offset", Problem::new("can't go with cursor"))),
        }
    }
}

/// Which tenant's events, and which page of them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    /// The tenant's id.
    pub tenant_id: TenantId,
    /// Rows on the page.
    #[serde(default)]
    pub limit: PageLimit,
    /// The `next_cursor` of the page before.
    pub cursor: Option<Cursor>,
    /// Only events at or after this time.
    pub since: Option<Timestamp>,
}

impl Input for AuditQuery {
    fn tenant_id(&self) -> Option<&str> {
        Some(self.tenant_id.as_str())
    }
}

impl Input for NewTenant {}

impl Input for TenantPatch {}

/// How to rotate.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// For how many seconds the old secret stays valid beside the new one.
    #[serde(default)]
    pub overlap_seconds: OverlapSeconds,
}

impl Input for Rotation {}

/// How to suspend.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Suspension {
    /// Why, for whoever looks at the tenant later.
    #[serde(default)]
    pub reason: Option<Reason>,
}

impl Input for Suspension {}
