//! `POST /api/v1/relay/test/callbacks`

use serde_json::json;

use crate::support::{Deployment, TestReceiver};

const PATH: &str = "/api/v1/relay/test/callbacks";

#[tokio::test]
async fn a_tenant_tests_its_receiver_and_a_call_that_is_sent_again_tests_nothing() {
    let deployment = Deployment::start().await;
    let (tenant, receiver) = (deployment.provision("Acme").await, TestReceiver::start().await);
    let call = |body: &serde_json::Value| deployment.anonymous("POST", PATH).json(body);
    call(&json!({})).signed(&tenant.signing()).send().await.refused(409, "callback_not_wanted");
    deployment.update(&tenant, &json!({ "callback_url_base": receiver.base() })).await.data(200);
    // Fields that it does not know are ignored, as on all of this surface.
    let signed = call(&json!({ "sent_by": "a client of the original" })).signed(&tenant.signing());
    let answer = signed.clone().send().await;
    let id = answer.data(202)["event_id"].clone();
    signed.send().await.refused(401, "unauthenticated");
    deployment.stack.streams().settled().await;
    let [received] = &receiver.received()[..] else { panic!("{:?}", receiver.received()) };
    assert_eq!((&received.body()["event_id"], received.path.as_str()), (&id, "/relay-callbacks/test"));
    // Without a body a v1 call can be sent again as it was, so there must be one.
    let empty = deployment.anonymous("POST", PATH).signed(&tenant.signing()).send().await;
    empty.refused(400, "malformed_request");
    assert_eq!(receiver.received().len(), 1);
}
