//! `POST /api/v1/relay/webauthn/register/verify`

use serde_json::{Value, json};

use crate::support::authenticator::Authenticator;
use crate::support::passkeys::{ORIGIN, RP_ID};
use crate::support::{Deployment, Tenant, with};

const PATH: &str = "register/verify";

/// The body of a registration that begins now.
async fn answer_of(deployment: &Deployment, tenant: &Tenant, user: &str) -> Value {
    let options = deployment.creation_options(tenant, user).await;
    let (_, credential) = Authenticator::create(&options, ORIGIN, 0);
    json!({ "credential": credential, "browser_origin": ORIGIN })
}

#[tokio::test]
async fn a_passkey_is_kept_and_listed_and_its_registration_is_audited() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_passkeys("Acme").await;
    let body = answer_of(&deployment, &tenant, "ada").await;
    let answer = deployment.webauthn(&tenant, PATH, &with(&body, &json!({ "name": "Phone" }))).send().await;
    let passkey = answer.data(200);
    let expected = json!({
        "backend_user_id": "ada",
        "relay_user_linked_id": passkey["relay_user_linked_id"],
        "credential_id": body["credential"]["id"],
        "name": "Phone",
        "aaguid": "00000000-0000-0000-0000-000000000000",
        "transports": ["internal", "hybrid"],
        "backup_eligible": true,
        "backup_state": true,
        "created_at": passkey["created_at"],
        "last_used_at": null,
        "rp_id": RP_ID,
        "revoked_at": null,
    });
    assert_eq!(passkey, &expected);
    assert_eq!(passkey["relay_user_linked_id"].as_str().unwrap().len(), 24);
    let listed = deployment.passkeys_of(&tenant, "ada").await;
    let mut row = expected.clone();
    for field in ["backend_user_id", "relay_user_linked_id"] {
        row.as_object_mut().unwrap().remove(field);
    }
    assert_eq!(listed, [row]);
    let events = deployment.audit_events(&tenant).await;
    let event = events.last().unwrap();
    assert_eq!((&event["action"], &event["actor"]), (&json!("passkey.registered"), &json!("tenant secret")));
    assert_eq!(
        (event["subject"].as_str().unwrap().len(), event["details"]["passkey"].as_str().unwrap().len()),
        (32, 64)
    );
    // Only a whole text: the digits of an id may spell a name.
    assert!(!event.to_string().contains("\"ada\""), "{event}");
}

#[tokio::test]
async fn a_response_is_good_once_and_a_refused_one_never_again() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_passkeys("Acme").await;
    let body = answer_of(&deployment, &tenant, "ada").await;
    deployment.webauthn(&tenant, PATH, &body).send().await.data(200);
    let again = deployment.webauthn(&tenant, PATH, &body).send().await;
    deployment.check_credential_refused(&again, "unknown_ceremony");
    // Whatever was wrong with it.
    let body = answer_of(&deployment, &tenant, "ada").await;
    let mut wrong = body.clone();
    wrong["credential"]["response"]["attestationObject"] = json!("oA");
    let refused = deployment.webauthn(&tenant, PATH, &wrong).send().await;
    deployment.check_credential_refused(&refused, "malformed_attestation");
    let late = deployment.webauthn(&tenant, PATH, &body).send().await;
    deployment.check_credential_refused(&late, "unknown_ceremony");
    assert_eq!(again.text, late.text);
    assert_eq!(deployment.passkeys_of(&tenant, "ada").await.len(), 1);
}

#[tokio::test]
async fn a_response_is_of_its_tenant_its_person_its_page_and_its_five_minutes() {
    let deployment = Deployment::start().await;
    let (tenant, other) = (deployment.with_passkeys("Acme").await, deployment.with_passkeys("Beta").await);
    let elsewhere = "https://login.example.com";
    let origins = json!({ "webauthn_origins": [ORIGIN, elsewhere] });
    deployment.update(&tenant, &origins).await.data(200);
    let body = answer_of(&deployment, &tenant, "ada").await;
    let theirs = deployment.webauthn(&other, PATH, &body).send().await;
    deployment.check_credential_refused(&theirs, "unknown_ceremony");
    for (change, cause) in [
        (json!({ "backend_user_id": "bob" }), "another_person"),
        (json!({ "relay_user_linked_id": "0".repeat(24) }), "another_person"),
        (json!({ "browser_origin": elsewhere }), "wrong_origin"),
    ] {
        let body = answer_of(&deployment, &tenant, "ada").await;
        let answer = deployment.webauthn(&tenant, PATH, &with(&body, &change)).send().await;
        deployment.check_credential_refused(&answer, cause);
    }
    // That of a login is none of a registration.
    let options = deployment.request_options(&tenant, &json!({})).await;
    let as_creation =
        json!({ "challenge": options["challenge"], "rp": { "id": RP_ID }, "user": { "id": "A".repeat(43) } });
    let (_, credential) = Authenticator::create(&as_creation, ORIGIN, 0);
    let swapped = deployment.register(&tenant, &credential).send().await;
    deployment.check_credential_refused(&swapped, "unknown_ceremony");
    // Expired by the clock, and not by its deletion.
    let late = answer_of(&deployment, &tenant, "ada").await;
    for item in deployment.items().await.iter().filter(|item| item["sk"]["S"] == "CEREMONY") {
        deployment.set(item["pk"]["S"].as_str().unwrap(), "CEREMONY", "expires_at", &json!({ "N": "1" })).await;
    }
    let answer = deployment.webauthn(&tenant, PATH, &late).send().await;
    deployment.check_credential_refused(&answer, "unknown_ceremony");
    // The first one is still good.
    assert!(deployment.passkeys_of(&tenant, "ada").await.is_empty());
}

#[tokio::test]
async fn an_id_is_registered_once_at_a_tenant_and_by_another_tenant_as_well() {
    let deployment = Deployment::start().await;
    let (tenant, other) = (deployment.with_passkeys("Acme").await, deployment.with_passkeys("Beta").await);
    let passkey = deployment.enrol(&tenant, "ada", 0).await;
    for (tenant, is_new) in [(&tenant, false), (&other, true)] {
        let options = deployment.creation_options(tenant, "bob").await;
        let answer = deployment.register(tenant, &passkey.registration(&options, ORIGIN)).send().await;
        if is_new {
            answer.data(200);
        } else {
            deployment.check_credential_refused(&answer, "known_credential");
        }
    }
    let revoke = json!({ "backend_user_id": "ada", "credential_id": passkey.credential_id() });
    deployment.webauthn(&tenant, "revoke/passkey", &revoke).send().await.data(200);
    let options = deployment.creation_options(&tenant, "ada").await;
    let answer = deployment.register(&tenant, &passkey.registration(&options, ORIGIN)).send().await;
    deployment.check_credential_refused(&answer, "known_credential");
}

#[tokio::test]
async fn what_integrators_send_in_place_of_the_credential_is_told_by_name() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_passkeys("Acme").await;
    let body = answer_of(&deployment, &tenant, "ada").await;
    let credential = &body["credential"];
    let options = deployment.creation_options(&tenant, "ada").await;
    for (wrong, told) in [
        (json!({ "success": true, "data": credential }), "not another object"),
        (json!({ "credential": credential }), "not another object"),
        (options.clone(), "not the options"),
        (json!({ "publicKey": options }), "not the options"),
        (json!(credential.to_string()), "toJSON()"),
        (json!(null), "is required"),
    ] {
        let answer = deployment.webauthn(&tenant, PATH, &with(&body, &json!({ "credential": wrong }))).send().await;
        assert!(answer.names("credential").text.contains(told), "{}", answer.text);
    }
    for (field, value) in [("name", json!("")), ("name", json!("a".repeat(65))), ("browser_origin", json!("x"))] {
        deployment.webauthn(&tenant, PATH, &with(&body, &json!({ field: value }))).send().await.names(field);
    }
    // None of it has used up the ceremony.
    deployment.webauthn(&tenant, PATH, &body).send().await.data(200);
}
