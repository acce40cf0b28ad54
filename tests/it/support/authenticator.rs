//! A browser and its authenticator in one, made as Web Authentication Level 3 says and with nothing of the service.
//!
//! `passkey-authenticator` would do the same. It turns on `preserve_order` of `serde_json` for everything that is built
//! with it: the tests would run other binaries than those that are deployed.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::{SystemRandom, fill};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

/// Flags of authenticator data (§6.1).
pub const USER_PRESENT: u8 = 0x01;
pub const USER_VERIFIED: u8 = 0x04;
pub const BACKUP_ELIGIBLE: u8 = 0x08;
pub const BACKED_UP: u8 = 0x10;
const ATTESTED: u8 = 0x40;

/// A passkey as its authenticator keeps it. A clone is a copy of it.
#[derive(Clone)]
pub struct Authenticator {
    key: std::sync::Arc<EcdsaKeyPair>,
    pub id: Vec<u8>,
    rp_id: String,
    pub user_handle: String,
    /// Counts its signatures; 0 stays 0.
    pub counter: u32,
    pub flags: u8,
}

pub fn base64url(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}

/// What a browser writes down of a ceremony (§5.8.1).
fn client_data(kind: &str, options: &Value, origin: &str) -> Vec<u8> {
    let data = json!({ "type": kind, "challenge": options["challenge"], "origin": origin, "crossOrigin": false });
    data.to_string().into_bytes()
}

impl Authenticator {
    /// Answers to `navigator.credentials.create()`: the passkey, and what `toJSON()` of the credential gives. A counter
    /// that is not 0 counts.
    pub fn create(options: &Value, origin: &str, counter: u32) -> (Self, Value) {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new()).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref()).unwrap();
        let mut id = vec![0; 16];
        fill(&mut id).unwrap();
        let passkey = Self {
            key: std::sync::Arc::new(key),
            id,
            rp_id: options["rp"]["id"].as_str().unwrap().to_owned(),
            user_handle: options["user"]["id"].as_str().unwrap().to_owned(),
            counter,
            flags: USER_PRESENT | USER_VERIFIED | BACKUP_ELIGIBLE | BACKED_UP,
        };
        let credential = passkey.registration(options, origin);
        (passkey, credential)
    }

    /// The answer to `create()` that this passkey gives, once more.
    pub fn registration(&self, options: &Value, origin: &str) -> Value {
        let client_data = client_data("webauthn.create", options, origin);
        let mut data = self.authenticator_data(self.flags | ATTESTED);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        data.extend(self.cose_key());
        // {"fmt": "none", "attStmt": {}, "authData": …}
        let mut attestation = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59".to_vec();
        attestation.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        attestation.extend(data);
        self.credential(&json!({
            "clientDataJSON": base64url(&client_data),
            "attestationObject": base64url(&attestation),
            "transports": ["internal", "hybrid"],
        }))
    }

    /// Answers to `navigator.credentials.get()`.
    pub fn get(&mut self, options: &Value, origin: &str) -> Value {
        self.counter += u32::from(self.counter > 0);
        let client_data = client_data("webauthn.get", options, origin);
        self.assertion(&client_data)
    }

    /// The answer about these client data, with the counter as it is.
    pub fn assertion(&self, client_data: &[u8]) -> Value {
        let data = self.authenticator_data(self.flags);
        let signed = [data.as_slice(), &sha256(client_data)].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        self.credential(&json!({
            "clientDataJSON": base64url(client_data),
            "authenticatorData": base64url(&data),
            "signature": base64url(signature.as_ref()),
            "userHandle": self.user_handle,
        }))
    }

    /// Its id as JSON has it.
    pub fn credential_id(&self) -> String {
        base64url(&self.id)
    }

    fn credential(&self, response: &Value) -> Value {
        let id = self.credential_id();
        json!({
            "id": id, "rawId": id, "type": "public-key", "authenticatorAttachment": "platform",
            "clientExtensionResults": {}, "response": response,
        })
    }

    fn authenticator_data(&self, flags: u8) -> Vec<u8> {
        let mut data = sha256(self.rp_id.as_bytes());
        data.push(flags);
        data.extend(self.counter.to_be_bytes());
        data
    }

    /// The public key (RFC 9053 §7.1.1): {1: 2, 3: -7, -1: 1, -2: x, -3: y}.
    fn cose_key(&self) -> Vec<u8> {
        // 4, x, y (SEC 1 §2.3.3).
        let point = self.key.public_key().as_ref();
        let (x, y) = point[1..].split_at(32);
        [b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20", x, b"\x22\x58\x20", y].concat()
    }
}
