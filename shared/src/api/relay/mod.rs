//! The relay surface: calls that a tenant signs with its secret.

pub mod callbacks;
mod credential;
pub mod pairing;
pub mod passkey_outputs;
pub mod passkeys;
pub mod qr_login;

pub use credential::Credential;

use schemars::JsonSchema;
use serde::Serialize;

use crate::api::common::Empty;
use crate::api::operation::{Operation, Output, Route, Surface};
use crate::auth::{SecretUsed, SignedTenant};
use crate::domain::{RatePerMinute, SigningVersion, TenantId, TenantName, Timestamp};

/// Tells the signer of a call who it is, so that a tenant can check its set-up.
#[derive(Debug, Clone, Copy)]
pub struct RelayWhoami;

impl Operation for RelayWhoami {
    const ROUTE: Route = Route::get("relay-whoami", "/api/v1/relay/whoami")
        .about("Check a signature: get the signer, the secret that it used and the calls left in this minute");
    const SURFACE: Surface = Surface::Relay;
    type Caller = SignedTenant;
    type Query = Empty;
    type Body = Empty;
    type Output = Whoami;
}

/// Signer of a call and its remaining quota.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Whoami {
    /// Id of the tenant that signed the call.
    pub tenant_id: TenantId,
    /// Name that the operator gave to the tenant.
    pub tenant_name: TenantName,
    /// Maximum number of relay calls accepted in one calendar minute.
    pub rate_limit_per_min: RatePerMinute,
    /// Number of calls left in the current minute, after this one.
    pub remaining: u32,
    /// Time at which the current minute ends and the full quota is available again.
    pub resets_at: Timestamp,
    /// Signature version that the tenant requires: `v1` accepts both versions, `v2` accepts `v2` only.
    pub signing_version: SigningVersion,
    /// Signature version of this call.
    pub signed_with: SigningVersion,
    /// Secret with which this call was signed.
    pub secret: SecretUsed,
    /// Time until which the secret from before the last rotation is valid; null if the rotation had no overlap.
    pub previous_secret_valid_until: Option<Timestamp>,
    /// Time of the last accepted call that was signed with the previous secret; null if there was none since the
    /// rotation. Once it no longer moves, every signer uses the new secret.
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
