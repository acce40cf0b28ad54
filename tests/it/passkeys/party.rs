//! The relying party: passkeys work for one, and the deployment may turn passkeys on.

use serde_json::json;

use crate::support::passkeys::{ORIGIN, RP_ID};
use crate::support::{Deployment, Tenant};

async fn set_party(deployment: &Deployment, tenant: &Tenant, force: &str, rp_id: &str) -> crate::support::Answer {
    let path = format!("/api/v1/update/tenant?tenant_id={}{force}", tenant.id);
    deployment.post(&path, &json!({ "webauthn_rp_id": rp_id, "webauthn_origins": [ORIGIN] })).await
}

#[tokio::test]
async fn another_relying_party_is_refused_while_passkeys_are_in_use_unless_it_is_forced() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_passkeys("Acme").await;
    let party = "app.example.com";
    // Nobody has one yet: a person without passkeys is in nobody's way.
    deployment.creation_options(&tenant, "ada").await;
    for rp_id in [party, RP_ID] {
        set_party(&deployment, &tenant, "", rp_id).await.data(200);
    }
    let mut first = deployment.enrol(&tenant, "ada", 0).await;
    let second = deployment.enrol(&tenant, "bob", 0).await;
    // The same one is no other.
    set_party(&deployment, &tenant, "", RP_ID).await.data(200);
    let none = json!({ "webauthn_rp_id": null, "webauthn_origins": [], "passkeys_enabled": null });
    deployment.update(&tenant, &none).await.refused(409, "passkeys_in_use");
    for force in ["", "&force=false"] {
        set_party(&deployment, &tenant, force, party).await.refused(409, "passkeys_in_use");
    }
    set_party(&deployment, &tenant, "&force=yes", party).await.names("force");
    assert_eq!(deployment.fetch(&tenant).await["webauthn_rp_id"], RP_ID);
    set_party(&deployment, &tenant, "&force=true", party).await.data(200);
    deployment.log_in(&tenant, &mut first).await.refused(401, "credential_refused");
    assert_eq!(deployment.passkeys_of(&tenant, "ada").await[0]["rp_id"], RP_ID);
    // And back: what was registered works again.
    set_party(&deployment, &tenant, "&force=true", RP_ID).await.data(200);
    deployment.log_in(&tenant, &mut first).await.data(200);
    for (user, passkey) in [("ada", &first), ("bob", &second)] {
        set_party(&deployment, &tenant, "", party).await.refused(409, "passkeys_in_use");
        let revoke = json!({ "backend_user_id": user, "credential_id": passkey.credential_id() });
        deployment.webauthn(&tenant, "revoke/passkey", &revoke).send().await.data(200);
    }
    set_party(&deployment, &tenant, "", party).await.data(200);
}

#[tokio::test]
async fn the_related_origins_are_the_bare_document_of_the_pages() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_passkeys("Acme").await;
    let app = format!("android:apk-key-hash:{}", "A".repeat(43));
    deployment.update(&tenant, &json!({ "webauthn_origins": [app, ORIGIN] })).await.data(200);
    let shown = deployment.fetch(&tenant).await;
    assert_eq!(shown["related_origins"], json!({ "origins": [ORIGIN] }));
    assert_eq!(shown["webauthn_origins"], json!([app, ORIGIN]));
    let other = deployment.provision("Beta").await;
    assert_eq!(deployment.fetch(&other).await["related_origins"], json!(null));
}

#[tokio::test]
async fn without_a_word_of_the_tenant_the_deployment_says_whether_there_are_passkeys() {
    for (parameter, is_on) in [("true", true), ("false", false)] {
        let deployment = Deployment::start_with(|stack| stack.parameter("PasskeysEnabled", parameter)).await;
        let tenant = deployment.with_passkeys("Acme").await;
        deployment.update(&tenant, &json!({ "passkeys_enabled": null })).await.data(200);
        let body = json!({ "browser_origin": ORIGIN });
        let answer = deployment.webauthn(&tenant, "authenticate/options", &body).send().await;
        if is_on {
            answer.data(200);
        } else {
            answer.refused(403, "passkeys_disabled");
        }
    }
}
