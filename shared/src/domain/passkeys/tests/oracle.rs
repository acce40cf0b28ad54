//! A second opinion: what `webauthn-rs-core` says of the same responses. It shares no code with the library that is
//! used, not even the cryptography.
//!
//! It must refuse what we refuse, but for the rows in a table that says why. It has no `EdDSA`.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use webauthn_rs_core::WebauthnCore;
use webauthn_rs_core::proto::{
    AuthenticationState, Credential, PublicKeyCredential, RegisterPublicKeyCredential, RegistrationState,
    UserVerificationPolicy,
};

use super::super::cause::PasskeyCause as Cause;
use super::super::client_data::ClientDataType;
use super::super::ids::Challenge;
use super::super::records::Rules;
use super::soft::{Key, ORIGIN, RP_ID, Scene};
use super::vectors::Vector;
use super::{
    ES256, RS256, Row, refused_client_data, refused_credentials, refused_keys, refused_logins, refused_registrations,
};

struct Oracle {
    core: WebauthnCore,
    challenge: Challenge,
    policy: UserVerificationPolicy,
}

impl Oracle {
    fn new(rp_id: &str, origin: &str, challenge: Challenge) -> Self {
        let (origins, timeout) = (vec![origin.parse().unwrap()], Duration::from_mins(5));
        let core = WebauthnCore::new_unsafe_experts_only("", rp_id, origins, timeout, None, None);
        Self { core, challenge, policy: UserVerificationPolicy::Required }
    }

    fn of(scene: &Scene<'_>) -> Self {
        Self::new(scene.rp_id.as_str(), scene.origin.as_str(), scene.challenge.clone())
    }

    /// A state of the library with our challenge, which it would draw itself.
    fn with_challenge<T: Serialize + DeserializeOwned>(&self, state: T) -> T {
        let mut state = serde_json::to_value(state).unwrap();
        state["challenge"] = self.challenge.as_str().into();
        serde_json::from_value(state).unwrap()
    }

    fn register(&self, response: &Value) -> Result<Credential, String> {
        let response: RegisterPublicKeyCredential = read(response)?;
        let builder = self.core.new_challenge_register_builder(b"0123456789abcdef", "a", "a").unwrap();
        let builder = builder.user_verification_policy(self.policy);
        let (_, state): (_, RegistrationState) = self.core.generate_challenge_register(builder).unwrap();
        let outcome = self.core.register_credential(&response, &self.with_challenge(state), None);
        outcome.map_err(|error| error.to_string())
    }

    fn log_in(&self, response: &Value, credential: Credential) -> Result<u32, String> {
        let response: PublicKeyCredential = read(response)?;
        let builder = self.core.new_challenge_authenticate_builder(vec![credential], Some(self.policy)).unwrap();
        let builder = builder.allow_backup_eligible_upgrade(true);
        let (_, state): (_, AuthenticationState) = self.core.generate_challenge_authenticate(builder).unwrap();
        let outcome = self.core.authenticate_credential(&response, &self.with_challenge(state));
        outcome.map(|login| login.counter()).map_err(|error| error.to_string())
    }
}

fn read<T: DeserializeOwned>(response: &Value) -> Result<T, String> {
    serde_json::from_value(response.clone()).map_err(|error| error.to_string())
}

/// What the oracle says of a scene.
fn judge(scene: &Scene<'_>) -> Result<(), String> {
    let oracle = Oracle::of(scene);
    match scene.ceremony {
        ClientDataType::Registration => oracle.register(&scene.response()).map(|_| ()),
        ClientDataType::Login => {
            let registered = Scene::new(ClientDataType::Registration, scene.key);
            let mut credential = Oracle::of(&registered).register(&registered.response()).unwrap();
            credential.cred_id = scene.stored.credential_id.to_bytes();
            credential.counter = scene.stored.counter;
            credential.backup_eligible = scene.stored.backup_eligible;
            oracle.log_in(&scene.response(), credential).map(|_| ())
        }
    }
}

/// What the oracle accepts although we refuse it, and why.
const LAXER: &[(&str, &[&str])] = &[
    (
        "it compares origins as URLs, ours have one spelling",
        &["origin with the default port", "origin with a slash", "origin in capitals"],
    ),
    (
        "it does not look at topOrigin, and at frames only in registrations",
        &[
            "another origin at the top",
            "its own origin at the top",
            "topOrigin null",
            "topOrigin empty",
            "frame of another origin",
            "frame of a named origin",
        ],
    ),
    ("it reads null as false", &["crossOrigin null"]),
    ("it looks for double members among those that it knows", &["unknown member twice", "algorithm twice"]),
    (
        "it takes base64 in many spellings",
        &[
            "challenge with padding",
            "ids with padding",
            "attestationObject with padding",
            "signature with padding",
            "person with padding",
        ],
    ),
    (
        "it does not look at the members outside",
        &[
            "credential of another type",
            "credential type in capitals",
            "id of another",
            "rawId of another",
            "rawId with padding",
            "empty ids",
            "ids of 1024 bytes",
            "id that is not the signed one",
            "id that only begins like the signed one",
        ],
    ),
    (
        "its CBOR reader is laxer",
        &[
            "attestation object with a tag",
            "fmt as bytes",
            "attStmt null",
            "attStmt a list",
            "attStmt deeper than any",
            "extension twice",
        ],
    ),
    (
        "it reads authenticator data as far as it understands it",
        &[
            "authenticator data and a byte",
            "authenticatorData as an attestation object",
            "extensions without their flag",
            "extensions and a byte",
            "extensions twice",
            "a second key",
        ],
    ),
    (
        "it leaves the person to its caller",
        &[
            "another person",
            "person cut off",
            "person and a byte",
            "empty person",
            "person null and none named",
            "no person and none named",
            "another person and the owner named",
            "another person named",
            "another person named and no person",
        ],
    ),
    (
        "it takes from a key what it needs",
        &[
            "key with an id",
            "key with operations",
            "key with a label of text",
            "key of over 4096 bytes",
            "P-256 private key",
            "RSA private key",
            "RSA n of 2047 bits",
        ],
    ),
    ("it has this algorithm, on any curve", &["algorithm ES384"]),
    ("the stored key is not what it is asked about", &["stored key that is none", "stored key of another algorithm"]),
];

/// The vectors that the oracle refuses although we accept them, with the reason that it gives.
const STRICTER: &[(&str, &str)] = &[
    // 3482 bits: it knows moduli of 2048, 3072 and 4096.
    ("packed-rs256", "The COSEKey contains invalid RSA modulus/exponent data"),
    ("packed-eddsa", "ED25519 and ED448 keys are not supported by this implementation"),
    // Statements, which we do not look at.
    ("tpm-es256", "The COSEKey type is not supported by this implementation"),
    ("android-key-es256", "The attestation statement x5c (trust root) is not valid"),
];

/// The rows that the oracle accepts.
fn accepted<'a>(ceremony: ClientDataType, key: &Key, rows: impl IntoIterator<Item = &'a Row>) -> Vec<&'static str> {
    let spoilt = rows.into_iter().filter(|(what, _, spoil)| {
        let mut scene = Scene::new(ceremony, key);
        assert_eq!(judge(&scene), Ok(()), "before: {what}");
        spoil(&mut scene);
        judge(&scene).is_ok()
    });
    spoilt.map(|(what, ..)| *what).collect()
}

#[test]
fn what_is_refused_here_is_refused_there() {
    let both = || refused_client_data::ROWS.iter().chain(refused_credentials::ROWS);
    let mut laxer = BTreeSet::new();
    for key in [&*ES256, &*RS256] {
        let registrations = both().chain(refused_registrations::ROWS).chain(refused_keys::ANY);
        laxer.extend(accepted(ClientDataType::Registration, key, registrations));
        laxer.extend(accepted(ClientDataType::Login, key, both().chain(refused_logins::ROWS)));
    }
    laxer.extend(accepted(ClientDataType::Registration, &ES256, refused_keys::ELLIPTIC));
    laxer.extend(accepted(ClientDataType::Registration, &RS256, refused_keys::RSA));
    let expected: BTreeSet<_> = LAXER.iter().flat_map(|(_, rows)| rows.iter().copied()).collect();
    assert_eq!(laxer, expected);
}

#[test]
fn the_vectors_are_judged_alike() {
    let unverified = Rules { user_verified: false, ..Rules::ALL };
    for vector in Vector::all() {
        let name = vector.name();
        let mut oracle = Oracle::new(RP_ID, ORIGIN, vector.challenge("registration"));
        oracle.policy = UserVerificationPolicy::Discouraged_DO_NOT_USE;
        let theirs = oracle.register(&vector.response("registration", None));
        oracle.challenge = vector.challenge("login");
        let log_in = |credential| oracle.log_in(&vector.response("login", None), credential);
        match (vector.register(unverified), theirs) {
            (Ok(passkey), Ok(credential)) => {
                assert_eq!(credential.cred_id, passkey.credential_id.to_bytes(), "{name}");
                let flags = (credential.backup_eligible, credential.backup_state);
                assert_eq!(flags, (passkey.backup_eligible, passkey.backup_state), "{name}");
                assert!(vector.log_in(&passkey, unverified).is_ok(), "{name}");
                assert_eq!(log_in(credential), Ok(0), "{name}");
            }
            // Sound, and refused here for its algorithm alone.
            (Err(Cause::AlgorithmNotOffered), Ok(credential)) => assert_eq!(log_in(credential), Ok(0), "{name}"),
            (Ok(_), Err(reason)) => assert!(STRICTER.contains(&(name, reason.as_str())), "{name}: {reason}"),
            (Err(_), Err(_)) => assert!(!STRICTER.iter().any(|(other, _)| *other == name), "{name}"),
            (Err(cause), Ok(_)) => panic!("{name}: {cause}"),
        }
    }
}
