//! A deployment: template, functions and a local AWS with nothing in it.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use shared::domain::Timestamp;
use stack::{AwsCall, Stack, StackBuilder};

use super::http::{Answer, Call};
use super::signing::now_ms;
use super::witness::Witness;

/// The root of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A deployment of one test's own.
pub struct Deployment {
    pub stack: Stack,
    /// Sees that no request makes a function ask AWS for what is another's.
    pub witness: Witness,
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
        let builder =
            Stack::builder().template(repository().join("template.yaml")).program(env!("CARGO_BIN_EXE_functions"));
        let witness = Witness::default();
        let eyes = witness.clone();
        let builder = options(builder).witness(move |call| eyes.see(call));
        Self { stack: builder.start().await.unwrap(), witness }
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

    /// The tenant as an update shows it: without its receivers.
    pub async fn fetch_settings(&self, tenant: &Tenant) -> Value {
        let mut fetched = self.fetch(tenant).await;
        for name in ["callbacks", "callbacks_counted_since", "standby_kid", "standby_promotable_at"] {
            assert!(fetched.as_object_mut().unwrap().remove(name).is_some(), "{name}");
        }
        fetched
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

    /// A new API key of a tenant.
    pub async fn api_key(&self, tenant: &Tenant, kind: &str) -> ApiKey {
        let path = format!("/api/v1/provision/api-key?tenant_id={}", tenant.id);
        let answer = self.post(&path, &json!({ "name": kind, "kind": kind })).await;
        let text = |name: &str| answer.data(201)[name].as_str().unwrap().to_owned();
        // So that a call costs what it does on all but the first of a day.
        if kind == "account" {
            let today = json!({ "S": Timestamp::from_millis(now_ms()).day().to_string() });
            for attribute in ["account_wide_call_on", "account_wide_token_on"] {
                self.set(&format!("TENANT#{}", tenant.id), "STATE", attribute, &today).await;
            }
            let place = format!("TENANT#{}#KEY#{}", tenant.id, text("key_id"));
            self.set(&place, "KEY", "details.last_token_on", &today).await;
        }
        ApiKey { id: text("key_id"), text: text("api_key"), tenant: tenant.clone() }
    }

    /// A request of a tenant's backend.
    pub fn backend(&self, key: &ApiKey, method: &str, path: &str) -> Call {
        self.anonymous(method, path).header("authorization", &format!("Bearer {}", key.text))
    }

    /// A request of the account surface with an account key.
    pub fn account(&self, key: &ApiKey, method: &str, path: &str) -> Call {
        self.anonymous(method, path).header("x-api-key", &key.text)
    }

    /// The same for an end user.
    pub fn account_for(&self, key: &ApiKey, user: &str, method: &str, path: &str) -> Call {
        self.account(key, method, path).header("x-end-user-id", user)
    }

    /// A request of the account surface with a scoped token.
    pub fn page(&self, token: &str, method: &str, path: &str) -> Call {
        self.anonymous(method, path).header("authorization", &format!("Bearer {token}"))
    }

    /// A scoped token: for an end user, or without one for the whole account.
    pub async fn scoped_token(&self, key: &ApiKey, user: Option<&str>) -> String {
        let body = naming(user);
        let answer = self.account(key, "POST", "/api/v1/auth/token").json(&body).send().await;
        answer.document(200)["access_token"].as_str().unwrap().to_owned()
    }

    /// Registers an organization; `fields` beside its project.
    pub async fn register_organization(&self, key: &ApiKey, fields: &Value) -> Answer {
        let body = with(fields, &json!({ "projectId": key.tenant.project_id() }));
        self.backend(key, "POST", "/v1/api/projects/register-organization").json(&body).send().await
    }

    /// Registers a user; `fields` beside its project, its role and its properties.
    pub async fn register_user(&self, key: &ApiKey, fields: &Value) -> Answer {
        let defaults = json!({ "projectId": key.tenant.project_id(), "userRoleId": ROLE, "properties": {} });
        let body = with(&defaults, fields);
        self.backend(key, "POST", "/v1/api/projects/register-user").json(&body).send().await
    }

    /// An organization with that external id, and a user of it with that one: their uuids.
    pub async fn member(&self, key: &ApiKey, organization: &str, user: &str) -> Member {
        let answer =
            self.register_organization(key, &json!({ "name": organization, "externalId": organization })).await;
        let organization_id = answer.data(200)["projectOrganizationId"].as_str().unwrap().to_owned();
        let fields = json!({ "name": user, "externalId": user, "projectOrganizationId": organization_id });
        let user_id = self.register_user(key, &fields).await.data(200)["userId"].as_str().unwrap().to_owned();
        Member { organization_id, user_id }
    }

    pub async fn user_token(&self, key: &ApiKey, body: &Value) -> Answer {
        self.backend(key, "POST", "/v1/api/projects/user-token").json(body).send().await
    }

    /// The token of a user.
    pub async fn token(&self, key: &ApiKey, member: &Member) -> String {
        let body = json!({ "userId": member.user_id, "organizationId": member.organization_id });
        self.user_token(key, &body).await.data(200)["token"].as_str().unwrap().to_owned()
    }

    pub async fn introspect(&self, key: &ApiKey, token: &str) -> Value {
        let call = self.backend(key, "POST", "/api/v1/auth/introspect").json(&json!({ "token": token }));
        call.send().await.document(200).clone()
    }

    /// Whether a token is active.
    pub async fn is_active(&self, key: &ApiKey, token: &str) -> bool {
        let answer = self.introspect(key, token).await;
        let active = answer["active"].as_bool().unwrap();
        assert!(active || answer == json!({ "active": false }), "{answer}");
        active
    }

    pub async fn revoke_tokens(&self, tenant: &Tenant, whose: &Value) -> Answer {
        self.post(&format!("/api/v1/revoke/tokens?tenant_id={}", tenant.id), whose).await
    }

    /// The newest hundred of a tenant's audit events, oldest first.
    pub async fn audit_events(&self, tenant: &Tenant) -> Vec<Value> {
        let answer = self.get(&format!("/api/v1/fetch/audit-events?tenant_id={}&limit=100", tenant.id)).await;
        answer.data(200)["events"].as_array().unwrap().iter().rev().cloned().collect()
    }

    /// The actions of those of them that changed something.
    pub async fn audit_trail(&self, tenant: &Tenant) -> Vec<String> {
        let events = self.audit_events(tenant).await;
        let changes = events.iter().filter(|event| event["details"]["replayed"].is_null());
        changes.map(|event| event["action"].as_str().unwrap().to_owned()).collect()
    }

    /// What one request made functions call in AWS, retries included, as `Operation`. Without the note of a refusal,
    /// which is written once a minute and after the answer was decided: `registry::setup_mistakes` counts those.
    pub async fn calls_of(&self, call: Call) -> (Answer, Vec<AwsCall>) {
        let (answer, calls) = self.calls_and_notes_of(call).await;
        let is_note = |call: &AwsCall| call.request["Key"]["sk"]["S"] == "SETUP";
        (answer, calls.into_iter().filter(|call| !is_note(call)).collect())
    }

    /// The same with that note.
    pub async fn calls_and_notes_of(&self, call: Call) -> (Answer, Vec<AwsCall>) {
        let mark = self.stack.mark();
        let answer = call.send().await;
        let calls = self.stack.calls_since(mark);
        (answer, calls.into_iter().filter(|call| call.caller.is_some()).collect())
    }
}

/// An API key that was provisioned.
#[derive(Debug, Clone)]
pub struct ApiKey {
    pub id: String,
    pub text: String,
    pub tenant: Tenant,
}

/// A user, and its organization.
#[derive(Debug, Clone)]
pub struct Member {
    pub organization_id: String,
    pub user_id: String,
}

/// The role of users for whom no other was chosen.
pub const ROLE: &str = "0b7d7d1c-64a1-4a6c-9d3f-6f0d5e6f7a80";

/// The digits of a project that nobody has.
const NO_PROJECT: &str = "ffffffffffff4fffbfffffffffffffff";

/// The fields of both objects; where both have one, the second's.
pub fn with(one: &Value, other: &Value) -> Value {
    let mut fields = one.as_object().unwrap().clone();
    fields.extend(other.as_object().unwrap().clone());
    Value::Object(fields)
}

/// The field of a body that names this end user; no field for nobody, since null names nobody and is refused.
pub fn naming(user: Option<&str>) -> Value {
    user.map_or_else(|| json!({}), |user| json!({ "external_user_id": user }))
}

impl Tenant {
    /// The uuid of its project.
    pub fn project_id(&self) -> String {
        // An id that is none of ours has no project.
        let digits = self.id.strip_prefix("tnt_").filter(|digits| digits.len() == 32).unwrap_or(NO_PROJECT);
        let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]);
        parts.join("-")
    }

    pub fn of(answer: &Answer) -> Self {
        let data = answer.data(201);
        let text = |name: &str| data[name].as_str().unwrap().to_owned();
        Self { id: text("tenant_id"), secret: text("tenant_secret") }
    }
}

/// Whatever a test was about: no request made a function ask AWS for what is another's, and no secret was printed.
impl Drop for Deployment {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let violations = self.witness.take();
        assert!(violations.is_empty(), "calls to AWS that their causes do not allow: {violations:#?}");
        let output = self.stack.output();
        assert!(!output.contains(self.key()), "the admin key is in the output");
        for beginning in ["up_embed_", "up_admin_", "ak_", "ds_", "whsec_", "eyJ"] {
            assert!(!output.contains(beginning), "a credential is in the output: {beginning}");
        }
        for secret in self.stored_secrets() {
            for (_, _, value) in secret.versions {
                let value: Value = serde_json::from_str(&value).unwrap();
                let parts = [&value["tenant_secret"], &value["signing_key"]["d"]];
                let leaked = parts.iter().filter_map(|part| part.as_str()).any(|secret| output.contains(secret));
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
