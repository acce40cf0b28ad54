//! QR logins: a tenant that begins and polls them, a device that scans and decides them.

use std::fmt;

use super::signature::{matching, read, slot};
use super::{Caller, Device, InputSummary, Request, SecurityScheme, SignedTenant};
use crate::app::App;
use crate::domain::{
    AnswerDigest, BrowserAddress, Choice, FrameMac, FrameNumber, Issuer, KeyHash, Poll, PollToken, Problem, QrCode,
    QrLoginUrl, QrSession, QrSessionId, Quota, RefusalCause, RevealedPollToken, Tenant, TenantId, TenantQuota,
    Timestamp, UnverifiedStatement,
};
use crate::error::{Error, Result};
use crate::store::{QrConsent, QrLoginRequest, StartedQrLogin};

/// The header with the token of a login's polls.
const POLL_TOKEN: &str = "x-qr-poll-token";

/// A code as it is shown now.
#[derive(Debug)]
pub struct QrCodeShown {
    pub frame: FrameNumber,
    pub mac: FrameMac,
    pub url: QrLoginUrl,
    pub code: QrCode,
}

impl QrCodeShown {
    /// The code of a login at that time.
    fn of(app: &App, base_url: &str, session: &QrSession, now: Timestamp) -> Result<Self> {
        let frame = if session.rotates { FrameNumber::at(now, session.created_at) } else { FrameNumber::FIRST };
        let mac = app.frame_key()?.mac(&session.id, frame);
        let url = QrLoginUrl::new(base_url, &session.id, frame, &mac);
        let url = url.ok_or_else(|| Error::internal("the service's address is too long for a QR login"))?;
        let code = QrCode::of(url.as_str()).ok_or_else(|| Error::internal("an address that no code holds"))?;
        Ok(Self { frame, mac, url, code })
    }
}

/// A login that has begun.
#[derive(Debug)]
pub struct StartedLogin {
    pub session: QrSession,
    pub poll_token: RevealedPollToken,
    pub shown: QrCodeShown,
}

impl SignedTenant {
    /// Begins a login.
    ///
    /// # Errors
    /// If the tenant lets no page of that origin begin one, or too many are live; or if the table fails.
    pub async fn initiate_qr_login(&self, app: &App, request: QrLoginRequest<'_>) -> Result<StartedLogin> {
        let StartedQrLogin { session, token } = app.qr_logins(self.id())?.initiate(request, self.change()).await?;
        let shown = QrCodeShown::of(app, self.base_url(), &session, session.created_at)?;
        Ok(StartedLogin { session, poll_token: token.reveal(), shown })
    }
}

/// The proof that the call was signed by its tenant and that the tenant may act. It is not counted, and its nonce is
/// not noted: while a login waits, nothing is written for it. What bounds such calls is the login itself.
pub struct PollingTenant {
    tenant_id: TenantId,
    quota: Quota,
    token: Option<KeyHash>,
    base_url: String,
}

impl fmt::Debug for PollingTenant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PollingTenant({})", self.tenant_id)
    }
}

impl Caller for PollingTenant {
    const SCHEMES: &'static [SecurityScheme] = SignedTenant::SCHEMES;

    async fn authenticate(app: &App, request: &Request, _: &InputSummary) -> Result<Self> {
        let call = read(request)?;
        let at = app.now();
        call.check_time(at)?;
        let relay = app.relay(&call.tenant_id);
        let unknown = Error::Unauthenticated("signed with no secret in force, or tenant unknown");
        let Some(state) = relay.current().await? else { return Err(unknown) };
        let Some(secret) = matching(&relay, &state, &call, at, &mut Vec::new()).await? else { return Err(unknown) };
        request.trace.signer(&call.tenant_id, slot(&state, secret));
        if !state.signing.takes(call.version) {
            request.trace.refused(RefusalCause::SignatureVersion);
            return Err(Error::Unauthenticated("signed with v1, and the tenant takes v2 only"));
        }
        let (tenant_id, quota) = (call.tenant_id, state.quota(state.minute(at), at));
        if !state.is_active {
            return Err(Error::TenantSuspended(Some(TenantQuota { tenant_id, quota })));
        }
        let token = request.header(POLL_TOKEN).map(PollToken::hash_of);
        Ok(Self { tenant_id, quota, token, base_url: request.base_url.clone() })
    }

    fn tenant_id(&self) -> Option<&TenantId> {
        Some(&self.tenant_id)
    }

    fn quota(&self) -> Option<Quota> {
        Some(self.quota)
    }
}

/// What a poll is told.
#[derive(Debug)]
pub struct PolledQrLogin {
    pub found: Poll,
    pub session: QrSession,
    /// The code, while nobody has scanned it.
    pub shown: Option<QrCodeShown>,
}

impl PollingTenant {
    /// What has become of a login.
    ///
    /// # Errors
    /// If there is nothing to be told, or it was polled a moment ago.
    pub async fn poll(&self, app: &App, id: &QrSessionId) -> Result<PolledQrLogin> {
        // Now, and not when the call came: a store may have taken a while to say who calls.
        let (logins, now) = (app.qr_logins(&self.tenant_id)?, app.now());
        let (found, session) = logins.poll(id, self.token.as_ref(), now).await?;
        let is_waiting = found == Poll::Waiting;
        let shown = is_waiting.then(|| QrCodeShown::of(app, &self.base_url, &session, now)).transpose()?;
        Ok(PolledQrLogin { found, session, shown })
    }
}

impl Device {
    /// The tenant of the device.
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// What a scan leads to. It is this device's only once it was bound.
    ///
    /// # Errors
    /// If the code is out of date, the login is over or denied, or another device has scanned it.
    pub async fn look_at_qr_login(
        &self,
        app: &App,
        id: &QrSessionId,
        frame: FrameNumber,
        mac: &FrameMac,
    ) -> Result<QrConsent> {
        let address = self.source_ip.as_deref().and_then(|address| BrowserAddress::parse(address).ok());
        let network = address.and_then(|address| address.network());
        let logins = app.qr_logins(&self.tenant_id)?;
        let device = (&self.tenant, &self.session, &self.prefetched);
        logins.look_at(device, (id, frame, mac), network.as_ref(), self.change.at).await
    }

    /// Binds a login to the device, and notes what it is shown.
    ///
    /// # Errors
    /// If another device was first.
    pub async fn bind_qr_login(&self, app: &App, consent: QrConsent, display: AnswerDigest) -> Result<()> {
        app.qr_logins(&self.tenant_id)?.bind(&self.session, consent, display, self.change.at).await
    }

    /// Decides a login.
    ///
    /// # Errors
    /// If the statement is not in order, the login is over, or another device has scanned it.
    pub async fn decide_qr_login(&self, app: &App, id: &QrSessionId, statement: &str) -> Result<Choice> {
        let flawed = |flaw| Error::invalid("statement", Problem::from(flaw));
        let statement = UnverifiedStatement::parse(statement).map_err(flawed)?;
        let issuer = Issuer::new(&self.base_url, &self.tenant_id);
        let logins = app.qr_logins(&self.tenant_id)?;
        let device = (&self.tenant, &self.session, &self.prefetched);
        logins.decide(device, (&issuer, &self.key), (id, &statement), self.change.at).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::testing::{BASE_URL, now};
    use crate::domain::{LimitOf, Minute, RatePerMinute};

    #[test]
    fn who_polls_is_its_tenant_with_what_is_left_of_its_minute() {
        let tenant_id = TenantId::of(&[0; 16]);
        let quota = Quota::new(LimitOf::Relay, RatePerMinute::default(), 7, Minute::from_number(29_700_000), now());
        let polling = PollingTenant { tenant_id: tenant_id.clone(), quota, token: None, base_url: BASE_URL.to_owned() };
        assert_eq!((Caller::tenant_id(&polling), Caller::quota(&polling)), (Some(&tenant_id), Some(quota)));
        assert_eq!(format!("{polling:?}"), format!("PollingTenant({tenant_id})"));
    }
}
