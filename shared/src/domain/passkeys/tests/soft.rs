//! An authenticator and a browser in memory, whose every byte a test can change: the response of a [`Scene`] is made
//! when it is judged.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use ciborium::Value as Cbor;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use super::super::algorithm::PasskeyAlgorithm;
use super::super::cause::PasskeyCause;
use super::super::cbor::write;
use super::super::client_data::ClientDataType;
use super::super::ids::{Challenge, CredentialId, UserHandle};
use super::super::records::{ExpectedResponse, NewPasskey, StoredPasskey, VerifiedLogin};
use super::super::verification::{verify_login, verify_registration};
use crate::domain::tenants::rp_id::RpId;
use crate::domain::tenants::webauthn_origin::WebauthnOrigin;
use crate::domain::values::random::SystemRandomness;

pub const RP_ID: &str = "example.org";
pub const ORIGIN: &str = "https://example.org";

/// UP, UV, BE and BS, as a synced passkey has them.
pub const SYNCED: u8 = 0b0001_1101;
pub const UP: u8 = 1;
pub const UV: u8 = 1 << 2;
pub const BE: u8 = 1 << 3;
pub const BS: u8 = 1 << 4;
pub const AT: u8 = 1 << 6;
pub const ED: u8 = 1 << 7;

/// The private key of a passkey.
pub enum Key {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(RsaKeyPair),
}

impl Key {
    pub fn generate(algorithm: PasskeyAlgorithm) -> Self {
        match algorithm {
            PasskeyAlgorithm::Es256 => Self::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap()),
            PasskeyAlgorithm::EdDsa => Self::EdDsa(Ed25519KeyPair::generate().unwrap()),
            PasskeyAlgorithm::Rs256 => Self::Rs256(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()),
        }
    }

    /// The members of its COSE key, in the order in which authenticators write them.
    fn cose(&self) -> Vec<(Cbor, Cbor)> {
        let bytes = |bytes: &[u8]| Cbor::Bytes(bytes.to_vec());
        let members: Vec<(i64, Cbor)> = match self {
            Self::Es256(pair) => {
                let point = pair.public_key().as_ref();
                let (x, y) = (bytes(&point[1..33]), bytes(&point[33..]));
                vec![(1, 2.into()), (3, (-7).into()), (-1, 1.into()), (-2, x), (-3, y)]
            }
            Self::EdDsa(pair) => {
                vec![(1, 1.into()), (3, (-8).into()), (-1, 6.into()), (-2, bytes(pair.public_key().as_ref()))]
            }
            Self::Rs256(pair) => {
                // RSAPublicKey in DER (RFC 8017 A.1.1): headers of 9 bytes with the sign of n, n, and e with its
                // header.
                let der = pair.public_key().as_ref();
                vec![(1, 3.into()), (3, (-257).into()), (-1, bytes(&der[9..265])), (-2, bytes(&der[267..]))]
            }
        };
        members.into_iter().map(|(label, value)| (label.into(), value)).collect()
    }

    fn sign(&self, text: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Es256(pair) => pair.sign(&random, text).unwrap().as_ref().to_vec(),
            Self::EdDsa(pair) => pair.sign(text).as_ref().to_vec(),
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, text, &mut signature).unwrap();
                signature
            }
        }
    }
}

/// A ceremony and what answers it. A new one is in order; a test changes something and judges.
pub struct Scene<'a> {
    pub ceremony: ClientDataType,
    pub key: &'a Key,
    // What is expected.
    pub challenge: Challenge,
    pub rp_id: RpId,
    pub origin: WebauthnOrigin,
    pub named: Option<UserHandle>,
    pub stored: StoredPasskey,
    // Client data: members in their order, or all of it.
    pub members: Vec<(String, String)>,
    pub client_data: Option<Vec<u8>>,
    // Authenticator data.
    pub hashed_rp_id: String,
    pub flags: u8,
    pub counter: u32,
    pub id_length: Option<u16>,
    pub id: Vec<u8>,
    pub cose: Vec<(Cbor, Cbor)>,
    pub cose_bytes: Option<Vec<u8>>,
    /// Extensions, and what follows.
    pub tail: Vec<u8>,
    /// How much of the authenticator data is left.
    pub length: Option<usize>,
    // Attestation object, without authenticator data.
    pub object: Vec<(Cbor, Cbor)>,
    /// What is done to the JSON.
    pub after: fn(&mut Value),
}

impl<'a> Scene<'a> {
    pub fn new(ceremony: ClientDataType, key: &'a Key) -> Self {
        let random = SystemRandomness::new();
        let challenge = Challenge::generate(&random).unwrap();
        let owner = UserHandle::generate(&random).unwrap();
        let id = vec![0x11; 16];
        let (kind, flags, counter) = match ceremony {
            ClientDataType::Registration => ("webauthn.create", SYNCED | AT, 0),
            ClientDataType::Login => ("webauthn.get", SYNCED, 8),
        };
        let quoted = |text: &str| format!("\"{text}\"");
        let members = [
            ("type", quoted(kind)),
            ("challenge", quoted(challenge.as_str())),
            ("origin", quoted(ORIGIN)),
            ("crossOrigin", "false".to_owned()),
        ];
        let cose = key.cose();
        let stored = StoredPasskey {
            credential_id: CredentialId::parse(&encode(&id)).unwrap(),
            public_key: write(&Cbor::Map(cose.clone())).unwrap(),
            algorithm: match key {
                Key::Es256(_) => PasskeyAlgorithm::Es256,
                Key::EdDsa(_) => PasskeyAlgorithm::EdDsa,
                Key::Rs256(_) => PasskeyAlgorithm::Rs256,
            },
            counter: 7,
            backup_eligible: true,
            user_handle: owner,
        };
        Self {
            ceremony,
            key,
            challenge,
            rp_id: RpId::parse(RP_ID).unwrap(),
            origin: WebauthnOrigin::parse(ORIGIN).unwrap(),
            named: None,
            stored,
            members: members.map(|(name, value)| (name.to_owned(), value)).to_vec(),
            client_data: None,
            hashed_rp_id: RP_ID.to_owned(),
            flags,
            counter,
            id_length: None,
            id,
            cose,
            cose_bytes: None,
            tail: Vec::new(),
            length: None,
            object: vec![("fmt".into(), "none".into()), ("attStmt".into(), Cbor::Map(Vec::new()))],
            after: |_| (),
        }
    }

    /// Sets a member of the client data to what its JSON text says, or adds it.
    pub fn set(&mut self, name: &str, json: &str) {
        match self.members.iter_mut().find(|(other, _)| other == name) {
            Some((_, value)) => json.clone_into(value),
            None => self.add(name, json),
        }
    }

    /// Adds a member to the client data, though there be one already.
    pub fn add(&mut self, name: &str, json: &str) {
        self.members.push((name.to_owned(), json.to_owned()));
    }

    /// Takes a member out of the client data.
    pub fn remove(&mut self, name: &str) {
        self.members.retain(|(other, _)| other != name);
    }

    /// Sets a member of the COSE key, or adds it.
    pub fn set_cose(&mut self, label: i64, value: impl Into<Cbor>) {
        match self.cose.iter_mut().find(|(other, _)| *other == label.into()) {
            Some((_, old)) => *old = value.into(),
            None => self.cose.push((label.into(), value.into())),
        }
    }

    pub fn client_data(&self) -> Vec<u8> {
        let members: Vec<_> = self.members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        self.client_data.clone().unwrap_or_else(|| format!("{{{}}}", members.join(",")).into_bytes())
    }

    pub fn authenticator_data(&self) -> Vec<u8> {
        let mut bytes = digest(&SHA256, self.hashed_rp_id.as_bytes()).as_ref().to_vec();
        bytes.push(self.flags);
        bytes.extend(self.counter.to_be_bytes());
        if self.ceremony == ClientDataType::Registration {
            bytes.extend([0xaa; 16]);
            let length = self.id_length.unwrap_or(u16::try_from(self.id.len()).unwrap());
            bytes.extend(length.to_be_bytes());
            bytes.extend(&self.id);
            let cose = self.cose_bytes.clone();
            bytes.extend(cose.unwrap_or_else(|| write(&Cbor::Map(self.cose.clone())).unwrap()));
        }
        bytes.extend(&self.tail);
        bytes.truncate(self.length.unwrap_or(bytes.len()));
        bytes
    }

    /// What the browser sends.
    pub fn response(&self) -> Value {
        let (client_data, authenticator_data) = (self.client_data(), self.authenticator_data());
        let response = match self.ceremony {
            ClientDataType::Registration => {
                let mut object = self.object.clone();
                object.push(("authData".into(), Cbor::Bytes(authenticator_data)));
                let object = encode(&write(&Cbor::Map(object)).unwrap());
                json!({ "attestationObject": object, "transports": ["internal", "hybrid"] })
            }
            ClientDataType::Login => {
                let hash = digest(&SHA256, &client_data);
                json!({
                    "signature": encode(&self.key.sign(&[&authenticator_data, hash.as_ref()].concat())),
                    "authenticatorData": encode(&authenticator_data),
                    "userHandle": self.stored.user_handle,
                })
            }
        };
        let id = encode(&self.id);
        let mut credential = json!({
            "id": id,
            "rawId": id,
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": response,
        });
        credential["response"]["clientDataJSON"] = encode(&client_data).into();
        (self.after)(&mut credential);
        credential
    }

    pub fn expected(&self) -> ExpectedResponse<'_> {
        ExpectedResponse {
            challenge: &self.challenge,
            rp_id: &self.rp_id,
            origin: &self.origin,
            user_handle: self.named.as_ref(),
        }
    }

    pub fn register(&self) -> Result<NewPasskey, PasskeyCause> {
        verify_registration(&self.expected(), &self.response())
    }

    pub fn log_in(&self) -> Result<VerifiedLogin, PasskeyCause> {
        verify_login(&self.expected(), &self.stored, &self.response())
    }

    /// The reason for which the response is refused.
    pub fn cause(&self) -> Option<PasskeyCause> {
        match self.ceremony {
            ClientDataType::Registration => self.register().err(),
            ClientDataType::Login => self.log_in().err(),
        }
    }
}

pub fn encode(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

/// Changes the bytes of a member of the response.
pub fn edit(credential: &mut Value, member: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let text = credential["response"][member].as_str().unwrap();
    let mut bytes = BASE64URL_NOPAD.decode(text.as_bytes()).unwrap();
    change(&mut bytes);
    credential["response"][member] = encode(&bytes).into();
}
