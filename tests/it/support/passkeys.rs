//! Tenants with passkeys, and people who have some.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::authenticator::Authenticator;
use super::deployment::{Deployment, Tenant, with};
use super::http::{Answer, Call};

/// The relying party of [`Deployment::with_passkeys`].
pub const RP_ID: &str = "example.com";
/// Where its pages are.
pub const ORIGIN: &str = "https://app.example.com";

impl Deployment {
    /// A tenant whose people may have passkeys.
    pub async fn with_passkeys(&self, name: &str) -> Tenant {
        let body = json!({
            "tenant_name": name, "rate_limit_per_min": 10_000, "webauthn_rp_id": RP_ID, "webauthn_origins": [ORIGIN],
            "passkeys_enabled": true,
        });
        Tenant::of(&self.post("/api/v1/provision/tenant", &body).await)
    }

    /// A signed call about passkeys, which no other has the nonce of.
    pub fn webauthn(&self, tenant: &Tenant, path: &str, body: &Value) -> Call {
        static NONCES: AtomicU64 = AtomicU64::new(0);
        let nonce = format!("{:020}", NONCES.fetch_add(1, Ordering::Relaxed));
        let call = self.anonymous("POST", &format!("/api/v1/relay/webauthn/{path}")).json(body);
        call.signed(&tenant.signing().nonce(&nonce))
    }

    /// What a browser is asked for to register a passkey of that person.
    pub async fn creation_options(&self, tenant: &Tenant, user: &str) -> Value {
        let body = json!({ "backend_user_id": user, "username": user, "browser_origin": ORIGIN });
        self.webauthn(tenant, "register/options", &body).send().await.data(200).clone()
    }

    /// The end of a registration.
    pub fn register(&self, tenant: &Tenant, credential: &Value) -> Call {
        self.webauthn(tenant, "register/verify", &json!({ "credential": credential, "browser_origin": ORIGIN }))
    }

    /// A passkey of a person, whose counter counts from there if that is not 0.
    pub async fn enrol(&self, tenant: &Tenant, user: &str, counter: u32) -> Authenticator {
        let options = self.creation_options(tenant, user).await;
        let (passkey, credential) = Authenticator::create(&options, ORIGIN, counter);
        self.register(tenant, &credential).send().await.data(200);
        passkey
    }

    /// What a browser is asked for to log in; `of` has fields that name a person.
    pub async fn request_options(&self, tenant: &Tenant, of: &Value) -> Value {
        let body = with(of, &json!({ "browser_origin": ORIGIN }));
        self.webauthn(tenant, "authenticate/options", &body).send().await.data(200).clone()
    }

    /// The end of a login.
    pub fn authenticate(&self, tenant: &Tenant, credential: &Value) -> Call {
        self.webauthn(tenant, "authenticate/verify", &json!({ "credential": credential, "browser_origin": ORIGIN }))
    }

    /// A login without a name.
    pub async fn log_in(&self, tenant: &Tenant, passkey: &mut Authenticator) -> Answer {
        let options = self.request_options(tenant, &json!({})).await;
        self.authenticate(tenant, &passkey.get(&options, ORIGIN)).send().await
    }

    /// The passkeys of a person, as its list has them.
    pub async fn passkeys_of(&self, tenant: &Tenant, user: &str) -> Vec<Value> {
        let answer = self.webauthn(tenant, "fetch/passkeys", &json!({ "backend_user_id": user })).send().await;
        answer.data(200)["passkeys"].as_array().unwrap().clone()
    }

    /// Checks that a response was refused, with the bytes that every such refusal has, and logged with that cause.
    pub fn check_credential_refused(&self, answer: &Answer, cause: &str) {
        answer.refused(401, "credential_refused");
        let line = self.stack.output();
        let line = line.lines().find(|line| line.contains(&answer.headers["x-request-id"]) && line.contains("cause"));
        let line: Value = serde_json::from_str(line.unwrap_or_else(|| panic!("no cause is logged"))).unwrap();
        assert_eq!(line["cause"], cause, "{}", answer.text);
    }
}
