//! Verification of what a browser answers (Web Authentication Level 3 §7.1 and §7.2).

use serde_json::Value;

use super::attestation::authenticator_data;
use super::authenticator_data::AuthenticatorData;
use super::cause::PasskeyCause;
use super::client_data::{ClientData, ClientDataType};
use super::credential::Credential;
use super::ids::{Challenge, CredentialId, UserHandle};
use super::library;
use super::records::{CounterChange, ExpectedResponse, NewPasskey, Rules, StoredPasskey, VerifiedLogin};
use super::transports::Transports;

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
    let read = ClientData::read(&client_data)?;
    read.check(ClientDataType::Registration, expected.challenge, expected.origin, rules)?;
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
    let read = ClientData::read(&client_data)?;
    read.check(ClientDataType::Login, expected.challenge, expected.origin, rules)?;
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
