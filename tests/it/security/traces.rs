//! What the log says of who called: enough to follow a leaked credential, also where it was refused.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use shared::domain::{ExternalId, Person, TenantId, TraceKey, parse_uuid};

use crate::support::{Deployment, END_USER, Tenant, World};

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

/// The digest of a person under the deployment's key.
fn digest(deployment: &Deployment, tenant: &Tenant, person: Person<'_>) -> Value {
    let mut environment = deployment.stack.environment().into_iter();
    let (_, key) = environment.find(|(name, _)| name == "LATCHKEY_TRACE_KEY").unwrap();
    json!(TraceKey::parse(&key).unwrap().person(&TenantId::parse(&tenant.id).unwrap(), person))
}

fn end_user(deployment: &Deployment, tenant: &Tenant, id: &str) -> Value {
    digest(deployment, tenant, Person::EndUser(&ExternalId::parse(id).unwrap()))
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
    check(&deployment, &json!({ "tenant_id": tenant.id, "key_id": key.id, "secret": null }));
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
    for (credential, secret) in [(&account.text, json!("previous")), (&newer, Value::Null)] {
        list(credential).send().await.document(200);
        check(&deployment, &of_key);
        check(&deployment, &json!({ "secret": secret, "view": "account", "cause": null }));
    }
    deployment.post_nothing(&at("revoke")).await.data(200);
    for (credential, secret) in [(&account.text, json!("previous")), (&newer, Value::Null)] {
        list(credential).send().await.refused(401, "unauthenticated");
        check(&deployment, &of_key);
        check(&deployment, &json!({ "secret": secret, "cause": "API key was revoked" }));
    }
    list(&token).send().await.refused(401, "unauthenticated");
    check(&deployment, &of_key);
    check(&deployment, &json!({ "jti": jti(&token), "scope": "end_user", "cause": "token was revoked" }));
    // Without an overlap as well.
    let rotate = format!("/api/v1/rotate/api-key?tenant_id={}&key_id={}", tenant.id, key.id);
    deployment.post_nothing(&rotate).await.data(200);
    deployment.backend(&key, "GET", "/v1/api/projects/users").send().await.refused(401, "unauthenticated");
    check(&deployment, &json!({ "tenant_id": tenant.id, "key_id": key.id, "secret": "previous" }));
    check(&deployment, &json!({ "cause": "API key was rotated, and this secret has ended" }));
    // What only claims to be of a tenant is not held against it.
    let forged = format!("{}{}", &key.text[..key.text.len() - 1], if key.text.ends_with('a') { 'b' } else { 'a' });
    list(&forged).send().await.refused(401, "unauthenticated");
    check(&deployment, &json!({ "tenant_id": null, "key_id": null, "secret": null }));
}

#[tokio::test]
async fn what_a_token_reads_and_changes_is_named() {
    let deployment = Deployment::start().await;
    let World { account, .. } = deployment.world().await;
    let token = deployment.scoped_token(&account, Some(END_USER)).await;
    for (kind, made, path) in [
        ("document", json!({ "name": "a" }), "documents"),
        ("agent-session", json!({ "title": "a" }), "agent-sessions"),
    ] {
        let path = format!("/api/v1/{path}");
        let id = deployment.page(&token, "POST", &path).json(&made).send().await.document(201)["id"].clone();
        check(&deployment, &json!({ "resource": id, "jti": jti(&token) }));
        deployment.page(&token, "GET", &path).send().await.document(200);
        assert_eq!(last(&deployment).get("resource"), None, "{kind}");
        let of_it = format!("{path}/{}", id.as_str().unwrap());
        deployment.page(&token, "GET", &of_it).send().await.document(200);
        check(&deployment, &json!({ "operation": format!("get-{kind}"), "resource": id }));
        deployment.page(&token, "DELETE", &of_it).send().await.document(200);
        check(&deployment, &json!({ "operation": format!("delete-{kind}"), "resource": id }));
    }
    // What is no id is not repeated.
    deployment.page(&token, "GET", "/api/v1/documents/sk_secret").send().await.refused(404, "not_found");
    assert_eq!(last(&deployment).get("resource"), None);
}

#[tokio::test]
async fn a_signer_is_named_also_when_the_call_is_refused() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let signed = || deployment.whoami(&tenant.signing().nonce("nonce-0000000000000000")).send();
    signed().await.data(200);
    check(&deployment, &json!({ "tenant_id": tenant.id, "secret": null, "key_id": null }));
    signed().await.refused(401, "unauthenticated");
    check(&deployment, &json!({ "tenant_id": tenant.id, "cause": "nonce was used before" }));
    // A process that knew the old secret names its tenant once more; then nothing is left to know it by.
    let old = tenant.clone();
    let rotated = deployment.rotate(&tenant, 0).await;
    let tenant = tenant.with_secret(rotated.data(200)["tenant_secret"].as_str().unwrap());
    for named in [json!(tenant.id), Value::Null] {
        deployment.whoami(&old.signing()).send().await.refused(401, "unauthenticated");
        check(&deployment, &json!({ "tenant_id": named, "key_id": null }));
    }
    deployment.whoami(&tenant.signing()).send().await.data(200);
    deployment.suspend(&tenant).await.data(200);
    check(&deployment, &json!({ "tenant_id": tenant.id, "secret": null, "key_id": null }));
}

#[tokio::test]
async fn whom_a_token_speaks_for_is_a_digest() {
    let deployment = Deployment::start().await;
    let World { tenant, key, member, account, .. } = deployment.world().await;
    let user = digest(&deployment, &tenant, Person::User(parse_uuid(&member.user_id).unwrap()));
    let token = deployment.token(&key, &member).await;
    check(&deployment, &json!({ "jti": jti(&token), "subject": user, "end_user": null }));
    deployment.introspect(&key, &token).await;
    check(&deployment, &json!({ "jti": jti(&token), "subject": user }));
    let named = end_user(&deployment, &tenant, END_USER);
    let scoped = deployment.scoped_token(&account, Some(END_USER)).await;
    check(&deployment, &json!({ "jti": jti(&scoped), "subject": named, "end_user": named }));
    deployment.page(&scoped, "GET", "/api/v1/documents").send().await.document(200);
    check(&deployment, &json!({ "jti": jti(&scoped), "subject": named, "end_user": named }));
    deployment.scoped_token(&account, None).await;
    check(&deployment, &json!({ "scope": "account", "subject": null, "end_user": null }));
    // The same id at another tenant is not seen to be the same.
    let other = deployment.provision("Globex").await;
    let foreign = deployment.api_key(&other, "account").await;
    deployment.scoped_token(&foreign, Some(END_USER)).await;
    let foreign = end_user(&deployment, &other, END_USER);
    assert_ne!(foreign, named);
    check(&deployment, &json!({ "subject": foreign, "end_user": foreign }));
    // It is said of a dead token, too.
    deployment.revoke_tokens(&tenant, &json!({ "external_user_id": END_USER })).await.data(200);
    check(&deployment, &json!({ "operation": "revoke-tokens", "subject": named }));
    deployment.page(&scoped, "GET", "/api/v1/documents").send().await.refused(401, "unauthenticated");
    check(&deployment, &json!({ "cause": "token was revoked", "subject": named, "end_user": named, "view": null }));
}

#[tokio::test]
async fn whom_a_call_is_about_is_a_digest() {
    let deployment = Deployment::start().await;
    let World { tenant, key, account, .. } = deployment.world().await;
    let list = deployment.account_for(&account, "ada@example.com", "GET", "/api/v1/documents").send().await;
    list.document(200);
    let ada = end_user(&deployment, &tenant, "ada@example.com");
    check(&deployment, &json!({ "view": "end_user", "end_user": ada, "subject": null }));
    deployment.account(&account, "GET", "/api/v1/documents").send().await.document(200);
    check(&deployment, &json!({ "view": "account", "end_user": null, "subject": null }));
    // Whom the query string names, and whether or not there is such a person.
    let asked = format!("/api/v1/fetch/person?tenant_id={}&backend_user_id=ada%40example.com", tenant.id);
    deployment.get(&asked).await.refused(404, "person_not_found");
    check(&deployment, &json!({ "operation": "fetch-person", "subject": ada }));
    let member = deployment.member(&key, "globex", "grace@example.com").await;
    let [user, organization] = [&member.user_id, &member.organization_id].map(|id| parse_uuid(id).unwrap());
    let user_digest = digest(&deployment, &tenant, Person::User(user));
    check(&deployment, &json!({ "operation": "register-user", "subject": user_digest }));
    for (body, person) in [
        (json!({ "user_id": user }), Person::User(user)),
        (json!({ "organization_id": organization }), Person::Organization(organization)),
    ] {
        deployment.revoke_tokens(&tenant, &body).await.data(200);
        check(&deployment, &json!({ "subject": digest(&deployment, &tenant, person) }));
    }
    deployment.revoke_tokens(&tenant, &json!({ "all": true })).await.data(200);
    check(&deployment, &json!({ "subject": null }));
    // And nowhere by its id.
    let output = deployment.stack.output();
    for id in [&member.user_id, &member.organization_id, "ada@example.com", "grace@example.com", "globex", END_USER] {
        assert!(!output.contains(id), "{id} is in the output");
    }
}
