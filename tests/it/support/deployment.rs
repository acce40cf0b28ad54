//! A deployment: template, binaries and a local AWS with nothing in it.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use stack::{AwsCall, Stack, StackBuilder};

use super::http::{Answer, Call};

/// The root of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A deployment of one test's own.
pub struct Deployment {
    pub stack: Stack,
}

/// A tenant that was provisioned, as the answer said.
#[derive(Debug, Clone)]
pub struct Tenant {
    pub id: String,
    pub secret: String,
}

impl Deployment {
    pub async fn start() -> Self {
        Self::start_with(|builder| builder).await
    }

    pub async fn start_with(options: impl FnOnce(StackBuilder) -> StackBuilder) -> Self {
        // All binaries are in one directory; Cargo tells of each at compile time.
        let binaries = Path::new(env!("CARGO_BIN_EXE_fetch-tenant")).parent().unwrap().to_owned();
        let builder =
            Stack::builder().template(repository().join("template.yaml")).binaries(move |name| binaries.join(name));
        Self { stack: options(builder).start().await.unwrap() }
    }

    pub fn key(&self) -> &str {
        self.stack.admin_key()
    }

    /// A request without a credential.
    pub fn anonymous(&self, method: &str, path: &str) -> Call {
        Call::new(method, format!("{}{path}", self.stack.url()))
    }

    /// A request of the operator.
    pub fn operator(&self, method: &str, path: &str) -> Call {
        self.anonymous(method, path).header("x-admin-key", self.key())
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.operator("GET", path).send().await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.operator("POST", path).json(body).send().await
    }

    /// A POST without a body.
    pub async fn post_nothing(&self, path: &str) -> Answer {
        self.operator("POST", path).send().await
    }

    pub async fn provision(&self, name: &str) -> Tenant {
        let answer = self.post("/api/v1/provision/tenant", &json!({ "tenant_name": name })).await;
        Tenant::of(&answer)
    }

    pub async fn fetch(&self, tenant: &Tenant) -> Value {
        self.get(&format!("/api/v1/fetch/tenant?tenant_id={}", tenant.id)).await.data(200).clone()
    }

    pub async fn update(&self, tenant: &Tenant, patch: &Value) -> Answer {
        self.post(&format!("/api/v1/update/tenant?tenant_id={}", tenant.id), patch).await
    }

    pub async fn rotate(&self, tenant: &Tenant, overlap_seconds: u64) -> Answer {
        let body = json!({ "overlap_seconds": overlap_seconds });
        self.post(&format!("/api/v1/rotate/tenant-secret?tenant_id={}", tenant.id), &body).await
    }

    pub async fn suspend(&self, tenant: &Tenant) -> Answer {
        self.post_nothing(&format!("/api/v1/suspend/tenant?tenant_id={}", tenant.id)).await
    }

    pub async fn reactivate(&self, tenant: &Tenant) -> Answer {
        self.post_nothing(&format!("/api/v1/reactivate/tenant?tenant_id={}", tenant.id)).await
    }

    /// The actions of a tenant's audit events, oldest first.
    pub async fn audit_trail(&self, tenant: &Tenant) -> Vec<String> {
        let answer = self.get(&format!("/api/v1/fetch/audit-events?tenant_id={}&limit=100", tenant.id)).await;
        let events = answer.data(200)["events"].as_array().unwrap().clone();
        events.iter().rev().map(|event| event["action"].as_str().unwrap().to_owned()).collect()
    }

    /// What one request made functions call in AWS, retries included, as `Operation`.
    pub async fn calls_of(&self, call: Call) -> (Answer, Vec<AwsCall>) {
        let mark = self.stack.mark();
        let answer = call.send().await;
        let calls = self.stack.calls_since(mark);
        (answer, calls.into_iter().filter(|call| call.caller.is_some()).collect())
    }
}

impl Tenant {
    pub fn of(answer: &Answer) -> Self {
        let data = answer.data(201);
        let text = |name: &str| data[name].as_str().unwrap().to_owned();
        Self { id: text("tenant_id"), secret: text("tenant_secret") }
    }
}

/// Whatever a test was about: no secret was printed, and no function was short of a permission unnoticed.
impl Drop for Deployment {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let output = self.stack.output();
        assert!(!output.contains(self.key()), "the admin key is in the output");
        for secret in self.stored_secrets() {
            for (_, _, value) in secret.versions {
                let value: Value = serde_json::from_str(&value).unwrap();
                let leaked = value["tenant_secret"].as_str().is_some_and(|secret| output.contains(secret));
                assert!(!leaked, "a tenant's secret is in the output");
            }
        }
    }
}

/// A request as the event that the gateway would make of it, for giving it to a function directly.
pub fn event(method: &str, path: &str, query: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Value {
    let mut named: serde_json::Map<String, Value> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
    if body.is_some() {
        named.insert("content-type".to_owned(), Value::from("application/json"));
    }
    json!({
        "version": "2.0",
        "routeKey": format!("ANY {path}"),
        "rawPath": path,
        "rawQueryString": query,
        "headers": named,
        "requestContext": { "http": { "method": method, "path": path }, "stage": "$default" },
        "body": body.map(Value::to_string),
        "isBase64Encoded": false,
    })
}
