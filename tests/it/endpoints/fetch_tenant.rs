//! `GET /api/v1/fetch/tenant`

use serde_json::json;

use crate::support::Deployment;

#[tokio::test]
async fn a_tenant_is_shown_without_its_secret() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let answer = deployment.get(&format!("/api/v1/fetch/tenant?tenant_id={}", tenant.id)).await;
    assert_eq!(answer.body["message"], "OK");
    assert_eq!((&answer.data(200)["status"], &answer.data(200)["abuse_strikes"]), (&json!("active"), &json!(0)));
    assert_eq!(answer.data(200).get("require_end_user"), Some(&json!(null)), "it is there, though not decided");
    assert!(
        !answer.text.contains("sk_")
            && !answer.text.contains("whsec_")
            && answer.data(200).get("tenant_secret").is_none()
    );
}

#[tokio::test]
async fn the_tenant_id_is_required_once_and_in_its_shape() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    for query in ["", "?tenant_id=", "?tenant_id=acme", "?tenant_id=tnt_a%20b", "?tenant_id=tnt_%00", "?tenant_id=sk_1"]
    {
        deployment.get(&format!("/api/v1/fetch/tenant{query}")).await.names("tenant_id");
    }
    deployment.get(&format!("/api/v1/fetch/tenant?tenant_id={0}&tenant_id={0}", tenant.id)).await.names("tenant_id");
    deployment.get(&format!("/api/v1/fetch/tenant?tenant_id={}&page=1", tenant.id)).await.names("page");
}

#[tokio::test]
async fn query_strings_that_are_no_uri_are_answered_too() {
    let deployment = Deployment::start().await;
    for query in ["tenant_id=tnt_a|b", "tenant_id=\"", "<>", "%", "%zz", "tenant_id=tnt_1&^", "a=b=c&&&"] {
        let event =
            crate::support::event("GET", "/api/v1/fetch/tenant", query, &[("x-admin-key", deployment.key())], None);
        let answer = deployment.stack.invoke("fetch-tenant", event, stack::Invocation::default()).await.unwrap();
        assert_eq!(answer.payload["statusCode"], 422, "{query}: {}", answer.payload);
    }
}

#[tokio::test]
async fn a_tenant_whose_items_cannot_be_read_is_our_fault_and_shows_nothing() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    deployment.set(&format!("TENANT#{}", tenant.id), "STATE", "tenant_status", &json!({ "S": "paused" })).await;
    let answer = deployment.get(&format!("/api/v1/fetch/tenant?tenant_id={}", tenant.id)).await;
    answer.refused(500, "internal");
    assert!(!answer.text.contains("paused") && !answer.text.contains("STATE"));
    assert!(deployment.stack.output().contains("has no readable tenant_status"));
}

#[tokio::test]
async fn two_items_that_are_not_of_one_moment_are_never_put_together() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let partition = format!("TENANT#{}", tenant.id);
    // As a read sees it that falls into the middle of an update's transaction.
    deployment.set(&partition, "CONFIG", "configuration_revision", &json!({ "N": "1" })).await;
    let path = format!("/api/v1/fetch/tenant?tenant_id={}", tenant.id);
    let (answer, calls) = deployment.calls_of(deployment.operator("GET", &path)).await;
    answer.refused(503, "temporarily_unavailable");
    assert_eq!(calls.iter().filter(|call| call.operation == "BatchGetItem").count(), 3, "it looks again");
    deployment.update(&tenant, &json!({ "passkeys_enabled": null })).await.refused(503, "temporarily_unavailable");
    deployment.set(&partition, "CONFIG", "configuration_revision", &json!({ "N": "0" })).await;
    deployment.fetch(&tenant).await;
}

#[tokio::test]
async fn an_unknown_tenant_is_not_found() {
    let deployment = Deployment::start().await;
    let answer = deployment.get("/api/v1/fetch/tenant?tenant_id=tnt_unknown").await;
    answer.refused(404, "tenant_not_found");
}
