//! The public text "Tenant management", whose interface the registry implements: its requests as they stand there,
//! host, key and ids aside, and its documented answers field by field.

use serde_json::{Value, json};

use crate::support::{self, Answer, Call, Deployment};

/// A curl command of the text, as a request.
fn curl(deployment: &Deployment, command: &str, tenant_id: &str) -> Call {
    let command = command.replace("$BASE_URL", &deployment.stack.url()).replace("YOUR_ADMIN_KEY", deployment.key());
    support::curl(&command.replace("tnt_...", tenant_id))
}

/// Every field of the documented answer is in the answer; `…` at the end of a text stands for any ending.
fn documented(answer: &Answer, text: &str) {
    fn matches(documented: &Value, found: &Value, path: &str) {
        match (documented, found) {
            (Value::Object(fields), _) => {
                for (name, value) in fields {
                    assert!(found.get(name).is_some(), "{path}.{name} is missing");
                    matches(value, &found[name], &format!("{path}.{name}"));
                }
            }
            (Value::String(text), Value::String(found)) if text.ends_with("...") => {
                assert!(
                    found.starts_with(text.trim_end_matches("...").trim_end_matches("2026-06-21T")),
                    "{path}: {found}"
                );
                assert!(!text.starts_with("2026") || found.contains('T'), "{path}: {found}");
            }
            _ => assert_eq!(documented, found, "{path}"),
        }
    }
    let documented: Value = serde_json::from_str(text).unwrap();
    assert_eq!(answer.status, documented["status_code"]);
    matches(&documented, &answer.body, "");
}

const PROVISION: &str = r#"curl $BASE_URL/api/v1/provision/tenant \
-X POST \
-H "X-Admin-Key: YOUR_ADMIN_KEY" \
-H "Content-Type: application/json" \
-d '{
"tenant_name": "example_backend",
"rate_limit_per_min": 120,
"qr_login_allowed_origins": ["https://example.com"],
"callback_url_base": "https://api.example.com",
"branding_display_name": "Example",
"branding_logo_url": "https://example.com/logo.png",
"webauthn_rp_id": "example.com",
"webauthn_origins": ["https://example.com"],
"passkeys_enabled": true
}'"#;

const PROVISIONED: &str = r#"{
"success": true,
"status_code": 201,
"message": "Tenant provisioned. Save tenant_secret now — it will not be shown again.",
"data": {
"tenant_id": "tnt_...",
"tenant_secret": "sk_...",
"tenant_name": "example_backend",
"rate_limit_per_min": 120,
"created_at": "2026-06-21T..."
}
}"#;

const UPDATE: &str = r#"curl "$BASE_URL/api/v1/update/tenant?tenant_id=tnt_..." \
-X POST \
-H "X-Admin-Key: YOUR_ADMIN_KEY" \
-H "Content-Type: application/json" \
-d '{
"qr_login_allowed_origins": ["https://example.com", "https://preview.example.com"],
"branding_display_name": "Example (Preview)"
}'"#;

const UPDATED: &str = r#"{
"success": true,
"status_code": 200,
"message": "Tenant updated",
"data": {
"tenant_id": "tnt_...",
"tenant_name": "example_backend",
"status": "active",
"rate_limit_per_min": 120,
"qr_login_allowed_origins": ["https://example.com", "https://preview.example.com"],
"branding_display_name": "Example (Preview)",
"abuse_strikes": 0,
"created_at": "2026-06-21T...",
"updated_at": "2026-06-21T..."
}
}"#;

const ROTATE: &str = r#"curl "$BASE_URL/api/v1/rotate/tenant-secret?tenant_id=tnt_..." \
-X POST \
-H "X-Admin-Key: YOUR_ADMIN_KEY""#;

const ROTATED: &str = r#"{
"success": true,
"status_code": 200,
"message": "Secret rotated. Save the new tenant_secret — old secret is now invalid.",
"data": {
"tenant_id": "tnt_...",
"tenant_secret": "sk_...",
"rotated_at": "2026-06-21T..."
}
}"#;

const SUSPEND: &str = r#"curl "$BASE_URL/api/v1/suspend/tenant?tenant_id=tnt_..." \
-X POST \
-H "X-Admin-Key: YOUR_ADMIN_KEY""#;

const SUSPENDED: &str = r#"{ "success": true, "status_code": 200, "message": "Tenant suspended", "data": null }"#;

const FETCH: &str = r#"curl "$BASE_URL/api/v1/fetch/tenant?tenant_id=tnt_..." \
-H "X-Admin-Key: YOUR_ADMIN_KEY""#;

const FETCHED: &str = r#"{
"success": true,
"status_code": 200,
"message": "OK",
"data": {
"tenant_id": "tnt_...",
"tenant_name": "example_backend",
"status": "active",
"rate_limit_per_min": 120,
"abuse_strikes": 0,
"created_at": "2026-06-21T...",
"updated_at": null
}
}"#;

#[tokio::test]
async fn the_requests_of_the_text_get_its_answers() {
    let deployment = Deployment::start().await;
    let provisioned = curl(&deployment, PROVISION, "").send().await;
    documented(&provisioned, PROVISIONED);
    let id = provisioned.data(201)["tenant_id"].as_str().unwrap().to_owned();
    documented(&curl(&deployment, FETCH, &id).send().await, FETCHED);
    documented(&curl(&deployment, UPDATE, &id).send().await, UPDATED);
    let rotated = curl(&deployment, ROTATE, &id).send().await;
    documented(&rotated, ROTATED);
    assert_ne!(rotated.data(200)["tenant_secret"], provisioned.data(201)["tenant_secret"]);
    documented(&curl(&deployment, SUSPEND, &id).send().await, SUSPENDED);
    let fetched = curl(&deployment, FETCH, &id).send().await;
    assert_eq!(fetched.data(200)["status"], "suspended");
    let list = deployment.get("/api/v1/fetch/tenants").await;
    assert_eq!(list.data(200)["tenants"][0]["tenant_id"], id.as_str());
}

#[tokio::test]
async fn only_tenant_name_is_required_and_the_rate_is_60_unless_set() {
    let deployment = Deployment::start().await;
    let answer = deployment.post("/api/v1/provision/tenant", &json!({ "tenant_name": "x" })).await;
    assert_eq!(answer.data(201)["rate_limit_per_min"], 60);
}

#[tokio::test]
async fn the_secret_is_shown_once_and_by_no_other_request() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("x").await;
    for path in ["fetch/tenant", "fetch/audit-events"] {
        let answer = deployment.get(&format!("/api/v1/{path}?tenant_id={}", tenant.id)).await;
        assert!(answer.status == 200 && !answer.text.contains(&tenant.secret));
    }
    assert!(!deployment.update(&tenant, &json!({ "rate_limit_per_min": 5 })).await.text.contains(&tenant.secret));
    assert!(!deployment.get("/api/v1/fetch/tenants").await.text.contains(&tenant.secret));
}
