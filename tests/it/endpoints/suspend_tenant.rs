//! `POST /api/v1/suspend/tenant`

use serde_json::{Value, json};

use crate::support::{Deployment, Tenant};

#[tokio::test]
async fn a_suspension_is_seen_by_the_next_request_of_every_process() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    assert_eq!(deployment.fetch(&tenant).await["status"], "active");
    for _ in 0..5 {
        assert_eq!(deployment.suspend(&tenant).await.data(200), &Value::Null);
        assert_eq!(deployment.fetch(&tenant).await["status"], "suspended");
        deployment.reactivate(&tenant).await.data(200);
        assert_eq!(deployment.fetch(&tenant).await["status"], "active");
    }
}

#[tokio::test]
async fn suspending_twice_changes_nothing_not_even_the_reason() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let path = format!("/api/v1/suspend/tenant?tenant_id={}", tenant.id);
    deployment.post(&path, &json!({ "reason": "unpaid" })).await.data(200);
    let before = deployment.items().await;
    let answer = deployment.post(&path, &json!({ "reason": "abuse" })).await;
    assert_eq!((answer.data(200), &answer.body["message"]), (&Value::Null, &json!("Tenant suspended")));
    assert_eq!(deployment.items().await, before);
    let fetched = deployment.fetch(&tenant).await;
    assert_eq!(fetched["suspended_reason"], "unpaid");
    assert!(fetched["suspended_at"].is_string());
    assert_eq!(deployment.audit_trail(&tenant).await, ["tenant.provisioned", "tenant.suspended"]);
}

#[tokio::test]
async fn the_reason_is_a_short_text_or_none() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let path = format!("/api/v1/suspend/tenant?tenant_id={}", tenant.id);
    for reason in [json!(""), json!(7), json!("a".repeat(121)), json!("a\nb")] {
        deployment.post(&path, &json!({ "reason": reason })).await.names("reason");
    }
    deployment.post(&path, &json!({ "why": "unpaid" })).await.names("why");
    assert_eq!(deployment.fetch(&tenant).await["status"], "active");
    deployment.post(&path, &json!({ "reason": null })).await.data(200);
}

#[tokio::test]
async fn an_unknown_tenant_is_not_found() {
    let deployment = Deployment::start().await;
    let ghost = Tenant { id: "tnt_unknown".to_owned(), secret: String::new() };
    deployment.suspend(&ghost).await.refused(404, "tenant_not_found");
    assert!(deployment.items().await.is_empty());
}
