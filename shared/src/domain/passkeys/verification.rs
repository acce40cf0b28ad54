//! Verification of what a browser answers (Web Authentication Level 3 §7.1 and §7.2).

use serde_json::Value;

use super::algorithm::PasskeyAlgorithm;
use super::attestation::authenticator_data;
use super::authenticator_data::AuthenticatorData;
use super::cause::PasskeyCause;
use super::client_data::{Ceremony, ClientData};
use super::credential::Credential;
use super::ids::{Aaguid, Challenge, CredentialId, UserHandle};
use super::library;
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
}

impl Rules {
    pub const ALL: Self = Self { user_verified: true };
}

/// The challenge that a credential answers, by which its ceremony is found. Nothing is verified yet.
///
/// `credential` is what `PublicKeyCredential.toJSON()` gives. Decode it as an `ExactJson`: a `Value` on its own takes
/// the last of two members of one name.
///
/// # Errors
/// If the credential or its client data can't be read, or the challenge can't be one of ours.
pub fn challenge_of(credential: &Value) -> Result<Challenge, PasskeyCause> {
    let client_data = Credential::read(credential)?.bytes(CLIENT_DATA)?;
    ClientData::read(&client_data)?.challenge().ok_or(PasskeyCause::UnknownCeremony)
}

/// The id of a credential, by which a stored passkey is found. Nothing is verified yet.
///
/// # Errors
/// If the credential can't be read, or has two different ids.
pub fn credential_id_of(credential: &Value) -> Result<CredentialId, PasskeyCause> {
    Credential::read(credential)?.id()
}

/// Verifies the response to a registration (§7.1). Whether the id is new at the tenant is the caller's to check.
///
/// # Errors
/// The first rule that the response breaks.
pub fn verify_registration(expected: &ExpectedResponse<'_>, credential: &Value) -> Result<NewPasskey, PasskeyCause> {
    registration(expected, credential, Rules::ALL)
}

/// Verifies the response to a login (§7.2) by the passkey that its id names.
///
/// The counter is compared last: [`PasskeyCause::CounterBack`] says that whoever answered has the key.
///
/// # Errors
/// The first rule that the response breaks.
pub fn verify_login(
    expected: &ExpectedResponse<'_>,
    stored: &StoredPasskey,
    credential: &Value,
) -> Result<VerifiedLogin, PasskeyCause> {
    login(expected, stored, credential, Rules::ALL)
}

const CLIENT_DATA: &str = "clientDataJSON";

pub(super) fn registration(
    expected: &ExpectedResponse<'_>,
    credential: &Value,
    rules: Rules,
) -> Result<NewPasskey, PasskeyCause> {
    let credential = Credential::read(credential)?;
    let (credential_id, transports) = (credential.id()?, credential.transports()?);
    let client_data = credential.bytes(CLIENT_DATA)?;
    ClientData::read(&client_data)?.check(Ceremony::Registration, expected.challenge, expected.origin)?;
    let signed = authenticator_data(&credential.bytes("attestationObject")?)?;
    let (data, attested) = AuthenticatorData::of_registration(&signed)?;
    data.check(expected.rp_id, rules.user_verified)?;
    if attested.credential_id != credential_id {
        return Err(PasskeyCause::AttestedIdMismatch);
    }
    let passkey = NewPasskey {
        credential_id,
        public_key: attested.key.bytes,
        algorithm: attested.key.algorithm,
        counter: data.counter,
        backup_eligible: data.backup_eligible(),
        backup_state: data.backup_state(),
        user_verified: data.user_verified(),
        aaguid: attested.aaguid,
        transports: Transports::of(transports),
    };
    library::confirm_registration(expected, &passkey, &client_data, signed, rules)?;
    Ok(passkey)
}

pub(super) fn login(
    expected: &ExpectedResponse<'_>,
    stored: &StoredPasskey,
    credential: &Value,
    rules: Rules,
) -> Result<VerifiedLogin, PasskeyCause> {
    let credential = Credential::read(credential)?;
    if credential.id()? != stored.credential_id {
        return Err(PasskeyCause::UnknownCredential);
    }
    let client_data = credential.bytes(CLIENT_DATA)?;
    ClientData::read(&client_data)?.check(Ceremony::Login, expected.challenge, expected.origin)?;
    let signed = credential.bytes("authenticatorData")?;
    let data = AuthenticatorData::of_login(&signed)?;
    data.check(expected.rp_id, rules.user_verified)?;
    check_person(expected.user_handle, stored, credential.user_handle()?)?;
    library::verify_signature(expected, stored, &client_data, &signed, &credential.bytes("signature")?, rules)?;
    // §7.2 wants both to be equal, but iCloud Keychain says only after its first sync that it can sync.
    if stored.backup_eligible && !data.backup_eligible() {
        return Err(PasskeyCause::BackupEligibilityLost);
    }
    Ok(VerifiedLogin {
        counter: CounterChange::of(stored.counter, data.counter)?,
        user_verified: data.user_verified(),
        backup_state: data.backup_state(),
        backup_eligible: data.backup_eligible(),
    })
}

/// §7.2. A response without a person is fine where the ceremony named one: keys that were not made as passkeys
/// don't know theirs.
fn check_person(
    named: Option<&UserHandle>,
    stored: &StoredPasskey,
    answered: Option<Vec<u8>>,
) -> Result<(), PasskeyCause> {
    let owner = &stored.user_handle;
    match (named, answered) {
        (Some(named), _) if named != owner => Err(PasskeyCause::AnotherPerson),
        (None, None) => Err(PasskeyCause::NoUserHandle),
        (_, Some(answered)) if answered != owner.to_bytes() => Err(PasskeyCause::WrongUserHandle),
        _ => Ok(()),
    }
}

impl CounterChange {
    /// §7.2. Two zeros are an authenticator that does not count; a zero after another value is not.
    fn of(from: u32, to: u32) -> Result<Self, PasskeyCause> {
        match (from, to) {
            (0, 0) => Ok(Self::NotCounted),
            _ if to > from => Ok(Self::Advanced { from, to }),
            _ => Err(PasskeyCause::CounterBack),
        }
    }
}
