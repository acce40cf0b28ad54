//! A request of each operation of the registry, for tests that go through all of them.

use serde_json::{Value, json};
use shared::api::{Dialect, Entry, Method};

use super::deployment::{ApiKey, Deployment, Member, ROLE, Tenant};
use super::http::Call;

/// A tenant with one of everything, so that each operation has something to be about.
#[derive(Debug, Clone)]
pub struct World {
    pub tenant: Tenant,
    /// An `admin` key: it may do whatever an API key may.
    pub key: ApiKey,
    pub member: Member,
    pub token: String,
}

impl Deployment {
    /// A tenant with one of everything.
    pub async fn world(&self) -> World {
        let tenant = self.provision("Acme").await;
        let key = self.api_key(&tenant, "admin").await;
        let member = self.member(&key, "acme", "ada").await;
        let token = self.token(&key, &member).await;
        World { tenant, key, member, token }
    }

    /// A request of the operation that would be carried out if it had a credential.
    pub fn request(&self, entry: &Entry, world: &World) -> Call {
        let path = entry.route.path.replace("{tenant_id}", &world.tenant.id);
        let tenant = takes(entry, "tenant_id").then(|| format!("tenant_id={}", world.tenant.id));
        let key = takes(entry, "key_id").then(|| format!("key_id={}", world.key.id));
        let query: Vec<_> = tenant.into_iter().chain(key).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        let call = self.anonymous(entry.route.method.as_str(), &format!("{path}{mark}{}", query.join("&")));
        if entry.has_body() { call.json(&body(entry, world)) } else { call }
    }

    /// The same request with the credential that it takes.
    pub fn authorized(&self, entry: &Entry, world: &World) -> Call {
        let call = self.request(entry, world);
        match entry.security.first() {
            None => call,
            Some(_) if entry.dialect == Dialect::Registry => call.header("x-admin-key", self.key()),
            Some(_) => call.header("authorization", &format!("Bearer {}", world.key.text)),
        }
    }
}

/// Whether the operation has that parameter in its query.
pub fn takes(entry: &Entry, parameter: &str) -> bool {
    let document = shared::api::document();
    let operation = &document["paths"][entry.route.path][entry.route.method.as_str().to_lowercase()];
    let mut parameters = operation["parameters"].as_array().unwrap().iter();
    parameters.any(|known| known["name"] == parameter && known["in"] == "query")
}

/// A body that the operation takes.
fn body(entry: &Entry, world: &World) -> Value {
    assert_eq!(entry.route.method, Method::Post);
    let project = world.tenant.project_id();
    match entry.route.name {
        "provision-tenant" => json!({ "tenant_name": "Acme" }),
        "update-tenant" => json!({ "rate_limit_per_min": 7 }),
        "provision-api-key" => json!({ "name": "Backend", "kind": "embed" }),
        // So that the key of this world goes on working.
        "rotate-api-key" => json!({ "overlap_seconds": 3600 }),
        "revoke-tokens" => json!({ "external_user_id": "nobody" }),
        "register-organization" => json!({ "name": "Globex", "projectId": project }),
        "register-user" => json!({
            "name": "Grace",
            "projectId": project,
            "userRoleId": ROLE,
            "projectOrganizationId": world.member.organization_id,
            "properties": {},
        }),
        "user-token" => json!({ "userId": world.member.user_id, "organizationId": world.member.organization_id }),
        "register-tenant" => json!({ "displayName": "Initech", "prefilters": {} }),
        "introspect" | "revoke-token" => json!({ "token": world.token }),
        _ => json!({}),
    }
}
