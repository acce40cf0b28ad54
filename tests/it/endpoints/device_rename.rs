//! `POST /api/v1/device/rename`

use serde_json::json;

use crate::support::phone::Phone;
use crate::support::{Answer, Deployment};

const PATH: &str = "/api/v1/device/rename";

async fn rename(deployment: &Deployment, phone: &Phone, name: &str) -> Answer {
    deployment.phone(phone, "POST", PATH).await.json(&json!({ "name": name })).send().await
}

#[tokio::test]
async fn a_phone_gets_another_name_and_its_neighbours_keep_theirs() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let (one, two) = (deployment.paired(&tenant, "ada").await, deployment.paired(&tenant, "ada").await);
    let answer = rename(&deployment, &two, "Ada's tablet").await;
    assert_eq!(answer.data(200), &json!({ "device_id": two.device_id, "name": "Ada's tablet" }));
    let linked = deployment.prepared(&tenant, "ada").await["relay_user_linked_id"].clone();
    let by_our_id = deployment.relay(&tenant, "fetch/pairings", &json!({ "relay_user_linked_id": linked }));
    for listed in [
        deployment.devices_of(&tenant, "ada").await,
        by_our_id.send().await.data(200)["pairings"].as_array().unwrap().clone(),
        deployment.pairings(&one).await.data(200)["pairings"].as_array().unwrap().clone(),
    ] {
        assert_eq!([&listed[0]["name"], &listed[1]["name"]], ["Ada's phone", "Ada's tablet"]);
    }
    let trail = deployment.audit_trail(&tenant).await;
    assert_eq!(trail.iter().filter(|action| *action == "device.renamed").count(), 1);
}

#[tokio::test]
async fn the_name_that_it_has_changes_nothing_and_a_wrong_one_is_refused() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let phone = deployment.paired(&tenant, "ada").await;
    let call = deployment.phone(&phone, "POST", PATH).await.json(&json!({ "name": "Ada's phone" }));
    call.clone().send().await.data(200);
    call.send().await.refused(401, "invalid_dpop_proof");
    for name in [json!(""), json!("x".repeat(121)), json!("a\nb"), json!(1), json!(null)] {
        let call = deployment.phone(&phone, "POST", PATH).await.json(&json!({ "name": name }));
        let answer = call.send().await;
        assert!(answer.refused(422, "invalid_field").text.contains("\"name\""), "{}", answer.text);
    }
    assert_eq!(deployment.devices_of(&tenant, "ada").await[0]["name"], "Ada's phone");
    assert!(!deployment.audit_trail(&tenant).await.contains(&"device.renamed".to_owned()));
}

#[tokio::test]
async fn the_first_call_of_a_day_and_of_a_new_token_is_noted_with_the_name() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let old = deployment.paired(&tenant, "ada").await;
    let renewed = deployment.phone(&old, "POST", "/api/v1/device/refresh-token").await.send().await;
    let token = renewed.data(200)["device_session_token"].as_str().unwrap().to_owned();
    let phone = Phone { token, ..old.clone() };
    let pk = format!("TENANT#{}#DEVICE#{}", tenant.id, phone.device_id);
    deployment.set(&pk, "DEVICE", "last_used_at", &json!({ "N": "1" })).await;
    rename(&deployment, &phone, "Ada's tablet").await.data(200);
    deployment.pairings(&old).await.refused(401, "unauthenticated");
    let items = deployment.items().await;
    let item = items.iter().find(|item| item["pk"]["S"] == pk.as_str()).unwrap();
    assert!(item["last_used_at"]["N"].as_str().unwrap().len() > 1 && item.get("previous_hash").is_none());
}

#[tokio::test]
async fn a_call_that_is_refused_for_its_input_has_used_up_its_proof_and_a_credential_is_refused_first() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let phone = deployment.paired(&tenant, "ada").await;
    let (wrong, right) = (json!({ "name": "" }), json!({ "name": "Ada's tablet" }));
    let call = deployment.phone(&phone, "POST", PATH).await;
    call.clone().json(&wrong).send().await.refused(422, "invalid_field");
    call.json(&right).send().await.refused(401, "invalid_dpop_proof");
    deployment.revoke_tokens(&tenant, &json!({ "external_user_id": "ada" })).await.data(200);
    for body in [wrong, right] {
        let call = deployment.phone(&phone, "POST", PATH).await.json(&body);
        call.send().await.refused(401, "unauthenticated");
    }
    assert_eq!(deployment.devices_of(&tenant, "ada").await[0]["name"], "Ada's phone");
}
