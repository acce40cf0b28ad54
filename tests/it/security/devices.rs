//! Every operation that takes a device session refuses whoever has none that is right for it, and asks AWS for nothing
//! of anybody else's.

use serde_json::json;
use shared::api::{OPERATIONS, OperationInfo, Surface};
use stack::AwsCall;

use crate::support::phone::{Phone, REGISTER};
use crate::support::qr::{DECIDE, ORIGIN, SCAN};
use crate::support::{Call, Deployment, Tenant, violation, with};

/// The operations that take a device session.
fn of_sessions() -> impl Iterator<Item = &'static OperationInfo> {
    let of_phones = OPERATIONS.iter().filter(|entry| entry.surface == Surface::Device);
    of_phones.filter(|entry| !entry.security.is_empty() && entry.route.path != REGISTER)
}

/// The one of the refused credentials that was one.
const GONE: &str = "of a device that is gone";

#[tokio::test]
async fn every_operation_of_a_session_refuses_every_other_credential_uniformly_and_writes_nothing() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let (phone, other) = (deployment.paired(&world.tenant, "ada").await, deployment.paired(&world.tenant, "bob").await);
    let gone = deployment.paired(&world.tenant, "eve").await;
    deployment.phone(&gone, "POST", "/api/v1/device/unpair").await.send().await.data(200);
    let dpop = |token: &str| ("authorization", format!("DPoP {token}"));
    let mut mistyped = phone.token.clone();
    mistyped.replace_range(10..11, if &phone.token[10..11] == "a" { "b" } else { "a" });
    let relabelled = phone.token.replace("ds_", "ak_");
    let credentials = [
        ("none", None),
        ("empty", Some(dpop(""))),
        ("no token", Some(dpop("x"))),
        ("cut short", Some(dpop(&phone.token[..phone.token.len() - 1]))),
        ("mistyped", Some(dpop(&mistyped))),
        ("relabelled", Some(dpop(&relabelled))),
        ("an API key", Some(dpop(&world.account.text))),
        ("a token of a user", Some(dpop(&world.token))),
        (GONE, Some(dpop(&gone.token))),
        ("as bearer", Some(("authorization", format!("Bearer {}", phone.token)))),
        ("the operator's key", Some(("x-admin-key", deployment.key().to_owned()))),
        ("an API key in its header", Some(("x-api-key", world.account.text.clone()))),
    ];
    let before = deployment.items().await;
    let (mut seen, mut texts) = (0, Vec::new());
    for entry in of_sessions() {
        let (method, path) = (entry.route.method.as_str(), entry.route.path);
        let url = format!("{}{path}", deployment.stack.url());
        for (label, credential) in &credentials {
            let call = deployment.anonymous(method, path);
            // With a proof that goes with it.
            let token = credential.as_ref().map(|(_, value)| value.trim_start_matches("DPoP ").to_owned());
            let bearer = Phone { token: token.unwrap_or_default(), ..gone.clone() };
            let claims =
                json!({ "htm": method, "htu": url, "nonce": deployment.dpop_nonce().await, "ath": bearer.ath() });
            let call = call.header("dpop", &gone.proof(&claims));
            let call = match credential {
                Some((name, value)) => call.header(name, value),
                None => call,
            };
            let answer = call.send().await;
            assert_eq!(answer.status, 401, "{path} with {label}: {}", answer.text);
            // What has the shape of a session, and whose, only the table says.
            assert_eq!(answer.reason().is_none(), *label == GONE, "{path} with {label}: {}", answer.text);
            if answer.reason().is_none() {
                texts.push(answer.text);
            }
            seen += 1;
        }
        let signed = deployment.anonymous(method, path).signed(&world.tenant.signing()).send().await;
        assert_eq!(signed.refused(401, "unauthenticated").reason(), Some("credential_missing"));
        // The session of one device with the key of another.
        let claims = json!({ "htm": method, "htu": url, "nonce": deployment.dpop_nonce().await, "ath": phone.ath() });
        let call = deployment.anonymous(method, path).header("authorization", &format!("DPoP {}", phone.token));
        call.header("dpop", &other.proof(&claims)).send().await.refused(401, "invalid_dpop_proof");
    }
    assert!(seen >= 36, "{seen}");
    texts.dedup();
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert_eq!(deployment.items().await, before);
    assert!(!deployment.stack.output().contains(&phone.token), "a token is in the log");
}

#[tokio::test]
async fn what_a_phone_asks_aws_for_is_noticed_under_the_credential_of_another() {
    let deployment = Deployment::start().await;
    let (ours, theirs) = (deployment.provision("Ours").await, deployment.provision("Theirs").await);
    let handles = [deployment.handle(&ours, "ada").await, deployment.handle(&theirs, "ada").await];
    let (one, two) = (Phone::default(), Phone::default());
    let look = |handle: &str| deployment.anonymous("POST", "/api/v1/device/pairing").json(&json!({ "handle": handle }));
    let mut pairs: Vec<(Call, Call)> = vec![(look(&handles[0]), look(&handles[1]))];
    pairs
        .push((deployment.register_phone(&one, &handles[0]).await, deployment.register_phone(&two, &handles[1]).await));
    let mut seen = 0;
    for (ours, theirs) in pairs {
        seen += noticed(&deployment, ours, theirs, "PAIRING#").await;
    }
    for tenant in [&ours, &theirs] {
        let wanted = json!({ "qr_login_allowed_origins": [ORIGIN], "rate_limit_per_min": 1000 });
        deployment.update(tenant, &wanted).await.data(200);
    }
    for entry in of_sessions() {
        let (one, two) = (deployment.paired(&ours, "ada").await, deployment.paired(&theirs, "ada").await);
        let calls = (call_of(&deployment, entry, &ours, &one).await, call_of(&deployment, entry, &theirs, &two).await);
        seen += noticed(&deployment, calls.0, calls.1, &ours.id).await;
    }
    assert!(seen > 10, "{seen}");
}

/// A call of the operation that is carried out.
async fn call_of(deployment: &Deployment, entry: &OperationInfo, tenant: &Tenant, phone: &Phone) -> Call {
    match entry.route.path {
        SCAN => deployment.scan(phone, &deployment.qr_login(tenant, &json!({})).await.read()).await,
        DECIDE => {
            let scanned = deployment.scanned(phone, &deployment.qr_login(tenant, &json!({})).await).await;
            let statement = phone.states(&scanned.claims(deployment, phone, "deny", None));
            deployment.decide(phone, &scanned.login.session_id, &statement).await
        }
        path => {
            let call = deployment.phone(phone, entry.route.method.as_str(), path).await;
            if entry.has_body() { call.body("application/json", entry.route.body_example) } else { call }
        }
    }
}

/// How many calls of the one name this, each of which is noticed if the other had caused it.
async fn noticed(deployment: &Deployment, ours: Call, theirs: Call, named: &str) -> usize {
    let (answer, calls) = deployment.calls_of(ours).await;
    assert!(answer.status < 300, "{}", answer.text);
    let (_, others) = deployment.calls_of(theirs).await;
    let mut seen = 0;
    for call in calls {
        assert_eq!(violation(&call), None, "{}", call.operation);
        let names_us = call.request.to_string().contains(named);
        let swapped = AwsCall { cause: others[0].cause.clone(), ..call.clone() };
        assert!(violation(&swapped).is_some() || !names_us, "{}: {}", call.operation, call.request);
        assert!(violation(&AwsCall { cause: None, ..call }).is_some());
        seen += usize::from(names_us);
    }
    seen
}

#[tokio::test]
async fn a_person_or_a_tenant_that_is_another_sees_and_ends_nothing() {
    let deployment = Deployment::start().await;
    let (ours, theirs) = (deployment.provision("Ours").await, deployment.provision("Theirs").await);
    let (ada, bob) = (deployment.paired(&ours, "ada").await, deployment.paired(&ours, "bob").await);
    let foreign = deployment.paired(&theirs, "ada").await;
    for (phone, count) in [(&ada, 1), (&bob, 1), (&foreign, 1)] {
        let answer = deployment.pairings(phone).await;
        assert_eq!(answer.data(200)["pairings"].as_array().unwrap().len(), count);
        assert_eq!(answer.data(200)["pairings"][0]["device_id"], phone.device_id);
    }
    let body = json!({ "backend_user_id": "ada", "device_id": ada.device_id });
    for (tenant, body) in [(&theirs, body.clone()), (&ours, with(&body, &json!({ "backend_user_id": "bob" })))] {
        deployment.relay(tenant, "revoke/device", &body).send().await.refused(404, "device_not_found");
    }
    deployment.pairings(&ada).await.data(200);
}
