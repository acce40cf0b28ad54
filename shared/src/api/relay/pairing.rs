//! Pairings of phones with a tenant's people, for its backend.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::passkeys::{PersonBody, person};
use crate::api::common::Empty;
use crate::api::device::{DeviceView, RemovedDevice};
use crate::api::operation::{BodyRule, Input, Operation, Output, Route, Surface};
use crate::auth::{Prepared, SignedTenant};
use crate::domain::{
    DeviceId, DisplayName, ExternalId, Introduction, LinkedUserId, LogoUrl, MaskedEmail, MaskedPhone, PairedDevice,
    PairingClaims, PairingUrl, Person, PersonRef, Problem, RelayPerson, SignedToken,
};
use crate::error::{Error, Result};
use crate::store::PairingRequest;

/// Prepares the pairing of a phone.
#[derive(Debug, Clone, Copy)]
pub struct RelayPreparePairing;

impl Operation for RelayPreparePairing {
    const ROUTE: Route = Route::post("relay-prepare-pairing", "/api/v1/relay/prepare-pairing", BodyRule::Required)
        .answering(201)
        .about("Prepare the pairing of a phone with a person: get the code to show and the proof for apps")
        .example(
            r#"{
                    "user_socket_hash": "socket_789",
                    "backend_user_id": "user_456",
                    "display_name": "Ada Lovelace",
                    "user_email": "ada@example.com"
                }"#,
        );
    const SURFACE: Surface = Surface::Relay;
    type Caller = SignedTenant;
    type Query = Empty;
    type Body = PreparePairingBody;
    type Output = PreparedView;
}

/// Lists the devices of a person.
#[derive(Debug, Clone, Copy)]
pub struct RelayFetchPairings;

impl Operation for RelayFetchPairings {
    const ROUTE: Route = Route::post("relay-fetch-pairings", "/api/v1/relay/fetch/pairings", BodyRule::Required)
        .about("List a person's devices, oldest first")
        .example(r#"{"backend_user_id": "user_456"}"#);
    const SURFACE: Surface = Surface::Relay;
    type Caller = SignedTenant;
    type Query = Empty;
    type Body = PersonBody;
    type Output = PairingsOfPerson;
}

/// Ends the pairing of a device.
#[derive(Debug, Clone, Copy)]
pub struct RelayRevokeDevice;

impl Operation for RelayRevokeDevice {
    const ROUTE: Route = Route::post("relay-revoke-device", "/api/v1/relay/revoke/device", BodyRule::Required)
        .about("End the pairing of a person's device: its next call is refused")
        .example(r#"{"backend_user_id": "user_456", "device_id": "dev_0123456789abcdef"}"#);
    const SURFACE: Surface = Surface::Relay;
    type Caller = SignedTenant;
    type Query = Empty;
    type Body = RevokeDeviceBody;
    type Output = RemovedDevice;
}

/// Request body that prepares a pairing. The phone shows what is in it, for the person to recognize itself by.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct PreparePairingBody {
    /// What the tenant knows the person's connection by. It comes back in lists and callbacks.
    pub user_socket_hash: ExternalId,
    /// The tenant's own id of the person. One that was never named is noted.
    pub backend_user_id: ExternalId,
    /// Name of the person, 1 to 120 characters.
    pub display_name: DisplayName,
    /// E-mail address of the person. It or `user_phone` is required. Only its masked form is kept, as long as the
    /// device is paired.
    #[serde(default)]
    pub user_email: Option<MaskedEmail>,
    /// Telephone number of the person. It or `user_email` is required. Only its masked form is kept, as long as the
    /// device is paired.
    #[serde(default)]
    pub user_phone: Option<MaskedPhone>,
    /// First name of the person. It is not kept.
    #[serde(default)]
    pub first_name: Option<DisplayName>,
    /// Last name of the person. It is not kept.
    #[serde(default)]
    pub last_name: Option<DisplayName>,
    /// URL of the logo that the phone shows. Absent or null: that of the tenant.
    #[serde(default)]
    pub display_logo_url: Option<LogoUrl>,
}

impl PreparePairingBody {
    /// What is to be prepared.
    ///
    /// # Errors
    /// If there is neither an e-mail address nor a telephone number.
    pub fn request(&self) -> Result<PairingRequest<'_>> {
        if self.user_email.is_none() && self.user_phone.is_none() {
            return Err(Error::invalid("user_email", Problem::new("is required, or user_phone")));
        }
        let introduction = Introduction {
            user_socket_hash: self.user_socket_hash.clone(),
            display_name: self.display_name.clone(),
            email: self.user_email.clone(),
            phone: self.user_phone.clone(),
        };
        let logo_url = self.display_logo_url.clone();
        Ok(PairingRequest { backend_user_id: &self.backend_user_id, introduction, logo_url })
    }
}

impl Input for PreparePairingBody {
    fn person(&self) -> Option<Person<'_>> {
        Some(Person::EndUser(&self.backend_user_id))
    }
}

/// Request body that names a device of a person.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct RevokeDeviceBody {
    /// Latchkey's id of the person. It or `backend_user_id` is required.
    #[serde(default)]
    pub relay_user_linked_id: Option<LinkedUserId>,
    /// The tenant's own id of the person.
    #[serde(default)]
    pub backend_user_id: Option<ExternalId>,
    /// Id of the device.
    pub device_id: DeviceId,
}

impl RevokeDeviceBody {
    /// The person that the body names.
    ///
    /// # Errors
    /// If it names nobody.
    pub fn person_ref(&self) -> Result<PersonRef> {
        person(self.relay_user_linked_id.as_ref(), self.backend_user_id.as_ref())
    }
}

impl Input for RevokeDeviceBody {
    fn person(&self) -> Option<Person<'_>> {
        self.backend_user_id.as_ref().map(Person::EndUser)
    }
}

/// SVG document of a code that pairs a phone. Whoever sees it can pair, once.
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub struct PairingQrCode(String);

impl fmt::Debug for PairingQrCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PairingQrCode")
    }
}

/// Pairing that was prepared. Proof and address are for the same pairing, which works once.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PreparedView {
    /// Proof for an app, as `Authorization: Bearer` at `/api/v1/device/register-token`.
    pub pairing_proof: SignedToken,
    /// Seconds until the pairing expires.
    pub expires_in: u64,
    /// Latchkey's id of the person.
    pub relay_user_linked_id: LinkedUserId,
    /// Address for a phone's browser, at most 120 bytes. Its handle, behind `#`, is the secret in it.
    pub pairing_url: PairingUrl,
    /// The address as a QR code: an SVG document without script and style.
    pub pairing_qr_svg: PairingQrCode,
}

impl From<Prepared> for PreparedView {
    fn from(Prepared { proof, url, qr_code, linked_id }: Prepared) -> Self {
        Self {
            pairing_proof: proof,
            expires_in: PairingClaims::LIFETIME.as_secs(),
            relay_user_linked_id: linked_id,
            pairing_url: url,
            pairing_qr_svg: PairingQrCode(qr_code.to_svg()),
        }
    }
}

impl Output for PreparedView {
    fn message(&self) -> &'static str {
        "Pairing prepared"
    }
}

/// Device of a person, as the tenant sees it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PairingView {
    /// The device.
    #[serde(flatten)]
    pub device: DeviceView,
    /// What the tenant knew the person's connection by when it prepared the pairing.
    pub user_socket_hash: ExternalId,
    /// Name of the person, as it was then.
    pub display_name: DisplayName,
    /// E-mail address of the person, masked; null if none was given.
    pub user_email: Option<MaskedEmail>,
    /// Telephone number of the person, masked; null if none was given.
    pub user_phone: Option<MaskedPhone>,
}

impl From<PairedDevice> for PairingView {
    fn from(paired: PairedDevice) -> Self {
        Self {
            device: DeviceView::from(&paired),
            user_socket_hash: paired.introduction.user_socket_hash,
            display_name: paired.introduction.display_name,
            user_email: paired.introduction.email,
            user_phone: paired.introduction.phone,
        }
    }
}

/// Devices of a person, as the tenant sees them.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PairingsOfPerson {
    /// Latchkey's id of the person; null if the person was never named before.
    pub relay_user_linked_id: Option<LinkedUserId>,
    /// The devices, oldest first; at most 10.
    pub pairings: Vec<PairingView>,
}

impl From<Option<(RelayPerson, Vec<PairedDevice>)>> for PairingsOfPerson {
    fn from(found: Option<(RelayPerson, Vec<PairedDevice>)>) -> Self {
        let (person, devices) = found.unzip();
        Self {
            relay_user_linked_id: person.map(|person| person.linked_id),
            pairings: devices.unwrap_or_default().into_iter().map(PairingView::from).collect(),
        }
    }
}

impl Output for PairingsOfPerson {}
