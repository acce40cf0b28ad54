//! Answers of the registry about tenants.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use crate::api::operation::Output;
use crate::domain::{
    AuditEvent, Configuration, Cursor, CursorPage, Day, Flow, PageLimit, RatePerMinute, Reason, ReceiverSummary,
    RevealedSecret, StandbyKey, Tenant, TenantId, TenantName, TenantSecret, TenantStatus, TenantSummary, Timestamp,
    WebauthnOrigin, WebhookSecret,
};
use crate::store::{Provisioned, Receivers, Rotated};

/// What is shown of a tenant secret: itself, and the webhook secret that belongs to it.
///
/// Whoever has the one can compute the other. So a derivation that fails, for which it has no reason, costs the second:
/// a refusal would cost both, since the change is made already.
fn shown(secret: Option<TenantSecret>) -> (Option<RevealedSecret>, Option<RevealedSecret>) {
    let webhook_secret = secret.as_ref().and_then(WebhookSecret::of).map(WebhookSecret::reveal);
    (secret.map(TenantSecret::reveal), webhook_secret)
}

/// New tenant, with its secret.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ProvisionedTenant {
    /// Id of the tenant: `tnt_` and 32 hexadecimal digits.
    pub tenant_id: TenantId,
    /// Secret with which the tenant signs its calls, shown once. Null in a repeated answer to the same
    /// `Idempotency-Key` that can no longer show it.
    pub tenant_secret: Option<RevealedSecret>,
    /// Secret with which the tenant verifies the `webhook-signature` of callbacks. It is computed from the tenant
    /// secret, and shown when that is.
    pub webhook_secret: Option<RevealedSecret>,
    /// Name that the operator gave to the tenant.
    pub tenant_name: TenantName,
    /// Maximum number of relay calls accepted in one calendar minute.
    pub rate_limit_per_min: RatePerMinute,
    /// Time at which the tenant was provisioned.
    pub created_at: Timestamp,
    /// UUID of the tenant on the projects surface, where it is sent as `projectId`.
    #[schemars(with = "String", extend("format" = "uuid"))]
    pub project_id: Option<Uuid>,
}

impl From<Provisioned> for ProvisionedTenant {
    fn from(Provisioned { tenant, secret }: Provisioned) -> Self {
        let tenant = tenant.summary;
        let (tenant_secret, webhook_secret) = shown(secret);
        Self {
            project_id: tenant.id.project_id(),
            tenant_id: tenant.id,
            tenant_secret,
            webhook_secret,
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

/// New secret of a tenant.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RotatedSecret {
    /// Id of the tenant.
    pub tenant_id: TenantId,
    /// The new secret, shown once. Null in a repeated answer to the same `Idempotency-Key` that can no longer show it.
    pub tenant_secret: Option<RevealedSecret>,
    /// The webhook secret that belongs to it, shown when it is.
    pub webhook_secret: Option<RevealedSecret>,
    /// Time at which the new secret became valid.
    pub rotated_at: Timestamp,
    /// Time until which the old secret stays valid; null if it is already invalid.
    pub previous_valid_until: Option<Timestamp>,
}

impl RotatedSecret {
    /// The answer for a rotation of `tenant_id`.
    pub fn new(tenant_id: TenantId, Rotated { secret, rotation }: Rotated) -> Self {
        let (tenant_secret, webhook_secret) = shown(secret);
        Self {
            tenant_id,
            tenant_secret,
            webhook_secret,
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

/// Configuration and state of a tenant.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TenantView {
    /// The fields that lists show as well.
    #[serde(flatten)]
    pub row: TenantRow,
    /// The rest of the configuration.
    #[serde(flatten)]
    pub configuration: Configuration,
    /// Key id (`kid`) of the key that signs the tenant's tokens.
    pub signing_kid: String,
    /// Time at which all of the tenant's tokens were last revoked; null if never.
    pub tokens_revoked_before: Option<Timestamp>,
    /// Time at which the secret was last rotated; null if never.
    pub secret_rotated_at: Option<Timestamp>,
    /// Time until which the secret from before the last rotation is valid; null if the rotation had no overlap.
    pub previous_secret_valid_until: Option<Timestamp>,
    /// Time of the last accepted call that was signed with the previous secret; null if there was none since the
    /// rotation.
    pub previous_secret_last_used_at: Option<Timestamp>,
    /// Day of the last call of the account surface that named no end user, and so was for the whole account; null if
    /// there was none.
    pub last_account_wide_call_at: Option<Day>,
    /// Day on which the last token for the whole account was issued; null if there was none.
    pub last_account_wide_token_at: Option<Day>,
    /// Document for `https://<webauthn_rp_id>/.well-known/webauthn` (Web Authentication Level 3 §5.11.1), to be served
    /// as it is, with the content type `application/json`; null if there is no `webauthn_rp_id`.
    pub related_origins: Option<RelatedOrigins>,
}

/// Document that names the pages that may use a relying party's passkeys.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RelatedOrigins {
    /// Web origins in `webauthn_origins`.
    pub origins: Vec<WebauthnOrigin>,
}

impl RelatedOrigins {
    /// The document of a tenant, if it has a relying party.
    fn of(configuration: &Configuration) -> Option<Self> {
        let origins = configuration.webauthn_origins.as_slice().iter().filter(|origin| origin.is_page());
        configuration.webauthn_rp_id.as_ref().map(|_| Self { origins: origins.cloned().collect() })
    }
}

impl From<Tenant> for TenantView {
    fn from(tenant: Tenant) -> Self {
        let previous = tenant.secret.previous;
        Self {
            related_origins: RelatedOrigins::of(&tenant.configuration),
            row: tenant.summary.into(),
            configuration: tenant.configuration,
            signing_kid: tenant.signing.kid,
            tokens_revoked_before: tenant.tokens_revoked_at,
            secret_rotated_at: tenant.secret.rotated_at,
            previous_secret_valid_until: previous.as_ref().map(|previous| previous.until),
            previous_secret_last_used_at: previous.and_then(|previous| previous.last_used_at),
            last_account_wide_call_at: tenant.account_wide.call_on,
            last_account_wide_token_at: tenant.account_wide.token_on,
        }
    }
}

/// Configuration and state of a tenant, of its keys, and of the receivers of its callbacks.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FetchedTenant {
    /// The fields that an update shows as well.
    #[serde(flatten)]
    pub tenant: TenantView,
    /// Key id (`kid`) of the standby key: it is in the key set already, and signs after the next rotation. Null for a
    /// tenant that was provisioned before there were standby keys, until `rotate/signing-key` has published one.
    pub standby_kid: Option<String>,
    /// Time from which `rotate/signing-key` lets the standby key sign without `force`: 15 minutes after it was
    /// published; null if there is none.
    pub standby_promotable_at: Option<Timestamp>,
    /// Receivers of the tenant's callbacks, by flow.
    pub callbacks: BTreeMap<Flow, ReceiverSummary>,
    /// Time since which `pending` and `oldest_pending_at` in `callbacks` know of callbacks, if the tenant has more than
    /// the newest 500 of the last 30 days that are looked at; null if they know of all.
    pub callbacks_counted_since: Option<Timestamp>,
}

impl From<(Tenant, Receivers, Option<StandbyKey>)> for FetchedTenant {
    fn from((tenant, receivers, standby): (Tenant, Receivers, Option<StandbyKey>)) -> Self {
        Self {
            tenant: tenant.into(),
            standby_promotable_at: standby.as_ref().map(StandbyKey::promotable_at),
            standby_kid: standby.map(|standby| standby.pointer.kid),
            callbacks: receivers.by_flow,
            callbacks_counted_since: receivers.counted_since,
        }
    }
}

impl Output for FetchedTenant {}

/// Configuration and state of a tenant after an update.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct UpdatedTenant(pub TenantView);

impl Output for UpdatedTenant {
    fn message(&self) -> &'static str {
        "Tenant updated"
    }
}

/// Status of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StatusView {
    /// The tenant may act.
    Active,
    /// Every call of the tenant is refused, and so is every token issued for it.
    Suspended,
}

/// Tenant in a list. The complete configuration is in the answer of `fetch/tenant`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TenantRow {
    /// Id of the tenant: `tnt_` and 32 hexadecimal digits.
    pub tenant_id: TenantId,
    /// UUID of the tenant on the projects surface, where it is sent as `projectId`.
    #[schemars(with = "String", extend("format" = "uuid"))]
    pub project_id: Option<Uuid>,
    /// Name that the operator gave to the tenant.
    pub tenant_name: TenantName,
    /// Whether the tenant is active or suspended.
    pub status: StatusView,
    /// Time at which the tenant was suspended; null while it is active.
    pub suspended_at: Option<Timestamp>,
    /// Reason that was given for the suspension; null if none was given or the tenant is active.
    pub suspended_reason: Option<Reason>,
    /// Maximum number of relay calls accepted in one calendar minute.
    pub rate_limit_per_min: RatePerMinute,
    /// Number of strikes for authenticated misuse: each replayed nonce, and the first refusal of a minute that went
    /// over the rate limit. Reactivating the tenant resets it.
    pub abuse_strikes: u64,
    /// Time at which the tenant was provisioned.
    pub created_at: Timestamp,
    /// Time at which configuration, status or secret last changed; null if never.
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

/// One page of tenants.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TenantsPage {
    /// Tenants of the page, newest first; in the order of names or ids if they were searched for.
    pub tenants: Vec<TenantRow>,
    /// Cursor of the next page; null on the last page. With `search` and `status`, a page that is not the last one can
    /// have fewer tenants than `limit`, and even none.
    pub next_cursor: Option<Cursor>,
    /// Maximum number of tenants on a page, as requested.
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

/// One page of a tenant's audit events.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AuditPage {
    /// Audit events of the page, newest first.
    pub events: Vec<AuditEvent>,
    /// Cursor of the next page; null on the last page.
    pub next_cursor: Option<Cursor>,
    /// Maximum number of events on a page, as requested.
    pub limit: PageLimit,
}

impl AuditPage {
    /// The answer for a page of at most `limit` rows.
    pub fn new(page: CursorPage<AuditEvent>, limit: PageLimit) -> Self {
        Self { events: page.rows, next_cursor: page.next, limit }
    }
}

impl Output for AuditPage {}

/// Empty result of a suspension: always null.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Suspended;

/// Empty result of a reactivation: always null.
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
