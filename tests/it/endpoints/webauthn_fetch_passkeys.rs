//! `POST /api/v1/relay/webauthn/fetch/passkeys`

use serde_json::json;

use crate::support::Deployment;
use crate::support::passkeys::RP_ID;

const PATH: &str = "fetch/passkeys";

#[tokio::test]
async fn a_list_has_the_persons_passkeys_oldest_first_and_revoked_ones_too() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_passkeys("Acme").await;
    let first = deployment.enrol(&tenant, "ada", 0).await;
    let second = deployment.enrol(&tenant, "ada", 0).await;
    deployment.enrol(&tenant, "bob", 0).await;
    let revoke = json!({ "backend_user_id": "ada", "credential_id": first.credential_id() });
    deployment.webauthn(&tenant, "revoke/passkey", &revoke).send().await.data(200);
    let answer = deployment.webauthn(&tenant, PATH, &json!({ "backend_user_id": "ada" })).send().await;
    let data = answer.data(200);
    let rows = data["passkeys"].as_array().unwrap();
    let shown: Vec<_> = rows.iter().map(|row| (row["credential_id"].clone(), row["revoked_at"].is_string())).collect();
    assert_eq!(shown, [(json!(first.credential_id()), true), (json!(second.credential_id()), false)]);
    let accepted = &data["signals"]["all_accepted_credentials"];
    assert_eq!(
        (&accepted["rpId"], &accepted["allAcceptedCredentialIds"]),
        (&json!(RP_ID), &json!([second.credential_id()]))
    );
    assert_eq!(accepted["userId"].as_str().unwrap().len(), 43);
    let by_our_id = json!({ "relay_user_linked_id": data["relay_user_linked_id"] });
    let again = deployment.webauthn(&tenant, PATH, &by_our_id).send().await;
    assert_eq!(again.data(200), data);
}

#[tokio::test]
async fn somebody_who_was_never_named_has_none_and_our_id_that_nobody_has_is_refused() {
    let deployment = Deployment::start().await;
    let (tenant, other) = (deployment.with_passkeys("Acme").await, deployment.with_passkeys("Beta").await);
    let ghost = deployment.webauthn(&tenant, PATH, &json!({ "backend_user_id": "ghost" })).send().await;
    assert_eq!(ghost.data(200), &json!({ "relay_user_linked_id": null, "passkeys": [], "signals": {} }));
    deployment.enrol(&other, "ada", 0).await;
    let theirs = deployment.webauthn(&other, PATH, &json!({ "backend_user_id": "ada" })).send().await;
    let theirs = json!({ "relay_user_linked_id": theirs.data(200)["relay_user_linked_id"] });
    deployment.webauthn(&tenant, PATH, &theirs).send().await.refused(404, "person_not_found");
    deployment.webauthn(&tenant, PATH, &json!({})).send().await.names("backend_user_id");
}

#[tokio::test]
async fn passkeys_are_listed_renamed_and_revoked_where_they_are_off() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_passkeys("Acme").await;
    let passkey = deployment.enrol(&tenant, "ada", 0).await;
    deployment.update(&tenant, &json!({ "passkeys_enabled": false })).await.data(200);
    assert_eq!(deployment.passkeys_of(&tenant, "ada").await.len(), 1);
    let of = json!({ "backend_user_id": "ada", "credential_id": passkey.credential_id(), "name": "Phone" });
    deployment.webauthn(&tenant, "rename/passkey", &of).send().await.data(200);
    deployment.webauthn(&tenant, "revoke/passkey", &of).send().await.data(200);
}

#[tokio::test]
async fn of_revoked_passkeys_the_last_twenty_are_listed() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_passkeys("Acme").await;
    let mut ids = Vec::new();
    for _ in 0..22 {
        let passkey = deployment.enrol(&tenant, "ada", 0).await;
        ids.push(passkey.credential_id());
        let revoke = json!({ "backend_user_id": "ada", "credential_id": passkey.credential_id() });
        deployment.webauthn(&tenant, "revoke/passkey", &revoke).send().await.data(200);
    }
    let listed = deployment.passkeys_of(&tenant, "ada").await;
    let listed: Vec<_> = listed.iter().map(|row| row["credential_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(listed, ids[2..]);
}
