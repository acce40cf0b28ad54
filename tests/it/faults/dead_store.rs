//! A store that fails refuses: 503, `Retry-After`, nothing half done.

use std::time::Duration;

use serde_json::json;
use shared::api::{OPERATIONS, Surface};
use stack::{Effect, Fault, Match, Service};

use crate::support::phone::{Phone, REGISTER};
use crate::support::{Deployment, END_USER, World};

#[tokio::test]
async fn every_operation_refuses_when_a_store_is_gone_and_works_when_it_is_back() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let tenant = world.tenant.clone();
    let (phone, handle) = (deployment.paired(&tenant, "ada").await, deployment.handle(&tenant, "bob").await);
    let effects = [
        Effect::NotSent,
        Effect::Status(400, "ThrottlingException".to_owned()),
        Effect::Status(500, "InternalServerError".to_owned()),
        Effect::Status(400, "AccessDeniedException".to_owned()),
    ];
    for service in [Service::Dynamodb, Service::SecretsManager] {
        for effect in &effects {
            let before = deployment.items().await;
            let fault = Match::any().service(service);
            deployment.stack.faults().inject(Fault::new(fault, effect.clone()));
            // A page asks no store.
            for entry in OPERATIONS.iter().filter(|entry| entry.surface != Surface::Pages) {
                // Only the registry's functions, and those that sign for the first time, ask for a secret.
                let asks_for_secret = entry.surface == Surface::Registry;
                if service == Service::SecretsManager && !asks_for_secret {
                    continue;
                }
                let call = match entry.route.path {
                    REGISTER => deployment.register_phone(&Phone::default(), &handle).await,
                    path if entry.surface == Surface::Device && !entry.security.is_empty() => {
                        deployment.phone(&phone, entry.route.method.as_str(), path).await
                    }
                    _ => deployment.authorized(entry, &world),
                };
                let answer = call.send().await;
                answer.refused(503, "temporarily_unavailable");
                assert!(answer.headers["retry-after"].parse::<u64>().unwrap() >= 1);
            }
            deployment.stack.faults().clear();
            assert_eq!(deployment.items().await, before, "{service:?} {effect:?}");
        }
    }
    assert_eq!(deployment.fetch(&tenant).await["status"], "active");
    assert_eq!(deployment.valid_secrets(&tenant.id).await, [tenant.secret.as_str()]);
}

/// Whatever it shows: with no answer from the table, nobody knows whether it is right.
#[tokio::test]
async fn no_credential_opens_the_account_surface_while_the_table_is_gone() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let revoked = deployment.api_key(&world.tenant, "account").await;
    let path = format!("/api/v1/revoke/api-key?tenant_id={}&key_id={}", world.tenant.id, revoked.id);
    deployment.post_nothing(&path).await.data(200);
    let token = deployment.scoped_token(&world.account, Some(END_USER)).await;
    let account_wide = deployment.scoped_token(&world.account, None).await;
    // With the signature of another.
    let forged = format!("{}.{}", token.rsplit_once('.').unwrap().0, account_wide.rsplit_once('.').unwrap().1);
    let bearer = |token: &str| ("authorization", format!("Bearer {token}"));
    let key = |text: &str| ("x-api-key", text.to_owned());
    // Of the last two nobody is let in with the table there either.
    let credentials =
        [key(&world.account.text), bearer(&token), bearer(&account_wide), key(&revoked.text), bearer(&forged)];
    let before = deployment.items().await;
    deployment.stack.faults().inject(Fault::new(Match::any().service(Service::Dynamodb), Effect::NotSent));
    let mut asked = 0;
    for entry in OPERATIONS.iter().filter(|entry| entry.surface == Surface::Account) {
        let calls = credentials.iter().map(|(name, value)| deployment.request(entry, &world).header(name, value));
        for call in calls.map(|call| tokio::spawn(call.send())).collect::<Vec<_>>() {
            let answer = call.await.unwrap();
            answer.refused(503, "temporarily_unavailable");
            assert_eq!(answer.body["detail"], "temporarily unavailable, try again", "{}", entry.route.name);
            assert!(answer.headers["retry-after"].parse::<u64>().unwrap() >= 1);
            asked += 1;
        }
    }
    assert!(asked >= 100, "{asked}");
    deployment.stack.faults().clear();
    assert_eq!(deployment.items().await, before);
    for ((name, value), is_in) in credentials.iter().zip([true, true, true, false, false]) {
        let answer = deployment.anonymous("GET", "/api/v1/agent-sessions").header(name, value).send().await;
        assert_eq!(answer.status, if is_in { 200 } else { 401 }, "{}", answer.text);
    }
}

#[tokio::test]
async fn an_account_call_that_fails_half_way_has_changed_nothing() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let writes = ["TransactWriteItems", "UpdateItem"];
    let mut failed = 0;
    for entry in OPERATIONS.iter().filter(|entry| entry.surface == Surface::Account) {
        for user in [Some(END_USER), None] {
            let world = World { rows: deployment.rows(&world.account).await, ..world.clone() };
            // The first call is the one above; of an operation that makes fewer, the last attempt succeeds.
            for index in 1.. {
                let failing = Match::any().function(entry.route.function).index(index);
                let effect = Effect::Status(500, "InternalServerError".to_owned());
                let fault = deployment.stack.faults().inject(Fault::new(failing, effect));
                let before = deployment.items().await;
                let call = deployment.request(entry, &world).header("x-api-key", &world.account.text);
                let call = user.map_or(call.clone(), |user| call.header("x-end-user-id", user));
                let (answer, calls) = deployment.calls_of(call).await;
                deployment.stack.faults().clear();
                if fault.fired() == 0 {
                    assert!(answer.status < 300, "{}: {}", entry.route.name, answer.text);
                    break;
                }
                answer.refused(503, "temporarily_unavailable");
                // What fails after the change was made is the look at it for the answer.
                let is_made = calls.iter().any(|call| call.status == 200 && writes.contains(&call.operation.as_str()));
                let is_same = deployment.items().await == before;
                assert!(is_same || (is_made && index > 1), "{} {index}", entry.route.name);
                failed += 1;
            }
        }
    }
    assert!(failed > 20, "{failed}");
}

#[tokio::test]
async fn a_store_that_fails_half_way_leaves_nothing_that_can_be_seen() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let (before, trail) = (deployment.fetch(&tenant).await, deployment.audit_trail(&tenant).await);
    for operation in ["CreateSecret", "PutSecretValue", "TransactWriteItems", "UpdateItem", "BatchGetItem"] {
        let failing = Match::any().operation(operation);
        deployment.stack.faults().inject(Fault::new(failing, Effect::Status(500, "InternalServerError".to_owned())));
        for (name, refuses) in [
            ("provision", ["CreateSecret", "TransactWriteItems"].contains(&operation)),
            ("rotate", ["PutSecretValue", "TransactWriteItems", "UpdateItem"].contains(&operation)),
            ("update", ["BatchGetItem", "TransactWriteItems"].contains(&operation)),
            ("suspend", operation == "TransactWriteItems"),
        ] {
            if !refuses {
                continue;
            }
            let answer = match name {
                "provision" => deployment.post("/api/v1/provision/tenant", &json!({ "tenant_name": "b" })).await,
                "rotate" => deployment.rotate(&tenant, 60).await,
                "update" => deployment.update(&tenant, &json!({ "rate_limit_per_min": 9 })).await,
                _ => deployment.suspend(&tenant).await,
            };
            answer.refused(503, "temporarily_unavailable");
        }
        deployment.stack.faults().clear();
        assert_eq!(deployment.fetch(&tenant).await, before, "{operation}");
        assert_eq!(deployment.audit_trail(&tenant).await, trail, "{operation}");
        assert_eq!(deployment.valid_secrets(&tenant.id).await, [tenant.secret.as_str()], "{operation}");
        let listed = deployment.get("/api/v1/fetch/tenants").await;
        assert_eq!(listed.data(200)["tenants"].as_array().unwrap().len(), 1, "{operation}");
    }
}

#[tokio::test]
async fn a_tenant_whose_secret_somebody_deleted_is_our_fault_and_not_temporary() {
    let deployment = Deployment::start().await;
    for (folder, broken, whole) in [
        ("tenants", "rotate/tenant-secret", "rotate/signing-key"),
        ("signing-keys", "rotate/signing-key", "rotate/tenant-secret"),
    ] {
        let tenant = deployment.provision("Acme").await;
        deployment.age_standby_key(&tenant.id, 900).await;
        let name = deployment.secret_name(folder, &tenant.id);
        let delete = json!({ "SecretId": name, "ForceDeleteWithoutRecovery": true }).to_string();
        assert_eq!(deployment.stack.secrets().handle("DeleteSecret", delete.as_bytes(), 0).0, 200);
        let rotate = async |path| deployment.post_nothing(&format!("/api/v1/{path}?tenant_id={}", tenant.id)).await;
        rotate(broken).await.refused(500, "internal");
        rotate(whole).await.data(200);
    }
}

#[tokio::test]
async fn a_short_failure_is_not_noticed() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    for effect in [Effect::NotSent, Effect::NoAnswer, Effect::Status(500, "InternalServerError".to_owned())] {
        for operation in ["TransactWriteItems", "CreateSecret", "GetSecretValue", "PutSecretValue", "BatchGetItem"] {
            deployment.stack.faults().inject(Fault::new(Match::any().operation(operation), effect.clone()).once());
        }
        deployment.provision("Beta").await;
        deployment.rotate(&tenant, 0).await.data(200);
        deployment.update(&tenant, &json!({ "rate_limit_per_min": 9 })).await.data(200);
        deployment.stack.faults().clear();
    }
    // Each was done once, although some were done without an answer and asked for again.
    let trail = deployment.audit_trail(&tenant).await;
    assert_eq!(trail.iter().filter(|action| *action == "tenant.secret_rotated").count(), 3);
    assert_eq!(deployment.stored_secrets().len(), 8);
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_given_up_in_time() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let hang = Effect::SlowAnswer(Duration::from_secs(30));
    deployment.stack.faults().inject(Fault::new(Match::any().operation("BatchGetItem"), hang));
    let start = std::time::SystemTime::now();
    let answer = deployment.get(&format!("/api/v1/fetch/tenant?tenant_id={}", tenant.id)).await;
    answer.refused(503, "temporarily_unavailable");
    assert!(start.elapsed().unwrap() < shared::runtime::BUDGET);
}

#[tokio::test]
async fn nobody_is_let_in_while_the_admin_key_cannot_be_read() {
    let deployment = Deployment::start().await;
    deployment.stack.faults().inject(Fault::new(Match::any().operation("GetSecretValue"), Effect::NotSent));
    for key in [deployment.key(), &"x".repeat(48)] {
        let call = deployment.anonymous("GET", "/api/v1/fetch/tenants").header("x-admin-key", key);
        call.send().await.refused(503, "temporarily_unavailable");
    }
}

#[tokio::test]
async fn no_token_is_signed_while_the_key_in_force_cannot_be_read() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    // A warm process has the key of before, and must not sign with it any more.
    deployment.post_nothing(&format!("/api/v1/rotate/signing-key?tenant_id={}", world.tenant.id)).await.data(200);
    let before = deployment.items().await;
    deployment.stack.faults().inject(Fault::new(Match::any().service(Service::SecretsManager), Effect::NotSent));
    for entry in
        OPERATIONS.iter().filter(|entry| ["user-token", "register-tenant", "auth-token"].contains(&entry.route.name))
    {
        deployment.authorized(entry, &world).send().await.refused(503, "temporarily_unavailable");
    }
    assert_eq!(deployment.items().await, before, "nothing was registered for a token that was not issued");
    deployment.stack.faults().clear();
    let token = deployment.token(&world.key, &world.member).await;
    assert!(deployment.is_active(&world.key, &token).await);
}
