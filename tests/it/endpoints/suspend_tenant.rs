//! `POST /api/v1/suspend/tenant`

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stack::{Invocation, Match};

use crate::support::{Deployment, Tenant, event};

/// The tenant's status as four processes see it at once, and the names of the processes.
async fn seen_by_four(deployment: &Deployment, tenant: &Tenant) -> (Vec<Value>, BTreeSet<String>) {
    let query = format!("tenant_id={}", tenant.id);
    let event = event("GET", "/api/v1/fetch/tenant", &query, &[("x-admin-key", deployment.key())], None);
    // Held at their read, so that no process is free for a second request.
    let held = deployment.stack.faults().hold(Match::any().function("fetch-tenant").operation("BatchGetItem"));
    let fetch = || deployment.stack.invoke("fetch-tenant", event.clone(), Invocation::default());
    let release = async {
        held.reached_by(4).await;
        held.release();
    };
    let (one, two, three, four, ()) = tokio::join!(fetch(), fetch(), fetch(), fetch(), release);
    let answers = [one, two, three, four].map(Result::unwrap);
    let status = |payload: &Value| {
        let body: Value = serde_json::from_str(payload["body"].as_str().unwrap()).unwrap();
        body["data"]["status"].clone()
    };
    let statuses = answers.iter().map(|answer| status(&answer.payload)).collect();
    (statuses, answers.into_iter().map(|answer| answer.instance).collect())
}

#[tokio::test]
async fn a_suspension_is_seen_by_the_next_request_of_every_process() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let (statuses, processes) = seen_by_four(&deployment, &tenant).await;
    assert_eq!((statuses, processes.len()), (vec![json!("active"); 4], 4));
    for _ in 0..3 {
        assert_eq!(deployment.suspend(&tenant).await.data(200), &Value::Null);
        assert_eq!(seen_by_four(&deployment, &tenant).await, (vec![json!("suspended"); 4], processes.clone()));
        deployment.reactivate(&tenant).await.data(200);
        assert_eq!(seen_by_four(&deployment, &tenant).await, (vec![json!("active"); 4], processes.clone()));
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
