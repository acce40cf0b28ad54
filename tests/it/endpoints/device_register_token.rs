//! `POST /api/v1/device/register-token`

use serde_json::{Value, json};
use stack::Match;

use crate::support::phone::{Phone, REGISTER, handle_of, welcomed};
use crate::support::{Deployment, at_once, with};

#[tokio::test]
async fn a_handle_pairs_one_phone_and_the_tenant_hears_of_it() {
    let deployment = Deployment::start().await;
    deployment.stack.streams().stop().await;
    let tenant = deployment.provision("Acme").await;
    deployment.update(&tenant, &json!({ "callback_url_base": "http://127.0.0.1:9" })).await.data(200);
    let prepared = deployment.prepared(&tenant, "ada").await;
    let handle = handle_of(&prepared);
    let answer = deployment.register_phone(&Phone::default(), &handle).await.send().await;
    let data = answer.data(201);
    assert_eq!((&data["tenant_name"], &data["expires_in"]), (&json!("Acme"), &json!(2_592_000)));
    let token = data["device_session_token"].as_str().unwrap();
    let items = serde_json::to_string(&deployment.items().await).unwrap();
    assert!(token.starts_with("ds_") && token.len() == 119 && !items.contains(token) && !items.contains(&handle));
    let again = deployment.register_phone(&Phone::default(), &handle).await.send().await;
    again.refused(404, "pairing_not_found");
    let devices = deployment.devices_of(&tenant, "ada").await;
    assert_eq!(devices.len(), 1);
    let known = json!({
        "device_id": data["device_id"], "name": "Ada's phone", "platform": "android",
        "user_socket_hash": "socket of ada", "display_name": "Ada Lovelace", "user_email": "a***@e***.com",
        "user_phone": null,
    });
    assert_eq!(with(&devices[0], &known), devices[0]);
    let path = format!("/api/v1/fetch/callbacks?tenant_id={}&type=pairing.created", tenant.id);
    let owed = deployment.get(&path).await.data(200)["callbacks"].as_array().unwrap().clone();
    assert_eq!(owed.len(), 1);
    let path =
        format!("/api/v1/fetch/callback?tenant_id={}&event_id={}", tenant.id, owed[0]["event_id"].as_str().unwrap());
    let event = deployment.get(&path).await;
    let body: Value = match &event.data(200)["body"] {
        Value::String(text) => serde_json::from_str(text).unwrap(),
        other => other.clone(),
    };
    assert_eq!((&body["type"], &body["sequence"]), (&json!("pairing.created"), &json!(1)));
    let told = json!({
        "backend_user_id": "ada", "relay_user_linked_id": prepared["relay_user_linked_id"],
        "device_id": data["device_id"], "user_email": "a***@e***.com", "removed_at": null,
    });
    assert_eq!(with(&body["data"], &told), body["data"]);
    let trail = deployment.audit_events(&tenant).await;
    let event = trail.iter().find(|event| event["action"] == "device.paired").unwrap();
    assert_eq!((&event["actor"], &event["details"]["device_id"]), (&json!("device"), &data["device_id"]));
}

#[tokio::test]
async fn a_pairing_proof_pairs_one_phone_and_uses_up_the_handle_with_it() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let prepared = deployment.prepared(&tenant, "ada").await;
    let proof = prepared["pairing_proof"].as_str().unwrap();
    let answer = deployment.register_phone_by_proof(&Phone::default(), proof, &json!({})).await.send().await;
    assert_eq!(answer.data(201)["tenant_id"], tenant.id);
    let phone = welcomed(Phone::default(), &answer);
    assert_eq!(deployment.devices_of(&tenant, "ada").await[0]["name"], "Phone");
    let again = deployment.register_phone_by_proof(&phone, proof, &json!({})).await.send().await;
    again.refused(404, "pairing_not_found");
    let handle = handle_of(&prepared);
    deployment.register_phone(&phone, &handle).await.send().await.refused(404, "pairing_not_found");
}

#[tokio::test]
async fn a_pairing_from_before_a_revocation_pairs_nobody_and_one_of_another_person_does() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    for (whose, others) in [(json!({ "external_user_id": "ada" }), 201), (json!({ "all": true }), 404)] {
        let [prepared, other] = [deployment.prepared(&tenant, "ada").await, deployment.prepared(&tenant, "bob").await];
        deployment.revoke_tokens(&tenant, &whose).await.data(200);
        let by_handle = deployment.register_phone(&Phone::default(), &handle_of(&prepared)).await;
        by_handle.send().await.refused(404, "pairing_not_found");
        let proof = prepared["pairing_proof"].as_str().unwrap();
        let by_proof = deployment.register_phone_by_proof(&Phone::default(), proof, &json!({})).await;
        by_proof.send().await.refused(404, "pairing_not_found");
        let of_other = deployment.register_phone(&Phone::default(), &handle_of(&other)).await.send().await;
        assert_eq!(of_other.status, others, "{whose}");
        // What is prepared afterwards is good.
        deployment.paired(&tenant, "ada").await;
    }
}

#[tokio::test]
async fn a_proof_that_its_tenant_did_not_sign_or_beside_a_handle_pairs_nobody() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let prepared = deployment.prepared(&tenant, "ada").await;
    let proof = prepared["pairing_proof"].as_str().unwrap();
    let (signed, signature) = proof.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}", signature.chars().rev().collect::<String>());
    let phone = Phone::default();
    for wrong in [forged.as_str(), signed, "x", ""] {
        deployment
            .register_phone_by_proof(&phone, wrong, &json!({}))
            .await
            .send()
            .await
            .refused(401, "unauthenticated");
    }
    let both = deployment
        .register_phone_by_proof(&phone, proof, &json!({}))
        .await
        .json(&json!({ "handle": handle_of(&prepared) }));
    both.send().await.names("handle");
    let url = format!("{}{REGISTER}", deployment.stack.url());
    let dpop = phone.proof(&json!({ "htm": "POST", "htu": url }));
    let neither = deployment.anonymous("POST", REGISTER).header("dpop", &dpop).json(&json!({}));
    neither.send().await.names("handle");
    deployment.register_phone_by_proof(&phone, proof, &json!({})).await.send().await.data(201);
}

#[tokio::test]
async fn a_key_has_to_prove_itself_by_a_nonce_or_a_right_clock() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let prepared = deployment.prepared(&tenant, "ada").await;
    let proof = prepared["pairing_proof"].as_str().unwrap();
    let phone = Phone::default();
    let bare = deployment.anonymous("POST", REGISTER).header("authorization", &format!("Bearer {proof}"));
    let answer = bare.send().await;
    assert_eq!(answer.refused(401, "unauthenticated").headers["www-authenticate"], "DPoP algs=\"ES256\"");
    for (changes, code) in [
        (json!({ "htm": "GET" }), "invalid_dpop_proof"),
        (json!({ "htu": "https://evil.example.com/api/v1/device/register-token" }), "invalid_dpop_proof"),
        (json!({ "ath": "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo" }), "invalid_dpop_proof"),
        (json!({ "nonce": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }), "use_dpop_nonce"),
        (json!({ "nonce": null, "iat": 1 }), "use_dpop_nonce"),
    ] {
        let (answer, calls) =
            deployment.calls_of(deployment.register_phone_by_proof(&phone, proof, &changes).await).await;
        answer.refused(401, code);
        let challenge = format!("DPoP error=\"{code}\", algs=\"ES256\"");
        assert_eq!(answer.headers["www-authenticate"], challenge, "{changes}");
        assert!(calls.is_empty(), "{changes}");
    }
    // With a right clock, no nonce is needed.
    deployment.register_phone_by_proof(&phone, proof, &json!({ "nonce": null })).await.send().await.data(201);
}

#[tokio::test]
async fn of_phones_with_one_handle_at_once_one_is_paired() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let handle = deployment.handle(&tenant, "ada").await;
    let mut calls = Vec::new();
    for _ in 0..4 {
        calls.push(deployment.register_phone(&Phone::default(), &handle).await);
    }
    let answers = at_once(calls).await;
    let paired = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(paired, 1);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.refused(404, "pairing_not_found");
    }
    assert_eq!(deployment.devices_of(&tenant, "ada").await.len(), 1);
}

#[tokio::test]
async fn a_person_has_ten_devices_and_those_whose_session_is_over_make_room() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    deployment.update(&tenant, &json!({ "rate_limit_per_min": 1000 })).await.data(200);
    let mut phones = Vec::new();
    for _ in 0..10 {
        phones.push(deployment.paired(&tenant, "ada").await);
    }
    let handle = deployment.handle(&tenant, "ada").await;
    deployment.register_phone(&Phone::default(), &handle).await.send().await.refused(409, "quota_exceeded");
    assert_eq!(deployment.devices_of(&tenant, "ada").await.len(), 10);
    deployment.paired(&tenant, "bob").await;
    // All ten sessions end by this, and so does the pairing that is open.
    deployment.revoke_tokens(&tenant, &json!({ "external_user_id": "ada" })).await.data(200);
    deployment.register_phone(&Phone::default(), &handle).await.send().await.refused(404, "pairing_not_found");
    deployment.paired(&tenant, "ada").await;
    assert_eq!(deployment.devices_of(&tenant, "ada").await.len(), 1);
    let items = deployment.items().await;
    let devices = items.iter().filter(|item| item["sk"]["S"] == "DEVICE").count();
    assert_eq!(devices, 2, "ada's and bob's");
}

#[tokio::test]
async fn of_phones_that_take_the_same_room_at_once_one_is_paired_and_each_removal_is_told_once() {
    let deployment = Deployment::start().await;
    deployment.stack.streams().stop().await;
    let tenant = deployment.provision("Acme").await;
    let wanted = json!({ "rate_limit_per_min": 1000, "callback_url_base": "http://127.0.0.1:9" });
    deployment.update(&tenant, &wanted).await.data(200);
    for _ in 0..10 {
        deployment.paired(&tenant, "ada").await;
    }
    deployment.revoke_tokens(&tenant, &json!({ "external_user_id": "ada" })).await.data(200);
    let mut calls = Vec::new();
    for _ in 0..2 {
        let handle = deployment.handle(&tenant, "ada").await;
        calls.push(deployment.register_phone(&Phone::default(), &handle).await);
    }
    let write = Match::any().function("device-register-token").operation("TransactWriteItems");
    let held = deployment.stack.faults().hold(write);
    let both_have_read = async {
        held.reached_by(2).await;
        held.release();
    };
    let (answers, ()) = tokio::join!(at_once(calls), both_have_read);
    let (paired, late): (Vec<_>, _) = answers.iter().partition(|answer| answer.status == 201);
    assert_eq!((paired.len(), late.len()), (1, 1), "{answers:?}");
    late[0].refused(409, "stale_update");
    assert_eq!(deployment.devices_of(&tenant, "ada").await.len(), 1);
    let path = format!("/api/v1/fetch/callbacks?tenant_id={}&type=pairing.removed&limit=100", tenant.id);
    let removed = deployment.get(&path).await.data(200)["callbacks"].as_array().unwrap().len();
    assert_eq!(removed, 10);
}

#[tokio::test]
async fn what_is_wrong_with_a_field_is_told_by_its_name() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let handle = deployment.handle(&tenant, "ada").await;
    for (field, value) in [
        ("handle", json!("short")),
        ("name", json!("")),
        ("name", json!("a".repeat(121))),
        ("platform", json!("symbian")),
        ("surprise", json!(1)),
    ] {
        let url = format!("{}{REGISTER}", deployment.stack.url());
        let proof = Phone::default().proof(&json!({ "htm": "POST", "htu": url }));
        let body = with(&json!({ "handle": handle }), &json!({ field: value }));
        let call = deployment.anonymous("POST", REGISTER).header("dpop", &proof).json(&body);
        call.send().await.names(field);
    }
    deployment.register_phone(&Phone::default(), &handle).await.send().await.data(201);
}
