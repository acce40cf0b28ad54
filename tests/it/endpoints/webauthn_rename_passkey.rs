//! `POST /api/v1/relay/webauthn/rename/passkey`

use serde_json::json;

use crate::support::passkeys::RP_ID;
use crate::support::{Deployment, with};

const PATH: &str = "rename/passkey";

#[tokio::test]
async fn a_passkey_has_its_new_name_and_the_answer_what_the_browser_shows() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_passkeys("Acme").await;
    let passkey = deployment.enrol(&tenant, "ada", 0).await;
    let body = json!({ "backend_user_id": "ada", "credential_id": passkey.credential_id(), "name": "Ada's phone" });
    for _ in 0..2 {
        let answer = deployment.webauthn(&tenant, PATH, &body).send().await;
        let data = answer.data(200);
        assert_eq!((&data["name"], &data["credential_id"]), (&body["name"], &body["credential_id"]));
        let details = &data["signals"]["current_user_details"];
        let expected = json!({ "rpId": RP_ID, "userId": details["userId"], "name": "ada", "displayName": "ada" });
        assert_eq!(details, &expected);
    }
    assert_eq!(deployment.passkeys_of(&tenant, "ada").await[0]["name"], "Ada's phone");
    // The second call changed nothing.
    let trail = deployment.audit_trail(&tenant).await;
    assert_eq!(trail.iter().filter(|action| *action == "passkey.renamed").count(), 1);
}

#[tokio::test]
async fn a_passkey_that_is_not_the_persons_or_is_revoked_is_not_found() {
    let deployment = Deployment::start().await;
    let (tenant, other) = (deployment.with_passkeys("Acme").await, deployment.with_passkeys("Beta").await);
    let passkey = deployment.enrol(&tenant, "ada", 0).await;
    let theirs = deployment.enrol(&other, "ada", 0).await;
    let body = json!({ "backend_user_id": "ada", "credential_id": passkey.credential_id(), "name": "Phone" });
    for change in [
        json!({ "backend_user_id": "bob" }),
        json!({ "relay_user_linked_id": "0".repeat(24) }),
        json!({ "credential_id": theirs.credential_id() }),
        json!({ "credential_id": "AAAA" }),
    ] {
        deployment.webauthn(&tenant, PATH, &with(&body, &change)).send().await.refused(404, "passkey_not_found");
    }
    deployment.webauthn(&tenant, "revoke/passkey", &body).send().await.data(200);
    deployment.webauthn(&tenant, PATH, &body).send().await.refused(404, "passkey_not_found");
}

#[tokio::test]
async fn what_is_wrong_with_a_field_is_told_by_its_name() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_passkeys("Acme").await;
    let body = json!({ "backend_user_id": "ada", "credential_id": "AAAA", "name": "Phone" });
    for (field, value) in [
        ("name", json!("")),
        ("name", json!("a".repeat(65))),
        ("name", json!(null)),
        ("credential_id", json!("")),
        ("credential_id", json!("AAA=")),
        ("credential_id", json!("A".repeat(1366))),
        ("backend_user_id", json!(null)),
    ] {
        deployment.webauthn(&tenant, PATH, &with(&body, &json!({ field: value }))).send().await.names(field);
    }
}
