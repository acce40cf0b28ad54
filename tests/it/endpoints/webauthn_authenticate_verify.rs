//! `POST /api/v1/relay/webauthn/authenticate/verify`

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::support::authenticator::{Authenticator, BACKED_UP, BACKUP_ELIGIBLE, USER_PRESENT, USER_VERIFIED};
use crate::support::passkeys::{ORIGIN, RP_ID};
use crate::support::{Answer, Deployment, Tenant, with};

const PATH: &str = "authenticate/verify";

/// The body of a login that begins now.
async fn answer_of(deployment: &Deployment, tenant: &Tenant, passkey: &mut Authenticator, of: &Value) -> Value {
    let options = deployment.request_options(tenant, of).await;
    json!({ "credential": passkey.get(&options, ORIGIN), "browser_origin": ORIGIN })
}

async fn verify(deployment: &Deployment, tenant: &Tenant, body: &Value) -> Answer {
    deployment.webauthn(tenant, PATH, body).send().await
}

#[tokio::test]
async fn a_login_says_whose_the_passkey_is_with_a_name_and_without() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_passkeys("Acme").await;
    let mut passkey = deployment.enrol(&tenant, "ada", 1).await;
    for of in [json!({}), json!({ "backend_user_id": "ada" })] {
        let body = answer_of(&deployment, &tenant, &mut passkey, &of).await;
        let answer = verify(&deployment, &tenant, &body).await;
        let login = answer.data(200);
        let expected = json!({
            "backend_user_id": "ada",
            "relay_user_linked_id": login["relay_user_linked_id"],
            "credential_id": passkey.credential_id(),
            "user_verified": true,
            "backup_state": true,
        });
        assert_eq!(login, &expected);
        let again = verify(&deployment, &tenant, &body).await;
        deployment.check_credential_refused(&again, "unknown_ceremony");
    }
    let listed = deployment.passkeys_of(&tenant, "ada").await;
    assert!(listed[0]["last_used_at"].is_string(), "{listed:?}");
    let trail = deployment.audit_trail(&tenant).await;
    assert_eq!(trail.last().map(String::as_str), Some("passkey.registered"), "a login is no change");
}

#[tokio::test]
async fn a_passkey_that_nobody_has_and_one_that_is_revoked_are_answered_with_what_hides_them() {
    let deployment = Deployment::start().await;
    let (tenant, other) = (deployment.with_passkeys("Acme").await, deployment.with_passkeys("Beta").await);
    let mut passkey = deployment.enrol(&tenant, "ada", 0).await;
    let mut theirs = deployment.enrol(&other, "ada", 0).await;
    let revoke = json!({ "backend_user_id": "ada", "credential_id": passkey.credential_id() });
    deployment.webauthn(&tenant, "revoke/passkey", &revoke).send().await.data(200);
    for (passkey, cause) in [(&mut passkey, "revoked_credential"), (&mut theirs, "unknown_credential")] {
        let body = answer_of(&deployment, &tenant, passkey, &json!({})).await;
        let answer = verify(&deployment, &tenant, &body).await;
        deployment.check_credential_refused(&answer, cause);
        let signals = &answer.body["error"]["signals"];
        let expected = json!({ "unknown_credential": { "rpId": RP_ID, "credentialId": passkey.credential_id() } });
        assert_eq!(signals, &expected);
        // The ceremony is gone for a passkey that would fit, too.
        let again = verify(&deployment, &tenant, &body).await;
        deployment.check_credential_refused(&again, "unknown_ceremony");
        assert!(again.body["error"].get("signals").is_none(), "{}", again.text);
    }
}

#[tokio::test]
async fn a_response_is_of_its_tenant_its_person_its_page_and_its_five_minutes() {
    let deployment = Deployment::start().await;
    let (tenant, other) = (deployment.with_passkeys("Acme").await, deployment.with_passkeys("Beta").await);
    let elsewhere = "https://login.example.com";
    deployment.update(&tenant, &json!({ "webauthn_origins": [ORIGIN, elsewhere] })).await.data(200);
    let mut passkey = deployment.enrol(&tenant, "ada", 0).await;
    deployment.enrol(&tenant, "bob", 0).await;
    let bob = json!({ "backend_user_id": "bob" });
    for (of, change, cause) in [
        (bob.clone(), json!({}), "another_person"),
        (json!({ "backend_user_id": "ghost" }), json!({}), "another_person"),
        (json!({}), bob, "another_person"),
        (json!({}), json!({ "browser_origin": elsewhere }), "wrong_origin"),
    ] {
        let body = answer_of(&deployment, &tenant, &mut passkey, &of).await;
        let answer = verify(&deployment, &tenant, &with(&body, &change)).await;
        deployment.check_credential_refused(&answer, cause);
    }
    let body = answer_of(&deployment, &tenant, &mut passkey, &json!({})).await;
    deployment.check_credential_refused(&verify(&deployment, &other, &body).await, "unknown_ceremony");
    for item in deployment.items().await.iter().filter(|item| item["sk"]["S"] == "CEREMONY") {
        deployment.set(item["pk"]["S"].as_str().unwrap(), "CEREMONY", "expires_at", &json!({ "N": "1" })).await;
    }
    deployment.check_credential_refused(&verify(&deployment, &tenant, &body).await, "unknown_ceremony");
    // The challenge of a registration.
    let options = deployment.creation_options(&tenant, "ada").await;
    let body = json!({ "credential": passkey.get(&options, ORIGIN), "browser_origin": ORIGIN });
    deployment.check_credential_refused(&verify(&deployment, &tenant, &body).await, "unknown_ceremony");
}

#[tokio::test]
async fn what_changes_of_the_tenant_counts_at_the_end_of_a_login_that_has_begun() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_passkeys("Acme").await;
    let mut passkey = deployment.enrol(&tenant, "ada", 0).await;
    for (patch, code) in [
        (json!({ "passkeys_enabled": false }), "passkeys_disabled"),
        (json!({ "webauthn_origins": ["https://login.example.com"] }), "origin_not_allowed"),
    ] {
        let body = answer_of(&deployment, &tenant, &mut passkey, &json!({})).await;
        deployment.update(&tenant, &patch).await.data(200);
        verify(&deployment, &tenant, &body).await.refused(403, code);
        let back = json!({ "passkeys_enabled": true, "webauthn_origins": [ORIGIN] });
        deployment.update(&tenant, &back).await.data(200);
        deployment.check_credential_refused(&verify(&deployment, &tenant, &body).await, "unknown_ceremony");
    }
    let body = answer_of(&deployment, &tenant, &mut passkey, &json!({})).await;
    let party = json!({ "webauthn_rp_id": "app.example.com" });
    let path = format!("/api/v1/update/tenant?tenant_id={}&force=true", tenant.id);
    deployment.post(&path, &party).await.data(200);
    deployment.check_credential_refused(&verify(&deployment, &tenant, &body).await, "wrong_rp_id_hash");
}

#[tokio::test]
async fn a_counter_that_goes_back_is_refused_and_told_of_and_the_stored_one_stays() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_passkeys("Acme").await;
    let mut passkey = deployment.enrol(&tenant, "ada", 5).await;
    let mut copy = passkey.clone();
    for _ in 0..2 {
        deployment.log_in(&tenant, &mut passkey).await.data(200);
    }
    // 6, 7: both not above the 7 that is stored.
    for _ in 0..2 {
        let answer = deployment.log_in(&tenant, &mut copy).await;
        deployment.check_credential_refused(&answer, "counter_back");
    }
    copy.counter = 0;
    let answer = deployment.log_in(&tenant, &mut copy).await;
    deployment.check_credential_refused(&answer, "counter_back");
    deployment.log_in(&tenant, &mut passkey).await.data(200);
    let trail = deployment.audit_trail(&tenant).await;
    let told = trail.iter().filter(|action| *action == "passkey.clone_suspected").count();
    assert_eq!(told, 3, "{trail:?}");
}

#[tokio::test]
async fn a_passkey_that_becomes_eligible_for_backup_is_accepted_and_stays_so() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_passkeys("Acme").await;
    let options = deployment.creation_options(&tenant, "ada").await;
    let (mut passkey, _) = Authenticator::create(&options, ORIGIN, 0);
    passkey.flags = USER_PRESENT | USER_VERIFIED;
    deployment.register(&tenant, &passkey.registration(&options, ORIGIN)).send().await.data(200);
    let backup = async || {
        let row = deployment.passkeys_of(&tenant, "ada").await.remove(0);
        (row["backup_eligible"] == true, row["backup_state"] == true)
    };
    assert_eq!(backup().await, (false, false));
    passkey.flags |= BACKUP_ELIGIBLE | BACKED_UP;
    assert_eq!(deployment.log_in(&tenant, &mut passkey).await.data(200)["backup_state"], true);
    assert_eq!(backup().await, (true, true));
    passkey.flags = USER_PRESENT | USER_VERIFIED;
    let answer = deployment.log_in(&tenant, &mut passkey).await;
    deployment.check_credential_refused(&answer, "backup_eligibility_lost");
}

/// A page in a frame is told what to do. The code is that of every refusal.
#[tokio::test]
async fn a_page_in_a_frame_of_another_origin_is_told_so() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_passkeys("Acme").await;
    let passkey = deployment.enrol(&tenant, "ada", 0).await;
    let options = deployment.request_options(&tenant, &json!({})).await;
    let data = json!({
        "type": "webauthn.get", "challenge": options["challenge"], "origin": ORIGIN, "crossOrigin": true,
        "topOrigin": "https://portal.example",
    });
    let credential = passkey.assertion(data.to_string().as_bytes());
    let answer = deployment.authenticate(&tenant, &credential).send().await;
    deployment.check_credential_refused(&answer, "cross_origin");
    assert!(answer.body["message"].as_str().unwrap().contains("frame"), "{}", answer.text);
}

/// The causes are tested with the verification; here, that none of them shows.
#[tokio::test]
async fn refusals_have_the_same_bytes_whatever_the_cause() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_passkeys("Acme").await;
    let mut passkey = deployment.enrol(&tenant, "ada", 0).await;
    let mut texts = Vec::new();
    for (field, value, cause) in [
        ("signature", BASE64URL_NOPAD.encode(&[0; 70]), "wrong_signature"),
        ("userHandle", "A".repeat(43), "wrong_user_handle"),
        ("authenticatorData", "AA".to_owned(), "authenticator_data_too_short"),
    ] {
        let mut body = answer_of(&deployment, &tenant, &mut passkey, &json!({})).await;
        body["credential"]["response"][field] = json!(value);
        let answer = verify(&deployment, &tenant, &body).await;
        deployment.check_credential_refused(&answer, cause);
        texts.push(answer.text);
    }
    passkey.flags = USER_PRESENT;
    let answer = deployment.log_in(&tenant, &mut passkey).await;
    deployment.check_credential_refused(&answer, "user_not_verified");
    texts.push(answer.text);
    texts.dedup();
    assert_eq!(texts.len(), 1, "{texts:?}");
}
