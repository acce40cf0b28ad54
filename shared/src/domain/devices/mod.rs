//! Phones that belong to a tenant's people: how they are paired and what their sessions are.

pub(super) mod contact;
pub(super) mod device;
pub(super) mod pairing;
pub(super) mod pairing_handle;
pub(super) mod session_token;

pub use contact::{MaskedEmail, MaskedPhone};
pub use device::{DeviceId, Platform};
pub use pairing::{DeviceEpochs, Introduction, PairedDevice, PreparedPairing};
pub use pairing_handle::{PairingHandle, PairingId, PairingUrl};
pub use session_token::{DeviceSessionClaims, DeviceSessionToken, RevealedSessionToken};
