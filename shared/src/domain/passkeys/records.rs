//! What is expected of a response, and what comes of it.

use super::algorithm::PasskeyAlgorithm;
use super::cause::PasskeyCause;
use super::ids::{Aaguid, Challenge, CredentialId, UserHandle};
use super::transports::Transports;
use crate::domain::tenants::rp_id::RpId;
use crate::domain::tenants::webauthn_origin::WebauthnOrigin;

/// What a ceremony began with, against which its response is held.
#[derive(Debug, Clone)]
pub struct ExpectedResponse<'a> {
    pub challenge: &'a Challenge,
    pub rp_id: &'a RpId,
    /// The one origin at which the ceremony began.
    pub origin: &'a WebauthnOrigin,
    /// The person that the ceremony named, or `None` if anybody may log in: the response has to name one then. Not used
    /// for a registration, whose response says nothing of a person.
    pub user_handle: Option<&'a UserHandle>,
}

/// A passkey that was registered just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPasskey {
    pub credential_id: CredentialId,
    /// COSE key (RFC 9052 §7) in its shortest spelling, under 4096 bytes.
    pub public_key: Vec<u8>,
    pub algorithm: PasskeyAlgorithm,
    /// Signature counter; 0 mostly means that the authenticator does not count.
    pub counter: u32,
    /// Whether it may be synced to other devices (flag BE).
    pub backup_eligible: bool,
    /// Whether it is (flag BS).
    pub backup_state: bool,
    /// Whether the authenticator verified the person (flag UV).
    pub user_verified: bool,
    pub aaguid: Aaguid,
    pub transports: Transports,
}

/// What is kept of a passkey, as far as a login depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPasskey {
    pub credential_id: CredentialId,
    /// COSE key, as [`NewPasskey::public_key`] had it.
    pub public_key: Vec<u8>,
    pub algorithm: PasskeyAlgorithm,
    pub counter: u32,
    pub backup_eligible: bool,
    /// Its owner.
    pub user_handle: UserHandle,
}

/// What a login does to the counter of its passkey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CounterChange {
    /// Both are 0: the authenticator does not count.
    NotCounted,
    /// It grew. To be written by condition: of two logins that grew from one value, one is a copy's.
    Advanced { from: u32, to: u32 },
}

/// A login that is in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifiedLogin {
    pub counter: CounterChange,
    /// Whether the authenticator verified the person (flag UV).
    pub user_verified: bool,
    /// Whether the passkey is synced now (flag BS).
    pub backup_state: bool,
    /// Whether it may be (flag BE). True may replace a stored false: iCloud Keychain says so only after its first sync.
    pub backup_eligible: bool,
}

/// What is asked of every response. A value, so that tests can turn one rule off and see that nothing else refused.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    /// The person has to be verified: a passkey stands for a password and for what would come after it.
    pub user_verified: bool,
    /// The page of another origin in which ours may be a frame: none. Whoever shows our page there decides what the
    /// person believes to log in to.
    pub top_origin: Option<&'static str>,
}

impl Rules {
    pub const ALL: Self = Self { user_verified: true, top_origin: None };
}

impl CounterChange {
    /// §7.2. Two zeros are an authenticator that does not count; a zero after another value is not.
    pub(super) fn of(from: u32, to: u32) -> Result<Self, PasskeyCause> {
        match (from, to) {
            (0, 0) => Ok(Self::NotCounted),
            _ if to > from => Ok(Self::Advanced { from, to }),
            _ => Err(PasskeyCause::CounterBack),
        }
    }
}
