//! What a tenant calls with its signature.

use schemars::JsonSchema;
use serde::Serialize;

use crate::api::common::Empty;
use crate::api::operation::{Operation, Output, Route, Surface};
use crate::auth::{SecretUsed, SignedTenant};
use crate::domain::{RatePerMinute, SigningVersion, TenantId, TenantName, Timestamp};

/// Tells a tenant how it stands: whether its set-up is right.
#[derive(Debug, Clone, Copy)]
pub struct RelayWhoami;

impl Operation for RelayWhoami {
    const ROUTE: Route = Route::get("relay-whoami", "/api/v1/relay/whoami")
        .about("Who signed, with which secret, and what is left of the minute");
    const SURFACE: Surface = Surface::Relay;
    type Caller = SignedTenant;
    type Query = Empty;
    type Body = Empty;
    type Output = Whoami;
}

/// A tenant as it stands with this call.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Whoami {
    /// Its id.
    pub tenant_id: TenantId,
    /// What the operator calls it.
    pub tenant_name: TenantName,
    /// Relay calls accepted per calendar minute.
    pub rate_limit_per_min: RatePerMinute,
    /// How many of this minute are left, this one counted.
    pub remaining: u32,
    /// When the minute that it was counted in ends, and all of them are there again.
    pub resets_at: Timestamp,
    /// What the tenant's signatures have to cover: `v1` takes both.
    pub signing_version: SigningVersion,
    /// What the signature of this call covers.
    pub signed_with: SigningVersion,
    /// Which secret this call was signed with.
    pub secret: SecretUsed,
    /// Until when the secret of before the last rotation is valid too; null if none was declared.
    pub previous_secret_valid_until: Option<Timestamp>,
    /// When a call was last signed with that one and accepted: once it stays as it is, every signer has moved. Null = never since
    /// the rotation.
    pub previous_secret_last_used_at: Option<Timestamp>,
}

impl From<&SignedTenant> for Whoami {
    fn from(tenant: &SignedTenant) -> Self {
        let (quota, previous) = (tenant.left(), tenant.previous_secret());
        Self {
            tenant_id: tenant.id().clone(),
            tenant_name: tenant.name().clone(),
            rate_limit_per_min: quota.limit,
            remaining: quota.remaining,
            resets_at: quota.minute.end(),
            signing_version: tenant.signing_version(),
            signed_with: tenant.signed_with(),
            secret: tenant.secret(),
            previous_secret_valid_until: previous.map(|(until, _)| until),
            previous_secret_last_used_at: previous.and_then(|(_, used)| used),
        }
    }
}

impl Output for Whoami {}
