//! `POST /api/v1/console/test-callback`

use serde_json::json;

use crate::support::{Deployment, TestReceiver};

const PATH: &str = "/api/v1/console/test-callback";

#[tokio::test]
async fn a_ping_reaches_the_tenants_receiver() {
    let deployment = Deployment::start().await;
    let (tenant, receiver) = (deployment.provision("Acme").await, TestReceiver::start().await);
    let browser = deployment.console(Some(&tenant), "Ada").await;
    deployment.in_console(&browser, "POST", PATH).send().await.refused(409, "callback_not_wanted");
    deployment.update(&tenant, &json!({ "callback_url_base": receiver.base() })).await.data(200);
    let answer = deployment.in_console(&browser, "POST", PATH).send().await;
    let id = answer.data(202)["event_id"].clone();
    deployment.stack.streams().settled().await;
    let [received] = &receiver.received()[..] else { panic!("{:?}", receiver.received()) };
    assert_eq!(received.body()["event_id"], id);
}
