//! `POST /api/v1/test/callback`

use serde_json::json;

use crate::support::{Deployment, Tenant, TestReceiver};

fn path(tenant: &Tenant) -> String {
    format!("/api/v1/test/callback?tenant_id={}", tenant.id)
}

#[tokio::test]
async fn a_ping_reaches_the_receiver_in_its_flow_and_once_for_an_idempotency_key() {
    let deployment = Deployment::start().await;
    let (tenant, receiver) = (deployment.provision("Acme").await, TestReceiver::start().await);
    deployment.update(&tenant, &json!({ "callback_url_base": receiver.base() })).await.data(200);
    let call = || deployment.operator("POST", &path(&tenant)).header("idempotency-key", "1");
    let answer = call().send().await;
    let id = answer.data(202)["event_id"].clone();
    // Under its key it is the same one, whatever has become of the tenant.
    deployment.stack.streams().settled().await;
    deployment.update(&tenant, &json!({ "callback_url_base": null })).await.data(200);
    assert_eq!(call().send().await.data(202)["event_id"], id);
    let [received] = &receiver.received()[..] else { panic!("{:?}", receiver.received()) };
    assert_eq!(received.path, "/relay-callbacks/test");
    let body = received.body();
    assert_eq!((&body["event_id"], &body["type"], &body["flow"]), (&id, &json!("ping"), &json!("test")));
    assert_eq!((&body["sequence"], &body["data"]), (&json!(1), &json!({})));
}

#[tokio::test]
async fn a_tenant_that_gets_no_pings_is_told_why() {
    let deployment = Deployment::start().await;
    deployment.stack.streams().stop().await;
    let (tenant, receiver) = (deployment.provision("Acme").await, TestReceiver::start().await);
    let before = deployment.items().await;
    let refused = deployment.post_nothing(&path(&tenant)).await;
    refused.refused(409, "callback_not_wanted");
    assert_eq!(refused.body["message"], "tenant has no callback_url_base");
    assert_eq!(deployment.items().await, before);
    let wanted = json!({ "callback_url_base": receiver.base(), "callback_types": ["tenant.*"] });
    deployment.update(&tenant, &wanted).await.data(200);
    let refused = deployment.post_nothing(&path(&tenant)).await;
    refused.refused(409, "callback_not_wanted");
    assert_eq!(refused.body["message"], "tenant has no ping in its callback_types");
    let unknown = Tenant { id: "tnt_unknown".to_owned(), ..tenant.clone() };
    deployment.post_nothing(&path(&unknown)).await.refused(404, "tenant_not_found");
    // While the tenant is suspended, a ping waits.
    let pings = json!({ "callback_types": ["ping"] });
    deployment.update(&tenant, &pings).await.data(200);
    deployment.suspend(&tenant).await.data(200);
    deployment.post_nothing(&path(&tenant)).await.data(202);
    deployment.sweep().await;
    assert!(receiver.received().is_empty());
}
