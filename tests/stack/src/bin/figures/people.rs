//! A person's passkey and a person's phone: what they answer and prove, made with nothing of the service.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair,
};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use stack::{Error, Result};

use crate::because;

/// The relying party and the page of the requests in `events/`.
pub const RP_ID: &str = "example.com";
pub const ORIGIN: &str = "https://app.example.com";

/// The id of each passkey: it is unique within its tenant.
const ID: [u8; 16] = [7; 16];
/// Flags of authenticator data (Web Authentication Level 3 §6.1): the person was there and was verified.
const PRESENT_AND_VERIFIED: u8 = 0x05;
const ATTESTED: u8 = 0x40;

/// A key on the curve P-256, and the signatures that are made with it.
struct Key(EcdsaKeyPair);

impl Key {
    fn generate(algorithm: &'static EcdsaSigningAlgorithm) -> Result<Self> {
        Ok(Self(EcdsaKeyPair::generate(algorithm).map_err(because("a key"))?))
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let signature = self.0.sign(&SystemRandom::new(), message).map_err(because("a signature"))?;
        Ok(signature.as_ref().to_vec())
    }

    /// Both coordinates of the public key (SEC 1 §2.3.3).
    fn coordinates(&self) -> Result<(&[u8], &[u8])> {
        let point = self.0.public_key().as_ref().get(1..);
        point.and_then(|point| point.split_at_checked(32)).ok_or_else(|| Error::new("a public key of another form"))
    }
}

fn encode(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

/// A passkey, which does not count its signatures.
pub struct Passkey {
    key: Key,
    user_handle: String,
}

impl fmt::Debug for Passkey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Passkey")
    }
}

impl Passkey {
    /// A new one, by the options of a registration, and what a browser sends to register it.
    pub fn create(options: &Value) -> Result<(Self, Value)> {
        let user_handle = options.pointer("/user/id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let passkey = Self { key: Key::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)?, user_handle };
        let (x, y) = passkey.key.coordinates()?;
        let mut data = authenticator_data(PRESENT_AND_VERIFIED | ATTESTED);
        data.extend([0; 16]);
        data.extend([0, 16]);
        data.extend(ID);
        // {1: 2, 3: -7, -1: 1, -2: x, -3: y} (RFC 9053 §7.1.1)
        data.extend([b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20", x, b"\x22\x58\x20", y].concat());
        // {"fmt": "none", "attStmt": {}, "authData": …}
        let length = u8::try_from(data.len()).map_err(because("authenticator data"))?;
        let attestation = [b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".as_slice(), &[length], &data].concat();
        let response = json!({
            "clientDataJSON": encode(&client_data("webauthn.create", options)),
            "attestationObject": encode(&attestation),
        });
        Ok((passkey, credential(&response)))
    }

    /// What a browser sends to log in, by the options of the login.
    pub fn get(&self, options: &Value) -> Result<Value> {
        let (data, client_data) = (authenticator_data(PRESENT_AND_VERIFIED), client_data("webauthn.get", options));
        let signed = [data.as_slice(), digest(&SHA256, &client_data).as_ref()].concat();
        Ok(credential(&json!({
            "clientDataJSON": encode(&client_data),
            "authenticatorData": encode(&data),
            "signature": encode(&self.key.sign(&signed)?),
            "userHandle": self.user_handle,
        })))
    }
}

fn authenticator_data(flags: u8) -> Vec<u8> {
    [digest(&SHA256, RP_ID.as_bytes()).as_ref(), &[flags], &[0; 4]].concat()
}

fn client_data(kind: &str, options: &Value) -> Vec<u8> {
    let challenge = options.get("challenge");
    json!({ "type": kind, "challenge": challenge, "origin": ORIGIN, "crossOrigin": false }).to_string().into_bytes()
}

fn credential(response: &Value) -> Value {
    let id = encode(&ID);
    json!({ "id": id, "rawId": id, "type": "public-key", "clientExtensionResults": {}, "response": response })
}

/// A phone with its key, and its session once it is paired.
pub struct Phone {
    key: Key,
    address: String,
    /// The handle of its pairing.
    pub handle: String,
    pub token: String,
    /// Good for five minutes, which is longer than a measurement takes.
    pub nonce: String,
}

impl fmt::Debug for Phone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Phone")
    }
}

impl Phone {
    /// A phone that has the address of a pairing.
    pub fn new(pairing_url: &str) -> Result<Self> {
        let parts = pairing_url.split_once("/p#").ok_or_else(|| Error::new("no pairing's address"))?;
        let (address, handle) = (parts.0.to_owned(), parts.1.to_owned());
        let key = Key::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        Ok(Self { key, address, handle, token: String::new(), nonce: String::new() })
    }

    /// A proof for a call, with the session if there is one (RFC 9449 §4.2). `number` is another for each.
    pub fn proof(&self, method: &str, path: &str, number: u64) -> Result<String> {
        let (x, y) = self.key.coordinates()?;
        let jwk = json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) });
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": jwk });
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let htu = format!("{}{path}", self.address);
        let mut claims = json!({ "jti": format!("proof-{number}"), "htm": method, "htu": htu, "iat": now });
        if let Some(claims) = claims.as_object_mut().filter(|_| !self.token.is_empty()) {
            let ath = encode(digest(&SHA256, self.token.as_bytes()).as_ref());
            claims.extend([("ath".to_owned(), ath.into()), ("nonce".to_owned(), self.nonce.clone().into())]);
        }
        let message = [header, claims].map(|part| encode(part.to_string().as_bytes())).join(".");
        Ok(format!("{message}.{}", encode(&self.key.sign(message.as_bytes())?)))
    }
}
