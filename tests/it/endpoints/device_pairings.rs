//! `GET /api/v1/device/pairings`, and what every call with a device session has to be.

use serde_json::{Value, json};

use crate::support::Deployment;
use crate::support::phone::{PAIRINGS, Phone};

#[tokio::test]
async fn a_phone_sees_its_persons_devices_and_nobody_elses() {
    let deployment = Deployment::start().await;
    let (tenant, other) = (deployment.provision("Acme").await, deployment.provision("Beta").await);
    let (one, two) = (deployment.paired(&tenant, "ada").await, deployment.paired(&tenant, "ada").await);
    deployment.paired(&tenant, "bob").await;
    deployment.paired(&other, "ada").await;
    let answer = deployment.pairings(&one).await;
    let listed = answer.data(200)["pairings"].as_array().unwrap();
    let ids: Vec<_> = listed.iter().map(|device| device["device_id"].as_str().unwrap()).collect();
    assert_eq!(ids, [&one.device_id, &two.device_id]);
    assert_eq!((&listed[0]["name"], &listed[0]["platform"]), (&json!("Ada's phone"), &json!("android")));
    assert!(listed[0]["created_at"].is_string() && listed[0]["last_used_at"].is_string());
    assert!(!answer.text.contains("user_email") && !answer.text.contains("socket"));
}

#[tokio::test]
async fn a_proof_is_good_once_for_one_call_of_one_session_and_with_a_nonce_of_ours() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let (phone, other) = (deployment.paired(&tenant, "ada").await, deployment.paired(&tenant, "ada").await);
    let call = deployment.phone(&phone, "GET", PAIRINGS).await;
    call.clone().send().await.data(200);
    call.send().await.refused(401, "invalid_dpop_proof");
    let nonce = deployment.dpop_nonce().await;
    let url = format!("{}{PAIRINGS}", deployment.stack.url());
    // A stolen token alone, or with the thief's own key.
    let bare = deployment.anonymous("GET", PAIRINGS).header("authorization", &format!("DPoP {}", phone.token));
    bare.clone().send().await.refused(401, "unauthenticated");
    let claims = json!({ "htm": "GET", "htu": url, "nonce": nonce, "ath": phone.ath() });
    let thief = Phone::default();
    bare.clone().header("dpop", &thief.proof(&claims)).send().await.refused(401, "invalid_dpop_proof");
    // As bearer, which it is not.
    let bearer = deployment.anonymous("GET", PAIRINGS).header("authorization", &format!("Bearer {}", phone.token));
    bearer.header("dpop", &phone.proof(&claims)).send().await.refused(401, "unauthenticated");
    // A stolen proof alone.
    let alone = deployment.anonymous("GET", PAIRINGS).header("dpop", &phone.proof(&claims));
    alone.send().await.refused(401, "unauthenticated");
    for (changes, code) in [
        (json!({ "ath": other.ath() }), "invalid_dpop_proof"),
        (json!({ "ath": null }), "invalid_dpop_proof"),
        (json!({ "htm": "POST" }), "invalid_dpop_proof"),
        (json!({ "nonce": null }), "use_dpop_nonce"),
        (json!({ "nonce": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }), "use_dpop_nonce"),
    ] {
        let answer = deployment.phone_with(&phone, "GET", PAIRINGS, &changes).await.send().await;
        answer.refused(401, code);
        assert!(answer.headers["www-authenticate"].starts_with("DPoP "));
    }
    // The clock of a phone may be anything.
    deployment.phone_with(&phone, "GET", PAIRINGS, &json!({ "iat": 1 })).await.send().await.data(200);
}

#[tokio::test]
async fn the_nonce_of_a_refusal_makes_the_call_good() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let phone = deployment.paired(&tenant, "ada").await;
    let refused = deployment.phone_with(&phone, "GET", PAIRINGS, &json!({ "nonce": null })).await.send().await;
    let nonce = refused.refused(401, "use_dpop_nonce").headers["dpop-nonce"].clone();
    let again = deployment.phone_with(&phone, "GET", PAIRINGS, &json!({ "nonce": nonce })).await.send().await;
    let next = again.headers["dpop-nonce"].clone();
    again.data(200);
    deployment.phone_with(&phone, "GET", PAIRINGS, &json!({ "nonce": next })).await.send().await.data(200);
}

#[tokio::test]
async fn suspension_and_revocations_show_at_the_next_call() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let (ada, bob) = (deployment.paired(&tenant, "ada").await, deployment.paired(&tenant, "bob").await);
    deployment.suspend(&tenant).await.data(200);
    deployment.pairings(&ada).await.refused(403, "tenant_suspended");
    deployment.reactivate(&tenant).await.data(200);
    deployment.pairings(&ada).await.data(200);
    deployment.revoke_tokens(&tenant, &json!({ "external_user_id": "ada" })).await.data(200);
    deployment.pairings(&ada).await.refused(401, "unauthenticated");
    deployment.pairings(&bob).await.data(200);
    let ada = deployment.paired(&tenant, "ada").await;
    deployment.pairings(&ada).await.data(200);
    deployment.revoke_tokens(&tenant, &json!({ "all": true })).await.data(200);
    for phone in [&ada, &bob] {
        deployment.pairings(phone).await.refused(401, "unauthenticated");
    }
}

#[tokio::test]
async fn a_session_that_is_another_or_over_opens_nothing() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let phone = deployment.paired(&tenant, "ada").await;
    let pk = format!("TENANT#{}#DEVICE#{}", tenant.id, phone.device_id);
    deployment.set(&pk, "DEVICE", "session_expires_at", &json!({ "N": "1" })).await;
    deployment.pairings(&phone).await.refused(401, "unauthenticated");
    let mut wrong = phone.clone();
    wrong.token = wrong.token.replace("ds_", "ak_");
    deployment.pairings(&wrong).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_phones_first_call_of_a_day_is_noted() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let phone = deployment.paired(&tenant, "ada").await;
    let pk = format!("TENANT#{}#DEVICE#{}", tenant.id, phone.device_id);
    deployment.set(&pk, "DEVICE", "last_used_at", &json!({ "N": "1782000000000" })).await;
    let before = deployment.devices_of(&tenant, "ada").await;
    deployment.pairings(&phone).await.data(200);
    let after = deployment.devices_of(&tenant, "ada").await;
    let at = |devices: &[Value]| devices[0]["last_used_at"].as_str().unwrap().to_owned();
    assert!(at(&before) < at(&after));
    deployment.pairings(&phone).await.data(200);
    assert_eq!(deployment.devices_of(&tenant, "ada").await, after);
}
