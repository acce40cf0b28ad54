//! Changes of one tenant at the same moment: DynamoDB refuses transactions that overlap, and none of that is seen.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stack::AwsCall;

use crate::support::{Answer, Deployment, Tenant, at_once};

/// How many changes are sent at the same moment.
const CHANGES: usize = 50;

/// How many transactions were refused. No condition of a new key fails: it was because of another one.
fn refused(calls: &[AwsCall]) -> usize {
    calls.iter().filter(|call| call.operation == "TransactWriteItems" && call.status == 400).count()
}

#[tokio::test]
async fn fifty_new_keys_of_one_tenant_at_the_same_moment_are_fifty_keys() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let path = format!("/api/v1/provision/api-key?tenant_id={}", tenant.id);
    let body = json!({ "name": "Backend", "kind": "admin" });
    let mark = deployment.stack.mark();
    let answers = at_once((0..CHANGES).map(|_| deployment.operator("POST", &path).json(&body))).await;
    let ids: BTreeSet<_> = answers.iter().map(|answer| answer.data(201)["key_id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), CHANGES);
    assert_eq!(deployment.audit_trail(&tenant).await.len(), 1 + CHANGES);
    assert!(refused(&deployment.stack.calls_since(mark)) > 0, "no two of them met");
}

#[tokio::test]
async fn of_fifty_updates_at_the_same_moment_each_is_made_whole_or_refused() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let path = format!("/api/v1/update/tenant?tenant_id={}", tenant.id);
    let update = |n| deployment.operator("POST", &path).json(&json!({ "tenant_name": format!("Acme {n}") }));
    let mut calls: Vec<_> = (0..CHANGES).map(update).collect();
    // Each of its backend's calls wants the item that all these transactions are about, too.
    calls.extend((0..8).map(|_| deployment.whoami(&tenant.signing())));
    let answers = at_once(calls).await;
    let (updates, signed) = answers.split_at(CHANGES);
    let made = updates.iter().filter(|answer| is_made(answer)).count();
    assert_eq!(deployment.audit_trail(&tenant).await.len(), 1 + made);
    for answer in signed.iter().filter(|answer| answer.status != 200) {
        answer.refused(503, "temporarily_unavailable");
    }
    assert!(made > 0 && named(&deployment, &tenant).await.starts_with("Acme "));
}

fn is_made(answer: &Answer) -> bool {
    if answer.status != 200 {
        answer.refused(409, "stale_update");
    }
    answer.status == 200
}

async fn named(deployment: &Deployment, tenant: &Tenant) -> String {
    let fetched: Value = deployment.fetch(tenant).await;
    fetched["tenant_name"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_suspension_is_made_whatever_else_is_changed_at_the_same_moment() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let at = |path: &str| format!("/api/v1/{path}?tenant_id={}", tenant.id);
    let update =
        |limit: u32| deployment.operator("POST", &at("update/tenant")).json(&json!({ "rate_limit_per_min": limit }));
    let updates: Vec<_> = (1..=30).map(|limit| tokio::spawn(update(limit).send())).collect();
    let suspended = deployment.operator("POST", &at("suspend/tenant")).json(&json!({})).send().await;
    suspended.data(200);
    for update in updates {
        assert!([200, 409].contains(&update.await.unwrap().status));
    }
    assert_eq!(deployment.fetch(&tenant).await["status"], "suspended");
}
