//! Phones: pairings that a tenant prepares, and calls with a proof of a phone's key.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use shared::domain::{SigningKey, SystemRandomness};

use super::deployment::{Deployment, Tenant, with};
use super::http::{Answer, Call};
use super::signing::now_ms;

/// Where a phone gets its session.
pub const REGISTER: &str = "/api/v1/device/register-token";
/// Where it lists its person's devices.
pub const PAIRINGS: &str = "/api/v1/device/pairings";

static NUMBERS: AtomicU64 = AtomicU64::new(0);

fn number() -> u64 {
    NUMBERS.fetch_add(1, Ordering::Relaxed)
}

/// A phone with its key, and its session once it is paired.
#[derive(Debug, Clone)]
pub struct Phone {
    pub key: std::sync::Arc<SigningKey>,
    pub token: String,
    pub device_id: String,
}

impl Default for Phone {
    fn default() -> Self {
        let key = SigningKey::generate(&SystemRandomness::new()).unwrap();
        Self { key: key.into(), token: String::new(), device_id: String::new() }
    }
}

impl Phone {
    /// A proof with these claims besides its own, or in their place; those that are null are left out.
    pub fn proof(&self, changes: &Value) -> String {
        let public = self.key.public();
        let jwk = json!({ "kty": "EC", "crv": "P-256", "x": public.x, "y": public.y });
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": jwk });
        let own = json!({ "jti": format!("proof-{}", number()), "iat": now_ms() / 1000 });
        let mut claims = with(&own, changes);
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let encode = |part: &Value| BASE64URL_NOPAD.encode(part.to_string().as_bytes());
        let message = format!("{}.{}", encode(&header), encode(&claims));
        format!("{message}.{}", BASE64URL_NOPAD.encode(&self.key.sign(message.as_bytes()).unwrap()))
    }

    /// The claim that a proof goes with this phone's session.
    pub fn ath(&self) -> String {
        BASE64URL_NOPAD.encode(digest(&SHA256, self.token.as_bytes()).as_ref())
    }
}

impl Deployment {
    /// A signed call, which no other has the nonce of.
    pub fn relay(&self, tenant: &Tenant, path: &str, body: &Value) -> Call {
        let call = self.anonymous("POST", &format!("/api/v1/relay/{path}")).json(body);
        call.signed(&tenant.signing().nonce(&format!("phone-{:020}", number())))
    }

    /// The call that prepares a pairing of that person.
    pub fn prepare(&self, tenant: &Tenant, user: &str) -> Call {
        let body = json!({
            "user_socket_hash": format!("socket of {user}"), "backend_user_id": user, "display_name": "Ada Lovelace",
            "user_email": "ada@example.com",
        });
        self.relay(tenant, "prepare-pairing", &body)
    }

    /// What a tenant gets that prepares a pairing of that person.
    pub async fn prepared(&self, tenant: &Tenant, user: &str) -> Value {
        self.prepare(tenant, user).send().await.data(201).clone()
    }

    /// The handle of a new pairing of that person.
    pub async fn handle(&self, tenant: &Tenant, user: &str) -> String {
        handle_of(&self.prepared(tenant, user).await)
    }

    /// A nonce for a proof, which costs no call to AWS.
    pub async fn dpop_nonce(&self) -> String {
        let answer = self.anonymous("GET", REGISTER).send().await;
        answer.refused(405, "method_not_allowed").headers["dpop-nonce"].clone()
    }

    /// The call by which a phone pairs by a handle.
    pub async fn register_phone(&self, phone: &Phone, handle: &str) -> Call {
        let url = format!("{}{REGISTER}", self.stack.url());
        let proof = phone.proof(&json!({ "htm": "POST", "htu": url, "nonce": self.dpop_nonce().await }));
        let body = json!({ "handle": handle, "name": "Ada's phone", "platform": "android" });
        self.anonymous("POST", REGISTER).header("dpop", &proof).json(&body)
    }

    /// The call by which a phone pairs by a pairing proof, of a proof of its own with these claims among the others.
    pub async fn register_phone_by_proof(&self, phone: &Phone, proof: &str, changes: &Value) -> Call {
        let url = format!("{}{REGISTER}", self.stack.url());
        let claims = json!({ "htm": "POST", "htu": url, "nonce": self.dpop_nonce().await });
        let call = self.anonymous("POST", REGISTER).header("authorization", &format!("Bearer {proof}"));
        call.header("dpop", &phone.proof(&with(&claims, changes)))
    }

    /// A phone that was paired with that person.
    pub async fn paired(&self, tenant: &Tenant, user: &str) -> Phone {
        let handle = self.handle(tenant, user).await;
        let phone = Phone::default();
        let answer = self.register_phone(&phone, &handle).await.send().await;
        welcomed(phone, &answer)
    }

    /// A call of a phone with its session; of the proof with these claims in place of its own.
    pub async fn phone_with(&self, phone: &Phone, method: &str, path: &str, changes: &Value) -> Call {
        let url = format!("{}{path}", self.stack.url());
        let nonce = self.dpop_nonce().await;
        let claims = json!({ "htm": method, "htu": url, "nonce": nonce, "ath": phone.ath() });
        let call = self.anonymous(method, path).header("authorization", &format!("DPoP {}", phone.token));
        call.header("dpop", &phone.proof(&with(&claims, changes)))
    }

    /// A call of a phone with its session.
    pub async fn phone(&self, phone: &Phone, method: &str, path: &str) -> Call {
        self.phone_with(phone, method, path, &json!({})).await
    }

    /// The answer to a phone that lists the devices of its person.
    pub async fn pairings(&self, phone: &Phone) -> Answer {
        self.phone(phone, "GET", PAIRINGS).await.send().await
    }

    /// The devices of a person, as its tenant sees them.
    pub async fn devices_of(&self, tenant: &Tenant, user: &str) -> Vec<Value> {
        let answer = self.relay(tenant, "fetch/pairings", &json!({ "backend_user_id": user })).send().await;
        answer.data(200)["pairings"].as_array().unwrap().clone()
    }
}

/// The phone with what it got.
pub fn welcomed(phone: Phone, answer: &Answer) -> Phone {
    let data = answer.data(201);
    let text = |name: &str| data[name].as_str().unwrap().to_owned();
    Phone { token: text("device_session_token"), device_id: text("device_id"), ..phone }
}

/// The handle in the address of a pairing.
pub fn handle_of(prepared: &Value) -> String {
    prepared["pairing_url"].as_str().unwrap().split_once('#').unwrap().1.to_owned()
}
