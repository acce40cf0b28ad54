//! `POST /api/v1/relay/webauthn/authenticate/options`

use serde_json::json;

use crate::support::Deployment;
use crate::support::passkeys::{ORIGIN, RP_ID};

const PATH: &str = "authenticate/options";

#[tokio::test]
async fn without_a_name_anybody_is_asked_and_with_one_the_persons_passkeys() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_passkeys("Acme").await;
    let passkey = deployment.enrol(&tenant, "ada", 0).await;
    let anybody = deployment.request_options(&tenant, &json!({})).await;
    let expected = json!({
        "challenge": anybody["challenge"], "timeout": 300_000, "rpId": RP_ID, "allowCredentials": [],
        "userVerification": "required",
    });
    assert_eq!(anybody, expected);
    let ada = deployment.request_options(&tenant, &json!({ "backend_user_id": "ada", "hints": ["hybrid"] })).await;
    let descriptor =
        json!({ "type": "public-key", "id": passkey.credential_id(), "transports": ["internal", "hybrid"] });
    assert_eq!(ada["allowCredentials"], json!([descriptor]));
    assert_eq!(ada["hints"], json!(["hybrid"]));
    assert_ne!(ada["challenge"], anybody["challenge"]);
}

#[tokio::test]
async fn somebody_who_was_never_named_is_asked_like_one_without_passkeys_and_is_not_noted() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_passkeys("Acme").await;
    let options = deployment.request_options(&tenant, &json!({ "backend_user_id": "ghost" })).await;
    assert_eq!(options["allowCredentials"], json!([]));
    let items = deployment.items().await;
    assert!(items.iter().all(|item| item["sk"]["S"] != "PERSON"));
    let body = json!({ "relay_user_linked_id": "0".repeat(24), "browser_origin": ORIGIN });
    deployment.webauthn(&tenant, PATH, &body).send().await.refused(404, "person_not_found");
}

#[tokio::test]
async fn what_is_wrong_with_a_field_is_told_by_its_name() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_passkeys("Acme").await;
    for (field, body) in [
        ("browser_origin", json!({})),
        ("browser_origin", json!({ "browser_origin": "https://app.example.com/login" })),
        ("backend_user_id", json!({ "browser_origin": ORIGIN, "backend_user_id": "" })),
        ("relay_user_linked_id", json!({ "browser_origin": ORIGIN, "relay_user_linked_id": "ada" })),
        ("hints[0]", json!({ "browser_origin": ORIGIN, "hints": ["usb"] })),
    ] {
        deployment.webauthn(&tenant, PATH, &body).send().await.names(field);
    }
}

/// What integrators set up wrong is told by its name, whichever ceremony it is.
#[tokio::test]
async fn a_set_up_that_is_wrong_is_told_by_its_name() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_passkeys("Acme").await;
    let asked =
        async |origin: &str| deployment.webauthn(&tenant, PATH, &json!({ "browser_origin": origin })).send().await;
    for (origin, told) in [
        ("https://app.example.com:8443", "another port"),
        ("http://127.0.0.1:8080", "IP address"),
        ("https://login.example.com", "not in webauthn_origins"),
        ("https://example.org", "not in webauthn_origins"),
        (&format!("android:apk-key-hash:{}", "A".repeat(43)), "an app"),
    ] {
        let answer = asked(origin).await;
        answer.refused(403, "origin_not_allowed");
        assert!(answer.body["message"].as_str().unwrap().contains(told), "{origin}: {}", answer.text);
    }
    let answer = asked("https://app.example.com/").await;
    assert!(answer.names("browser_origin").text.contains("trailing slash"), "{}", answer.text);
    for (patch, told) in [
        (json!({ "passkeys_enabled": false }), "passkeys_enabled is false"),
        (json!({ "passkeys_enabled": null }), "PasskeysEnabled is off"),
        (json!({ "webauthn_rp_id": null, "webauthn_origins": [] }), "no webauthn_rp_id"),
    ] {
        deployment.update(&tenant, &patch).await.data(200);
        let answer = asked(ORIGIN).await;
        answer.refused(403, "passkeys_disabled");
        assert!(answer.body["message"].as_str().unwrap().contains(told), "{}", answer.text);
    }
}

#[tokio::test]
async fn an_app_is_an_origin_like_a_page() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_passkeys("Acme").await;
    let app = format!("android:apk-key-hash:{}", "A".repeat(43));
    deployment.update(&tenant, &json!({ "webauthn_origins": [ORIGIN, app] })).await.data(200);
    let options = deployment.webauthn(&tenant, PATH, &json!({ "browser_origin": app })).send().await;
    options.data(200);
}
