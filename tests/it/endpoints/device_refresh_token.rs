//! `POST /api/v1/device/refresh-token`

use serde_json::json;

use crate::support::phone::Phone;
use crate::support::{Deployment, at_once};

const PATH: &str = "/api/v1/device/refresh-token";

async fn renewed(deployment: &Deployment, phone: &Phone) -> Phone {
    let answer = deployment.phone(phone, "POST", PATH).await.send().await;
    let data = answer.data(200);
    assert_eq!(data["expires_in"], 2_592_000);
    Phone { token: data["device_session_token"].as_str().unwrap().to_owned(), ..phone.clone() }
}

#[tokio::test]
async fn a_session_gets_another_token_and_the_one_before_ends_when_that_is_used() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let first = deployment.paired(&tenant, "ada").await;
    let lost = renewed(&deployment, &first).await;
    assert_ne!(lost.token, first.token);
    // The answer was lost: the phone has only the token before, and that renews the session again.
    let second = renewed(&deployment, &first).await;
    deployment.pairings(&lost).await.refused(401, "unauthenticated");
    deployment.pairings(&first).await.data(200);
    deployment.pairings(&second).await.data(200);
    deployment.pairings(&first).await.refused(401, "unauthenticated");
    let third = renewed(&deployment, &second).await;
    let listed = deployment.pairings(&third).await;
    assert_eq!(listed.data(200)["pairings"][0]["device_id"], first.device_id);
}

#[tokio::test]
async fn a_session_is_good_for_thirty_days_more_after_each_renewal() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let phone = deployment.paired(&tenant, "ada").await;
    let soon = json!({ "N": (crate::support::now_ms() + 60_000).to_string() });
    let pk = format!("TENANT#{}#DEVICE#{}", tenant.id, phone.device_id);
    deployment.set(&pk, "DEVICE", "session_expires_at", &soon).await;
    renewed(&deployment, &phone).await;
    let items = deployment.items().await;
    let item = items.iter().find(|item| item["pk"]["S"] == pk.as_str()).unwrap();
    let expires: i64 = item["session_expires_at"]["N"].as_str().unwrap().parse().unwrap();
    let day = 24 * 60 * 60 * 1000;
    assert!((29 * day..=30 * day).contains(&(expires - crate::support::now_ms())));
    let devices = deployment.devices_of(&tenant, "ada").await;
    assert!(devices[0]["session_expires_at"].as_str() > devices[0]["created_at"].as_str());
}

#[tokio::test]
async fn one_proof_renews_a_session_once_however_often_it_is_sent() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let phone = deployment.paired(&tenant, "ada").await;
    let call = deployment.phone(&phone, "POST", PATH).await;
    let answers = at_once(vec![call.clone(); 4]).await;
    let accepted: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(accepted.len(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        answer.refused(401, "invalid_dpop_proof");
    }
    call.send().await.refused(401, "invalid_dpop_proof");
    let token = accepted[0].data(200)["device_session_token"].as_str().unwrap().to_owned();
    deployment.pairings(&Phone { token, ..phone }).await.data(200);
}

#[tokio::test]
async fn a_renewal_is_the_first_call_of_a_day_too_and_settles_the_token_before() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let first = deployment.paired(&tenant, "ada").await;
    let pk = format!("TENANT#{}#DEVICE#{}", tenant.id, first.device_id);
    deployment.set(&pk, "DEVICE", "last_used_at", &json!({ "N": "1782000000000" })).await;
    let second = renewed(&deployment, &first).await;
    let third = renewed(&deployment, &second).await;
    let devices = deployment.devices_of(&tenant, "ada").await;
    assert!(devices[0]["last_used_at"].as_str() >= devices[0]["created_at"].as_str());
    // The one before the last two.
    deployment.pairings(&first).await.refused(401, "unauthenticated");
    deployment.pairings(&second).await.data(200);
    deployment.pairings(&third).await.data(200);
}
