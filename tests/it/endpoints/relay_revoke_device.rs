//! `POST /api/v1/relay/revoke/device`

use serde_json::json;

use crate::support::{Deployment, with};

#[tokio::test]
async fn a_device_is_refused_from_the_answer_on_and_others_stay() {
    let deployment = Deployment::start().await;
    deployment.stack.streams().stop().await;
    let tenant = deployment.provision("Acme").await;
    deployment.update(&tenant, &json!({ "callback_url_base": "http://127.0.0.1:9" })).await.data(200);
    let (lost, kept) = (deployment.paired(&tenant, "ada").await, deployment.paired(&tenant, "ada").await);
    let body = json!({ "backend_user_id": "ada", "device_id": lost.device_id });
    let answer = deployment.relay(&tenant, "revoke/device", &body).send().await;
    assert_eq!(answer.data(200), &json!({ "device_id": lost.device_id }));
    deployment.pairings(&lost).await.refused(401, "unauthenticated");
    deployment.pairings(&kept).await.data(200);
    deployment.relay(&tenant, "revoke/device", &body).send().await.refused(404, "device_not_found");
    let events = deployment.audit_events(&tenant).await;
    let event = events.iter().find(|event| event["action"] == "device.removed").unwrap();
    assert_eq!((&event["actor"], &event["details"]["device_id"]), (&json!("tenant secret"), &json!(lost.device_id)));
    let owed = deployment.owed(&tenant).await;
    let removed: Vec<_> = owed.iter().filter(|body| body["type"] == "pairing.removed").collect();
    assert_eq!(removed.len(), 1, "{owed:?}");
    assert_eq!(removed[0]["data"]["device_id"], lost.device_id);
}

#[tokio::test]
async fn a_device_that_is_not_the_persons_is_not_found() {
    let deployment = Deployment::start().await;
    let (tenant, other) = (deployment.provision("Acme").await, deployment.provision("Beta").await);
    let (ours, theirs) = (deployment.paired(&tenant, "ada").await, deployment.paired(&other, "ada").await);
    let body = json!({ "backend_user_id": "ada", "device_id": ours.device_id });
    for change in [
        json!({ "backend_user_id": "bob" }),
        json!({ "relay_user_linked_id": "0".repeat(24) }),
        json!({ "device_id": theirs.device_id }),
    ] {
        let call = deployment.relay(&tenant, "revoke/device", &with(&body, &change));
        call.send().await.refused(404, "device_not_found");
    }
    for (field, value) in [("device_id", json!("dev_1")), ("device_id", json!(null)), ("backend_user_id", json!(null))]
    {
        deployment.relay(&tenant, "revoke/device", &with(&body, &json!({ field: value }))).send().await.names(field);
    }
    deployment.pairings(&ours).await.data(200);
    deployment.pairings(&theirs).await.data(200);
}
