//! QR logins, as a person's phone sees them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TenantBranding;
use crate::api::common::Empty;
use crate::api::operation::{BodyRule, Input, Operation, Output, Route, Surface};
use crate::auth::Device;
use crate::domain::{Choice, FrameMac, FrameNumber, Origin, QrSessionId, ScanId, Tenant, Timestamp};
use crate::store::{QrConsent, Read};

/// Shows a phone what it is asked to consent to.
#[derive(Debug, Clone, Copy)]
pub struct DeviceQrScan;

impl Operation for DeviceQrScan {
    const ROUTE: Route = Route::post("device-qr-scan", "/api/v1/device/qr-login/scan", BodyRule::Required)
        .about(
            "Scan the code of a QR login: get what is to be consented to. The first scan binds the login to its device",
        )
        .example(
            r#"{
                    "session_id": "AQEBAQEBAQEBAQEBAQEBAQaaaaaaaaaa",
                    "frame": 3,
                    "mac": "jWuqgVRA02bMjeKgOv8mvg"
                }"#,
        );
    const SURFACE: Surface = Surface::Device;
    type Caller = Device;
    type Query = Empty;
    type Body = ScanBody;
    type Output = ConsentView;

    fn prefetch(_: &Empty, body: &ScanBody) -> Vec<Read> {
        vec![Read::QrLogin(body.session_id.clone())]
    }
}

/// Approves or denies a QR login.
#[derive(Debug, Clone, Copy)]
pub struct DeviceQrDecide;

impl Operation for DeviceQrDecide {
    const ROUTE: Route = Route::post("device-qr-decide", "/api/v1/device/qr-login/decide", BodyRule::Required)
        .about("Approve or deny a QR login by a statement that the device's key has signed")
        .example(r#"{"session_id": "AQEBAQEBAQEBAQEBAQEBAQaaaaaaaaaa", "statement": "eyJhbGciOiJFUzI1NiIs…"}"#);
    const SURFACE: Surface = Surface::Device;
    type Caller = Device;
    type Query = Empty;
    type Body = DecideBody;
    type Output = DecidedView;

    fn prefetch(_: &Empty, body: &DecideBody) -> Vec<Read> {
        vec![Read::QrLogin(body.session_id.clone())]
    }
}

/// Request body with what a code says.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScanBody {
    /// Id of the login: what follows `/q/` in the code's address.
    pub session_id: QrSessionId,
    /// Number of the frame: what follows `#` in it, up to the dot.
    pub frame: FrameNumber,
    /// MAC of the frame: what follows the dot.
    pub mac: FrameMac,
}

impl Input for ScanBody {}

/// Request body with a decision.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideBody {
    /// Id of the login.
    pub session_id: QrSessionId,
    /// Compact JWS that the device's key has signed, with the header `{"alg": "ES256", "typ": "qr-decision+jwt"}` and
    /// exactly the claims `aud`, `iat`, `session_id`, `scan_id`, `device_id`, `origin`, `match_number`, `decision` and
    /// `display_sha256`.
    pub statement: String,
}

impl Input for DecideBody {}

/// Login that a person is asked to consent to.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ConsentView {
    /// Id of the scan, which the statement has to name.
    pub scan_id: ScanId,
    /// The tenant.
    #[serde(flatten)]
    pub tenant: TenantBranding,
    /// Web origin of the page that shows the code.
    pub origin: Origin,
    /// Name of the browser that shows it; null if it is not known.
    pub browser: Option<String>,
    /// Name of the system that the browser runs on; null if it is not known.
    pub system: Option<String>,
    /// Time at which the login began.
    pub initiated_at: Timestamp,
    /// Whether the number that the browser shows has to be typed.
    pub number_matching: bool,
    /// Whether the device is on another network than the browser, and the login has to be confirmed a second time.
    pub confirm_distant: bool,
}

impl ConsentView {
    /// What a device of this tenant is shown.
    pub fn new(consent: &QrConsent, tenant: &Tenant) -> Self {
        let session = &consent.session;
        Self {
            scan_id: consent.scan_id.clone(),
            tenant: TenantBranding::of(tenant.clone(), None),
            origin: session.origin.clone(),
            browser: session.browser.clone(),
            system: session.system.clone(),
            initiated_at: session.created_at,
            number_matching: consent.asks_number(),
            confirm_distant: consent.confirms,
        }
    }
}

impl Output for ConsentView {}

/// Outcome of a QR login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DecidedPhase {
    /// The person is signed in once the browser's backend asks.
    Approved,
    /// Nobody is signed in.
    Denied,
}

/// What a decision has led to.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DecidedView {
    /// Outcome: a wrong number denies, whatever was decided.
    pub phase: DecidedPhase,
}

impl From<Choice> for DecidedView {
    fn from(choice: Choice) -> Self {
        let phase = match choice {
            Choice::Approve => DecidedPhase::Approved,
            Choice::Deny => DecidedPhase::Denied,
        };
        Self { phase }
    }
}

impl Output for DecidedView {
    fn message(&self) -> &'static str {
        match self.phase {
            DecidedPhase::Approved => "Login approved",
            DecidedPhase::Denied => "Login denied",
        }
    }
}
