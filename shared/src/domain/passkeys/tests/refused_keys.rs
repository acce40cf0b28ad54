//! Public keys that are refused.

use ciborium::Value as Cbor;

use super::super::cause::PasskeyCause as Cause;
use super::super::client_data::ClientDataType;
use super::soft::Scene;
use super::{EDDSA, ES256, RS256, Row, keys, refuse};

fn bytes(length: usize, byte: u8) -> Cbor {
    Cbor::Bytes(vec![byte; length])
}

fn remove(scene: &mut Scene<'_>, label: i64) {
    scene.cose.retain(|(other, _)| *other != Cbor::from(label));
}

fn change(scene: &mut Scene<'_>, label: i64, change: impl FnOnce(&mut Vec<u8>)) {
    let (_, value) = scene.cose.iter_mut().find(|(other, _)| *other == Cbor::from(label)).unwrap();
    let Cbor::Bytes(bytes) = value else { panic!() };
    change(bytes);
}

/// Of every algorithm.
pub const ANY: &[Row] = &[
    ("key a list", Cause::MalformedKey, |scene| scene.cose_bytes = Some(vec![0x80])),
    ("key a number", Cause::MalformedKey, |scene| scene.cose_bytes = Some(vec![0x01])),
    ("key null", Cause::MalformedKey, |scene| scene.cose_bytes = Some(vec![0xf6])),
    ("key that is no CBOR", Cause::MalformedKey, |scene| scene.cose_bytes = Some(vec![0xff; 77])),
    ("empty key", Cause::MalformedKey, |scene| scene.cose.clear()),
    ("key without an algorithm", Cause::MalformedKey, |scene| remove(scene, 3)),
    ("algorithm by name", Cause::MalformedKey, |scene| scene.set_cose(3, "ES256")),
    ("algorithm beyond 64 bits", Cause::MalformedKey, |scene| {
        scene.set_cose(3, Cbor::Tag(3, Box::new(bytes(9, 0xff))));
    }),
    ("algorithm a fraction", Cause::MalformedKey, |scene| scene.set_cose(3, Cbor::Float(-7.0))),
    ("algorithm ES384", Cause::AlgorithmNotOffered, |scene| scene.set_cose(3, -35)),
    ("algorithm ES512", Cause::AlgorithmNotOffered, |scene| scene.set_cose(3, -36)),
    ("algorithm ESP256", Cause::AlgorithmNotOffered, |scene| scene.set_cose(3, -9)),
    ("algorithm Ed25519", Cause::AlgorithmNotOffered, |scene| scene.set_cose(3, -19)),
    ("algorithm PS256", Cause::AlgorithmNotOffered, |scene| scene.set_cose(3, -37)),
    ("algorithm ES256K", Cause::AlgorithmNotOffered, |scene| scene.set_cose(3, -47)),
    ("algorithm ML-DSA-44", Cause::AlgorithmNotOffered, |scene| scene.set_cose(3, -48)),
    ("algorithm ML-DSA-87", Cause::AlgorithmNotOffered, |scene| scene.set_cose(3, -50)),
    ("algorithm Ed448", Cause::AlgorithmNotOffered, |scene| scene.set_cose(3, -53)),
    ("algorithm RS384", Cause::AlgorithmNotOffered, |scene| scene.set_cose(3, -258)),
    ("algorithm RS1", Cause::AlgorithmNotOffered, |scene| scene.set_cose(3, -65535)),
    ("algorithm HS256", Cause::AlgorithmNotOffered, |scene| scene.set_cose(3, 5)),
    ("algorithm with its sign lost", Cause::AlgorithmNotOffered, |scene| scene.set_cose(3, 7)),
    ("algorithm zero", Cause::AlgorithmNotOffered, |scene| scene.set_cose(3, 0)),
    ("algorithm twice", Cause::MalformedKey, |scene| scene.cose.push((3.into(), (-7).into()))),
    ("no key type", Cause::MalformedKey, |scene| remove(scene, 1)),
    ("key type by name", Cause::MalformedKey, |scene| scene.set_cose(1, "EC2")),
    ("symmetric key", Cause::MalformedKey, |scene| scene.set_cose(1, 4)),
    ("key with an id", Cause::MalformedKey, |scene| scene.set_cose(2, bytes(4, 1))),
    ("key with operations", Cause::MalformedKey, |scene| scene.set_cose(4, Cbor::Array(vec![2.into()]))),
    ("key with a label of text", Cause::MalformedKey, |scene| scene.cose.push(("kid".into(), 1.into()))),
    ("key of over 4096 bytes", Cause::KeyTooLong, |scene| scene.set_cose(2, bytes(4096, 1))),
];

pub const ELLIPTIC: &[Row] = &[
    ("P-256 key for EdDSA", Cause::MalformedKey, |scene| scene.set_cose(3, -8)),
    ("P-256 key for RS256", Cause::MalformedKey, |scene| scene.set_cose(3, -257)),
    ("P-256 key of type OKP", Cause::MalformedKey, |scene| scene.set_cose(1, 1)),
    ("P-256 key without a curve", Cause::MalformedKey, |scene| remove(scene, -1)),
    ("P-256 key on P-384", Cause::MalformedKey, |scene| scene.set_cose(-1, 2)),
    ("P-256 key on secp256k1", Cause::MalformedKey, |scene| scene.set_cose(-1, 8)),
    ("P-256 curve by name", Cause::MalformedKey, |scene| scene.set_cose(-1, "P-256")),
    ("P-256 key without x", Cause::MalformedKey, |scene| remove(scene, -2)),
    ("P-256 x of 31 bytes", Cause::MalformedKey, |scene| change(scene, -2, |x| x.truncate(31))),
    ("P-256 x of 33 bytes", Cause::MalformedKey, |scene| change(scene, -2, |x| x.insert(0, 0))),
    ("P-256 x as text", Cause::MalformedKey, |scene| scene.set_cose(-2, "x".repeat(32))),
    ("P-256 key without y", Cause::MalformedKey, |scene| remove(scene, -3)),
    ("P-256 y as a sign", Cause::MalformedKey, |scene| scene.set_cose(-3, true)),
    ("P-256 y of 31 bytes", Cause::MalformedKey, |scene| change(scene, -3, |y| y.truncate(31))),
    ("P-256 y of 48 bytes", Cause::MalformedKey, |scene| scene.set_cose(-3, bytes(48, 1))),
    ("a byte of y moved to x", Cause::MalformedKey, |scene| {
        change(scene, -3, |y| *y = y[1..].to_vec());
        change(scene, -2, |x| x.push(0));
    }),
    ("point beside the curve", Cause::MalformedKey, |scene| change(scene, -3, |y| y[31] ^= 1)),
    ("point zero", Cause::MalformedKey, |scene| {
        scene.set_cose(-2, bytes(32, 0));
        scene.set_cose(-3, bytes(32, 0));
    }),
    ("coordinates beyond the field", Cause::MalformedKey, |scene| {
        scene.set_cose(-2, bytes(32, 0xff));
        scene.set_cose(-3, bytes(32, 0xff));
    }),
    ("P-256 private key", Cause::MalformedKey, |scene| scene.set_cose(-4, bytes(32, 1))),
    ("P-256 x twice", Cause::MalformedKey, |scene| scene.cose.push(((-2).into(), bytes(32, 1)))),
];

const EDWARDS: &[Row] = &[
    ("Ed25519 key for ES256", Cause::MalformedKey, |scene| scene.set_cose(3, -7)),
    ("Ed25519 key of type EC2", Cause::MalformedKey, |scene| scene.set_cose(1, 2)),
    ("Ed25519 key on Ed448", Cause::MalformedKey, |scene| scene.set_cose(-1, 7)),
    ("Ed25519 key on X25519", Cause::MalformedKey, |scene| scene.set_cose(-1, 4)),
    ("Ed25519 key without a curve", Cause::MalformedKey, |scene| remove(scene, -1)),
    ("Ed25519 key without x", Cause::MalformedKey, |scene| remove(scene, -2)),
    ("Ed25519 x of 31 bytes", Cause::MalformedKey, |scene| change(scene, -2, |x| x.truncate(31))),
    ("Ed25519 x of 33 bytes", Cause::MalformedKey, |scene| change(scene, -2, |x| x.push(0))),
    ("Ed25519 x of 57 bytes", Cause::MalformedKey, |scene| scene.set_cose(-2, bytes(57, 1))),
    ("Ed25519 key with y", Cause::MalformedKey, |scene| scene.set_cose(-3, bytes(32, 1))),
    ("Ed25519 private key", Cause::MalformedKey, |scene| scene.set_cose(-4, bytes(32, 1))),
];

pub const RSA: &[Row] = &[
    ("RSA key for ES256", Cause::MalformedKey, |scene| scene.set_cose(3, -7)),
    ("RSA key of type OKP", Cause::MalformedKey, |scene| scene.set_cose(1, 1)),
    ("RSA key without n", Cause::MalformedKey, |scene| remove(scene, -1)),
    ("RSA n empty", Cause::MalformedKey, |scene| scene.set_cose(-1, bytes(0, 0))),
    ("RSA n of 1024 bits", Cause::MalformedKey, |scene| scene.set_cose(-1, bytes(128, 0xff))),
    ("RSA n of 2047 bits", Cause::MalformedKey, |scene| change(scene, -1, |n| n[0] = 0x7f)),
    ("RSA n with a zero in front", Cause::MalformedKey, |scene| change(scene, -1, |n| n.insert(0, 0))),
    ("RSA n of 8200 bits", Cause::MalformedKey, |scene| scene.set_cose(-1, bytes(1025, 0xff))),
    ("RSA n even", Cause::MalformedKey, |scene| change(scene, -1, |n| n[255] &= 0xfe)),
    ("RSA n as a number", Cause::MalformedKey, |scene| scene.set_cose(-1, u64::MAX)),
    ("RSA key without e", Cause::MalformedKey, |scene| remove(scene, -2)),
    ("RSA e empty", Cause::MalformedKey, |scene| scene.set_cose(-2, bytes(0, 0))),
    ("RSA e zero", Cause::MalformedKey, |scene| scene.set_cose(-2, bytes(1, 0))),
    ("RSA e one", Cause::MalformedKey, |scene| scene.set_cose(-2, bytes(1, 1))),
    ("RSA e even", Cause::MalformedKey, |scene| scene.set_cose(-2, bytes(1, 4))),
    ("RSA e with a zero in front", Cause::MalformedKey, |scene| change(scene, -2, |e| e.insert(0, 0))),
    ("RSA e of 64 bits", Cause::MalformedKey, |scene| scene.set_cose(-2, bytes(8, 0xff))),
    ("RSA e as a number", Cause::MalformedKey, |scene| scene.set_cose(-2, 65537)),
    ("RSA private key", Cause::MalformedKey, |scene| scene.set_cose(-3, bytes(256, 1))),
];

pub fn rows() -> impl Iterator<Item = &'static Row> {
    ANY.iter().chain(ELLIPTIC).chain(EDWARDS).chain(RSA)
}

#[test]
fn keys_that_cannot_verify_or_were_not_offered_are_refused_by_their_own_reason() {
    refuse(ClientDataType::Registration, &keys(), ANY);
    refuse(ClientDataType::Registration, &[&ES256], ELLIPTIC);
    refuse(ClientDataType::Registration, &[&EDDSA], EDWARDS);
    refuse(ClientDataType::Registration, &[&RS256], RSA);
}
