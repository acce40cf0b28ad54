//! `POST /api/v1/provision/tenant`

use serde_json::{Value, json};
use stack::Invocation;

use crate::support::{Deployment, Tenant, event, with};

const PATH: &str = "/api/v1/provision/tenant";

#[tokio::test]
async fn only_the_name_is_required_and_the_rest_has_its_defaults() {
    let deployment = Deployment::start().await;
    let answer = deployment.post(PATH, &json!({ "tenant_name": "Acme" })).await;
    let data = answer.data(201);
    let tenant = Tenant::of(&answer);
    assert_eq!(tenant.id.len(), 36);
    assert!(tenant.secret.starts_with("sk_") && tenant.secret.len() == 67);
    assert_eq!((&data["tenant_name"], &data["rate_limit_per_min"]), (&json!("Acme"), &json!(60)));
    assert_eq!(data["project_id"].as_str().unwrap().replace('-', ""), tenant.id["tnt_".len()..]);
    let fetched = deployment.fetch(&tenant).await;
    for name in [
        "callback_url_base",
        "branding_display_name",
        "branding_logo_url",
        "webauthn_rp_id",
        "passkeys_enabled",
        "require_end_user",
        "rows_per_end_user",
        "rows_per_tenant",
        "calls_per_min_per_key",
        "calls_per_min_per_end_user",
    ] {
        assert!(fetched[name].is_null(), "{name}");
    }
    assert_eq!(fetched["qr_login_allowed_origins"], json!([]));
    let rules = ["qr_rotation", "qr_number_matching", "qr_distant"].map(|name| &fetched[name]);
    assert_eq!(rules, ["allowed", "always", "confirm"]);
    assert_eq!((&fetched["qr_expiry_seconds"], &fetched["qr_sessions_per_address"]), (&json!(120), &json!(50)));
    assert_eq!(fetched["updated_at"], Value::Null);
}

#[tokio::test]
async fn the_secret_and_the_signing_key_are_stored_apart_under_the_versions_that_the_table_names() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    assert_eq!(deployment.valid_secrets(&tenant.id).await, [tenant.secret.as_str()]);
    deployment.signing_kid(&tenant.id).await;
    let (secret, key) = (deployment.stored_tenant_secret(&tenant.id), deployment.stored_signing_key(&tenant.id));
    assert_eq!((secret.versions.len(), key.versions.len()), (1, 1));
    assert!(!secret.versions[0].2.contains("signing_key") && !key.versions[0].2.contains("tenant_secret"));
    assert_eq!(deployment.audit_trail(&tenant).await, ["tenant.provisioned"]);
}

/// By the one it is found, by the other it is in the stack's budget.
#[tokio::test]
async fn the_secrets_have_the_tags_of_the_tenant_and_of_the_stage() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let calls = deployment.stack.calls();
    let made: Vec<_> = calls.iter().filter(|call| call.operation == "CreateSecret").collect();
    assert_eq!(made.len(), 2);
    for call in made {
        let expected = json!([
            { "Key": "latchkey:tenant", "Value": tenant.id },
            { "Key": "latchkey-stage", "Value": "dev" },
        ]);
        assert_eq!(call.request["Tags"], expected);
    }
}

#[tokio::test]
async fn every_configuration_field_is_kept_as_it_was_given() {
    let deployment = Deployment::start().await;
    let given = json!({
        "tenant_name": "Bücher & Söhne 🙂",
        "rate_limit_per_min": 10_000,
        "qr_login_allowed_origins": ["https://app.example.com", "http://localhost:3000", "https://example.com:8443"],
        "qr_rotation": "required",
        "qr_number_matching": "never",
        "qr_distant": "inform",
        "qr_expiry_seconds": 300,
        "qr_sessions_per_address": 500,
        "callback_url_base": "https://api.example.com/hooks",
        "branding_display_name": "株式会社",
        "branding_logo_url": "https://example.com/logo.png?size=64",
        "webauthn_rp_id": "example.co.uk",
        "webauthn_origins": ["https://login.example.co.uk", "https://example.co.uk:8443"],
        "passkeys_enabled": false,
        "require_end_user": true,
        "rows_per_end_user": 100_000_000,
        "rows_per_tenant": 8,
        "calls_per_min_per_key": 1,
        "calls_per_min_per_end_user": 10_000,
    });
    let tenant = Tenant::of(&deployment.post(PATH, &given).await);
    let fetched = deployment.fetch(&tenant).await;
    for (name, value) in given.as_object().unwrap() {
        assert_eq!(&fetched[name], value, "{name}");
    }
}

#[tokio::test]
async fn a_tenant_without_a_signing_version_gets_the_deployments_and_keeps_it() {
    for default in ["v1", "v2"] {
        let deployment = Deployment::start_with(|builder| builder.parameter("DefaultSigningVersion", default)).await;
        for (fields, expected) in [
            (json!({}), default),
            (json!({ "signing_version": "v1" }), "v1"),
            (json!({ "signing_version": "v2" }), "v2"),
        ] {
            let answer = deployment.post(PATH, &with(&json!({ "tenant_name": "Acme" }), &fields)).await;
            let tenant = Tenant::of(&answer);
            assert_eq!(deployment.fetch(&tenant).await["signing_version"], expected, "{default} {fields}");
            let answer = deployment.whoami(&tenant.signing()).send().await;
            assert_eq!(answer.status, if expected == "v2" { 401 } else { 200 }, "{default} {fields}");
        }
    }
}

#[tokio::test]
async fn a_tenant_that_was_provisioned_to_require_an_end_user_does_from_its_first_call_on() {
    for default in ["false", "true"] {
        let deployment = Deployment::start_with(|builder| builder.parameter("RequireEndUser", default)).await;
        for (decision, required) in [(json!(null), default == "true"), (json!(true), true), (json!(false), false)] {
            let body = json!({ "tenant_name": "Acme", "require_end_user": decision });
            let tenant = Tenant::of(&deployment.post(PATH, &body).await);
            assert_eq!(deployment.fetch(&tenant).await["require_end_user"], decision);
            let key = deployment.api_key(&tenant, "account").await;
            let answer = deployment.account(&key, "GET", "/api/v1/workspaces").send().await;
            assert_eq!(answer.status, if required { 403 } else { 200 }, "{default} {decision}");
        }
    }
}

#[tokio::test]
async fn a_field_that_breaks_its_rule_is_named_and_nothing_is_written() {
    let deployment = Deployment::start().await;
    let origins = |count: usize| (0..count).map(|n| format!("https://a{n}.example.com")).collect::<Vec<_>>();
    let cases = [
        ("tenant_name", "tenant_name", json!("")),
        ("tenant_name", "tenant_name", json!("a".repeat(121))),
        ("tenant_name", "tenant_name", json!("a\u{7}b")),
        ("tenant_name", "tenant_name", json!("a\u{202e}b")),
        ("tenant_name", "tenant_name", json!(" \u{200b}")),
        ("tenant_name", "tenant_name", json!(null)),
        ("tenant_name", "tenant_name", json!(["a"])),
        ("rate_limit_per_min", "rate_limit_per_min", json!(0)),
        ("rate_limit_per_min", "rate_limit_per_min", json!(10_001)),
        ("rate_limit_per_min", "rate_limit_per_min", json!(1.5)),
        ("rate_limit_per_min", "rate_limit_per_min", json!("60")),
        ("qr_login_allowed_origins", "qr_login_allowed_origins", json!(origins(51))),
        (
            "qr_login_allowed_origins",
            "qr_login_allowed_origins[1]",
            json!(["https://a.example.com", "http://a.example.com"]),
        ),
        ("qr_login_allowed_origins", "qr_login_allowed_origins[0]", json!(["https://a.example.com/"])),
        ("qr_rotation", "qr_rotation", json!("Required")),
        ("qr_rotation", "qr_rotation", json!({ "required": null })),
        ("qr_number_matching", "qr_number_matching", json!("risk")),
        ("qr_distant", "qr_distant", json!(true)),
        ("qr_expiry_seconds", "qr_expiry_seconds", json!(59)),
        ("qr_expiry_seconds", "qr_expiry_seconds", json!(301)),
        ("qr_sessions_per_address", "qr_sessions_per_address", json!(0)),
        ("qr_sessions_per_address", "qr_sessions_per_address", json!(501)),
        ("callback_url_base", "callback_url_base", json!("http://api.example.com")),
        ("callback_url_base", "callback_url_base", json!("https://169.254.169.254/latest")),
        ("callback_url_base", "callback_url_base", json!("https://0x7f000001")),
        ("callback_url_base", "callback_url_base", json!("https://api.example.com:8443")),
        ("callback_url_base", "callback_url_base", json!("https://[::ffff:127.0.0.1]")),
        ("callback_url_base", "callback_url_base", json!("https://user@api.example.com")),
        ("callback_url_base", "callback_url_base", json!("https://localhost.")),
        ("callback_url_base", "callback_url_base", json!("https://api.example.com?x=1")),
        ("branding_display_name", "branding_display_name", json!("")),
        ("branding_logo_url", "branding_logo_url", json!("https://metadata.google.internal/logo.png")),
        ("branding_logo_url", "branding_logo_url", json!("data:image/png;base64,AAAA")),
        ("webauthn_rp_id", "webauthn_rp_id", json!("co.uk")),
        ("webauthn_rp_id", "webauthn_rp_id", json!("github.io")),
        ("webauthn_rp_id", "webauthn_rp_id", json!("https://example.com")),
        ("webauthn_origins", "webauthn_rp_id", json!(["https://example.com"])),
        ("passkeys_enabled", "webauthn_rp_id", json!(true)),
        ("passkeys_enabled", "passkeys_enabled", json!("true")),
        ("require_end_user", "require_end_user", json!("true")),
        ("require_end_user", "require_end_user", json!(1)),
        ("rows_per_end_user", "rows_per_end_user", json!(0)),
        ("rows_per_end_user", "rows_per_end_user", json!(100_000_001)),
        ("rows_per_tenant", "rows_per_tenant", json!(7)),
        ("calls_per_min_per_key", "calls_per_min_per_key", json!(0)),
        ("calls_per_min_per_key", "calls_per_min_per_key", json!(10_001)),
        ("calls_per_min_per_end_user", "calls_per_min_per_end_user", json!("60")),
        ("tenant_id", "tenant_id", json!("tnt_1")),
    ];
    for (field, named, value) in cases {
        let mut body = json!({ "tenant_name": "Acme" });
        body[field] = value;
        deployment.post(PATH, &body).await.names(named);
    }
    let outside = json!({
        "tenant_name": "a",
        "webauthn_rp_id": "example.com",
        "webauthn_origins": ["https://example.com.evil.com"],
    });
    deployment.post(PATH, &outside).await.names("webauthn_origins[0]");
    assert!(deployment.items().await.is_empty() && deployment.stored_secrets().is_empty());
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_refused_and_nothing_is_written() {
    let deployment = Deployment::start().await;
    let send = |content_type: &'static str, body: &[u8]| {
        deployment.operator("POST", PATH).body(content_type, body.to_vec()).send()
    };
    let json = "application/json";
    for body in [&b"{"[..], b"nul", b"[]", b"\"name\"", b"{\"tenant_name\":\"\xff\"}", b"{\"tenant_name\":\"a\"} x"] {
        send(json, body).await.refused(400, "malformed_request");
    }
    deployment.operator("POST", PATH).send().await.refused(400, "malformed_request");
    send("text/plain", b"{\"tenant_name\":\"a\"}").await.refused(415, "unsupported_media_type");
    send("application/x-www-form-urlencoded", b"tenant_name=a").await.refused(415, "unsupported_media_type");
    send(json, b"{}").await.names("tenant_name");
    send(json, b"{\"tenant_name\":\"a\",\"tenant_name\":\"b\"}").await.names("tenant_name");
    send(json, b"{\"tenant_name\":\"a\",\"nickname\":1}").await.names("nickname");
    let deep = format!("{{\"tenant_name\":{}1{}}}", "[".repeat(20_000), "]".repeat(20_000));
    assert!(matches!(send(json, deep.as_bytes()).await.status, 400 | 422));
    assert!(deployment.items().await.is_empty());
}

#[tokio::test]
async fn a_large_body_is_refused_before_it_is_read() {
    let deployment = Deployment::start().await;
    for size in [64 * 1024 + 1, 1024 * 1024] {
        let body = format!("{{\"tenant_name\":\"{}\"}}", "a".repeat(size - 18));
        assert_eq!(body.len(), size);
        let call = deployment.operator("POST", PATH).body("application/json", body);
        call.send().await.refused(413, "payload_too_large");
    }
    let body = format!("{{\"tenant_name\":\"{}\"}}", "a".repeat(64 * 1024 - 18));
    deployment.operator("POST", PATH).body("application/json", body).send().await.names("tenant_name");
    let many: Vec<_> = (0..10_000).map(|n| format!("https://a{n}.example.com")).collect();
    let body = json!({ "tenant_name": "a", "qr_login_allowed_origins": many });
    deployment.post(PATH, &body).await.refused(413, "payload_too_large");
    let many: Vec<_> = (0..1_500).map(|n| format!("https://a{n}.example.com")).collect();
    let body = json!({ "tenant_name": "a", "qr_login_allowed_origins": many });
    deployment.post(PATH, &body).await.names("qr_login_allowed_origins");
    assert!(deployment.items().await.is_empty());
}

#[tokio::test]
async fn a_body_in_base64_is_the_same_body() {
    let deployment = Deployment::start().await;
    let headers = [("x-admin-key", deployment.key()), ("content-type", "application/json; charset=utf-8")];
    let mut event = event("POST", PATH, "", &headers, None);
    event["isBase64Encoded"] = true.into();
    // {"tenant_name":"é"}
    for (body, status) in [("eyJ0ZW5hbnRfbmFtZSI6IsOpIn0=", 201), ("not base64", 400)] {
        event["body"] = body.into();
        let answer = deployment.stack.invoke("provision-tenant", event.clone(), Invocation::default()).await.unwrap();
        assert_eq!(answer.payload["statusCode"], status, "{}", answer.payload);
        assert_eq!(answer.payload["body"].as_str().unwrap().contains("é"), status == 201);
    }
}

#[tokio::test]
async fn a_credential_in_the_query_string_is_refused_even_beside_a_good_one() {
    let deployment = Deployment::start().await;
    for parameter in ["admin_key", "X-Admin-Key", "api_key", "token", "access_token", "client_secret", "poll_token"] {
        let path = format!("{PATH}?{parameter}={}", deployment.key());
        deployment.post(&path, &json!({ "tenant_name": "a" })).await.refused(400, "credential_in_query");
    }
    deployment.post(&format!("{PATH}?verbose=1"), &json!({ "tenant_name": "a" })).await.names("verbose");
    assert!(deployment.items().await.is_empty());
}
