//! Verification of what a browser answers (Web Authentication Level 3 §7.1 and §7.2).

use serde_json::Value;

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
    /// COSE key (RFC 9052 §7) as the authenticator wrote it, at most 4096 bytes.
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

/// The challenge that a credential answers, by which its ceremony is found. Nothing is verified yet.
///
/// `credential` is what `PublicKeyCredential.toJSON()` gives. Decode it as an `ExactJson`: a `Value` on its own takes the
/// last of two members of one name.
///
/// # Errors
/// If the credential or its client data can't be read, or the challenge can't be one of ours.
pub fn challenge_of(_credential: &Value) -> Result<Challenge, PasskeyCause> {
    Err(PasskeyCause::MalformedCredential)
}

/// The id of a credential, by which a stored passkey is found. Nothing is verified yet.
///
/// # Errors
/// If the credential has none, or two different ones.
pub fn credential_id_of(_credential: &Value) -> Result<CredentialId, PasskeyCause> {
    Err(PasskeyCause::MalformedCredential)
}

/// Verifies the response to a registration (§7.1). Whether the id is new at the tenant is the caller's to check.
///
/// # Errors
/// The first rule that the response breaks.
pub fn verify_registration(_expected: &ExpectedResponse<'_>, _credential: &Value) -> Result<NewPasskey, PasskeyCause> {
    Err(PasskeyCause::MalformedCredential)
}

/// Verifies the response to a login (§7.2) by the passkey that its id names.
///
/// The counter is compared last: [`PasskeyCause::CounterBack`] says that whoever answered has the key.
///
/// # Errors
/// The first rule that the response breaks.
pub fn verify_login(
    _expected: &ExpectedResponse<'_>,
    _stored: &StoredPasskey,
    _credential: &Value,
) -> Result<VerifiedLogin, PasskeyCause> {
    Err(PasskeyCause::MalformedCredential)
}
