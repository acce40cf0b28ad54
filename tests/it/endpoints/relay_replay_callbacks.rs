//! `POST /api/v1/relay/replay/callbacks`

use serde_json::{Value, json};

use crate::support::{Answer, Deployment, Tenant, TestReceiver};

async fn replay(deployment: &Deployment, tenant: &Tenant, body: &Value) -> Answer {
    let call = deployment.anonymous("POST", "/api/v1/relay/replay/callbacks").json(body);
    call.signed(&tenant.signing()).send().await
}

#[tokio::test]
async fn a_tenant_has_its_own_callbacks_delivered_anew_and_no_others() {
    let deployment = Deployment::start().await;
    let theirs = deployment.world().await;
    let (tenant, receiver) = (deployment.provision("Acme").await, TestReceiver::start().await);
    deployment.update(&tenant, &json!({ "callback_url_base": receiver.base() })).await.data(200);
    let ping = deployment.post_nothing(&format!("/api/v1/test/callback?tenant_id={}", tenant.id)).await;
    let id = ping.data(202)["event_id"].as_str().unwrap();
    let sweep = async || {
        deployment.sweep().await;
    };
    sweep().await;
    for (body, received) in [
        (json!({ "event_ids": [id, theirs.event], "a_field_that_nothing_has": 1 }), 2),
        (json!({ "state": "delivered", "since": "2020-01-01T00:00:00.000Z" }), 3),
    ] {
        let answer = replay(&deployment, &tenant, &body).await;
        assert_eq!(answer.data(200)["replayed"], 1);
        let skipped = &answer.data(200)["skipped"];
        let other = json!([{ "event_id": theirs.event, "reason": "not_found" }]);
        assert_eq!(*skipped, if received == 2 { other } else { json!([]) });
        sweep().await;
        assert_eq!(receiver.received().len(), received);
        let event = deployment.audit_events(&tenant).await.pop().unwrap();
        assert_eq!(
            (&event["action"], &event["actor"], &event["key_id"]),
            (&json!("callbacks.replayed"), &json!("tenant secret"), &Value::Null)
        );
    }
    replay(&deployment, &tenant, &json!({ "state": "failed" })).await.names("since");
    replay(&deployment, &tenant, &json!({})).await.names("event_ids");
    deployment.update(&tenant, &json!({ "callback_url_base": null })).await.data(200);
    replay(&deployment, &tenant, &json!({ "event_ids": [id] })).await.refused(409, "callback_not_wanted");
    // The other tenant's is as it was.
    let path = format!("/api/v1/fetch/callback?tenant_id={}&event_id={}", theirs.tenant.id, theirs.event);
    assert_eq!(deployment.get(&path).await.data(200)["replayed_at"], Value::Null);
}
