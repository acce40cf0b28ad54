//! Callers that are phones: with a device session, or with what pairs a device.
//!
//! A session opens nothing without a proof of the key that it is bound to (DPoP, RFC 9449). There is no cookie, and
//! nothing that a browser would add by itself; all the same a page of another origin is refused, since none has a
//! reason to call. Checks come in this order: origin, shape, proof, session, state, first use. Before the session is
//! known to be right, nothing is written. The first use of the proof is written by itself for a [`Device`], and with
//! what the call changes for a [`ChangingDevice`].

mod change;

pub use change::ChangingDevice;

use std::fmt;

use super::api_key::bearer;
use super::dpop::{proof, refuse_foreign_pages, session_token};
use super::headers::missing;
use super::{Caller, CredentialLocation, InputSummary, Request, SecurityScheme};
use crate::app::App;
use crate::domain::{
    Actor, ChangeContext, CredentialForm, DeviceId, DeviceSessionToken, DpopProof, Freshness, Issuer, PairedDevice,
    PairingHandle, PairingId, PreparedPairing, Presented, Problem, PublicKey, RevealedSessionToken, Tenant, TenantId,
    TenantStatus, Timestamp, UnverifiedPairingProof, Viewpoint,
};
use crate::error::{Error, Result};
use crate::store::{DeviceSession, FoundSession, NewDevice, PairingHost, Prefetched, ProvenCall, Read};

/// Where a pairing is redeemed: the audience of pairing proofs.
pub(super) const REDEEMED_AT: &str = "/api/v1/device/register-token";

/// Where a pairing leads, for the phone to show.
#[derive(Debug)]
pub struct Invitation {
    pub pairing: PreparedPairing,
    pub tenant: Tenant,
}

/// A device that was paired, and what it gets.
#[derive(Debug)]
pub struct Welcome {
    pub invitation: Invitation,
    pub device: PairedDevice,
    pub token: RevealedSessionToken,
}

/// The proof that no page of another origin calls. What is asked for, the call names by a secret of its own.
#[derive(Debug)]
pub struct PairingGuest {
    at: Timestamp,
}

impl Caller for PairingGuest {
    const SCHEMES: &'static [SecurityScheme] = &[];

    async fn authenticate(_: &App, request: &Request, _: &InputSummary) -> Result<Self> {
        refuse_foreign_pages(request, &[&request.base_url])?;
        Ok(Self { at: request.at })
    }
}

impl PairingGuest {
    /// Where the pairing of a handle leads. Nothing is changed by asking.
    ///
    /// # Errors
    /// If there is no such pairing any more, or its tenant is suspended.
    pub async fn look_at(&self, app: &App, handle: &PairingHandle) -> Result<Invitation> {
        let (pairing, host) = find(app, &handle.pairing_id(), self.at).await?;
        Ok(Invitation { pairing, tenant: host.tenant })
    }
}

/// The proof that the call was made with a device's key, now, and the pairing whose proof it carries, if any.
pub struct PairingDevice {
    proof: DpopProof,
    /// The pairing whose proof was presented.
    pairing: Option<(TenantId, PairingId)>,
    change: ChangeContext,
}

impl fmt::Debug for PairingDevice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PairingDevice")
    }
}

impl Caller for PairingDevice {
    const SCHEMES: &'static [SecurityScheme] = &[SecurityScheme {
        name: "PairingProof",
        location: CredentialLocation::Bearer,
        description: "Pairing proof of `/api/v1/relay/prepare-pairing`, or instead of it `handle` in the body. Beside \
                      either a DPoP proof (RFC 9449) of the key that the session will be bound to.",
    }];

    async fn authenticate(app: &App, request: &Request, _: &InputSummary) -> Result<Self> {
        refuse_foreign_pages(request, &[&request.base_url])?;
        let presented = bearer(request);
        // The pairing is used up by the call, so that a proof made in advance is of no use: a clock that is right will
        // do.
        let beside = presented.map_or(Presented::Nothing, Presented::Unbound);
        let proof = proof(app, request, &[&request.base_url], beside, Freshness::NonceOrClock)?;
        let pairing = match presented {
            Some(text) => Some(pairing_of(app, request, text).await?),
            None => None,
        };
        Ok(Self { proof, pairing, change: request.change(Actor::Device, None) })
    }
}

impl PairingDevice {
    /// Pairs the device, by the proof that was presented or else by the handle.
    ///
    /// # Errors
    /// If it is neither or both, if the pairing was redeemed or has expired, if the tenant is suspended, or if the
    /// person has as many devices as it may have.
    pub async fn pair(&self, app: &App, handle: Option<&PairingHandle>, new: NewDevice) -> Result<Welcome> {
        let (proven, id) = match (&self.pairing, handle) {
            (Some((tenant, id)), None) => (Some(tenant), id.clone()),
            (None, Some(handle)) => (None, handle.pairing_id()),
            (Some(_), Some(_)) => {
                return Err(Error::invalid("handle", Problem::new("must not be there beside a pairing proof")));
            }
            (None, None) => return Err(Error::invalid("handle", Problem::new("is required, or a pairing proof"))),
        };
        let (pairing, host) = find(app, &id, self.change.at).await?;
        if proven.is_some_and(|tenant| *tenant != pairing.tenant_id) {
            return Err(Error::PairingNotFound);
        }
        let paired = app.devices(&pairing.tenant_id).redeem(&pairing, &host, new, &self.proof, &self.change).await?;
        let invitation = Invitation { pairing, tenant: host.tenant };
        Ok(Welcome { invitation, device: paired.device, token: paired.token.reveal() })
    }
}

/// The proof that the call carried the session of a device and was made with the key that it is bound to, for the first
/// time, of a tenant that may act.
pub struct Device {
    pub(super) tenant_id: TenantId,
    pub(super) tenant: Tenant,
    pub(super) session: DeviceSession,
    devices: Vec<PairedDevice>,
    /// What was read together with the session.
    pub(super) prefetched: Prefetched,
    /// The key that the session is bound to.
    pub(super) key: PublicKey,
    pub(super) change: ChangeContext,
    pub(super) base_url: String,
    pub(super) source_ip: Option<String>,
}

impl fmt::Debug for Device {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Device({} {})", self.tenant_id, self.session.device_id)
    }
}

impl Caller for Device {
    const SCHEMES: &'static [SecurityScheme] = &[SecurityScheme {
        name: "DeviceSession",
        location: CredentialLocation::Dpop,
        description: "Session of a device (`ds_…`) as `Authorization: DPoP`, and in the header `DPoP` a proof of the \
                      key that it is bound to (RFC 9449): ES256, with `ath` and the `nonce` of the last answer's \
                      `DPoP-Nonce`.",
    }];

    async fn authenticate(app: &App, request: &Request, input: &InputSummary) -> Result<Self> {
        let Proven { tenant_id, tenant, devices, prefetched, call } = prove(app, request, &input.reads).await?;
        app.devices(&tenant_id).accept(&call).await?;
        Ok(Self {
            tenant_id,
            tenant,
            session: call.session,
            devices,
            prefetched,
            key: call.proof.key().clone(),
            change: request.change(Actor::Device, None),
            base_url: request.base_url.clone(),
            source_ip: request.source_ip.clone(),
        })
    }

    fn tenant_id(&self) -> Option<&TenantId> {
        Some(&self.tenant_id)
    }
}

impl Device {
    /// The id of the device.
    pub fn id(&self) -> &DeviceId {
        &self.session.device_id
    }

    /// The devices of its person at its tenant, oldest first, as they were read together with its session.
    pub fn pairings(self) -> Vec<PairedDevice> {
        self.devices
    }
}

/// A call whose session and proof are right, of a tenant that may act, and what was read for it. It isn't accepted yet.
struct Proven {
    tenant_id: TenantId,
    tenant: Tenant,
    devices: Vec<PairedDevice>,
    prefetched: Prefetched,
    call: ProvenCall,
}

/// Checks all of a device's call but whether its proof was used before, and reads what else it needs. One call.
async fn prove(app: &App, request: &Request, reads: &[Read]) -> Result<Proven> {
    refuse_foreign_pages(request, &[&request.base_url])?;
    let text = session_token(request).ok_or_else(|| missing(request, "a device session as Authorization: DPoP"))?;
    let token = DeviceSessionToken::parse(text).ok_or_else(|| CredentialForm::DeviceSession.fault(text))?;
    let proof = proof(app, request, &[&request.base_url], Presented::Bound(token.expose()), Freshness::Nonce)?;
    let (tenant_id, hash, at) = (token.claims().tenant_id.clone(), token.hash(), app.now());
    let found = app.devices(&tenant_id).session(token.claims(), reads).await?;
    let found = found.ok_or(Error::Unauthenticated("no such device session"))?;
    let FoundSession { tenant, session, devices, prefetched } = found;
    if !session.is_of(&hash, &tenant, at) {
        return Err(Error::Unauthenticated("device session is another, has expired or was ended"));
    }
    request.trace.device(app.trace_key(), &tenant_id, &session.person);
    proof.check_bound_to(session.thumbprint())?;
    refuse_suspended(&tenant)?;
    Ok(Proven { tenant_id, tenant, devices, prefetched, call: ProvenCall { session, proof, token: hash, at } })
}

/// The pairing of a pairing proof that its tenant signed and that is valid now. One call.
async fn pairing_of(app: &App, request: &Request, text: &str) -> Result<(TenantId, PairingId)> {
    let proof = UnverifiedPairingProof::parse(text).map_err(|_| CredentialForm::Token.fault(text))?;
    let tenant_id = proof.tenant_id().clone();
    let prefetched = app.prefetch(&tenant_id, &Viewpoint::Account, vec![Read::SigningKeys]).await?;
    prefetched.tenant_state()?.ok_or(Error::Unauthenticated("pairing proof of an unknown tenant"))?;
    let issuer = Issuer::new(&request.base_url, &tenant_id);
    let audience = format!("{}{REDEEMED_AT}", request.base_url);
    let now = app.now();
    let verified = proof.verify(&issuer, &audience, &prefetched.signing_keys(now)?, now);
    let claims = verified.map_err(|_| Error::Unauthenticated("pairing proof is not valid"))?;
    Ok((tenant_id, claims.jti.clone()))
}

/// A pairing that can be redeemed, and where it leads. Two calls.
async fn find(app: &App, id: &PairingId, at: Timestamp) -> Result<(PreparedPairing, PairingHost)> {
    let pairing = app.prepared_pairing(id).await?.filter(|pairing| pairing.is_open(at));
    let pairing = pairing.ok_or(Error::PairingNotFound)?;
    let host = app.devices(&pairing.tenant_id).host(&pairing).await?;
    refuse_suspended(&host.tenant)?;
    Ok((pairing, host))
}

pub(super) fn refuse_suspended(tenant: &Tenant) -> Result<()> {
    match tenant.summary.status {
        TenantStatus::Active => Ok(()),
        TenantStatus::Suspended { .. } => Err(Error::TenantSuspended(None)),
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the runtime of a test is its own")]
mod tests;
