//! Revocation: what makes a token inactive, what leaves it alone, and that it shows with the very next call.

use serde_json::{Value, json};
use stack::{Invocation, Match};

use crate::support::{Answer, ApiKey, Deployment, Member, Tenant, event};

/// Whatever can end a user's token.
const CUTS: [&str; 6] = ["token", "user", "external user", "organization", "key", "all"];

/// Every subset of the first `n` numbers.
fn subsets(n: usize) -> impl Iterator<Item = Vec<usize>> {
    (0..1_usize << n).map(move |bits| (0..n).filter(|place| bits >> place & 1 == 1).collect())
}

async fn revoke_token(deployment: &Deployment, key: &ApiKey, token: &str) {
    let call = deployment.backend(key, "POST", "/api/v1/auth/revoke").json(&json!({ "token": token }));
    assert_eq!(call.send().await.document(200), &json!({}));
}

async fn register_tenant(deployment: &Deployment, key: &ApiKey, fields: &Value) -> String {
    let body = crate::support::with(&json!({ "displayName": "Acme", "prefilters": {} }), fields);
    let call = deployment.backend(key, "POST", "/v1/api/tenant/register-tenant").json(&body);
    call.send().await.data(200)["token"].as_str().unwrap().to_owned()
}

/// A tenant with an admin key, and a member of it.
async fn scene() -> (Deployment, ApiKey, Member) {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "admin").await;
    let member = deployment.member(&key, "acme", "ada").await;
    (deployment, key, member)
}

#[tokio::test]
async fn a_users_token_is_active_until_any_one_of_those_that_it_depends_on_is_revoked() {
    let (deployment, key, ada) = scene().await;
    let tenant = &key.tenant;
    let asking = deployment.api_key(tenant, "account").await;
    let other_key = deployment.api_key(tenant, "embed").await;
    // Of the same organization; with the same key; and with nothing in common but the tenant.
    let neighbour = deployment.member(&key, "acme", "eve").await;
    let colleague = deployment.member(&key, "beta", "bob").await;
    for subset in subsets(CUTS.len()) {
        let cuts: Vec<_> = subset.iter().map(|place| CUTS[*place]).collect();
        let holders = [
            (&key, &ada, CUTS.as_slice()),
            (&other_key, &neighbour, &["organization", "all"]),
            (&key, &colleague, &["key", "all"]),
            (&other_key, &colleague, &["all"]),
        ];
        // What one or two cuts leave alone, more of them do too: the others are asked about only there.
        let asked_about = if cuts.len() <= 2 { &holders[..] } else { &holders[..1] };
        let mut tokens = Vec::new();
        for (key, member, ends) in asked_about {
            tokens.push((deployment.token(key, member).await, *ends));
        }
        // Also after the cuts of the turn before: what was revoked is what had been issued.
        assert!(deployment.is_active(&asking, &tokens[0].0).await, "before {cuts:?}");
        for cut in &cuts {
            let whose = match *cut {
                "token" => {
                    revoke_token(&deployment, &asking, &tokens[0].0).await;
                    continue;
                }
                "user" => json!({ "user_id": ada.user_id }),
                "external user" => json!({ "external_user_id": "ada" }),
                "organization" => json!({ "organization_id": ada.organization_id }),
                "key" => json!({ "key_id": key.id }),
                _ => json!({ "all": true }),
            };
            deployment.revoke_tokens(tenant, &whose).await.data(200);
        }
        for (number, (token, ends)) in tokens.iter().enumerate() {
            let ended = cuts.iter().any(|cut| ends.contains(cut));
            assert_eq!(deployment.is_active(&asking, token).await, !ended, "token {number} after {cuts:?}");
        }
    }
    assert!(deployment.is_active(&asking, &deployment.token(&key, &ada).await).await, "after all of them");
}

#[tokio::test]
async fn a_registered_tenants_token_is_active_until_any_one_of_those_that_it_depends_on_is_revoked() {
    const CUTS: [&str; 4] = ["token", "external user", "key", "all"];
    let (deployment, key, _) = scene().await;
    let asking = deployment.api_key(&key.tenant, "account").await;
    let other_key = deployment.api_key(&key.tenant, "embed").await;
    let (with_user, without) = (json!({ "key": "older", "user": "eve" }), json!({ "key": "older" }));
    for subset in subsets(CUTS.len()) {
        let cuts: Vec<_> = subset.iter().map(|place| CUTS[*place]).collect();
        let tokens: [(String, &[&str]); 3] = [
            (register_tenant(&deployment, &key, &with_user).await, &CUTS),
            (register_tenant(&deployment, &key, &without).await, &["key", "all"]),
            (register_tenant(&deployment, &other_key, &json!({ "key": "older", "user": "bob" })).await, &["all"]),
        ];
        for cut in &cuts {
            let whose = match *cut {
                "token" => {
                    revoke_token(&deployment, &asking, &tokens[0].0).await;
                    continue;
                }
                "external user" => json!({ "external_user_id": "eve" }),
                "key" => json!({ "key_id": key.id }),
                _ => json!({ "all": true }),
            };
            deployment.revoke_tokens(&key.tenant, &whose).await.data(200);
        }
        for (number, (token, ends)) in tokens.iter().enumerate() {
            let ended = cuts.iter().any(|cut| ends.contains(cut));
            assert_eq!(deployment.is_active(&asking, token).await, !ended, "token {number} after {cuts:?}");
        }
        let new = register_tenant(&deployment, &key, &with_user).await;
        assert!(deployment.is_active(&asking, &new).await, "anew after {cuts:?}");
    }
}

#[tokio::test]
async fn a_suspended_tenants_tokens_are_inactive_until_it_is_reactivated() {
    let (deployment, key, member) = scene().await;
    let token = deployment.token(&key, &member).await;
    deployment.suspend(&key.tenant).await.data(200);
    // Its own keys are all that could ask about it, or take it back.
    for path in ["/api/v1/auth/introspect", "/api/v1/auth/revoke"] {
        let call = deployment.backend(&key, "POST", path).json(&json!({ "token": token }));
        call.send().await.refused(403, "unauthorized_client");
    }
    deployment.reactivate(&key.tenant).await.data(200);
    assert!(deployment.is_active(&key, &token).await);
}

#[tokio::test]
async fn a_revoked_api_keys_tokens_are_inactive_at_once_and_those_of_another_key_stay() {
    let (deployment, key, member) = scene().await;
    let other = deployment.api_key(&key.tenant, "embed").await;
    let (token, others) = (deployment.token(&key, &member).await, deployment.token(&other, &member).await);
    let registered = register_tenant(&deployment, &key, &json!({ "key": "older" })).await;
    let path = format!("/api/v1/revoke/api-key?tenant_id={}&key_id={}", key.tenant.id, key.id);
    deployment.post_nothing(&path).await.data(200);
    assert!(!deployment.is_active(&other, &token).await);
    assert!(!deployment.is_active(&other, &registered).await);
    assert!(deployment.is_active(&other, &others).await);
}

#[tokio::test]
async fn rotating_or_expiring_an_api_key_leaves_its_tokens_alone() {
    let (deployment, key, member) = scene().await;
    let asking = deployment.api_key(&key.tenant, "account").await;
    let token = deployment.token(&key, &member).await;
    let path = format!("/api/v1/rotate/api-key?tenant_id={}&key_id={}", key.tenant.id, key.id);
    let rotated = deployment.post_nothing(&path).await;
    let rotated = ApiKey { text: rotated.data(200)["api_key"].as_str().unwrap().to_owned(), ..key.clone() };
    assert!(deployment.is_active(&asking, &token).await);
    assert!(deployment.is_active(&rotated, &token).await);
    let after = deployment.token(&rotated, &member).await;
    let partition = format!("TENANT#{}#KEY#{}", key.tenant.id, key.id);
    deployment.set(&partition, "KEY", "details.expires_at", &json!({ "N": "1" })).await;
    deployment.user_token(&rotated, &json!({ "userId": "ada" })).await.refused(401, "unauthenticated");
    assert!(deployment.is_active(&asking, &token).await);
    assert!(deployment.is_active(&asking, &after).await);
}

#[tokio::test]
async fn a_replaced_signing_keys_tokens_are_active_and_a_dropped_ones_are_not() {
    let (deployment, key, member) = scene().await;
    let path = format!("/api/v1/rotate/signing-key?tenant_id={}", key.tenant.id);
    let first = deployment.token(&key, &member).await;
    deployment.post(&path, &json!({ "force": true })).await.data(200);
    let second = deployment.token(&key, &member).await;
    for token in [&first, &second] {
        assert!(deployment.is_active(&key, token).await);
    }
    deployment.post(&path, &json!({ "drop_previous": true })).await.data(200);
    for token in [&first, &second] {
        assert!(!deployment.is_active(&key, token).await);
    }
    assert!(deployment.is_active(&key, &deployment.token(&key, &member).await).await);
}

#[tokio::test]
async fn a_token_of_a_user_that_was_moved_or_given_another_role_is_inactive() {
    let (deployment, key, member) = scene().await;
    let token = deployment.token(&key, &member).await;
    let moved = deployment.member(&key, "beta", "ada").await;
    assert_eq!(moved.user_id, member.user_id);
    assert!(!deployment.is_active(&key, &token).await);
    assert!(deployment.is_active(&key, &deployment.token(&key, &moved).await).await);
    // Back again it is what the token says, and yet another time of it.
    deployment.member(&key, "acme", "ada").await;
    assert!(!deployment.is_active(&key, &token).await);
    let token = deployment.token(&key, &member).await;
    let role = json!({
        "name": "ada", "externalId": "ada", "projectOrganizationId": "acme",
        "userRoleId": "67e55044-10b1-426f-9247-bb680e5fe0c8",
    });
    deployment.register_user(&key, &role).await.data(200);
    assert!(!deployment.is_active(&key, &token).await, "nor does the role of before stay");
}

#[tokio::test]
async fn a_user_is_found_for_revocation_under_the_external_id_that_it_has_now() {
    let (deployment, key, member) = scene().await;
    let token = deployment.token(&key, &member).await;
    let fields = json!({
        "name": "ada",
        "userId": member.user_id,
        "externalId": "renamed",
        "projectOrganizationId": member.organization_id,
    });
    deployment.register_user(&key, &fields).await.data(200);
    assert!(!deployment.is_active(&key, &token).await, "it carries an id that may be another's by now");
    let token = deployment.token(&key, &member).await;
    deployment.revoke_tokens(&key.tenant, &json!({ "external_user_id": "ada" })).await.data(200);
    assert!(deployment.is_active(&key, &token).await);
    deployment.revoke_tokens(&key.tenant, &json!({ "external_user_id": "renamed" })).await.data(200);
    assert!(!deployment.is_active(&key, &token).await);
    // By either name, whichever is asked for.
    for user in ["renamed", &member.user_id] {
        let answer = deployment.user_token(&key, &json!({ "userId": user, "organizationId": "acme" })).await;
        assert!(deployment.is_active(&key, answer.data(200)["token"].as_str().unwrap()).await, "{user}");
    }
}

/// Asks two processes at once whether the token is active: what they say, and which two.
async fn ask_two(deployment: &Deployment, key: &ApiKey, token: &str) -> Vec<(String, Value)> {
    let authorization = format!("Bearer {}", key.text);
    let headers = [("authorization", authorization.as_str())];
    let request = event("POST", "/api/v1/auth/introspect", "", &headers, Some(&json!({ "token": token })));
    // Neither is free for the other's request as long as both wait for the table.
    let held = deployment.stack.faults().hold(Match::any().function("introspect").operation("BatchGetItem"));
    let ask = || deployment.stack.invoke("introspect", request.clone(), Invocation::default());
    let release = async {
        held.reached_by(2).await;
        held.release();
    };
    let (one, other, ()) = tokio::join!(ask(), ask(), release);
    let mut answers: Vec<_> = [one, other]
        .map(|answer| {
            let answer = answer.unwrap();
            let body: Value = serde_json::from_str(answer.payload["body"].as_str().unwrap()).unwrap();
            (answer.instance, body["active"].clone())
        })
        .into();
    answers.sort_by(|one, other| one.0.cmp(&other.0));
    answers
}

#[tokio::test]
async fn a_revocation_is_seen_by_the_next_call_of_every_process() {
    let (deployment, key, member) = scene().await;
    let asking = deployment.api_key(&key.tenant, "account").await;
    deployment.introspect(&asking, "").await;
    for whose in [
        json!({ "user_id": member.user_id }),
        json!({ "organization_id": member.organization_id }),
        json!({ "external_user_id": "ada" }),
        json!({ "key_id": key.id }),
        json!({ "all": true }),
    ] {
        let token = deployment.token(&key, &member).await;
        let before = ask_two(&deployment, &asking, &token).await;
        deployment.revoke_tokens(&key.tenant, &whose).await.data(200);
        let after = ask_two(&deployment, &asking, &token).await;
        let (old, new): (Vec<_>, Vec<_>) =
            (before.iter().map(|a| &a.0).collect(), after.iter().map(|a| &a.0).collect());
        assert!(old == new && old[0] != old[1], "the same two processes: {old:?} {new:?}");
        assert!(before.iter().all(|(_, active)| *active == true), "{before:?}");
        assert!(after.iter().all(|(_, active)| *active == false), "{whose}: {after:?}");
    }
}

/// A login that is on its way while the user is revoked: what it was told before does not count.
#[tokio::test]
async fn a_token_that_is_being_issued_during_a_revocation_is_inactive() {
    let (deployment, key, member) = scene().await;
    let asking = deployment.api_key(&key.tenant, "account").await;
    for cut in ["user", "external user", "organization", "key", "all"] {
        // The first token of a process needs the private key, after everything else was read.
        deployment.stack.restart("user-token").await;
        let held = deployment.stack.faults().hold(Match::any().function("user-token").operation("GetSecretValue"));
        let body = json!({ "userId": member.user_id, "organizationId": member.organization_id });
        let whose = match cut {
            "user" => json!({ "user_id": member.user_id }),
            "external user" => json!({ "external_user_id": "ada" }),
            "organization" => json!({ "organization_id": member.organization_id }),
            "key" => json!({ "key_id": key.id }),
            _ => json!({ "all": true }),
        };
        let revocation = async {
            held.reached().await;
            deployment.revoke_tokens(&key.tenant, &whose).await.data(200);
            held.release();
        };
        let (answer, ()) = tokio::join!(deployment.user_token(&key, &body), revocation);
        let token = answer.data(200)["token"].as_str().unwrap();
        assert!(!deployment.is_active(&asking, token).await, "{cut}");
        assert!(deployment.is_active(&asking, &deployment.token(&key, &member).await).await, "{cut}");
    }
}

/// The audit events about revoked tokens, oldest first: what each was about.
async fn subjects(deployment: &Deployment, tenant: &Tenant) -> Vec<Value> {
    let answer = deployment.get(&format!("/api/v1/fetch/audit-events?tenant_id={}&limit=100", tenant.id)).await;
    let events = answer.data(200)["events"].as_array().unwrap().clone();
    let revocations = events.iter().rev().filter(|event| event["action"] == "tokens.revoked");
    revocations.map(|event| event["subject"].clone()).collect()
}

#[tokio::test]
async fn each_revocation_says_when_and_leaves_one_event_that_says_whose() {
    let (deployment, key, member) = scene().await;
    let tenant = &key.tenant;
    let list = async |name: &str, rows: &str| {
        let answer = deployment.get(&format!("/api/v1/fetch/{name}?tenant_id={}", tenant.id)).await;
        answer.data(200)[rows][0]["tokens_revoked_before"].clone()
    };
    let lists = [("users", "users"), ("organizations", "organizations"), ("api-keys", "api_keys")];
    for (name, rows) in lists {
        assert_eq!(list(name, rows).await, Value::Null, "{name}");
    }
    let revoked = async |whose: Value| {
        let answer: Answer = deployment.revoke_tokens(tenant, &whose).await;
        let data = answer.data(200);
        assert_eq!(data.as_object().unwrap().keys().collect::<Vec<_>>(), ["known", "revoked_before"]);
        data["revoked_before"].clone()
    };
    let user = revoked(json!({ "user_id": member.user_id })).await;
    assert_eq!(list("users", "users").await, user);
    let organization = revoked(json!({ "organization_id": member.organization_id })).await;
    assert_eq!(list("organizations", "organizations").await, organization);
    assert_eq!(list("users", "users").await, user);
    let key_revoked = revoked(json!({ "key_id": key.id })).await;
    assert_eq!(list("api-keys", "api_keys").await, key_revoked);
    let external = revoked(json!({ "external_user_id": "ada" })).await;
    assert_eq!(list("users", "users").await, external);
    revoked(json!({ "external_user_id": "nobody we know" })).await;
    revoked(json!({ "all": true })).await;
    let expected = [
        json!(deployment.person(tenant, "user", &member.user_id)),
        json!(member.organization_id),
        json!(key.id),
        json!(deployment.person(tenant, "end_user", "ada")),
        json!(deployment.person(tenant, "end_user", "nobody we know")),
        Value::Null,
    ];
    assert_eq!(subjects(&deployment, tenant).await, expected);
    // One token of one user is no change of the registry's.
    let token = deployment.token(&key, &member).await;
    revoke_token(&deployment, &key, &token).await;
    assert_eq!(subjects(&deployment, tenant).await.len(), expected.len());
}

#[tokio::test]
async fn a_revocation_that_comes_again_revokes_nothing_that_was_issued_since() {
    let (deployment, key, member) = scene().await;
    let path = format!("/api/v1/revoke/tokens?tenant_id={}", key.tenant.id);
    let call = deployment.operator("POST", &path).header("idempotency-key", "k");
    let call = call.json(&json!({ "user_id": member.user_id }));
    let first = call.clone().send().await;
    let token = deployment.token(&key, &member).await;
    let again = call.send().await;
    assert_eq!(again.data(200), first.data(200));
    assert!(deployment.is_active(&key, &token).await);
    assert_eq!(subjects(&deployment, &key.tenant).await.len(), 1);
}

#[tokio::test]
async fn a_revocation_of_what_there_is_not_or_of_nothing_in_particular_is_refused_and_changes_nothing() {
    let (deployment, key, member) = scene().await;
    let other = deployment.provision("Beta").await;
    let others_key = deployment.api_key(&other, "admin").await;
    let others = deployment.member(&others_key, "acme", "ada").await;
    let token = deployment.token(&key, &member).await;
    let others_token = deployment.token(&others_key, &others).await;
    for (key, token) in [(&key, &token), (&others_key, &others_token)] {
        assert!(deployment.is_active(key, token).await);
    }
    let before = deployment.items().await;
    let nobody = "00000000-0000-4000-8000-000000000000";
    let not_found = [
        ("user_id", [nobody, &others.user_id, &member.organization_id], "user_not_found"),
        ("organization_id", [nobody, &others.organization_id, &member.user_id], "organization_not_found"),
        ("key_id", ["key_0000000000000000", &others_key.id, "key_ffffffffffffffff"], "api_key_not_found"),
    ];
    for (field, ids, code) in not_found {
        let mut texts = Vec::new();
        for id in ids {
            let answer = deployment.revoke_tokens(&key.tenant, &json!({ field: id })).await;
            answer.refused(404, code);
            texts.push(answer.text);
        }
        texts.dedup();
        assert_eq!(texts.len(), 1, "{field}: another tenant's is as unknown as any");
    }
    let ghost = Tenant { id: "tnt_00000000000000000000000000000000".to_owned(), ..key.tenant.clone() };
    for whose in [
        json!({ "user_id": member.user_id }),
        json!({ "organization_id": member.organization_id }),
        json!({ "external_user_id": "ada" }),
        json!({ "key_id": key.id }),
        json!({ "all": true }),
    ] {
        deployment.revoke_tokens(&ghost, &whose).await.refused(404, "tenant_not_found");
    }
    for (whose, field) in [
        (json!({}), "user_id"),
        (json!({ "user_id": null }), "user_id"),
        (json!({ "user_id": member.user_id, "organization_id": member.organization_id }), "user_id"),
        (json!({ "external_user_id": "ada", "key_id": key.id }), "user_id"),
        (json!({ "user_id": member.user_id, "all": true }), "user_id"),
        (json!({ "all": false }), "all"),
        (json!({ "all": false, "user_id": member.user_id }), "all"),
        (json!({ "all": "true" }), "all"),
        (json!({ "all": 1 }), "all"),
        (json!({ "user_id": "ada" }), "user_id"),
        (json!({ "organization_id": "acme" }), "organization_id"),
        (json!({ "external_user_id": "" }), "external_user_id"),
        (json!({ "external_user_id": null }), "external_user_id"),
        (json!({ "external_user_id": null, "all": true }), "external_user_id"),
        (json!({ "all": null }), "user_id"),
        (json!({ "key_id": "key_1" }), "key_id"),
        (json!({ "token": token }), "token"),
    ] {
        deployment.revoke_tokens(&key.tenant, &whose).await.names(field);
    }
    assert_eq!(deployment.items().await, before);
    for (key, token) in [(&key, &token), (&others_key, &others_token)] {
        assert!(deployment.is_active(key, token).await);
    }
}
