//! `POST /api/v1/relay/webauthn/revoke/passkey`

use serde_json::json;

use crate::support::passkeys::RP_ID;
use crate::support::{Deployment, with};

const PATH: &str = "revoke/passkey";

#[tokio::test]
async fn a_revoked_passkey_opens_nothing_from_the_answer_on_and_the_others_do() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_passkeys("Acme").await;
    let mut passkey = deployment.enrol(&tenant, "ada", 0).await;
    let mut other = deployment.enrol(&tenant, "ada", 0).await;
    let body = json!({ "backend_user_id": "ada", "credential_id": passkey.credential_id() });
    let mut answers = Vec::new();
    for _ in 0..2 {
        let answer = deployment.webauthn(&tenant, PATH, &body).send().await;
        let data = answer.data(200);
        assert!(data["revoked_at"].is_string());
        let (unknown, accepted) =
            (&data["signals"]["unknown_credential"], &data["signals"]["all_accepted_credentials"]);
        assert_eq!(unknown, &json!({ "rpId": RP_ID, "credentialId": passkey.credential_id() }));
        assert_eq!(accepted["allAcceptedCredentialIds"], json!([other.credential_id()]));
        answers.push(data.clone());
    }
    assert_eq!(answers[0], answers[1]);
    deployment.log_in(&tenant, &mut passkey).await.refused(401, "credential_refused");
    deployment.log_in(&tenant, &mut other).await.data(200);
    let trail = deployment.audit_trail(&tenant).await;
    assert_eq!(trail.iter().filter(|action| *action == "passkey.revoked").count(), 1);
}

#[tokio::test]
async fn a_passkey_that_is_not_the_persons_is_not_found() {
    let deployment = Deployment::start().await;
    let (tenant, other) = (deployment.with_passkeys("Acme").await, deployment.with_passkeys("Beta").await);
    let mut passkey = deployment.enrol(&tenant, "ada", 0).await;
    deployment.enrol(&tenant, "bob", 0).await;
    let theirs = deployment.enrol(&other, "ada", 0).await;
    let body = json!({ "backend_user_id": "ada", "credential_id": passkey.credential_id() });
    for change in [
        json!({ "backend_user_id": "bob" }),
        json!({ "backend_user_id": "ghost" }),
        json!({ "relay_user_linked_id": "0".repeat(24) }),
        json!({ "credential_id": theirs.credential_id() }),
        json!({ "credential_id": "AAAA" }),
    ] {
        deployment.webauthn(&tenant, PATH, &with(&body, &change)).send().await.refused(404, "passkey_not_found");
    }
    for (field, body) in [
        ("credential_id", json!({ "backend_user_id": "ada" })),
        ("backend_user_id", json!({ "credential_id": "AAAA" })),
    ] {
        deployment.webauthn(&tenant, PATH, &body).send().await.names(field);
    }
    deployment.log_in(&tenant, &mut passkey).await.data(200);
}
