//! What a browser is asked for: exactly the JSON of Web Authentication Level 3 §5.1.8 and §5.1.9, so that a page
//! passes it on as it is.
//!
//! No member is ever null: browsers read null as a value, the text "null" for an RP ID and 0 for a timeout.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::algorithm::PasskeyAlgorithm;
use super::ids::{Challenge, CredentialId, UserHandle};
use super::transports::Transports;
use crate::domain::tenants::rp_id::RpId;

/// How long a ceremony may take, in milliseconds. As long as its challenge lives: a browser that gave up earlier would
/// turn people away whom we would still let in.
const TIMEOUT_MS: u32 = 300_000;

/// What a person may be asked to use first (`PublicKeyCredentialHint`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Hint {
    /// A key on a wire or in the air.
    SecurityKey,
    /// The device itself.
    ClientDevice,
    /// A phone beside it.
    Hybrid,
}

/// The relying party (`PublicKeyCredentialRpEntity`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RelyingParty {
    /// Relying party id.
    pub id: RpId,
    /// Name that the person sees.
    pub name: String,
}

/// The person whose passkey it becomes (`PublicKeyCredentialUserEntityJSON`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserEntity {
    /// What authenticators know the person by.
    pub id: UserHandle,
    /// Name of the account, such as an e-mail address.
    pub name: String,
    /// Name of the person.
    pub display_name: String,
}

/// A kind of key (`PublicKeyCredentialParameters`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct KeyParameters {
    #[serde(rename = "type")]
    kind: PublicKeyType,
    /// COSE identifier of the algorithm.
    alg: i32,
}

/// The one type of credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum PublicKeyType {
    PublicKey,
}

/// A passkey that is there already (`PublicKeyCredentialDescriptorJSON`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CredentialDescriptor {
    #[serde(rename = "type")]
    kind: PublicKeyType,
    /// Its id.
    id: CredentialId,
    /// How its authenticator is reached; absent if the browser did not say.
    #[serde(skip_serializing_if = "Transports::is_empty")]
    transports: Transports,
}

impl CredentialDescriptor {
    /// Describes a passkey.
    pub fn new(id: CredentialId, transports: Transports) -> Self {
        Self { kind: PublicKeyType::PublicKey, id, transports }
    }
}

/// Rules for the authenticator (`AuthenticatorSelectionCriteria`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthenticatorSelection {
    /// Whether the passkey is found without its id.
    resident_key: Requirement,
    /// The same, for browsers that know no `residentKey`.
    require_resident_key: bool,
    /// Whether the authenticator verifies the person.
    user_verification: Requirement,
}

/// The one requirement that is ever made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Requirement {
    Required,
}

/// How an authenticator is to prove its model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Attestation {
    None,
}

/// `PublicKeyCredentialCreationOptionsJSON`, for `PublicKeyCredential.parseCreationOptionsFromJSON()`.
///
/// A passkey stands for a password, so the person is verified and the passkey found without a name: `preferred` is a
/// wish that no library enforces, and some managers then make keys that no login without a name finds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreationOptions {
    rp: RelyingParty,
    user: UserEntity,
    challenge: Challenge,
    /// Kinds of keys that are taken, in the order of preference.
    pub_key_cred_params: Vec<KeyParameters>,
    /// Milliseconds for which the browser waits.
    timeout: u32,
    /// Passkeys of the person: an authenticator that has one of them makes no other.
    exclude_credentials: Vec<CredentialDescriptor>,
    authenticator_selection: AuthenticatorSelection,
    /// Kinds of authenticators that the browser offers first; absent if none was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hints: Vec<Hint>,
    attestation: Attestation,
}

impl CreationOptions {
    /// Options of a registration. `exclude` are the passkeys that the person has.
    pub fn new(
        rp: RelyingParty,
        user: UserEntity,
        challenge: Challenge,
        exclude: Vec<CredentialDescriptor>,
        hints: Vec<Hint>,
    ) -> Self {
        let parameters =
            |algorithm: PasskeyAlgorithm| KeyParameters { kind: PublicKeyType::PublicKey, alg: algorithm.cose_id() };
        Self {
            rp,
            user,
            challenge,
            pub_key_cred_params: PasskeyAlgorithm::ALL.map(parameters).to_vec(),
            timeout: TIMEOUT_MS,
            exclude_credentials: exclude,
            authenticator_selection: AuthenticatorSelection {
                resident_key: Requirement::Required,
                require_resident_key: true,
                user_verification: Requirement::Required,
            },
            hints,
            attestation: Attestation::None,
        }
    }
}

/// Options of a login: `PublicKeyCredentialRequestOptionsJSON`, for
/// `PublicKeyCredential.parseRequestOptionsFromJSON()`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestOptions {
    challenge: Challenge,
    /// Milliseconds for which the browser waits.
    timeout: u32,
    rp_id: RpId,
    /// Passkeys of the person; empty if anybody may log in.
    allow_credentials: Vec<CredentialDescriptor>,
    user_verification: Requirement,
    /// Kinds of authenticators that the browser offers first; absent if none was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hints: Vec<Hint>,
}

impl RequestOptions {
    /// Options of a login. `allow` are the passkeys of the person that was named, or none for a login without a name.
    pub fn new(rp_id: RpId, challenge: Challenge, allow: Vec<CredentialDescriptor>, hints: Vec<Hint>) -> Self {
        Self {
            challenge,
            timeout: TIMEOUT_MS,
            rp_id,
            allow_credentials: allow,
            user_verification: Requirement::Required,
            hints,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn challenge() -> Challenge {
        Challenge::parse(&"A".repeat(43)).unwrap()
    }

    fn rp_id() -> RpId {
        RpId::parse("example.com").unwrap()
    }

    fn passkey(id: &str, transports: &[&str]) -> CredentialDescriptor {
        CredentialDescriptor::new(CredentialId::parse(id).unwrap(), Transports::of(transports.iter().copied()))
    }

    fn creation(exclude: Vec<CredentialDescriptor>, hints: Vec<Hint>) -> Value {
        let rp = RelyingParty { id: rp_id(), name: "Acme".to_owned() };
        let id = UserHandle::parse(&"E".repeat(43)).unwrap();
        let user = UserEntity { id, name: "a@example.com".to_owned(), display_name: String::new() };
        serde_json::to_value(CreationOptions::new(rp, user, challenge(), exclude, hints)).unwrap()
    }

    fn request(allow: Vec<CredentialDescriptor>, hints: Vec<Hint>) -> Value {
        serde_json::to_value(RequestOptions::new(rp_id(), challenge(), allow, hints)).unwrap()
    }

    #[test]
    fn a_registration_is_asked_for_in_the_words_of_the_standard() {
        let hints = vec![Hint::SecurityKey, Hint::ClientDevice, Hint::Hybrid];
        let options = creation(vec![passkey("AAEC", &["usb", "nfc"]), passkey("AAED", &[])], hints);
        let expected = json!({
            "rp": { "id": "example.com", "name": "Acme" },
            "user": { "id": "E".repeat(43), "name": "a@example.com", "displayName": "" },
            "challenge": "A".repeat(43),
            "pubKeyCredParams": [
                { "type": "public-key", "alg": -7 },
                { "type": "public-key", "alg": -8 },
                { "type": "public-key", "alg": -257 },
            ],
            "timeout": 300_000,
            "excludeCredentials": [
                { "type": "public-key", "id": "AAEC", "transports": ["usb", "nfc"] },
                { "type": "public-key", "id": "AAED" },
            ],
            "authenticatorSelection": {
                "residentKey": "required",
                "requireResidentKey": true,
                "userVerification": "required",
            },
            "hints": ["security-key", "client-device", "hybrid"],
            "attestation": "none",
        });
        assert_eq!(options, expected);
    }

    #[test]
    fn a_login_is_asked_for_in_the_words_of_the_standard() {
        let expected = json!({
            "challenge": "A".repeat(43),
            "timeout": 300_000,
            "rpId": "example.com",
            "allowCredentials": [{ "type": "public-key", "id": "AAEC", "transports": ["internal"] }],
            "userVerification": "required",
            "hints": ["hybrid"],
        });
        assert_eq!(request(vec![passkey("AAEC", &["internal"])], vec![Hint::Hybrid]), expected);
    }

    /// A browser reads null as a value: as 0, or as the text "null".
    #[test]
    fn nothing_is_null() {
        let options =
            [creation(vec![passkey("AAED", &[])], Vec::new()), request(vec![passkey("AAED", &[])], Vec::new())];
        for options in options {
            assert!(!options.to_string().contains("null"), "{options}");
            assert_eq!(options.get("hints"), None);
        }
        let empty = [creation(Vec::new(), Vec::new()), request(Vec::new(), Vec::new())];
        assert_eq!(empty[0]["excludeCredentials"], json!([]));
        assert_eq!(empty[1]["allowCredentials"], json!([]));
    }

    #[test]
    fn a_hint_is_one_of_three() {
        for hint in [Hint::SecurityKey, Hint::ClientDevice, Hint::Hybrid] {
            let name = serde_json::to_value(hint).unwrap();
            assert_eq!(serde_json::from_value::<Hint>(name).unwrap(), hint);
        }
        assert!(serde_json::from_value::<Hint>(json!("internal")).is_err());
    }
}
