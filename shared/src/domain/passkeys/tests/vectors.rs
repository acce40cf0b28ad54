//! The test vectors of Web Authentication Level 3 (§16), which its authors computed.
//!
//! What each is expected to come to is decided here, by our rules: some vectors are of algorithms that are not offered,
//! or from a frame, and half of the logins are without user verification. Those are sound too, so they are judged again
//! without that one rule.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1, EcdsaVerificationAlgorithm,
    UnparsedPublicKey,
};
use ciborium::Value as Cbor;
use serde_json::{Value, json};

use super::super::attestation::authenticator_data;
use super::super::cause::PasskeyCause as Cause;
use super::super::ids::{Aaguid, Challenge, CredentialId, UserHandle, decode};
use super::super::records::{CounterChange, ExpectedResponse, NewPasskey, Rules, StoredPasskey, VerifiedLogin};
use super::super::verification::{login, registration};
use super::soft::{ORIGIN, RP_ID, encode};
use crate::domain::{RpId, WebauthnOrigin};

/// Vector, outcome of its registration and of its login by all rules, and of both without user verification.
const OUTCOMES: &str = "
    none-es256                     user_not_verified      user_not_verified  accepted               accepted
    packed-self-es256              accepted               user_not_verified  accepted               accepted
    none-es256-crossOrigin         cross_origin           cross_origin       cross_origin           cross_origin
    none-es256-topOrigin           cross_origin           cross_origin       cross_origin           cross_origin
    none-es256-long-credential-id  user_not_verified      accepted           accepted               accepted
    packed-es256                   accepted               accepted           accepted               accepted
    packed-es384                   algorithm_not_offered  -                  algorithm_not_offered  -
    packed-es512                   wrong_challenge        -                  wrong_challenge        -
    packed-rs256                   accepted               user_not_verified  accepted               accepted
    packed-eddsa                   user_not_verified      user_not_verified  accepted               accepted
    packed-ed448                   algorithm_not_offered  -                  algorithm_not_offered  -
    tpm-es256                      accepted               accepted           accepted               accepted
    android-key-es256              accepted               user_not_verified  accepted               accepted
    apple-es256                    user_not_verified      user_not_verified  accepted               accepted
    fido-u2f-es256                 user_not_verified      user_not_verified  accepted               accepted
";

pub struct Vector(Value);

impl Vector {
    pub fn all() -> Vec<Self> {
        let file: Value = serde_json::from_str(include_str!("../../../../../tests/vectors/webauthn.json")).unwrap();
        file["vectors"].as_array().unwrap().iter().cloned().map(Self).collect()
    }

    pub fn name(&self) -> &str {
        self.0["name"].as_str().unwrap()
    }

    /// The challenge of the vector. One has 128 bytes, which ours never have: another stands for it.
    pub fn challenge(&self, ceremony: &str) -> Challenge {
        let text = self.0[ceremony]["challenge"].as_str().unwrap();
        Challenge::parse(text).unwrap_or_else(|_| Challenge::parse(&encode(&[0; 32])).unwrap())
    }

    pub fn bytes(&self, ceremony: &str, member: &str) -> Vec<u8> {
        decode(self.0[ceremony][member].as_str().unwrap()).unwrap()
    }

    /// What a browser would have sent. `owner` answers a login.
    pub fn response(&self, ceremony: &str, owner: Option<&UserHandle>) -> Value {
        let mut response = self.0[ceremony].clone();
        response.as_object_mut().unwrap().remove("challenge");
        if let Some(owner) = owner {
            response["userHandle"] = owner.as_str().into();
        }
        let id = &self.0["id"];
        json!({ "id": id, "rawId": id, "type": "public-key", "clientExtensionResults": {}, "response": response })
    }

    fn expected<T>(&self, ceremony: &str, judge: impl FnOnce(&ExpectedResponse<'_>) -> T) -> T {
        judge(&ExpectedResponse {
            challenge: &self.challenge(ceremony),
            rp_id: &RpId::parse(RP_ID).unwrap(),
            origin: &WebauthnOrigin::parse(ORIGIN).unwrap(),
            user_handle: None,
        })
    }

    pub fn register(&self, rules: Rules) -> Result<NewPasskey, Cause> {
        self.expected("registration", |expected| registration(expected, &self.response("registration", None), rules))
    }

    pub fn log_in(&self, passkey: &NewPasskey, rules: Rules) -> Result<VerifiedLogin, Cause> {
        let user_handle = owner();
        let response = self.response("login", Some(&user_handle));
        let stored = StoredPasskey {
            credential_id: passkey.credential_id.clone(),
            public_key: passkey.public_key.clone(),
            algorithm: passkey.algorithm,
            counter: passkey.counter,
            backup_eligible: passkey.backup_eligible,
            user_handle,
        };
        self.expected("login", |expected| login(expected, &stored, &response, rules))
    }
}

fn owner() -> UserHandle {
    UserHandle::parse(&encode(&[7; 32])).unwrap()
}

fn outcome<T>(result: Result<T, Cause>) -> &'static str {
    result.map_or_else(Cause::as_str, |_| "accepted")
}

#[test]
fn each_vector_comes_to_what_our_rules_say() {
    let vectors = Vector::all();
    assert_eq!(vectors.len(), OUTCOMES.trim().lines().count());
    for (vector, row) in vectors.iter().zip(OUTCOMES.trim().lines()) {
        let row: Vec<_> = row.split_whitespace().collect();
        let [name, registered, logged_in, registered_unverified, logged_in_unverified] = row[..] else {
            panic!("{row:?}")
        };
        assert_eq!(vector.name(), name);
        let unverified = Rules { user_verified: false, ..Rules::ALL };
        // A frame is refused at its registration, so the login gets the key of another vector: its turn comes earlier.
        let passkey = vector.register(unverified).or_else(|_| vectors[0].register(unverified)).unwrap();
        let log_in = |rules| {
            let known = NewPasskey { credential_id: vector_id(vector), ..passkey.clone() };
            if logged_in == "-" { "-" } else { outcome(vector.log_in(&known, rules)) }
        };
        assert_eq!(outcome(vector.register(Rules::ALL)), registered, "{name}");
        assert_eq!(log_in(Rules::ALL), logged_in, "{name}");
        assert_eq!(outcome(vector.register(unverified)), registered_unverified, "{name}");
        assert_eq!(log_in(unverified), logged_in_unverified, "{name}");
    }
}

fn vector_id(vector: &Vector) -> CredentialId {
    CredentialId::parse(vector.0["id"].as_str().unwrap()).unwrap()
}

#[test]
fn what_a_vector_says_is_what_is_kept() {
    for vector in Vector::all() {
        let Ok(passkey) = vector.register(Rules { user_verified: false, ..Rules::ALL }) else { continue };
        let name = vector.name();
        assert_eq!(passkey.credential_id, vector_id(&vector), "{name}");
        assert_eq!(passkey.counter, 0, "{name}");
        let model: String = passkey.aaguid.as_str().replace('-', "");
        assert_eq!(vector.0["aaguid"], model, "{name}");
        assert_eq!(passkey.aaguid, Aaguid::parse(passkey.aaguid.as_str()).unwrap());
        let Ok(login) = vector.log_in(&passkey, Rules { user_verified: false, ..Rules::ALL }) else { panic!("{name}") };
        assert_eq!(login.counter, CounterChange::NotCounted, "{name}");
        assert_eq!(login.backup_eligible, passkey.backup_eligible, "{name}");
    }
}

/// Two vectors are from a frame. Without the rule against frames, what decides is the next one, or nothing. The library
/// never accepts a frame that does not say which page it is in: it alone refuses the first one then, after all of our
/// rules, and the cryptographic library says that nothing else is wrong.
#[test]
fn frames_are_refused_for_that_alone() {
    let framed = Rules { top_origin: Some("https://example.com"), ..Rules::ALL };
    let lax = Rules { user_verified: false, ..framed };
    let elsewhere = Rules { top_origin: Some("https://example.net"), ..lax };
    let vectors = Vector::all();
    let found = |name: &str| vectors.iter().find(|vector| vector.name() == name).unwrap();

    let inner = found("none-es256-topOrigin");
    assert_eq!(inner.register(framed), Err(Cause::UserNotVerified));
    let passkey = inner.register(lax).unwrap();
    assert_eq!(inner.log_in(&passkey, Rules::ALL), Err(Cause::CrossOrigin));
    assert!(inner.log_in(&passkey, framed).unwrap().user_verified);
    assert_eq!(inner.register(elsewhere), Err(Cause::Library));
    assert_eq!(inner.log_in(&passkey, elsewhere), Err(Cause::Library));

    let unnamed = found("none-es256-crossOrigin");
    assert_eq!(unnamed.register(framed), Err(Cause::Library));
    let known = NewPasskey { credential_id: vector_id(unnamed), ..passkey };
    assert_eq!(unnamed.log_in(&known, framed), Err(Cause::Library));
    for vector in [inner, unnamed] {
        let signature = vector.bytes("login", "signature");
        let verify = |signed: &[u8]| {
            let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key_of(vector, 32));
            key.verify(signed, &signature).is_ok()
        };
        assert!(verify(&signed_by_login(vector)), "{}", vector.name());
        assert!(!verify(&signed_by_login(found("none-es256"))), "{}", vector.name());
    }
    assert_ne!(key_of(unnamed, 32), key_of(inner, 32));
}

/// The point of a vector's elliptic key, with coordinates of so many bytes.
fn key_of(vector: &Vector, length: usize) -> Vec<u8> {
    let data = authenticator_data(&vector.bytes("registration", "attestationObject")).unwrap();
    let id_length = usize::from(u16::from_be_bytes([data[53], data[54]]));
    let Cbor::Map(key) = ciborium::from_reader(&data[55 + id_length..]).unwrap() else { panic!() };
    let coordinate = |label: i64| {
        let (_, value) = key.iter().find(|(other, _)| *other == label.into()).unwrap();
        let bytes = value.as_bytes().unwrap().clone();
        assert_eq!(bytes.len(), length);
        bytes
    };
    [vec![4], coordinate(-2), coordinate(-3)].concat()
}

/// What the signature of a vector's login is over.
fn signed_by_login(vector: &Vector) -> Vec<u8> {
    let hash = digest(&SHA256, &vector.bytes("login", "clientDataJSON"));
    [vector.bytes("login", "authenticatorData"), hash.as_ref().to_vec()].concat()
}

/// With the client data of another vector, which nothing but the statement signs.
#[test]
fn a_key_of_an_algorithm_that_was_not_offered_is_refused() {
    let vectors = Vector::all();
    let found = |name: &str| vectors.iter().find(|vector| vector.name() == name).unwrap();
    let twin = found("packed-es256");
    for (name, outcome) in [
        ("packed-es384", Some(Cause::AlgorithmNotOffered)),
        ("packed-es512", Some(Cause::AlgorithmNotOffered)),
        ("packed-ed448", Some(Cause::AlgorithmNotOffered)),
        ("packed-rs256", None),
    ] {
        let mut response = found(name).response("registration", None);
        response["response"]["clientDataJSON"] = twin.0["registration"]["clientDataJSON"].clone();
        let unverified = Rules { user_verified: false, ..Rules::ALL };
        let judged = twin.expected("registration", |expected| registration(expected, &response, unverified));
        assert_eq!(judged.err(), outcome, "{name}");
    }
}

/// The logins of those vectors are right, as far as the cryptographic library knows their algorithms.
#[test]
fn vectors_of_other_algorithms_are_refused_for_that_alone() {
    let algorithms: [(&str, &EcdsaVerificationAlgorithm, usize); 2] =
        [("packed-es384", &ECDSA_P384_SHA384_ASN1, 48), ("packed-es512", &ECDSA_P521_SHA512_ASN1, 66)];
    for (name, algorithm, length) in algorithms {
        let vector = Vector::all().into_iter().find(|vector| vector.name() == name).unwrap();
        let signature = vector.bytes("login", "signature");
        assert!(
            UnparsedPublicKey::new(algorithm, key_of(&vector, length))
                .verify(&signed_by_login(&vector), &signature)
                .is_ok(),
            "{name}"
        );
    }
}
