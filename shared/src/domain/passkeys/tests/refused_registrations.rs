//! Attestation objects and authenticator data of registrations that are refused.

use ciborium::Value as Cbor;
use serde_json::{Value, json};

use super::super::cause::PasskeyCause as Cause;
use super::super::cbor::write;
use super::super::client_data::ClientDataType;
use super::soft::{AT, BE, BS, ED, Scene, UP, UV, edit, encode};
use super::{Row, keys, refuse};

fn object(json: &mut Value, change: impl FnOnce(&mut Vec<u8>)) {
    edit(json, "attestationObject", change);
}

/// The members of the attestation object, changed and written again.
fn members(json: &mut Value, change: impl FnOnce(&mut Vec<(Cbor, Cbor)>)) {
    object(json, |bytes| {
        let Cbor::Map(mut members) = ciborium::from_reader(bytes.as_slice()).unwrap() else { panic!() };
        change(&mut members);
        *bytes = write(&Cbor::Map(members)).unwrap();
    });
}

fn authenticator_data(json: &mut Value, value: Cbor) {
    members(json, |members| members[2].1 = value);
}

fn cbor(value: &Cbor) -> Vec<u8> {
    write(value).unwrap()
}

fn extensions(scene: &mut Scene<'_>, tail: Vec<u8>) {
    scene.flags |= ED;
    scene.tail = tail;
}

fn cut(scene: &mut Scene<'_>, length: usize) {
    scene.length = Some(length);
}

pub const ROWS: &[Row] = &[
    ("no attestationObject", Cause::MalformedCredential, |scene| {
        scene.after = |json| json["response"]["attestationObject"] = Value::Null;
    }),
    ("attestationObject as an object", Cause::MalformedCredential, |scene| {
        scene.after = |json| json["response"]["attestationObject"] = json!({ "fmt": "none" });
    }),
    ("attestationObject with padding", Cause::MalformedBase64url, |scene| {
        scene.after = |json| {
            let text = json["response"]["attestationObject"].as_str().unwrap();
            json["response"]["attestationObject"] = format!("{text}=").into();
        };
    }),
    ("transports as text", Cause::MalformedCredential, |scene| {
        scene.after = |json| json["response"]["transports"] = "usb".into();
    }),
    ("transports of numbers", Cause::MalformedCredential, |scene| {
        scene.after = |json| json["response"]["transports"] = json!([1]);
    }),
    ("empty attestation object", Cause::MalformedAttestation, |scene| {
        scene.after = |json| object(json, Vec::clear);
    }),
    ("attestation object and a byte", Cause::MalformedAttestation, |scene| {
        scene.after = |json| object(json, |bytes| bytes.push(0));
    }),
    ("attestation object cut off", Cause::MalformedAttestation, |scene| {
        scene.after = |json| object(json, |bytes| bytes.truncate(bytes.len() - 1));
    }),
    ("attestation object twice", Cause::MalformedAttestation, |scene| {
        scene.after = |json| object(json, |bytes| *bytes = bytes.repeat(2));
    }),
    ("attestation object that is no CBOR", Cause::MalformedAttestation, |scene| {
        scene.after = |json| object(json, |bytes| *bytes = vec![0xff; 64]);
    }),
    ("attestation object a list", Cause::MalformedAttestation, |scene| {
        scene.after = |json| object(json, |bytes| *bytes = [&[0x81], bytes.as_slice()].concat());
    }),
    ("attestation object with a tag", Cause::MalformedAttestation, |scene| {
        scene.after = |json| object(json, |bytes| *bytes = [&[0xc0], bytes.as_slice()].concat());
    }),
    ("attestation object as JSON", Cause::MalformedAttestation, |scene| {
        scene.after = |json| object(json, |bytes| *bytes = br#"{"fmt":"none","attStmt":{}}"#.to_vec());
    }),
    ("attestation object without a member that it counts", Cause::MalformedAttestation, |scene| {
        scene.after = |json| object(json, |bytes| bytes[0] += 1);
    }),
    ("no fmt", Cause::MalformedAttestation, |scene| drop(scene.object.remove(0))),
    ("fmt a number", Cause::MalformedAttestation, |scene| scene.object[0].1 = 0.into()),
    ("fmt as bytes", Cause::MalformedAttestation, |scene| scene.object[0].1 = Cbor::Bytes(b"none".to_vec())),
    ("fmt twice", Cause::MalformedAttestation, |scene| scene.object.push(("fmt".into(), "packed".into()))),
    ("no attStmt", Cause::MalformedAttestation, |scene| drop(scene.object.remove(1))),
    ("attStmt null", Cause::MalformedAttestation, |scene| scene.object[1].1 = Cbor::Null),
    ("attStmt a list", Cause::MalformedAttestation, |scene| scene.object[1].1 = Cbor::Array(Vec::new())),
    ("attStmt deeper than any", Cause::MalformedAttestation, |scene| {
        let deep = (0..20).fold(Cbor::Null, |inner, _| Cbor::Array(vec![inner]));
        scene.object[1].1 = Cbor::Map(vec![("x5c".into(), deep)]);
    }),
    ("no authData", Cause::MalformedAttestation, |scene| {
        scene.after = |json| members(json, |members| drop(members.pop()));
    }),
    ("authData as text", Cause::MalformedAttestation, |scene| {
        scene.after = |json| authenticator_data(json, encode(&[0; 64]).into());
    }),
    ("authData a map", Cause::MalformedAttestation, |scene| {
        scene.after = |json| authenticator_data(json, Cbor::Map(Vec::new()));
    }),
    ("authData twice", Cause::MalformedAttestation, |scene| {
        scene.after = |json| members(json, |members| members.push(members[2].clone()));
    }),
    ("rp id of a parent", Cause::WrongRpIdHash, |scene| scene.hashed_rp_id = "org".to_owned()),
    ("rp id of a sub-domain", Cause::WrongRpIdHash, |scene| scene.hashed_rp_id = "a.example.org".to_owned()),
    ("rp id of another", Cause::WrongRpIdHash, |scene| scene.hashed_rp_id = "example.com".to_owned()),
    ("rp id in capitals", Cause::WrongRpIdHash, |scene| scene.hashed_rp_id = "EXAMPLE.ORG".to_owned()),
    ("origin for the rp id", Cause::WrongRpIdHash, |scene| scene.hashed_rp_id = "https://example.org".to_owned()),
    ("another rp id expected", Cause::WrongRpIdHash, |scene| {
        scene.rp_id = crate::domain::RpId::parse("login.example.org").unwrap();
    }),
    ("nobody present", Cause::UserNotPresent, |scene| scene.flags &= !UP),
    ("nobody verified", Cause::UserNotVerified, |scene| scene.flags &= !UV),
    ("neither present nor verified", Cause::UserNotPresent, |scene| scene.flags &= !(UP | UV)),
    ("backed up without being eligible", Cause::BackupStateWithoutEligibility, |scene| scene.flags &= !BE),
    ("no flag but that of the key", Cause::UserNotPresent, |scene| scene.flags = AT),
    ("key without its flag", Cause::NoAttestedCredential, |scene| scene.flags &= !AT),
    ("no flag", Cause::NoAttestedCredential, |scene| scene.flags = 0),
    ("only backup flags", Cause::UserNotPresent, |scene| scene.flags = AT | BE | BS),
    ("no authenticator data", Cause::AuthenticatorDataTooShort, |scene| cut(scene, 0)),
    ("authenticator data within the hash", Cause::AuthenticatorDataTooShort, |scene| cut(scene, 31)),
    ("authenticator data before the flags", Cause::AuthenticatorDataTooShort, |scene| cut(scene, 32)),
    ("authenticator data within the counter", Cause::AuthenticatorDataTooShort, |scene| cut(scene, 36)),
    ("authenticator data before the model", Cause::AuthenticatorDataTooShort, |scene| cut(scene, 37)),
    ("authenticator data within the model", Cause::AuthenticatorDataTooShort, |scene| cut(scene, 52)),
    ("authenticator data within the length", Cause::AuthenticatorDataTooShort, |scene| cut(scene, 54)),
    ("authenticator data before the id", Cause::AuthenticatorDataTooShort, |scene| cut(scene, 55)),
    ("authenticator data within the id", Cause::AuthenticatorDataTooShort, |scene| cut(scene, 70)),
    ("authenticator data before the key", Cause::MalformedKey, |scene| cut(scene, 71)),
    ("authenticator data within the key", Cause::MalformedKey, |scene| cut(scene, 100)),
    ("authenticator data and a byte", Cause::TrailingBytes, |scene| scene.tail = vec![0]),
    ("extensions without their flag", Cause::TrailingBytes, |scene| scene.tail = cbor(&Cbor::Map(Vec::new()))),
    ("a second key", Cause::TrailingBytes, |scene| scene.tail = cbor(&Cbor::Map(scene.cose.clone()))),
    ("flag without extensions", Cause::MalformedExtensions, |scene| scene.flags |= ED),
    ("extensions a list", Cause::MalformedExtensions, |scene| extensions(scene, vec![0x80])),
    ("extensions null", Cause::MalformedExtensions, |scene| extensions(scene, vec![0xf6])),
    ("extensions a text", Cause::MalformedExtensions, |scene| extensions(scene, cbor(&"credProtect".into()))),
    ("extensions with numbers for names", Cause::MalformedExtensions, |scene| {
        extensions(scene, cbor(&Cbor::Map(vec![(1.into(), 2.into())])));
    }),
    ("extension twice", Cause::MalformedExtensions, |scene| {
        let one = (Cbor::from("credProtect"), Cbor::from(2));
        extensions(scene, cbor(&Cbor::Map(vec![one.clone(), one])));
    }),
    ("extensions cut off", Cause::MalformedExtensions, |scene| extensions(scene, vec![0xa1])),
    ("extensions and a byte", Cause::TrailingBytes, |scene| extensions(scene, vec![0xa0, 0])),
    ("extensions twice", Cause::TrailingBytes, |scene| extensions(scene, vec![0xa0, 0xa0])),
    ("id of no length", Cause::CredentialIdLength, |scene| scene.id_length = Some(0)),
    ("id of 1024 bytes", Cause::CredentialIdLength, |scene| scene.id_length = Some(1024)),
    ("id longer than all", Cause::CredentialIdLength, |scene| scene.id_length = Some(u16::MAX)),
    ("id that ends beyond the data", Cause::AuthenticatorDataTooShort, |scene| scene.id_length = Some(1023)),
    ("id one byte longer", Cause::MalformedKey, |scene| scene.id_length = Some(17)),
    ("id one byte shorter", Cause::MalformedKey, |scene| scene.id_length = Some(15)),
    ("id that is not the signed one", Cause::AttestedIdMismatch, |scene| {
        scene.after = |json| {
            json["id"] = encode(&[0x12; 16]).into();
            json["rawId"] = json["id"].clone();
        };
    }),
    ("id that only begins like the signed one", Cause::AttestedIdMismatch, |scene| {
        scene.after = |json| {
            json["id"] = encode(&[0x11; 15]).into();
            json["rawId"] = json["id"].clone();
        };
    }),
];

#[test]
fn registrations_that_are_not_in_order_are_refused_by_their_own_reason() {
    refuse(ClientDataType::Registration, &keys(), ROWS);
}
