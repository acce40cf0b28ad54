//! What the log says of who called: enough to follow a leaked credential, also where it was refused.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::support::{Deployment, END_USER, World};

/// The last line that was logged.
fn last(deployment: &Deployment) -> Value {
    let output = deployment.stack.output();
    serde_json::from_str(output.lines().last().unwrap()).unwrap()
}

/// Checks the facts of the last line that follow a credential.
fn check(deployment: &Deployment, expected: &Value) {
    let line = last(deployment);
    assert_eq!(line["source_ip"], "127.0.0.1", "{line}");
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(line[name], *value, "{name}: {line}");
    }
}

fn jti(token: &str) -> Value {
    let claims = BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
    serde_json::from_slice::<Value>(&claims).unwrap()["jti"].clone()
}

#[tokio::test]
async fn a_key_is_named_with_its_secret_and_with_what_it_minted() {
    let deployment = Deployment::start().await;
    let World { tenant, key, member, account, .. } = deployment.world().await;
    let token = deployment.token(&key, &member).await;
    let minted = json!({ "scope": "project_user", "jti": jti(&token), "view": null });
    check(&deployment, &json!({ "tenant_id": tenant.id, "key_id": key.id, "secret": "current" }));
    check(&deployment, &minted);
    let scoped = deployment.scoped_token(&account, Some(END_USER)).await;
    check(&deployment, &json!({ "key_id": account.id, "scope": "end_user", "jti": jti(&scoped), "view": "end_user" }));
    deployment.scoped_token(&account, None).await;
    check(&deployment, &json!({ "key_id": account.id, "scope": "account", "view": "account" }));
    deployment.introspect(&key, &token).await;
    check(&deployment, &json!({ "key_id": key.id, "scope": "project_user", "jti": jti(&token) }));
}

#[tokio::test]
async fn a_dead_credential_is_named_as_well() {
    let deployment = Deployment::start().await;
    let World { tenant, key, account, .. } = deployment.world().await;
    let token = deployment.scoped_token(&account, Some(END_USER)).await;
    let list = |credential: &str| {
        let call = deployment.anonymous("GET", "/api/v1/documents");
        if credential == token {
            call.header("authorization", &format!("Bearer {token}"))
        } else {
            call.header("x-api-key", credential)
        }
    };
    let of_key = json!({ "tenant_id": tenant.id, "key_id": account.id });
    let at = |action: &str| format!("/api/v1/{action}/api-key?tenant_id={}&key_id={}", tenant.id, account.id);
    let rotated = deployment.post(&at("rotate"), &json!({ "overlap_seconds": 600 })).await;
    let newer = rotated.data(200)["api_key"].as_str().unwrap().to_owned();
    for (credential, secret) in [(&account.text, "previous"), (&newer, "current")] {
        list(credential).send().await.document(200);
        check(&deployment, &of_key);
        check(&deployment, &json!({ "secret": secret, "view": "account", "cause": null }));
    }
    deployment.post_nothing(&at("revoke")).await.data(200);
    for (credential, secret) in [(&account.text, "previous"), (&newer, "current")] {
        list(credential).send().await.refused(401, "unauthenticated");
        check(&deployment, &of_key);
        check(&deployment, &json!({ "secret": secret, "cause": "API key was revoked" }));
    }
    list(&token).send().await.refused(401, "unauthenticated");
    check(&deployment, &of_key);
    check(&deployment, &json!({ "jti": jti(&token), "scope": "end_user", "cause": "token was revoked" }));
    // What only claims to be of a tenant is not held against it.
    let forged = format!("{}{}", &key.text[..key.text.len() - 1], if key.text.ends_with('a') { 'b' } else { 'a' });
    list(&forged).send().await.refused(401, "unauthenticated");
    check(&deployment, &json!({ "tenant_id": null, "key_id": null, "secret": null }));
}

#[tokio::test]
async fn a_signer_is_named_also_when_the_call_is_refused() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let signed = || deployment.whoami(&tenant.signing().nonce("nonce-0000000000000000")).send();
    signed().await.data(200);
    check(&deployment, &json!({ "tenant_id": tenant.id, "secret": "current", "key_id": null }));
    signed().await.refused(401, "unauthenticated");
    check(&deployment, &json!({ "tenant_id": tenant.id, "cause": "nonce was used before" }));
    deployment.suspend(&tenant).await.data(200);
    check(&deployment, &json!({ "tenant_id": tenant.id, "secret": "current", "key_id": null }));
}
