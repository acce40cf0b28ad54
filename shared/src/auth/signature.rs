//! Callers that sign: a tenant's backend, by a signature of the call under the tenant's secret.
//!
//! Checks come in this order: shape, clock, signature, nonce, state, limit. Before the signature is known to be right,
//! AWS is called only for what the check of the signature needs, and nothing is written: a forged call costs the tenant
//! nothing.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::headers::missing;
use super::{Caller, CredentialLocation, InputSummary, Request, SecurityScheme};
use crate::app::App;
use crate::domain::{
    Actor, ChangeContext, CredentialFault, KeySlot, Quota, RefusalCause, SignatureHeaders, SignedCall, SignedParts,
    SigningVersion, TenantId, TenantName, TenantQuota, Timestamp,
};
use crate::error::{Error, Result};
use crate::store::{Accepted, Passkeys, Relay, RelayState, Signed, Verdict};

/// The headers of a signed call, each under either of its names.
const TENANT_ID: [&str; 2] = ["x-latchkey-tenant-id", "x-bloonio-tenant-id"];
const TIMESTAMP: [&str; 2] = ["x-latchkey-timestamp", "x-bloonio-timestamp"];
const SIGNATURE: [&str; 2] = ["x-latchkey-signature", "x-bloonio-signature"];
const NONCE: &str = "x-latchkey-nonce";

/// For how long it is looked whose a call is that is refused already.
const PATIENCE: Duration = Duration::from_secs(1);

/// The proof that the call was signed by its tenant, that the tenant may act, and that the call is within its limit and
/// was counted.
pub struct SignedTenant {
    tenant_id: TenantId,
    state: RelayState,
    quota: Quota,
    signed_with: SigningVersion,
    secret: SecretUsed,
    change: ChangeContext,
    base_url: String,
}

/// Secret with which a call was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SecretUsed {
    /// The secret in force.
    Current,
    /// The secret from before the last rotation, during its overlap.
    Previous,
}

impl From<KeySlot> for SecretUsed {
    fn from(slot: KeySlot) -> Self {
        match slot {
            KeySlot::Current => Self::Current,
            KeySlot::Previous => Self::Previous,
        }
    }
}

impl fmt::Debug for SignedTenant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SignedTenant({})", self.tenant_id)
    }
}

impl Caller for SignedTenant {
    const SCHEMES: &'static [SecurityScheme] = &[SecurityScheme {
        name: "TenantSignature",
        location: CredentialLocation::Header("X-Latchkey-Signature"),
        description: "HMAC-SHA-256 signature of the call under the tenant's secret (the whole `sk_…` text as \
                      UTF-8). v1: 64 lower-case hexadecimal digits, over `timestamp.sha256(body)`. v2: `v2=` and \
                      as many digits, over `timestamp.METHOD.path?query.nonce.sha256(body)`. `sha256(body)` is \
                      lower-case hexadecimal. Required beside it: `X-Latchkey-Tenant-Id`, `X-Latchkey-Timestamp` \
                      (Unix time in milliseconds, at most 30 s off) and with v2 `X-Latchkey-Nonce`. Signature, \
                      tenant id and timestamp are also accepted as `X-Bloonio-…`.",
    }];

    async fn authenticate(app: &App, request: &Request, _: &InputSummary) -> Result<Self> {
        let call = read(request)?;
        let at = app.now();
        if let Err(fault) = call.check_time(at) {
            // Only noting asks for more: the answer is decided.
            let _ = tokio::time::timeout(PATIENCE, prove_wrong_time(app, request, &call, fault, at)).await;
            return Err(fault.into());
        }
        let relay = app.relay(&call.tenant_id);
        let signer = signer(&relay, &call, at).await?;
        let (secret, seen) =
            signer.ok_or(Error::Unauthenticated("signed with no secret in force, or tenant unknown"))?;
        request.trace.signer(&call.tenant_id, slot(&seen, secret));
        let (ahead_ms, request_id) = (call.ahead_ms(at), request.request_id.as_str());
        let signed = Signed { secret, signing: call.version, at, ahead_ms, request_id };
        let verdict = match (relay.refusal(at), &call.nonce) {
            (Some(refusal), _) => refusal,
            (None, Some(nonce)) if relay.is_replay(nonce, &signed).await? => {
                request.trace.refused(RefusalCause::NonceReused);
                return Err(Error::Unauthenticated("nonce was used before"));
            }
            (None, _) => relay.accept(seen, &signed).await?,
        };
        let tenant_id = call.tenant_id;
        match verdict {
            Verdict::Accepted(accepted) => {
                let Accepted { state, quota } = *accepted;
                let secret = slot(&state, signed.secret).into();
                // A call with effects is good once by its nonce: an idempotency key would do no more.
                let change = request.change(Actor::TenantSecret, None);
                let base_url = request.base_url.clone();
                Ok(Self { tenant_id, state, quota, signed_with: call.version, secret, change, base_url })
            }
            Verdict::Dead => {
                let takes = |state: RelayState| state.signing.takes(signed.signing);
                let is_replaced = app.relay(&tenant_id).remembered().is_some_and(takes);
                let (replaced, version) = (RefusalCause::SecretReplaced, RefusalCause::SignatureVersion);
                request.trace.refused(if is_replaced { replaced } else { version });
                Err(Error::Unauthenticated("secret is dead, or the tenant takes v2 only"))
            }
            Verdict::Suspended(quota) => Err(Error::TenantSuspended(Some(TenantQuota { tenant_id, quota }))),
            Verdict::OverLimit(quota) => Err(Error::RateLimited(TenantQuota { tenant_id, quota })),
        }
    }

    fn tenant_id(&self) -> Option<&TenantId> {
        Some(&self.tenant_id)
    }

    fn quota(&self) -> Option<Quota> {
        Some(self.quota)
    }
}

impl SignedTenant {
    /// The tenant that signed the call.
    pub fn id(&self) -> &TenantId {
        &self.tenant_id
    }

    /// The service's address as clients see it, without a slash at its end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The context of the change that the call asks for.
    pub fn change(&self) -> &ChangeContext {
        &self.change
    }

    /// The name that the operator gave to the tenant.
    pub fn name(&self) -> &TenantName {
        &self.state.name
    }

    /// The quota that is left of the minute, after this call.
    pub fn left(&self) -> Quota {
        self.quota
    }

    /// The version of the call's signature.
    pub fn signed_with(&self) -> SigningVersion {
        self.signed_with
    }

    /// The signature version that the tenant requires.
    pub fn signing_version(&self) -> SigningVersion {
        self.state.signing
    }

    /// The passkeys of the tenant's people.
    pub fn passkeys<'a>(&'a self, app: &'a App) -> Passkeys<'a> {
        app.passkeys(&self.tenant_id, &self.change)
    }

    /// The secret with which the call was signed.
    pub fn secret(&self) -> SecretUsed {
        self.secret
    }

    /// The time until which the previous secret is valid, and the time of its last use; `None` if there is no overlap.
    pub fn previous_secret(&self) -> Option<(Timestamp, Option<Timestamp>)> {
        self.state.secret.previous.as_ref().map(|previous| (previous.until, previous.last_used_at))
    }
}

/// Which of a tenant's secrets in force the version is.
pub(super) fn slot(state: &RelayState, secret: Uuid) -> KeySlot {
    if state.secret.current.id == secret { KeySlot::Current } else { KeySlot::Previous }
}

/// Notes a call with a timestamp that is not accepted, if it is its tenant's all the same. Whatever fails on the way
/// leaves it without a note. It is looked at each time, also if nothing is to be noted: or the time that a refusal
/// takes would tell anybody that the tenant's clock was found to be off.
async fn prove_wrong_time(app: &App, request: &Request, call: &SignedCall, fault: CredentialFault, at: Timestamp) {
    let cause = match fault {
        CredentialFault::TimestampOutOfWindow { .. } => RefusalCause::ClockOff,
        _ => RefusalCause::TimestampUnit,
    };
    if let Ok(Some((secret, seen))) = signer(&app.relay(&call.tenant_id), call, at).await {
        request.trace.signer(&call.tenant_id, slot(&seen, secret));
        request.trace.clock_is_off(cause, call.ahead_ms(at));
    }
}

/// The version of the tenant's secret with which a call was signed, and the tenant as it was when that was found.
/// `None` if it was signed with no secret that is in force, or if there is no such tenant. It takes no call to AWS if
/// the process has seen that secret in force; else one read of the hot item, and one of each secret in force that the
/// process has not read.
///
/// What the process remembers may name a version that can't be read any more, or not yet. That is no answer: the item
/// is asked then, or the tenant would be refused by this process for as long as it lives.
async fn signer(relay: &Relay<'_>, call: &SignedCall, now: Timestamp) -> Result<Option<(Uuid, RelayState)>> {
    let mut tried = Vec::new();
    if let Some(state) = relay.remembered()
        && let Ok(Some(secret)) = matching(relay, &state, call, now, &mut tried).await
    {
        return Ok(Some((secret, state)));
    }
    let Some(state) = relay.current().await? else { return Ok(None) };
    let secret = matching(relay, &state, call, now, &mut tried).await?;
    Ok(secret.map(|secret| (secret, state)))
}

/// The secret in force with which the call was signed, apart from those in `tried`.
pub(super) async fn matching(
    relay: &Relay<'_>,
    state: &RelayState,
    call: &SignedCall,
    now: Timestamp,
    tried: &mut Vec<Uuid>,
) -> Result<Option<Uuid>> {
    for version in state.secrets_in_force(now) {
        if tried.contains(&version) {
            continue;
        }
        if call.is_signed_with(&*relay.secret(version).await?) {
            return Ok(Some(version));
        }
        tried.push(version);
    }
    Ok(None)
}

/// Reads the signature headers.
pub(super) fn read(request: &Request) -> Result<SignedCall> {
    let tenant_id = either(request, TENANT_ID, "X-Latchkey-Tenant-Id");
    let headers = SignatureHeaders {
        // Who says nothing of a tenant may not have signed at all.
        tenant_id: tenant_id.map_err(|fault| match fault {
            CredentialFault::Missing(wanted) => missing(request, wanted),
            other => other,
        })?,
        timestamp: either(request, TIMESTAMP, "X-Latchkey-Timestamp")?,
        signature: either(request, SIGNATURE, "X-Latchkey-Signature")?,
        nonce: request.header(NONCE),
    };
    let Request { method, path, query, body, .. } = request;
    Ok(SignedCall::read(headers, SignedParts { method: method.as_str(), path, query, body })?)
}

/// The value of the header that goes by one of these names. Both are refused: two readers could then read different
/// ones.
fn either<'a>(request: &'a Request, [one, other]: [&str; 2], wanted: &'static str) -> Result<&'a str, CredentialFault> {
    match (request.header(one), request.header(other)) {
        (Some(value), None) | (None, Some(value)) => Ok(value),
        (Some(_), Some(_)) => Err(CredentialFault::Several),
        (None, None) => Err(CredentialFault::Missing(wanted)),
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the runtime of a test is its own")]
mod tests;
