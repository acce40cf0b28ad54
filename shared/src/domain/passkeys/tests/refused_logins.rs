//! Logins that are refused.

use ciborium::Value as Cbor;
use serde_json::{Value, json};

use super::super::algorithm::PasskeyAlgorithm;
use super::super::cause::PasskeyCause as Cause;
use super::super::cbor::write;
use super::super::client_data::ClientDataType;
use super::super::ids::{CredentialId, UserHandle};
use super::soft::{AT, BE, BS, ED, Scene, UP, UV, edit, encode};
use super::{ES256, Row, keys, refuse};
use crate::domain::values::random::SystemRandomness;

fn somebody() -> UserHandle {
    UserHandle::generate(&SystemRandomness::new()).unwrap()
}

fn user_handle(json: &mut Value, value: impl Into<Value>) {
    json["response"]["userHandle"] = value.into();
}

fn signature(json: &mut Value, change: impl FnOnce(&mut Vec<u8>)) {
    edit(json, "signature", change);
}

fn counters(scene: &mut Scene<'_>, stored: u32, answered: u32) {
    scene.stored.counter = stored;
    scene.counter = answered;
}

fn extensions(scene: &mut Scene<'_>, tail: &[u8]) {
    scene.flags |= ED;
    scene.tail = tail.to_vec();
}

pub const ROWS: &[Row] = &[
    ("no signature", Cause::MalformedCredential, |scene| {
        scene.after = |json| drop(json["response"].as_object_mut().unwrap().remove("signature"));
    }),
    ("signature null", Cause::MalformedCredential, |scene| {
        scene.after = |json| json["response"]["signature"] = Value::Null;
    }),
    ("signature as bytes", Cause::MalformedCredential, |scene| {
        scene.after = |json| json["response"]["signature"] = json!([1, 2]);
    }),
    ("signature with padding", Cause::MalformedBase64url, |scene| {
        scene.after = |json| {
            let text = json["response"]["signature"].as_str().unwrap();
            json["response"]["signature"] = format!("{text}=").into();
        };
    }),
    ("empty signature", Cause::WrongSignature, |scene| scene.after = |json| signature(json, Vec::clear)),
    ("signature cut off", Cause::WrongSignature, |scene| {
        scene.after = |json| signature(json, |bytes| bytes.truncate(bytes.len() - 1));
    }),
    ("signature and a byte", Cause::WrongSignature, |scene| {
        scene.after = |json| signature(json, |bytes| bytes.push(0));
    }),
    ("signature with another first byte", Cause::WrongSignature, |scene| {
        scene.after = |json| signature(json, |bytes| bytes[0] ^= 1);
    }),
    ("signature with another last byte", Cause::WrongSignature, |scene| {
        scene.after = |json| signature(json, |bytes| *bytes.last_mut().unwrap() ^= 1);
    }),
    ("signature of zeros", Cause::WrongSignature, |scene| {
        scene.after = |json| signature(json, |bytes| bytes.fill(0));
    }),
    ("ECDSA signature of two zeros", Cause::WrongSignature, |scene| {
        scene.after = |json| signature(json, |bytes| *bytes = vec![0x30, 6, 2, 1, 0, 2, 1, 0]);
    }),
    ("client data for the signature", Cause::WrongSignature, |scene| {
        scene.after = |json| json["response"]["signature"] = json["response"]["clientDataJSON"].clone();
    }),
    ("client data with a space after signing", Cause::WrongSignature, |scene| {
        scene.after = |json| edit(json, "clientDataJSON", |bytes| bytes.insert(1, b' '));
    }),
    ("client data with a member after signing", Cause::WrongSignature, |scene| {
        scene.after = |json| {
            edit(json, "clientDataJSON", |bytes| {
                bytes.pop();
                bytes.extend(br#","extra":1}"#);
            });
        };
    }),
    ("counter raised after signing", Cause::WrongSignature, |scene| {
        scene.after = |json| edit(json, "authenticatorData", |bytes| bytes[33] = 1);
    }),
    ("person verified after signing", Cause::WrongSignature, |scene| {
        scene.flags &= !UV;
        scene.after = |json| edit(json, "authenticatorData", |bytes| bytes[32] |= UV);
    }),
    ("person present after signing", Cause::WrongSignature, |scene| {
        scene.flags &= !UP;
        scene.after = |json| edit(json, "authenticatorData", |bytes| bytes[32] |= UP);
    }),
    ("backup state changed after signing", Cause::WrongSignature, |scene| {
        scene.after = |json| edit(json, "authenticatorData", |bytes| bytes[32] ^= BS);
    }),
    ("reserved flag after signing", Cause::WrongSignature, |scene| {
        scene.after = |json| edit(json, "authenticatorData", |bytes| bytes[32] ^= 2);
    }),
    ("extensions after signing", Cause::WrongSignature, |scene| {
        scene.after = |json| {
            edit(json, "authenticatorData", |bytes| {
                bytes[32] |= ED;
                bytes.push(0xa0);
            });
        };
    }),
    ("counter back, and not signed", Cause::WrongSignature, |scene| {
        counters(scene, 9, 10);
        scene.after = |json| edit(json, "authenticatorData", |bytes| bytes[36] = 3);
    }),
    ("no authenticatorData", Cause::MalformedCredential, |scene| {
        scene.after = |json| drop(json["response"].as_object_mut().unwrap().remove("authenticatorData"));
    }),
    ("authenticatorData null", Cause::MalformedCredential, |scene| {
        scene.after = |json| json["response"]["authenticatorData"] = Value::Null;
    }),
    ("authenticatorData not encoded", Cause::MalformedBase64url, |scene| {
        scene.after = |json| json["response"]["authenticatorData"] = "{}".into();
    }),
    ("authenticatorData as an attestation object", Cause::TrailingBytes, |scene| {
        scene.tail = write(&Cbor::Map(scene.object.clone())).unwrap();
    }),
    ("rp id of a parent", Cause::WrongRpIdHash, |scene| scene.hashed_rp_id = "org".to_owned()),
    ("rp id of a sub-domain", Cause::WrongRpIdHash, |scene| scene.hashed_rp_id = "a.example.org".to_owned()),
    ("rp id of another", Cause::WrongRpIdHash, |scene| scene.hashed_rp_id = "example.com".to_owned()),
    ("origin for the rp id", Cause::WrongRpIdHash, |scene| scene.hashed_rp_id = "https://example.org".to_owned()),
    ("another rp id expected", Cause::WrongRpIdHash, |scene| {
        scene.rp_id = crate::domain::RpId::parse("login.example.org").unwrap();
    }),
    ("nobody present", Cause::UserNotPresent, |scene| scene.flags &= !UP),
    ("nobody verified", Cause::UserNotVerified, |scene| scene.flags &= !UV),
    ("no flag", Cause::UserNotPresent, |scene| scene.flags = 0),
    ("backed up without being eligible", Cause::BackupStateWithoutEligibility, |scene| scene.flags &= !BE),
    ("backed up without ever being eligible", Cause::BackupStateWithoutEligibility, |scene| {
        scene.flags &= !BE;
        scene.stored.backup_eligible = false;
    }),
    ("eligible for backup no more", Cause::BackupEligibilityLost, |scene| scene.flags &= !(BE | BS)),
    ("flag of a new key", Cause::UnexpectedAttestedCredential, |scene| scene.flags |= AT),
    ("no authenticator data", Cause::AuthenticatorDataTooShort, |scene| scene.length = Some(0)),
    ("authenticator data within the hash", Cause::AuthenticatorDataTooShort, |scene| scene.length = Some(31)),
    ("authenticator data before the flags", Cause::AuthenticatorDataTooShort, |scene| scene.length = Some(32)),
    ("authenticator data before the counter", Cause::AuthenticatorDataTooShort, |scene| scene.length = Some(33)),
    ("authenticator data within the counter", Cause::AuthenticatorDataTooShort, |scene| scene.length = Some(36)),
    ("authenticator data and a byte", Cause::TrailingBytes, |scene| scene.tail = vec![0]),
    ("extensions without their flag", Cause::TrailingBytes, |scene| scene.tail = vec![0xa0]),
    ("flag without extensions", Cause::MalformedExtensions, |scene| scene.flags |= ED),
    ("extensions a list", Cause::MalformedExtensions, |scene| extensions(scene, &[0x80])),
    ("extensions with numbers for names", Cause::MalformedExtensions, |scene| extensions(scene, &[0xa1, 1, 2])),
    ("extension twice", Cause::MalformedExtensions, |scene| extensions(scene, &[0xa2, 0x61, b'a', 1, 0x61, b'a', 1])),
    ("extensions cut off", Cause::MalformedExtensions, |scene| extensions(scene, &[0xa1, 0x61])),
    ("extensions and a byte", Cause::TrailingBytes, |scene| extensions(scene, &[0xa0, 0])),
    ("another person", Cause::WrongUserHandle, |scene| {
        scene.after = |json| user_handle(json, somebody().as_str());
    }),
    ("person cut off", Cause::WrongUserHandle, |scene| {
        scene.after = |json| edit(json, "userHandle", |bytes| bytes.truncate(31));
    }),
    ("person and a byte", Cause::WrongUserHandle, |scene| {
        scene.after = |json| edit(json, "userHandle", |bytes| bytes.push(0));
    }),
    ("empty person", Cause::WrongUserHandle, |scene| scene.after = |json| user_handle(json, "")),
    ("person a number", Cause::MalformedCredential, |scene| scene.after = |json| user_handle(json, 7)),
    ("person with padding", Cause::MalformedBase64url, |scene| {
        scene.after = |json| user_handle(json, format!("{}=", encode(&[7; 32])));
    }),
    ("person null and none named", Cause::NoUserHandle, |scene| {
        scene.after = |json| user_handle(json, Value::Null);
    }),
    ("no person and none named", Cause::NoUserHandle, |scene| {
        scene.after = |json| drop(json["response"].as_object_mut().unwrap().remove("userHandle"));
    }),
    ("another person and the owner named", Cause::WrongUserHandle, |scene| {
        scene.named = Some(scene.stored.user_handle.clone());
        scene.after = |json| user_handle(json, somebody().as_str());
    }),
    ("another person named", Cause::AnotherPerson, |scene| scene.named = Some(somebody())),
    ("another person named and no person", Cause::AnotherPerson, |scene| {
        scene.named = Some(somebody());
        scene.after = |json| user_handle(json, Value::Null);
    }),
    ("counter unchanged", Cause::CounterBack, |scene| counters(scene, 7, 7)),
    ("counter one back", Cause::CounterBack, |scene| counters(scene, 7, 6)),
    ("counter back to zero", Cause::CounterBack, |scene| counters(scene, 7, 0)),
    ("counter back from one to zero", Cause::CounterBack, |scene| counters(scene, 1, 0)),
    ("counter at its end", Cause::CounterBack, |scene| counters(scene, u32::MAX, u32::MAX)),
    ("counter beyond its end", Cause::CounterBack, |scene| counters(scene, u32::MAX, 1)),
    ("counter back over the sign of a number", Cause::CounterBack, |scene| counters(scene, 1 << 31, 1)),
    ("another passkey stored", Cause::UnknownCredential, |scene| {
        scene.stored.credential_id = CredentialId::parse(&encode(&[0x12; 16])).unwrap();
    }),
    ("passkey with a longer id stored", Cause::UnknownCredential, |scene| {
        scene.stored.credential_id = CredentialId::parse(&encode(&[0x11; 17])).unwrap();
    }),
    ("stored key that is none", Cause::Library, |scene| scene.stored.public_key = vec![0xa0]),
    ("stored key of another algorithm", Cause::Library, |scene| {
        scene.stored.algorithm = match scene.stored.algorithm {
            PasskeyAlgorithm::Es256 => PasskeyAlgorithm::EdDsa,
            PasskeyAlgorithm::EdDsa | PasskeyAlgorithm::Rs256 => PasskeyAlgorithm::Es256,
        };
    }),
];

#[test]
fn logins_that_are_not_in_order_are_refused_by_their_own_reason() {
    refuse(ClientDataType::Login, &keys(), ROWS);
}

#[test]
fn a_signature_of_another_key_or_in_another_form_is_refused() {
    for algorithm in PasskeyAlgorithm::ALL {
        let (key, other) = (super::soft::Key::generate(algorithm), super::soft::Key::generate(algorithm));
        let mut scene = Scene::new(ClientDataType::Login, &key);
        scene.stored.public_key = Scene::new(ClientDataType::Login, &other).stored.public_key;
        assert_eq!(scene.cause(), Some(Cause::WrongSignature), "{algorithm:?}");
    }
    // The two numbers of an ECDSA signature alone, as JOSE writes them, and DER with a longer length.
    let mut scene = Scene::new(ClientDataType::Login, &ES256);
    scene.after = |json| signature(json, |bytes| *bytes = vec![1; 64]);
    assert_eq!(scene.cause(), Some(Cause::WrongSignature));
    scene.after = |json| signature(json, |bytes| bytes.insert(1, 0x81));
    assert_eq!(scene.cause(), Some(Cause::WrongSignature));
}

/// Whatever bit of a login changes on the way, it is refused.
#[test]
fn no_bit_of_a_login_can_be_changed() {
    for key in keys() {
        let scene = Scene::new(ClientDataType::Login, key);
        let response = scene.response();
        for member in ["clientDataJSON", "authenticatorData", "signature", "userHandle"] {
            let bits = 8 * data_encoding::BASE64URL_NOPAD
                .decode(response["response"][member].as_str().unwrap().as_bytes())
                .unwrap()
                .len();
            for bit in 0..bits {
                let mut changed = response.clone();
                edit(&mut changed, member, |bytes| bytes[bit / 8] ^= 1 << (bit % 8));
                let judged = super::super::verify_login(&scene.expected(), &scene.stored, &changed);
                assert!(judged.is_err(), "{member}, bit {bit}");
            }
        }
    }
}
