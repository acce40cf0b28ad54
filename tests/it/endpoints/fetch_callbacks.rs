//! `GET /api/v1/fetch/callbacks`

use serde_json::{Value, json};
use shared::domain::Cursor;
use stack::{Invocation, scheduled_event};

use crate::support::{Deployment, Tenant, TestReceiver};

async fn history(deployment: &Deployment) -> (Tenant, TestReceiver) {
    deployment.stack.streams().stop().await;
    let (tenant, receiver) = (deployment.provision("Acme").await, TestReceiver::start().await);
    let wanted = json!({ "callback_url_base": receiver.base(), "callback_types": ["tenant.*"] });
    deployment.update(&tenant, &wanted).await.data(200);
    for _ in 0..2 {
        deployment.suspend(&tenant).await.data(200);
        deployment.reactivate(&tenant).await.data(200);
    }
    (tenant, receiver)
}

#[tokio::test]
async fn callbacks_are_listed_with_what_became_of_them_and_without_their_bodies() {
    let deployment = Deployment::start().await;
    let (tenant, receiver) = history(&deployment).await;
    let path = format!("/api/v1/fetch/callbacks?tenant_id={}", tenant.id);
    let all = deployment.get(&path).await.data(200)["callbacks"].as_array().unwrap().clone();
    assert_eq!(
        all.iter().map(|row| &row["type"]).collect::<Vec<_>>(),
        ["tenant.reactivated", "tenant.suspended", "tenant.reactivated", "tenant.suspended"]
    );
    for row in &all {
        assert_eq!(
            (&row["state"], &row["attempts"], &row["last_outcome"]),
            (&json!("pending"), &json!(0), &Value::Null)
        );
        assert_eq!(row["next_attempt_at"], row["created_at"]);
    }
    receiver.answers(&[500]);
    deployment.stack.invoke("deliver-callbacks", scheduled_event(), Invocation::default()).await.unwrap();
    let after = deployment.get(&path).await.data(200)["callbacks"].as_array().unwrap().clone();
    let seen: Vec<_> = after.iter().map(|row| (&row["state"], &row["last_outcome"])).collect();
    let delivered = (&json!("delivered"), &json!("204"));
    assert_eq!(seen, [delivered, delivered, delivered, (&json!("pending"), &json!("500"))]);
    assert!(after[3]["next_attempt_at"].as_str() > after[3]["created_at"].as_str());
    assert!(after[0]["next_attempt_at"].is_null());
    // Page by page it is the same.
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = deployment.get(&format!("{path}&limit=3{cursor}")).await;
        paged.extend(answer.data(200)["callbacks"].as_array().unwrap().iter().cloned());
        let Some(next) = answer.data(200)["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(paged, after);
}

#[tokio::test]
async fn cursors_and_tenants_that_there_are_not_are_refused() {
    let deployment = Deployment::start().await;
    let (one, other) = (deployment.provision("Acme").await, deployment.provision("Globex").await);
    let path = format!("/api/v1/fetch/callbacks?tenant_id={}", one.id);
    for position in ["", "evt_", "STATE", "evt_0190000000007000800000000000000g"] {
        let cursor = Cursor::new(&format!("callbacks/{}", one.id), position);
        deployment.get(&format!("{path}&cursor={cursor}")).await.names("cursor");
    }
    let others = Cursor::new(&format!("callbacks/{}", other.id), "evt_01900000000070008000000000000000");
    deployment.get(&format!("{path}&cursor={others}")).await.names("cursor");
    assert_eq!(deployment.get(&path).await.data(200)["callbacks"], json!([]));
    deployment.get("/api/v1/fetch/callbacks?tenant_id=tnt_unknown").await.refused(404, "tenant_not_found");
    deployment.get(&format!("{path}&limit=0")).await.names("limit");
}
