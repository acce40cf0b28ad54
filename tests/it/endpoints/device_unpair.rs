//! `POST /api/v1/device/unpair`

use serde_json::json;

use crate::support::{Deployment, at_once};

const PATH: &str = "/api/v1/device/unpair";

#[tokio::test]
async fn a_pairing_ends_with_all_that_was_kept_for_it() {
    let deployment = Deployment::start().await;
    deployment.stack.streams().stop().await;
    let tenant = deployment.provision("Acme").await;
    deployment.update(&tenant, &json!({ "callback_url_base": "http://127.0.0.1:9" })).await.data(200);
    let (one, two) = (deployment.paired(&tenant, "ada").await, deployment.paired(&tenant, "ada").await);
    let answer = deployment.phone(&one, "POST", PATH).await.send().await;
    assert_eq!(answer.data(200)["device_id"], one.device_id);
    deployment.pairings(&one).await.refused(401, "unauthenticated");
    deployment.phone(&one, "POST", PATH).await.send().await.refused(401, "unauthenticated");
    assert_eq!(deployment.pairings(&two).await.data(200)["pairings"].as_array().unwrap().len(), 1);
    deployment.phone(&two, "POST", PATH).await.send().await.data(200);
    assert_eq!(deployment.devices_of(&tenant, "ada").await, Vec::<serde_json::Value>::new());
    let items = deployment.items().await;
    for item in items.iter().filter(|item| !item["pk"]["S"].as_str().unwrap().ends_with("#CALLBACKS")) {
        let text = item.to_string();
        assert!(!text.contains("***") && !text.contains("Ada Lovelace"), "{text}");
    }
    let path = format!("/api/v1/fetch/callbacks?tenant_id={}&type=pairing.removed", tenant.id);
    assert_eq!(deployment.get(&path).await.data(200)["callbacks"].as_array().unwrap().len(), 2);
    let trail = deployment.audit_trail(&tenant).await;
    assert_eq!(trail.iter().filter(|action| *action == "device.removed").count(), 2);
}

#[tokio::test]
async fn a_pairing_that_is_ended_twice_at_once_ends_once() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let phone = deployment.paired(&tenant, "ada").await;
    let mut calls = Vec::new();
    for _ in 0..3 {
        calls.push(deployment.phone(&phone, "POST", PATH).await);
    }
    let answers = at_once(calls).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        assert!([401, 404].contains(&answer.status), "{}", answer.text);
    }
    let trail = deployment.audit_trail(&tenant).await;
    assert_eq!(trail.iter().filter(|action| *action == "device.removed").count(), 1);
}
