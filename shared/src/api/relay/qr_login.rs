//! QR logins, as a tenant's backend sees them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::common::Empty;
use crate::api::operation::{BodyRule, Input, Operation, Output, Route, Surface};
use crate::auth::{PolledQrLogin, PollingTenant, QrCodeShown, SignedTenant, StartedLogin};
use crate::domain::{
    BrowserAddress, BrowserKey, BrowserName, DeviceId, ExternalId, FrameMac, FrameNumber, LinkedUserId, MatchNumber,
    Origin, Person, Poll, Proximity, PublicKey, QrSession, QrSessionId, RevealedPollToken, TenantId, Timestamp,
    UserAgent,
};
use crate::store::QrLoginRequest;

/// How long a backend should wait between two polls, in milliseconds.
const RETRY_AFTER_MS: u32 = 2000;

/// Begins a QR login.
#[derive(Debug, Clone, Copy)]
pub struct QrLoginInitiate;

impl Operation for QrLoginInitiate {
    const ROUTE: Route = Route::post("qr-login-initiate", "/api/v1/relay/qr-login/initiate", BodyRule::Required)
        .about("Begin a QR login for a browser: get the code to show and the token to poll with")
        .example(
            r#"{
                    "browser_origin": "https://app.example.com",
                    "browser_ip": "192.0.2.7",
                    "browser_user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
                    "rotate": true
                }"#,
        );
    const SURFACE: Surface = Surface::Relay;
    type Caller = SignedTenant;
    type Query = Empty;
    type Body = InitiateBody;
    type Output = InitiatedView;
}

/// Asks what has become of a QR login.
#[derive(Debug, Clone, Copy)]
pub struct QrLoginPoll;

impl Operation for QrLoginPoll {
    const ROUTE: Route = Route::get("qr-login-poll", "/api/v1/relay/qr-login/poll")
        .about("Ask what has become of a QR login: get its code, its number, or once who has approved it");
    const SURFACE: Surface = Surface::Relay;
    type Caller = PollingTenant;
    type Query = PollQuery;
    type Body = Empty;
    type Output = PollView;
}

/// Request body that begins a QR login. What is in it of the browser is what the tenant's backend sees of it.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct InitiateBody {
    /// Web origin of the page that shows the code, one of `qr_login_allowed_origins`.
    pub browser_origin: Origin,
    /// IP address of the browser. Absent or null: how near the phone is stays unknown, and no limit by address applies.
    #[serde(default)]
    pub browser_ip: Option<BrowserAddress>,
    /// Header `User-Agent` of the browser, at most 2048 bytes. The phone shows what browser and system it names.
    #[serde(default)]
    pub browser_user_agent: Option<UserAgent>,
    /// JWK thumbprint (RFC 7638) of a key of the browser. It comes back with the result, as `cnf`.
    #[serde(default)]
    pub browser_key: Option<BrowserKey>,
    /// Whether the code changes every ten seconds (default false). The backend then shows what each poll answers.
    #[serde(default)]
    pub rotate: bool,
}

impl InitiateBody {
    /// What is to begin.
    pub fn request(&self) -> QrLoginRequest<'_> {
        QrLoginRequest {
            origin: &self.browser_origin,
            address: self.browser_ip.as_ref(),
            browser: self.browser_user_agent.as_ref().map_or(BrowserName::UNKNOWN, UserAgent::name),
            key: self.browser_key.as_ref(),
            rotates: self.rotate,
        }
    }
}

impl Input for InitiateBody {}

/// Query parameters that name a QR login.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PollQuery {
    /// Id of the login.
    pub session_id: QrSessionId,
}

impl Input for PollQuery {}

/// What the original interface has in a code.
#[derive(Debug, Serialize, JsonSchema)]
pub struct QrPayload {
    /// Id of the login.
    pub session_id: QrSessionId,
    /// Id of the tenant.
    pub tenant_id: TenantId,
    /// Time at which the login expires.
    pub expires: Timestamp,
    /// Number of the frame.
    pub frame: FrameNumber,
}

/// QR login that has begun.
#[derive(Debug, Serialize, JsonSchema)]
pub struct InitiatedView {
    /// Id of the login. Store it with a cookie that the browser had before: a result is for the browser that began it.
    pub session_id: QrSessionId,
    /// Token for `X-QR-Poll-Token`, shown once. It must not reach the browser.
    pub poll_token: RevealedPollToken,
    /// What the code means.
    pub qr_payload: QrPayload,
    /// Text of the code.
    pub qr_code_str: String,
    /// The code as an SVG document.
    pub qr_svg: String,
    /// MAC of the first frame.
    pub signature: FrameMac,
    /// Time at which the login expires.
    pub expires: Timestamp,
}

impl InitiatedView {
    /// The answer to the tenant whose login has begun.
    pub fn new(tenant_id: &TenantId, StartedLogin { session, poll_token, shown }: StartedLogin) -> Self {
        let QrCodeShown { frame, mac, url, code } = shown;
        Self {
            session_id: session.id.clone(),
            poll_token,
            qr_payload: QrPayload {
                session_id: session.id,
                tenant_id: tenant_id.clone(),
                expires: session.expires_at,
                frame,
            },
            qr_code_str: url.as_str().to_owned(),
            qr_svg: code.to_svg(),
            signature: mac,
            expires: session.expires_at,
        }
    }
}

impl Output for InitiatedView {}

/// Status of a QR login, in the words of the original interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PollStatus {
    /// Nobody is signed in, or not yet.
    Pending,
    /// A person has approved.
    Approved,
}

/// Phase of a QR login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PollPhase {
    /// Nobody has scanned the code.
    Waiting,
    /// A device has scanned it. Show `match_number`.
    Scanned,
    /// The login was denied, and polling on is of no use.
    Denied,
    /// The login was approved, and this is its result.
    Approved,
}

/// Confirmation of the browser's key (RFC 7800 §3.1).
#[derive(Debug, Serialize, JsonSchema)]
pub struct Confirmation {
    /// JWK thumbprint of the browser's key, as it was given when the login began.
    pub jkt: BrowserKey,
}

/// Public key of a device, as JWK (RFC 7518 §6.2.1).
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeviceKey {
    /// Type of the key, always `EC`.
    pub kty: &'static str,
    /// Curve of the key, always `P-256`.
    pub crv: &'static str,
    /// The coordinates of its point.
    #[serde(flatten)]
    pub point: PublicKey,
}

/// Result of a QR login. It names a person and is no token: who is signed in, the tenant's backend decides.
#[derive(Debug, Serialize, JsonSchema)]
pub struct QrLoginResult {
    /// The tenant's own id of the person.
    pub backend_user_id: ExternalId,
    /// Latchkey's id of the person.
    pub relay_user_linked_id: LinkedUserId,
    /// Id of the device that has approved.
    pub device_id: DeviceId,
    /// Time at which it did.
    pub approved_at: Timestamp,
    /// How near the device was to the browser, as far as their addresses tell.
    pub proximity: Proximity,
    /// The statement that the device's key has signed: evidence of what its person was shown and decided.
    pub decision: String,
    /// The key that has signed it.
    pub device_key: DeviceKey,
    /// The browser's key; absent if none was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
}

impl QrLoginResult {
    fn of(session: &QrSession) -> Option<Self> {
        let (scan, decision) = session.scan.as_ref().zip(session.decision.as_ref())?;
        Some(Self {
            backend_user_id: scan.person.backend_user_id.clone(),
            relay_user_linked_id: scan.person.linked_id.clone(),
            device_id: scan.device_id.clone(),
            approved_at: decision.decided_at,
            proximity: scan.proximity,
            decision: decision.statement.clone(),
            device_key: DeviceKey { kty: "EC", crv: "P-256", point: decision.key.clone() },
            cnf: session.browser_key.clone().map(|jkt| Confirmation { jkt }),
        })
    }
}

/// What has become of a QR login.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PollView {
    /// Whether a person has approved.
    pub status: PollStatus,
    /// Phase of the login.
    pub phase: PollPhase,
    /// Milliseconds until the next poll. One that comes within a second is refused.
    pub retry_after_ms: u32,
    /// Text of the code to show now; absent unless the phase is `waiting`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qr_code_str: Option<String>,
    /// The code as an SVG document; absent unless the phase is `waiting`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qr_svg: Option<String>,
    /// Number to show, which is typed into the phone; absent unless the phase is `scanned` and a number is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub match_number: Option<MatchNumber>,
    /// The result; absent unless the phase is `approved`.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub result: Option<QrLoginResult>,
}

impl From<PolledQrLogin> for PollView {
    fn from(PolledQrLogin { found, session, shown }: PolledQrLogin) -> Self {
        let (status, phase) = match found {
            Poll::Waiting => (PollStatus::Pending, PollPhase::Waiting),
            Poll::Scanned => (PollStatus::Pending, PollPhase::Scanned),
            Poll::Approved | Poll::Repeated => (PollStatus::Approved, PollPhase::Approved),
            Poll::Denied | Poll::Gone => (PollStatus::Pending, PollPhase::Denied),
        };
        let is_scanned = phase == PollPhase::Scanned;
        let result = if phase == PollPhase::Approved { QrLoginResult::of(&session) } else { None };
        Self {
            status,
            phase,
            retry_after_ms: RETRY_AFTER_MS,
            qr_svg: shown.as_ref().map(|shown| shown.code.to_svg()),
            qr_code_str: shown.map(|shown| shown.url.as_str().to_owned()),
            match_number: session.scan.filter(|_| is_scanned).and_then(|scan| scan.number),
            result,
        }
    }
}

impl Output for PollView {
    fn person(&self) -> Option<Person<'_>> {
        self.result.as_ref().map(|result| Person::EndUser(&result.backend_user_id))
    }
}
