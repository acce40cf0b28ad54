//! What a tenant is told of its people's passkeys.

use serde_json::{Value, json};

use crate::support::authenticator::Authenticator;
use crate::support::passkeys::ORIGIN;
use crate::support::{Deployment, Tenant};

async fn wanting(deployment: &Deployment, types: &Value) -> Tenant {
    deployment.stack.streams().stop().await;
    let tenant = deployment.with_passkeys("Acme").await;
    let wanted = json!({ "callback_url_base": "https://example.com", "callback_types": types });
    deployment.update(&tenant, &wanted).await.data(200);
    tenant
}

#[tokio::test]
async fn each_change_of_a_passkey_owes_its_whole_state_with_the_next_number() {
    let deployment = Deployment::start().await;
    let tenant = wanting(&deployment, &json!(["passkey.*"])).await;
    let mut passkey = deployment.enrol(&tenant, "ada", 1).await;
    let mut copy = passkey.clone();
    deployment.log_in(&tenant, &mut passkey).await.data(200);
    deployment.log_in(&tenant, &mut copy).await.refused(401, "credential_refused");
    let of = json!({ "backend_user_id": "ada", "credential_id": passkey.credential_id(), "name": "Phone" });
    for path in ["rename/passkey", "revoke/passkey", "rename/passkey", "revoke/passkey"] {
        deployment.webauthn(&tenant, path, &of).send().await;
    }
    let owed = deployment.owed(&tenant).await;
    let told: Vec<_> = owed.iter().map(|body| (body["type"].as_str().unwrap(), body["sequence"].as_u64())).collect();
    let expected = [
        ("passkey.registered", Some(1)),
        ("passkey.used", Some(2)),
        ("passkey.clone_suspected", Some(3)),
        ("passkey.renamed", Some(4)),
        ("passkey.revoked", Some(5)),
    ];
    assert_eq!(told, expected);
    // The last one has the state that the list shows, and whose it is.
    let last = &owed[4]["data"];
    let mut row = deployment.passkeys_of(&tenant, "ada").await.remove(0);
    row["backend_user_id"] = json!("ada");
    row["relay_user_linked_id"] = last["relay_user_linked_id"].clone();
    assert_eq!(last, &row);
    assert!(owed.iter().all(|body| body["flow"] == "passkey" && body["tenant_id"] == *tenant.id));
    assert!(owed[0]["data"]["last_used_at"].is_null() && owed[1]["data"]["last_used_at"].is_string());
}

#[tokio::test]
async fn what_is_not_wanted_and_what_is_refused_is_not_owed() {
    let deployment = Deployment::start().await;
    let tenant = wanting(&deployment, &json!(["passkey.revoked"])).await;
    let mut passkey = deployment.enrol(&tenant, "ada", 0).await;
    deployment.log_in(&tenant, &mut passkey).await.data(200);
    let options = deployment.creation_options(&tenant, "ada").await;
    let (_, mut credential) = Authenticator::create(&options, ORIGIN, 0);
    credential["response"]["attestationObject"] = json!("oA");
    deployment.register(&tenant, &credential).send().await.refused(401, "credential_refused");
    assert_eq!(deployment.owed(&tenant).await, Vec::<Value>::new());
    let of = json!({ "backend_user_id": "ada", "credential_id": passkey.credential_id() });
    deployment.webauthn(&tenant, "revoke/passkey", &of).send().await.data(200);
    let owed = deployment.owed(&tenant).await;
    assert_eq!((owed.len(), &owed[0]["sequence"]), (1, &json!(3)));
}
