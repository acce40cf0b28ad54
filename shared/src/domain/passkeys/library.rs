//! The library that verifies signatures, and reads a response once more.
//!
//! What it is asked has passed all rules of ours. It gets less than what came: no statement, no outer members, a
//! counter that never refuses. So it can refuse what we accepted, and nothing passes that it did not see.

use data_encoding::BASE64URL_NOPAD;
use passki::{
    AuthenticationCredential, AuthenticationState, Passki, PasskiError, RegistrationCredential, RegistrationState,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::attestation::without_statement;
use super::cause::PasskeyCause;
use super::records::{ExpectedResponse, NewPasskey, Rules, StoredPasskey};

/// Asks whether a registration is in order, and comes to the same passkey.
pub fn confirm_registration(
    expected: &ExpectedResponse<'_>,
    passkey: &NewPasskey,
    client_data: &[u8],
    authenticator_data: Vec<u8>,
    rules: Rules,
) -> Result<(), PasskeyCause> {
    let object = without_statement(authenticator_data).ok_or(PasskeyCause::Library)?;
    let credential: RegistrationCredential = built(json!({
        "rawId": passkey.credential_id,
        "response": { "clientDataJSON": encode(client_data), "attestationObject": encode(&object) },
    }))?;
    let state: RegistrationState = built(json!({
        "challenge": expected.challenge.to_bytes(),
        "user": { "id": "", "name": "", "displayName": "" },
        "user_verification": user_verification(rules),
    }))?;
    let read =
        party(expected, rules).finish_passkey_registration(&credential, &state).map_err(|error| cause(&error))?;
    let is_same = read.credential_id == passkey.credential_id.to_bytes()
        && read.algorithm == passkey.algorithm.cose_id()
        && read.counter == passkey.counter
        && (read.be, read.bs) == (passkey.backup_eligible, passkey.backup_state);
    if is_same { Ok(()) } else { Err(PasskeyCause::Library) }
}

/// Verifies the signature of a login, with all that it is over.
pub fn verify_signature(
    expected: &ExpectedResponse<'_>,
    stored: &StoredPasskey,
    client_data: &[u8],
    authenticator_data: &[u8],
    signature: &[u8],
    rules: Rules,
) -> Result<(), PasskeyCause> {
    let credential: AuthenticationCredential = built(json!({
        "rawId": stored.credential_id,
        "response": {
            "clientDataJSON": encode(client_data),
            "authenticatorData": encode(authenticator_data),
            "signature": encode(signature),
        },
    }))?;
    let state: AuthenticationState = built(json!({
        "challenge": expected.challenge.to_bytes(),
        "allowed_credentials": [stored.credential_id.to_bytes()],
        "user_verification": user_verification(rules),
    }))?;
    let mut passkey = passki::StoredPasskey::default();
    passkey.credential_id = stored.credential_id.to_bytes();
    passkey.public_key.clone_from(&stored.public_key);
    passkey.algorithm = stored.algorithm.cose_id();
    // The counter stays 0, with which it is not compared: the library would do so before it verifies the signature, and
    // everybody could make a passkey look like a copy.
    let verified = party(expected, rules).finish_passkey_authentication(&credential, &state, &passkey);
    verified.map(|_| ()).map_err(|error| cause(&error))
}

fn party(expected: &ExpectedResponse<'_>, rules: Rules) -> Passki {
    let party = Passki::new(expected.rp_id.as_str(), &[expected.origin.as_str()], "");
    party.with_embedding_origins(rules.top_origin.as_slice())
}

fn user_verification(rules: Rules) -> &'static str {
    if rules.user_verified { "required" } else { "preferred" }
}

/// A value of the library, which can be made from JSON only.
fn built<T: DeserializeOwned>(value: Value) -> Result<T, PasskeyCause> {
    serde_json::from_value(value).map_err(|_| PasskeyCause::Library)
}

fn encode(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

fn cause(error: &PasskiError) -> PasskeyCause {
    match error {
        PasskiError::SignatureVerificationFailed => PasskeyCause::WrongSignature,
        _ => PasskeyCause::Library,
    }
}
