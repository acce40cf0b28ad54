//! How many calls to AWS each request costs: read off the local AWS's record.

use serde_json::json;

use crate::support::{Call, Deployment};

async fn operations(deployment: &Deployment, call: Call) -> Vec<String> {
    let (answer, calls) = deployment.calls_of(call).await;
    assert!(answer.status < 300, "{}", answer.text);
    calls.into_iter().map(|call| call.operation).collect()
}

/// The read of the admin key is the first of each.
#[tokio::test]
async fn an_admin_call_costs_the_read_of_the_key_and_what_the_contract_says() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let at = |path: &str| format!("/api/v1/{path}?tenant_id={}", tenant.id);
    let post = |path: &str| deployment.operator("POST", path).json(&json!({}));
    let provision = deployment.operator("POST", "/api/v1/provision/tenant").json(&json!({ "tenant_name": "a" }));
    let update = deployment.operator("POST", &at("update/tenant")).json(&json!({ "rate_limit_per_min": 5 }));
    let transact = "TransactWriteItems";
    let cases = [
        (provision.clone(), vec![transact, "CreateSecret", transact]),
        (provision.header("idempotency-key", "1"), vec![transact, "CreateSecret", transact]),
        (update.clone(), vec!["BatchGetItem", transact]),
        (update.header("idempotency-key", "2"), vec!["BatchGetItem", transact]),
        (post(&at("rotate/tenant-secret")), vec!["UpdateItem", "PutSecretValue", transact]),
        (
            post(&at("rotate/tenant-secret")).header("idempotency-key", "3"),
            vec![transact, "UpdateItem", "PutSecretValue", transact],
        ),
        (post(&at("suspend/tenant")), vec![transact]),
        (post(&at("reactivate/tenant")).header("idempotency-key", "4"), vec![transact]),
        (deployment.operator("GET", &at("fetch/tenant")), vec!["BatchGetItem"]),
        (deployment.operator("GET", "/api/v1/fetch/tenants"), vec!["Query"]),
        (deployment.operator("GET", &at("fetch/audit-events")), vec!["Query"]),
    ];
    for (call, expected) in cases {
        let made = operations(&deployment, call).await;
        assert_eq!(made[0], "GetSecretValue");
        assert_eq!(made[1..], expected);
    }
}

#[tokio::test]
async fn a_request_that_is_refused_by_shape_costs_none() {
    let deployment = Deployment::start().await;
    for path in ["/api/v1/fetch/tenants", "/api/v1/fetch/tenant?tenant_id=tnt_1"] {
        for key in ["", "short", &"a".repeat(47), &"a".repeat(49), &"-".repeat(48)] {
            let call = deployment.anonymous("GET", path).header("x-admin-key", key);
            let (answer, calls) = deployment.calls_of(call).await;
            answer.refused(401, "unauthenticated");
            assert!(calls.is_empty(), "{key}");
        }
        let (answer, calls) = deployment.calls_of(deployment.operator("DELETE", path)).await;
        answer.refused(405, "method_not_allowed");
        assert!(calls.is_empty());
    }
}
