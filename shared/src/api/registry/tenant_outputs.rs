//! What the tenant registry answers.

use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use crate::api::operation::Output;
use crate::domain::{
    AuditEvent, Configuration, Cursor, CursorPage, PageLimit, RatePerMinute, Reason, RevealedSecret, Tenant, TenantId,
    TenantName, TenantSecret, TenantStatus, TenantSummary, Timestamp,
};
use crate::store::{Provisioned, Rotated};

/// A new tenant.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ProvisionedTenant {
    /// Its id.
    pub tenant_id: TenantId,
    /// Its secret, shown once; null in a replay that can't show it again.
    pub tenant_secret: Option<RevealedSecret>,
    /// What the operator calls it.
    pub tenant_name: TenantName,
    /// Relay calls accepted per calendar minute.
    pub rate_limit_per_min: RatePerMinute,
    /// When it was provisioned.
    pub created_at: Timestamp,
    /// The uuid under which the projects surface knows it.
    #[schemars(with = "String", extend("format" = "uuid"))]
    pub project_id: Option<Uuid>,
}

impl From<Provisioned> for ProvisionedTenant {
    fn from(Provisioned { tenant, secret }: Provisioned) -> Self {
        let tenant = tenant.summary;
        Self {
            project_id: tenant.id.project_id(),
            tenant_id: tenant.id,
            tenant_secret: secret.map(TenantSecret::reveal),
            tenant_name: tenant.name,
            rate_limit_per_min: tenant.rate_limit_per_min,
            created_at: tenant.created_at,
        }
    }
}

impl Output for ProvisionedTenant {
    fn message(&self) -> &'static str {
        match self.tenant_secret {
            Some(_) => "Tenant provisioned. Save tenant_secret now — it will not be shown again.",
            None => "Tenant provisioned. Its tenant_secret was shown before and can't be shown again.",
        }
    }

    fn tenant_id(&self) -> Option<&str> {
        Some(self.tenant_id.as_str())
    }
}

/// A new secret.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RotatedSecret {
    /// Whose.
    pub tenant_id: TenantId,
    /// The secret, shown once; null in a replay that can't show it again.
    pub tenant_secret: Option<RevealedSecret>,
    /// When it became valid.
    pub rotated_at: Timestamp,
    /// Until when the old secret is valid too; null if it is dead.
    pub previous_valid_until: Option<Timestamp>,
}

impl RotatedSecret {
    /// The answer for a rotation of `tenant_id`.
    pub fn new(tenant_id: TenantId, Rotated { secret, rotation }: Rotated) -> Self {
        Self {
            tenant_id,
            tenant_secret: secret.map(TenantSecret::reveal),
            rotated_at: rotation.rotated_at,
            previous_valid_until: rotation.previous_until,
        }
    }
}

impl Output for RotatedSecret {
    fn message(&self) -> &'static str {
        match (&self.tenant_secret, self.previous_valid_until) {
            (Some(_), None) => "Secret rotated. Save the new tenant_secret — old secret is now invalid.",
            (Some(_), Some(_)) => {
                "Secret rotated. Save the new tenant_secret — old secret stays valid until previous_valid_until."
            }
            (None, _) => "Secret rotated. The new tenant_secret was shown before and can't be shown again.",
        }
    }
}

/// A tenant's configuration and state.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TenantView {
    /// What lists show too.
    #[serde(flatten)]
    pub row: TenantRow,
    /// The rest of its configuration.
    #[serde(flatten)]
    pub configuration: Configuration,
    /// The id of the key that signs its tokens.
    pub signing_kid: String,
    /// When all of its tokens were last revoked; null = never.
    pub tokens_revoked_before: Option<Timestamp>,
    /// When the secret was last rotated; null = never.
    pub secret_rotated_at: Option<Timestamp>,
    /// Until when the secret of before the last rotation is valid too; null if none was declared.
    pub previous_secret_valid_until: Option<Timestamp>,
    /// When a call was last signed with that one and accepted; null = never since the rotation.
    pub previous_secret_last_used_at: Option<Timestamp>,
}

impl From<Tenant> for TenantView {
    fn from(tenant: Tenant) -> Self {
        let previous = tenant.secret.previous;
        Self {
            row: tenant.summary.into(),
            configuration: tenant.configuration,
            signing_kid: tenant.signing.kid,
            tokens_revoked_before: tenant.tokens_revoked_at,
            secret_rotated_at: tenant.secret.rotated_at,
            previous_secret_valid_until: previous.as_ref().map(|previous| previous.until),
            previous_secret_last_used_at: previous.and_then(|previous| previous.last_used_at),
        }
    }
}

impl Output for TenantView {}

/// A tenant after an update.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct UpdatedTenant(pub TenantView);

impl Output for UpdatedTenant {
    fn message(&self) -> &'static str {
        "Tenant updated"
    }
}

/// A tenant's state in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StatusView {
    /// It may act.
    Active,
    /// Every call that it signs is refused.
    Suspended,
}

/// A tenant as the list shows it; `fetch/tenant` has the rest.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TenantRow {
    /// Its id.
    pub tenant_id: TenantId,
    /// The uuid under which the projects surface knows it.
    #[schemars(with = "String", extend("format" = "uuid"))]
    pub project_id: Option<Uuid>,
    /// What the operator calls it.
    pub tenant_name: TenantName,
    /// Whether it may act.
    pub status: StatusView,
    /// Since when it is suspended.
    pub suspended_at: Option<Timestamp>,
    /// Why it is suspended, if the operator said so.
    pub suspended_reason: Option<Reason>,
    /// Relay calls accepted per calendar minute.
    pub rate_limit_per_min: RatePerMinute,
    /// Authenticated abuse counted against it.
    pub abuse_strikes: u64,
    /// When it was provisioned.
    pub created_at: Timestamp,
    /// When configuration, status or secret last changed; null = never.
    pub updated_at: Option<Timestamp>,
}

impl From<TenantSummary> for TenantRow {
    fn from(tenant: TenantSummary) -> Self {
        let (status, suspended_at, suspended_reason) = match tenant.status {
            TenantStatus::Active => (StatusView::Active, None, None),
            TenantStatus::Suspended { since, reason } => (StatusView::Suspended, Some(since), reason),
        };
        Self {
            project_id: tenant.id.project_id(),
            tenant_id: tenant.id,
            tenant_name: tenant.name,
            status,
            suspended_at,
            suspended_reason,
            rate_limit_per_min: tenant.rate_limit_per_min,
            abuse_strikes: tenant.abuse_strikes,
            created_at: tenant.created_at,
            updated_at: tenant.updated_at,
        }
    }
}

/// A page of tenants.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TenantsPage {
    /// The tenants, newest first.
    pub tenants: Vec<TenantRow>,
    /// Asks for the next page; null on the last.
    pub next_cursor: Option<Cursor>,
    /// Rows that a page holds at most.
    pub limit: PageLimit,
}

impl TenantsPage {
    /// The answer for a page of at most `limit` rows.
    pub fn new(page: CursorPage<TenantSummary>, limit: PageLimit) -> Self {
        let tenants = page.rows.into_iter().map(TenantRow::from).collect();
        Self { tenants, next_cursor: page.next, limit }
    }
}

impl Output for TenantsPage {}

/// A page of audit events.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AuditPage {
    /// The events, newest first.
    pub events: Vec<AuditEvent>,
    /// Asks for the next page; null on the last.
    pub next_cursor: Option<Cursor>,
    /// Rows that a page holds at most.
    pub limit: PageLimit,
}

impl AuditPage {
    /// The answer for a page of at most `limit` rows.
    pub fn new(page: CursorPage<AuditEvent>, limit: PageLimit) -> Self {
        Self { events: page.rows, next_cursor: page.next, limit }
    }
}

impl Output for AuditPage {}

/// The tenant is suspended; there is nothing else to say.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Suspended;

/// The tenant is active; there is nothing else to say.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Reactivated;

impl Output for Suspended {
    fn message(&self) -> &'static str {
        "Tenant suspended"
    }
}

impl Output for Reactivated {
    fn message(&self) -> &'static str {
        "Tenant reactivated"
    }
}
