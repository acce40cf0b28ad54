//! The console: links that the operator makes, and calls with a session and a proof of its browser's key.

use serde_json::{Value, json};
use shared::domain::{Clock, NonceKey, SystemClock, TraceKey};

use super::deployment::{Deployment, Tenant, with};
use super::http::{Answer, Call};
use super::phone::Phone;

/// Where a link is opened, and a session shown and ended.
pub const SESSION: &str = "/api/v1/console/session";
/// Where a link is made.
pub const LINK: &str = "/api/v1/provision/console-link";

/// A browser with its key, and its session once it has opened a link. It is to the service what a phone is.
pub type Browser = Phone;

impl Deployment {
    /// A nonce for a proof, made as the functions make it.
    pub fn nonce(&self) -> String {
        let environment = self.stack.environment();
        let (_, key) = environment.into_iter().find(|(name, _)| name == "LATCHKEY_TRACE_KEY").unwrap();
        NonceKey::of(&TraceKey::parse(&key).unwrap()).unwrap().issue(SystemClock.now()).to_string()
    }

    /// The address that a proof of a call is for: the service's, or else the gateway's own.
    pub fn address_of_proofs(&self) -> String {
        let public = self.variable("LATCHKEY_PUBLIC_URL");
        if public.is_empty() { "https://127.0.0.1".to_owned() } else { public }
    }

    /// The call that makes a link to a tenant's console, or to the operator's.
    pub fn makes_link(&self, tenant: Option<&Tenant>, label: &str) -> Call {
        let query = tenant.map_or_else(String::new, |tenant| format!("?tenant_id={}", tenant.id));
        self.operator("POST", &format!("{LINK}{query}")).json(&json!({ "label": label }))
    }

    /// The code of a new link.
    pub async fn link(&self, tenant: Option<&Tenant>, label: &str) -> String {
        let answer = self.makes_link(tenant, label).send().await;
        answer.data(201)["code"].as_str().unwrap().to_owned()
    }

    /// The call by which a browser opens a link; of the proof with these claims in place of its own.
    pub fn opens_with(&self, browser: &Browser, code: &str, changes: &Value) -> Call {
        let url = format!("{}{SESSION}", self.address_of_proofs());
        let claims = json!({ "htm": "POST", "htu": url, "nonce": self.nonce() });
        let call = self.anonymous("POST", SESSION).json(&json!({ "code": code }));
        call.header("dpop", &browser.proof(&with(&claims, changes)))
    }

    /// A browser in a tenant's console, or in the operator's.
    pub async fn console(&self, tenant: Option<&Tenant>, label: &str) -> Browser {
        let code = self.link(tenant, label).await;
        let browser = Browser::default();
        let answer = self.opens_with(&browser, &code, &json!({})).send().await;
        opened(browser, &answer)
    }

    /// A call with a session; of the proof with these claims in place of its own. The path may have a query.
    pub fn in_console_with(&self, browser: &Browser, method: &str, target: &str, changes: &Value) -> Call {
        let path = target.split('?').next().unwrap();
        let url = format!("{}{path}", self.address_of_proofs());
        let claims = json!({ "htm": method, "htu": url, "nonce": self.nonce(), "ath": browser.ath() });
        let call = self.anonymous(method, target).header("authorization", &format!("DPoP {}", browser.token));
        call.header("dpop", &browser.proof(&with(&claims, changes)))
    }

    /// A call with a session.
    pub fn in_console(&self, browser: &Browser, method: &str, target: &str) -> Call {
        self.in_console_with(browser, method, target, &json!({}))
    }

    /// Checks that a list of a tenant's console is that of the registry, which has one row of this tenant, and that it
    /// is empty for another tenant.
    pub async fn check_console_list(&self, tenant: &Tenant, path: &str, field: &str) {
        let fetched = self.get(&format!("/api/v1/fetch/{path}?tenant_id={}", tenant.id)).await;
        let other = self.provision("Beta").await;
        for (tenant, expected) in [(tenant, 1), (&other, 0)] {
            let browser = self.console(Some(tenant), "Ada").await;
            let listed = self.in_console(&browser, "GET", &format!("/api/v1/console/{path}")).send().await;
            assert_eq!(listed.data(200)[field].as_array().unwrap().len(), expected);
            assert_eq!(listed.data(200) == fetched.data(200), expected == 1);
            let refused = self.in_console(&browser, "GET", &format!("/api/v1/console/{path}?limit=0"));
            refused.send().await.names("limit");
        }
    }
}

/// The browser with what it got.
pub fn opened(browser: Browser, answer: &Answer) -> Browser {
    let token = answer.data(201)["session_token"].as_str().unwrap().to_owned();
    Browser { token, ..browser }
}
