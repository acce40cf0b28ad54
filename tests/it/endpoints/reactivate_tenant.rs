//! `POST /api/v1/reactivate/tenant`

use serde_json::{Value, json};

use crate::support::{Deployment, Tenant};

#[tokio::test]
async fn a_suspension_is_undone_with_all_that_belongs_to_it() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let before = deployment.fetch(&tenant).await;
    deployment.suspend(&tenant).await.data(200);
    let answer = deployment.reactivate(&tenant).await;
    assert_eq!((answer.data(200), &answer.body["message"]), (&Value::Null, &json!("Tenant reactivated")));
    let mut after = deployment.fetch(&tenant).await;
    assert!(after["updated_at"].is_string());
    after["updated_at"] = Value::Null;
    assert_eq!(after, before);
    assert_eq!(deployment.audit_trail(&tenant).await, ["tenant.provisioned", "tenant.suspended", "tenant.reactivated"]);
}

#[tokio::test]
async fn reactivating_an_active_tenant_changes_nothing() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let before = deployment.items().await;
    deployment.reactivate(&tenant).await.data(200);
    assert_eq!(deployment.items().await, before);
}

#[tokio::test]
async fn strikes_are_forgotten_also_those_of_an_active_tenant() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    deployment.set(&format!("TENANT#{}", tenant.id), "STATE", "abuse_strikes", &json!({ "N": "3" })).await;
    assert_eq!(deployment.fetch(&tenant).await["abuse_strikes"], 3);
    deployment.reactivate(&tenant).await.data(200);
    assert_eq!(deployment.fetch(&tenant).await["abuse_strikes"], 0);
}

#[tokio::test]
async fn it_takes_no_body_or_an_empty_object() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let path = format!("/api/v1/reactivate/tenant?tenant_id={}", tenant.id);
    deployment.post(&path, &json!({})).await.data(200);
    deployment.post(&path, &json!({ "reason": "paid" })).await.names("reason");
}

#[tokio::test]
async fn an_unknown_tenant_is_not_found() {
    let deployment = Deployment::start().await;
    let ghost = Tenant { id: "tnt_unknown".to_owned(), secret: String::new() };
    deployment.reactivate(&ghost).await.refused(404, "tenant_not_found");
    assert!(deployment.items().await.is_empty());
}
