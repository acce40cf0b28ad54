//! The device surface: calls of people's phones.

pub mod qr_login;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::common::Empty;
use crate::api::operation::{BodyRule, Input, Operation, Output, Route, Surface};
use crate::auth::{ChangingDevice, Device, Invitation, PairingDevice, PairingGuest, Welcome};
use crate::domain::{
    DeviceId, DeviceName, DisplayName, LogoUrl, MaskedEmail, MaskedPhone, PairedDevice, PairingHandle, Platform,
    RevealedSessionToken, Tenant, TenantId, TenantName, Timestamp,
};
use crate::store::NewDevice;

/// Name of a device that gave none.
const UNNAMED: &str = "Phone";

/// Shows a phone what it is about to be paired with.
#[derive(Debug, Clone, Copy)]
pub struct DevicePairing;

impl Operation for DevicePairing {
    const ROUTE: Route = Route::post("device-pairing", "/api/v1/device/pairing", BodyRule::Required)
        .about("Look at a pairing before it is accepted: whose, at which tenant. Changes nothing")
        .example(r#"{"handle": "AAECAwQFBgcICQoLDA0ODw"}"#);
    const SURFACE: Surface = Surface::Device;
    type Caller = PairingGuest;
    type Query = Empty;
    type Body = HandleBody;
    type Output = InvitationView;
}

/// Pairs a phone.
#[derive(Debug, Clone, Copy)]
pub struct DeviceRegisterToken;

impl Operation for DeviceRegisterToken {
    const ROUTE: Route = Route::post("device-register-token", "/api/v1/device/register-token", BodyRule::Optional)
        .answering(201)
        .about("Pair a phone by a pairing proof or a handle, either of which works once: get its session")
        .example(r#"{"handle": "AAECAwQFBgcICQoLDA0ODw", "name": "Ada's phone", "platform": "android"}"#);
    const SURFACE: Surface = Surface::Device;
    type Caller = PairingDevice;
    type Query = Empty;
    type Body = RegisterBody;
    type Output = WelcomeView;
}

/// Lists the devices of a phone's person.
#[derive(Debug, Clone, Copy)]
pub struct DevicePairings;

impl Operation for DevicePairings {
    const ROUTE: Route = Route::get("device-pairings", "/api/v1/device/pairings")
        .about("List the devices of the phone's person at its tenant, oldest first");
    const SURFACE: Surface = Surface::Device;
    type Caller = Device;
    type Query = Empty;
    type Body = Empty;
    type Output = DevicesView;
}

/// Gives a phone another name.
#[derive(Debug, Clone, Copy)]
pub struct DeviceRename;

impl Operation for DeviceRename {
    const ROUTE: Route = Route::post("device-rename", "/api/v1/device/rename", BodyRule::Required)
        .about("Give the phone another name, by which its person recognizes it")
        .example(r#"{"name": "Ada's Pixel"}"#);
    const SURFACE: Surface = Surface::Device;
    type Caller = ChangingDevice;
    type Query = Empty;
    type Body = RenameDeviceBody;
    type Output = RenamedDevice;
}

/// Ends a phone's pairing.
#[derive(Debug, Clone, Copy)]
pub struct DeviceUnpair;

impl Operation for DeviceUnpair {
    const ROUTE: Route = Route::post("device-unpair", "/api/v1/device/unpair", BodyRule::None)
        .about("End the phone's pairing, and its session with it");
    const SURFACE: Surface = Surface::Device;
    type Caller = ChangingDevice;
    type Query = Empty;
    type Body = Empty;
    type Output = RemovedDevice;
}

/// Renews a phone's session.
#[derive(Debug, Clone, Copy)]
pub struct DeviceRefreshToken;

impl Operation for DeviceRefreshToken {
    const ROUTE: Route = Route::post("device-refresh-token", "/api/v1/device/refresh-token", BodyRule::None)
        .about("Renew the phone's session: get another token, good for 30 days");
    const SURFACE: Surface = Surface::Device;
    type Caller = ChangingDevice;
    type Query = Empty;
    type Body = Empty;
    type Output = RenewedSession;
}

/// Request body with the handle of a pairing.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HandleBody {
    /// Handle of the pairing: what follows `#` in its address.
    pub handle: PairingHandle,
}

impl Input for HandleBody {}

/// Request body that pairs a phone.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterBody {
    /// Handle of the pairing: what follows `#` in its address. Required unless a pairing proof is presented.
    #[serde(default)]
    pub handle: Option<PairingHandle>,
    /// Name of the phone, by which its person recognizes it, 1 to 120 characters. Absent or null: `Phone`.
    #[serde(default)]
    pub name: Option<DeviceName>,
    /// Platform of the phone, as it says.
    #[serde(default)]
    pub platform: Option<Platform>,
}

impl RegisterBody {
    /// What the phone says of itself.
    pub fn device(&self) -> NewDevice {
        let name = self.name.clone().unwrap_or_else(|| DeviceName::from_stored(UNNAMED));
        NewDevice { name, platform: self.platform }
    }
}

impl Input for RegisterBody {}

/// Request body with another name for a phone.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameDeviceBody {
    /// Name of the phone, 1 to 120 characters.
    pub name: DeviceName,
}

impl Input for RenameDeviceBody {}

/// Tenant as a phone shows it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TenantBranding {
    /// Id of the tenant.
    pub tenant_id: TenantId,
    /// Name that the operator gave to the tenant.
    pub tenant_name: TenantName,
    /// Name that people know the tenant by; null if it has none of its own.
    pub branding_display_name: Option<DisplayName>,
    /// URL of the tenant's logo; null if it has none.
    pub branding_logo_url: Option<LogoUrl>,
}

impl TenantBranding {
    pub(super) fn of(tenant: Tenant, logo_url: Option<LogoUrl>) -> Self {
        let configuration = tenant.configuration;
        Self {
            tenant_id: tenant.summary.id,
            tenant_name: tenant.summary.name,
            branding_display_name: configuration.branding_display_name,
            branding_logo_url: logo_url.or(configuration.branding_logo_url),
        }
    }
}

/// Pairing that is offered to a phone.
#[derive(Debug, Serialize, JsonSchema)]
pub struct InvitationView {
    /// The tenant.
    #[serde(flatten)]
    pub tenant: TenantBranding,
    /// Name of the person.
    pub display_name: DisplayName,
    /// E-mail address of the person, masked; null if the tenant gave none.
    pub user_email: Option<MaskedEmail>,
    /// Telephone number of the person, masked; null if the tenant gave none.
    pub user_phone: Option<MaskedPhone>,
    /// Time from which on the pairing can't be redeemed.
    pub expires_at: Timestamp,
}

impl From<Invitation> for InvitationView {
    fn from(Invitation { pairing, tenant }: Invitation) -> Self {
        let introduction = pairing.introduction;
        Self {
            tenant: TenantBranding::of(tenant, pairing.logo_url),
            display_name: introduction.display_name,
            user_email: introduction.email,
            user_phone: introduction.phone,
            expires_at: pairing.expires_at,
        }
    }
}

impl Output for InvitationView {
    fn tenant_id(&self) -> Option<&str> {
        Some(self.tenant.tenant_id.as_str())
    }
}

/// Session of a phone.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RenewedSession {
    /// Token of the session, for `Authorization: DPoP`. It is shown this once.
    pub device_session_token: RevealedSessionToken,
    /// Seconds until the session ends unless it is renewed.
    pub expires_in: u64,
}

impl RenewedSession {
    /// A token that is good until then.
    pub fn new(device_session_token: RevealedSessionToken, until: Timestamp, at: Timestamp) -> Self {
        let expires_in = until.as_seconds().saturating_sub(at.as_seconds());
        Self { device_session_token, expires_in }
    }
}

impl Output for RenewedSession {
    fn message(&self) -> &'static str {
        "Session renewed"
    }
}

/// Phone that was paired.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WelcomeView {
    /// Its session.
    #[serde(flatten)]
    pub session: RenewedSession,
    /// Id of the phone, for good.
    pub device_id: DeviceId,
    /// The tenant.
    #[serde(flatten)]
    pub tenant: TenantBranding,
}

impl From<Welcome> for WelcomeView {
    fn from(Welcome { invitation, device, token }: Welcome) -> Self {
        Self {
            session: RenewedSession::new(token, device.session_expires_at, device.created_at),
            device_id: device.id,
            tenant: TenantBranding::of(invitation.tenant, invitation.pairing.logo_url),
        }
    }
}

impl Output for WelcomeView {
    fn message(&self) -> &'static str {
        "Phone paired"
    }

    fn tenant_id(&self) -> Option<&str> {
        Some(self.tenant.tenant_id.as_str())
    }
}

/// Device of a person, as that person's devices see it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeviceView {
    /// Id of the device.
    pub device_id: DeviceId,
    /// Name of the device.
    pub name: DeviceName,
    /// Platform of the device, as it said; null if it did not.
    pub platform: Option<Platform>,
    /// Time at which it was paired.
    pub created_at: Timestamp,
    /// Time of a call on the last day on which it called. Of the device that asks, as it was before this call.
    pub last_used_at: Timestamp,
    /// Time at which its session ends unless it is renewed.
    pub session_expires_at: Timestamp,
}

impl From<&PairedDevice> for DeviceView {
    fn from(device: &PairedDevice) -> Self {
        Self {
            device_id: device.id.clone(),
            name: device.name.clone(),
            platform: device.platform,
            created_at: device.created_at,
            last_used_at: device.last_used_at,
            session_expires_at: device.session_expires_at,
        }
    }
}

/// Devices of a person.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DevicesView {
    /// The devices, oldest first; at most 10.
    pub pairings: Vec<DeviceView>,
}

impl From<Vec<PairedDevice>> for DevicesView {
    fn from(devices: Vec<PairedDevice>) -> Self {
        Self { pairings: devices.iter().map(DeviceView::from).collect() }
    }
}

impl Output for DevicesView {}

/// Device that has another name.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RenamedDevice {
    /// Id of the device.
    pub device_id: DeviceId,
    /// Name of the device.
    pub name: DeviceName,
}

impl From<PairedDevice> for RenamedDevice {
    fn from(device: PairedDevice) -> Self {
        Self { device_id: device.id, name: device.name }
    }
}

impl Output for RenamedDevice {
    fn message(&self) -> &'static str {
        "Phone renamed"
    }
}

/// Device whose pairing was ended.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RemovedDevice {
    /// Id of the device.
    pub device_id: DeviceId,
}

impl From<PairedDevice> for RemovedDevice {
    fn from(device: PairedDevice) -> Self {
        Self { device_id: device.id }
    }
}

impl Output for RemovedDevice {
    fn message(&self) -> &'static str {
        "Pairing ended"
    }
}
