//! `POST /api/v1/update/tenant`

use serde_json::json;
use stack::Match;

use crate::support::{ApiKey, Call, Deployment, Tenant};

#[tokio::test]
async fn only_the_fields_in_the_body_are_written() {
    let deployment = Deployment::start().await;
    let body = json!({
        "tenant_name": "Acme", "rate_limit_per_min": 120, "qr_login_allowed_origins": ["https://example.com"],
        "callback_url_base": "https://api.example.com", "branding_display_name": "Acme!",
        "branding_logo_url": "https://example.com/logo.png", "webauthn_rp_id": "example.com",
        "webauthn_origins": ["https://example.com"], "passkeys_enabled": true, "require_end_user": false,
    });
    let tenant = Tenant::of(&deployment.post("/api/v1/provision/tenant", &body).await);
    let patches = [
        json!({ "tenant_name": "Acme Ltd" }),
        json!({ "rate_limit_per_min": 1 }),
        json!({ "qr_login_allowed_origins": [] }),
        json!({ "qr_rotation": "required", "qr_expiry_seconds": 60 }),
        json!({ "qr_number_matching": "never" }),
        json!({ "qr_distant": "deny", "qr_sessions_per_address": 1 }),
        json!({ "qr_rotation": "allowed", "qr_distant": "confirm" }),
        json!({ "callback_url_base": null }),
        json!({ "branding_display_name": null, "branding_logo_url": "https://example.com/new.png" }),
        json!({ "passkeys_enabled": null }),
        json!({ "require_end_user": true }),
        json!({ "require_end_user": null }),
        json!({ "rows_per_end_user": 1, "calls_per_min_per_key": 10_000 }),
        json!({ "rows_per_tenant": 8, "rows_per_end_user": null, "calls_per_min_per_end_user": 1 }),
        json!({ "calls_per_min_per_key": null, "rows_per_tenant": null, "calls_per_min_per_end_user": null }),
        json!({ "webauthn_origins": [], "webauthn_rp_id": null }),
        json!({ "webauthn_origins": ["https://a.example.org"], "webauthn_rp_id": "example.org" }),
    ];
    for patch in patches {
        let mut expected = deployment.fetch(&tenant).await;
        let before = deployment.items().await;
        let answer = deployment.update(&tenant, &patch).await;
        for (name, value) in patch.as_object().unwrap() {
            expected[name] = value.clone();
        }
        let party = expected["webauthn_rp_id"].clone();
        let document = json!({ "origins": expected["webauthn_origins"] });
        expected["related_origins"] = if party.is_null() { party } else { document };
        let fetched = deployment.fetch(&tenant).await;
        assert_eq!(&deployment.fetch_settings(&tenant).await, answer.data(200));
        assert!(fetched["updated_at"].is_string());
        expected["updated_at"] = fetched["updated_at"].clone();
        assert_eq!(fetched, expected, "{patch}");
        // What is stored of the configuration differs in no attribute that the patch does not name.
        let config =
            |items: &[serde_json::Value]| items.iter().find(|item| item["sk"]["S"] == "CONFIG").unwrap().clone();
        let (mut before, mut after) = (config(&before), config(&deployment.items().await));
        for name in patch.as_object().unwrap().keys().map(String::as_str).chain(["configuration_revision"]) {
            before.as_object_mut().unwrap().remove(name);
            after.as_object_mut().unwrap().remove(name);
        }
        assert_eq!(before, after, "{patch}");
    }
}

#[tokio::test]
async fn an_update_of_nothing_changes_nothing() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let before = deployment.items().await;
    let answer = deployment.update(&tenant, &json!({})).await;
    assert!(answer.data(200)["updated_at"].is_null());
    assert_eq!(deployment.items().await, before);
}

#[tokio::test]
async fn a_rule_that_ties_fields_together_holds_for_the_outcome() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    deployment.update(&tenant, &json!({ "webauthn_origins": ["https://example.com"] })).await.names("webauthn_rp_id");
    deployment.update(&tenant, &json!({ "webauthn_rp_id": "example.com" })).await.data(200);
    deployment.update(&tenant, &json!({ "webauthn_origins": ["https://example.com"] })).await.data(200);
    deployment.update(&tenant, &json!({ "webauthn_rp_id": null })).await.names("webauthn_rp_id");
    deployment.update(&tenant, &json!({ "webauthn_rp_id": "example.org" })).await.names("webauthn_origins[0]");
    deployment.update(&tenant, &json!({ "webauthn_rp_id": null, "webauthn_origins": [] })).await.data(200);
}

#[tokio::test]
async fn secret_status_and_ids_cannot_be_updated() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let before = deployment.items().await;
    for field in ["tenant_secret", "status", "tenant_id", "project_id", "abuse_strikes", "created_at", "secret_version"]
    {
        deployment.update(&tenant, &json!({ field: "x" })).await.names(field);
    }
    for field in ["tenant_name", "rate_limit_per_min", "qr_login_allowed_origins", "webauthn_origins"] {
        deployment.update(&tenant, &json!({ field: null })).await.names(field);
    }
    deployment
        .post_nothing(&format!("/api/v1/update/tenant?tenant_id={}", tenant.id))
        .await
        .refused(400, "malformed_request");
    assert_eq!(deployment.items().await, before);
}

#[tokio::test]
async fn two_updates_at_once_lose_nothing() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    // The first has read the tenant and is held back at its write, while the second reads and writes.
    let held = deployment.stack.faults().hold(Match::any().function("update-tenant").operation("TransactWriteItems"));
    let (first, second) =
        (json!({ "branding_display_name": "A" }), json!({ "callback_url_base": "https://api.example.com" }));
    let (one, two) = (deployment.update(&tenant, &first), deployment.update(&tenant, &second));
    let release = async {
        held.reached_by(2).await;
        held.release();
    };
    let (one, two, ()) = tokio::join!(one, two, release);
    one.data(200);
    two.data(200);
    let fetched = deployment.fetch(&tenant).await;
    assert_eq!(
        (&fetched["branding_display_name"], &fetched["callback_url_base"]),
        (&json!("A"), &json!("https://api.example.com"))
    );
    assert_eq!(deployment.audit_trail(&tenant).await, ["tenant.provisioned", "tenant.updated", "tenant.updated"]);
}

#[tokio::test]
async fn twenty_updates_at_once_are_each_made_or_refused_and_none_is_lost() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let patch = |n: usize| match n % 4 {
        0 => json!({ "branding_display_name": format!("{n}") }),
        1 => json!({ "tenant_name": format!("{n}") }),
        2 => json!({ "rate_limit_per_min": n }),
        _ => json!({ "callback_url_base": format!("https://a{n}.example.com") }),
    };
    let url = format!("{}/api/v1/update/tenant?tenant_id={}", deployment.stack.url(), tenant.id);
    let calls = (1..=20).map(|n| {
        let call = Call::new("POST", &url).header("x-admin-key", deployment.key()).json(&patch(n));
        tokio::spawn(call.send())
    });
    let mut made = 0;
    for task in calls.collect::<Vec<_>>() {
        let answer = task.await.unwrap();
        match answer.status {
            200 => made += 1,
            409 => _ = answer.refused(409, "stale_update"),
            status => panic!("{status}: {}", answer.text),
        }
    }
    let state = deployment.state(&tenant.id).await.unwrap();
    assert!(made >= 1);
    assert_eq!(state["revision"], made);
    assert_eq!(deployment.audit_trail(&tenant).await.len(), 1 + usize::try_from(made).unwrap());
}

#[tokio::test]
async fn an_unknown_tenant_is_not_found() {
    let deployment = Deployment::start().await;
    let ghost = Tenant { id: "tnt_00000000000000000000000000000000".to_owned(), secret: String::new() };
    deployment.update(&ghost, &json!({ "tenant_name": "a" })).await.refused(404, "tenant_not_found");
    assert!(deployment.items().await.is_empty());
}

/// The account surface as a tenant's backend sees it: with an account key, and with a token as wide as that.
async fn check_end_user_is_required(deployment: &Deployment, key: &ApiKey, wide: &str, required: bool, label: &str) {
    const SESSIONS: &str = "/api/v1/agent-sessions";
    let unnamed = [
        (deployment.account(key, "GET", SESSIONS), 200),
        (deployment.account(key, "POST", SESSIONS).json(&json!({})), 201),
        (deployment.account(key, "POST", "/api/v1/auth/token").json(&json!({})), 200),
        (deployment.page(wide, "GET", SESSIONS), 200),
        (deployment.page(wide, "GET", "/api/v1/documents"), 200),
    ];
    for (call, status) in unnamed {
        let answer = call.send().await;
        let expected = if required { (403, Some("end_user_required")) } else { (status, None) };
        assert_eq!((answer.status, answer.code()), expected, "{label}: {}", answer.text);
    }
    let token = deployment.scoped_token(key, Some("ada")).await;
    deployment.account(key, "GET", SESSIONS).header("external_user_id", "ada").send().await.document(200);
    deployment.account(key, "POST", SESSIONS).json(&json!({ "external_user_id": "ada" })).send().await.document(201);
    deployment.page(&token, "GET", SESSIONS).send().await.document(200);
    // What is wrong with a request is said before that it names nobody: a misspelled name explains it.
    let misspelled = deployment.account(key, "POST", SESSIONS).json(&json!({ "external_userid": "ada" }));
    misspelled.send().await.invalid("body", "external_userid");
    deployment.account(key, "GET", &format!("{SESSIONS}?page=0")).send().await.invalid("query", "page");
    assert!(deployment.is_active(key, wide).await, "it rests, and is not revoked");
}

#[tokio::test]
async fn whether_calls_have_to_name_an_end_user_is_the_tenants_decision_or_else_the_deployments() {
    for default in [false, true] {
        let deployment =
            Deployment::start_with(|builder| builder.parameter("RequireEndUser", &default.to_string())).await;
        let tenant = deployment.provision("Acme").await;
        let other = deployment.provision("Beta").await;
        deployment.update(&other, &json!({ "require_end_user": !default })).await.data(200);
        let key = deployment.api_key(&tenant, "account").await;
        deployment.update(&tenant, &json!({ "require_end_user": false })).await.data(200);
        let wide = deployment.scoped_token(&key, None).await;
        for decision in [json!(null), json!(true), json!(false), json!(true), json!(null)] {
            let answer = deployment.update(&tenant, &json!({ "require_end_user": decision })).await;
            assert_eq!(answer.data(200)["require_end_user"], decision);
            let required = decision.as_bool().unwrap_or(default);
            let label = format!("deployment {default}, tenant {decision}");
            check_end_user_is_required(&deployment, &key, &wide, required, &label).await;
            deployment.update(&tenant, &json!({ "tenant_name": "Acme Ltd" })).await.data(200);
            assert_eq!(deployment.fetch(&tenant).await["require_end_user"], decision, "{label}");
            check_end_user_is_required(&deployment, &key, &wide, required, &label).await;
        }
        assert_eq!(deployment.fetch(&other).await["require_end_user"], !default);
    }
}

#[tokio::test]
async fn require_end_user_is_true_false_or_null() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let before = deployment.items().await;
    for value in [json!("true"), json!(1), json!(0), json!([]), json!({})] {
        deployment.update(&tenant, &json!({ "require_end_user": value })).await.names("require_end_user");
    }
    assert_eq!(deployment.items().await, before);
}
