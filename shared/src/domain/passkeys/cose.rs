//! Public keys of passkeys, as COSE writes them (RFC 9052 §7, RFC 9053 §7, RFC 8230 §4).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use ciborium::Value;

use super::algorithm::PasskeyAlgorithm;
use super::cause::PasskeyCause;
use super::cbor::{self, CborMap};

/// The longest key, in bytes.
const LONGEST: usize = 4096;

/// Labels of COSE keys: type, algorithm, and three whose meaning is the type's.
const KTY: i64 = 1;
const ALG: i64 = 3;
const FIRST: i64 = -1;
const SECOND: i64 = -2;
const THIRD: i64 = -3;

/// A key that can verify signatures of its algorithm.
#[derive(Debug, PartialEq, Eq)]
pub struct CoseKey {
    pub algorithm: PasskeyAlgorithm,
    /// In the shortest spelling, whatever the authenticator's was.
    pub bytes: Vec<u8>,
}

impl CoseKey {
    /// Reads the key with which `bytes` begin, and gives what follows.
    ///
    /// Nothing is signed at a registration, so a key that can't verify anything would be found out only at its first
    /// login. It has the parameters that its type requires, and no others (§6.5.1).
    pub fn read(bytes: &[u8]) -> Result<(Self, &[u8]), PasskeyCause> {
        let (map, rest) = CborMap::read(bytes).ok_or(PasskeyCause::MalformedKey)?;
        if bytes.len() - rest.len() > LONGEST {
            return Err(PasskeyCause::KeyTooLong);
        }
        // Before all else: keys of algorithms that were not offered have shapes of their own.
        let algorithm = map.integer(ALG).ok_or(PasskeyCause::MalformedKey)?;
        let algorithm = PasskeyAlgorithm::from_cose_id(algorithm).ok_or(PasskeyCause::AlgorithmNotOffered)?;
        let members = match algorithm {
            PasskeyAlgorithm::Es256 => elliptic_curve(&map),
            PasskeyAlgorithm::EdDsa => edwards_curve(&map),
            PasskeyAlgorithm::Rs256 => rsa(&map),
        };
        let bytes = members.filter(|members| members.len() == map.len()).and_then(|members| {
            cbor::write(&Value::Map(members.into_iter().map(|(label, value)| (Value::from(label), value)).collect()))
        });
        Ok((Self { algorithm, bytes: bytes.ok_or(PasskeyCause::MalformedKey)? }, rest))
    }
}

type Members = Vec<(i64, Value)>;

/// A point on P-256, uncompressed. `None` if it is none.
fn elliptic_curve(map: &CborMap) -> Option<Members> {
    const EC2: i64 = 2;
    const P256: i64 = 1;
    let (x, y) = (map.bytes(SECOND)?, map.bytes(THIRD)?);
    let is_key = map.integer(KTY) == Some(EC2)
        && map.integer(FIRST) == Some(P256)
        && (x.len(), y.len()) == (32, 32)
        && UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, [&[4], x, y].concat()).parse().is_ok();
    let algorithm = PasskeyAlgorithm::Es256.cose_id();
    is_key.then(|| {
        vec![
            (KTY, EC2.into()),
            (ALG, algorithm.into()),
            (FIRST, P256.into()),
            (SECOND, Value::Bytes(x.to_vec())),
            (THIRD, Value::Bytes(y.to_vec())),
        ]
    })
}

/// An Ed25519 key. `None` if it is none.
fn edwards_curve(map: &CborMap) -> Option<Members> {
    const OKP: i64 = 1;
    const ED25519_CURVE: i64 = 6;
    let x = map.bytes(SECOND)?;
    let is_key = map.integer(KTY) == Some(OKP)
        && map.integer(FIRST) == Some(ED25519_CURVE)
        && x.len() == 32
        && UnparsedPublicKey::new(&ED25519, x).parse().is_ok();
    let algorithm = PasskeyAlgorithm::EdDsa.cose_id();
    is_key.then(|| {
        vec![
            (KTY, OKP.into()),
            (ALG, algorithm.into()),
            (FIRST, ED25519_CURVE.into()),
            (SECOND, Value::Bytes(x.to_vec())),
        ]
    })
}

/// An RSA key of 2048 to 8192 bits. `None` if it is none.
fn rsa(map: &CborMap) -> Option<Members> {
    const RSA: i64 = 3;
    let (n, e) = (map.bytes(FIRST)?, map.bytes(SECOND)?);
    // The library looks at these only when it verifies.
    let bits = 8 * n.len() - n.first()?.leading_zeros() as usize;
    let is_odd = |number: &[u8]| number.last().is_some_and(|byte| byte & 1 == 1);
    let is_key = map.integer(KTY) == Some(RSA)
        && (2048..=8192).contains(&bits)
        && is_odd(n)
        && is_odd(e)
        && e.len() <= 4
        && e != [1]
        && RsaPublicKeyComponents { n, e }.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).is_ok();
    let algorithm = PasskeyAlgorithm::Rs256.cose_id();
    is_key.then(|| {
        vec![
            (KTY, RSA.into()),
            (ALG, algorithm.into()),
            (FIRST, Value::Bytes(n.to_vec())),
            (SECOND, Value::Bytes(e.to_vec())),
        ]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A map without an algorithm, of that many bytes.
    fn map(length: usize) -> Vec<u8> {
        let value = vec![1; length - 5];
        let [high, low] = u16::try_from(value.len()).unwrap().to_be_bytes();
        [vec![0xa1, 0x02, 0x59, high, low], value].concat()
    }

    #[test]
    fn what_is_too_long_is_the_key_and_not_what_follows() {
        let cause = |bytes: Vec<u8>| CoseKey::read(&bytes).err();
        assert_eq!(cause(map(LONGEST)), Some(PasskeyCause::MalformedKey));
        assert_eq!(cause(map(LONGEST + 1)), Some(PasskeyCause::KeyTooLong));
        assert_eq!(cause([map(1_000), vec![0; LONGEST]].concat()), Some(PasskeyCause::MalformedKey));
    }
}
