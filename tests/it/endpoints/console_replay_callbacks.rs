//! `POST /api/v1/console/replay-callbacks`

use serde_json::json;

use crate::support::{Deployment, TestReceiver};

const PATH: &str = "/api/v1/console/replay-callbacks";

#[tokio::test]
async fn a_callback_of_the_tenants_own_is_delivered_anew_and_anothers_is_passed_over() {
    let deployment = Deployment::start().await;
    let (tenant, receiver) = (deployment.provision("Acme").await, TestReceiver::start().await);
    deployment.update(&tenant, &json!({ "callback_url_base": receiver.base() })).await.data(200);
    let browser = deployment.console(Some(&tenant), "Ada").await;
    let ping = deployment.in_console(&browser, "POST", "/api/v1/console/test-callback").send().await;
    let id = ping.data(202)["event_id"].as_str().unwrap().to_owned();
    deployment.stack.streams().settled().await;
    let replay = |ids: &[&str]| deployment.in_console(&browser, "POST", PATH).json(&json!({ "event_ids": ids }));
    let answer = replay(&[&id]).send().await;
    assert_eq!(answer.data(200)["replayed"], 1);
    deployment.sweep().await;
    assert_eq!(receiver.received().len(), 2);
    let other = deployment.world().await;
    let answer = replay(&[&other.event]).send().await;
    assert_eq!(answer.data(200)["replayed"], 0);
    replay(&[]).send().await.names("event_ids");
    let events = deployment.audit_events(&tenant).await;
    assert!(events.iter().any(|event| event["action"] == "callbacks.replayed" && event["label"] == "Ada"));
}
