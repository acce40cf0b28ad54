//! `POST /api/v1/reactivate/callbacks`

use serde_json::json;

use crate::support::{Deployment, Tenant, TestReceiver};

fn path(tenant: &Tenant) -> String {
    format!("/api/v1/reactivate/callbacks?tenant_id={}", tenant.id)
}

#[tokio::test]
async fn what_waited_for_a_receiver_that_was_gone_goes_out_and_the_trail_says_so() {
    let deployment = Deployment::start().await;
    deployment.stack.streams().stop().await;
    let (tenant, receiver) = (deployment.provision("Acme").await, TestReceiver::start().await);
    let wanted = json!({ "callback_url_base": receiver.base(), "callback_types": ["tenant.*"] });
    deployment.update(&tenant, &wanted).await.data(200);
    receiver.answers(&[410]);
    for _ in 0..2 {
        deployment.suspend(&tenant).await.data(200);
        deployment.reactivate(&tenant).await.data(200);
    }
    deployment.sweep().await;
    assert_eq!(receiver.received().len(), 1);
    // Another flow is another receiver.
    let other = deployment.post(&path(&tenant), &json!({ "flow": "test" })).await;
    assert_eq!(other.data(200), &json!({ "resumed": 0 }));
    deployment.sweep().await;
    assert_eq!(receiver.received().len(), 1);
    let answer = deployment.post(&path(&tenant), &json!({ "flow": "tenant" })).await;
    assert_eq!(answer.data(200), &json!({ "resumed": 3 }));
    let mut events = deployment.audit_events(&tenant).await;
    let event = events.pop().unwrap();
    let disabled: Vec<_> = events.iter().filter(|event| event["action"] == "callbacks.disabled").collect();
    let [disabled] = &disabled[..] else { panic!("one: {events:?}") };
    assert_eq!(
        (&disabled["actor"], &disabled["details"]),
        (&json!("callback deliverer"), &json!({ "flow": "tenant", "cause": "gone" }))
    );
    assert_eq!((&event["action"], &event["details"]), (&json!("callbacks.reactivated"), &json!({ "flow": "tenant" })));
    assert_eq!(deployment.sweep().await["delivered"], 3);
    assert_eq!(receiver.received().len(), 4);
    // For all flows, and with nothing that waits.
    assert_eq!(deployment.post(&path(&tenant), &json!({})).await.data(200), &json!({ "resumed": 0 }));
}

#[tokio::test]
async fn a_flow_is_one_of_ours_and_a_tenant_is_one_that_there_is() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    deployment.post(&path(&tenant), &json!({ "flow": "tenants" })).await.names("flow");
    deployment.post(&path(&tenant), &json!({ "flows": [] })).await.names("flows");
    let unknown = "/api/v1/reactivate/callbacks?tenant_id=tnt_unknown";
    deployment.post(unknown, &json!({})).await.refused(404, "tenant_not_found");
}
