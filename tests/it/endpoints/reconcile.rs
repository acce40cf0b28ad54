//! The reconciler, which a schedule starts.

use serde_json::{Value, json};
use stack::{CrashMode, Invocation, scheduled_event};

use crate::support::{Deployment, event};

async fn reconcile(deployment: &Deployment) -> Value {
    deployment.stack.invoke("reconcile", scheduled_event(), Invocation::default()).await.unwrap().payload
}

/// Provisioning that dies before its last step, with a lease that is over at once.
async fn interrupted(deployment: &Deployment, deadline: i64) {
    deployment.stack.faults().kill("provision-tenant", 3, CrashMode::NotSent);
    let key = deployment.key().to_owned();
    let event = event(
        "POST",
        "/api/v1/provision/tenant",
        "",
        &[("x-admin-key", &key)],
        Some(&json!({ "tenant_name": "Acme" })),
    );
    let invocation = Invocation { deadline: Some(deadline) };
    assert!(deployment.stack.invoke("provision-tenant", event, invocation).await.is_err());
}

#[tokio::test]
async fn what_interrupted_provisioning_left_is_removed_and_nobody_ever_saw_it() {
    let deployment = Deployment::start().await;
    let alive = deployment.provision("Alive").await;
    interrupted(&deployment, 1).await;
    assert_eq!(deployment.stored_secrets().len(), 2);
    let pending = deployment.states().await.into_iter().find(|state| state["tenant_status"] == "pending").unwrap();
    let ghost = pending["pk"].as_str().unwrap().trim_start_matches("TENANT#");
    for path in ["fetch/tenant", "fetch/audit-events"] {
        deployment.get(&format!("/api/v1/{path}?tenant_id={ghost}")).await.refused(404, "tenant_not_found");
    }
    for path in ["update/tenant", "rotate/tenant-secret", "suspend/tenant", "reactivate/tenant"] {
        deployment
            .post(&format!("/api/v1/{path}?tenant_id={ghost}"), &json!({}))
            .await
            .refused(404, "tenant_not_found");
    }
    assert_eq!(reconcile(&deployment).await, json!({ "removed": 1, "forgotten": 0 }));
    assert_eq!(deployment.stored_secrets().len(), 1);
    assert_eq!(deployment.valid_secrets(&alive.id).await, [alive.secret.as_str()]);
    let listed = deployment.get("/api/v1/fetch/tenants").await;
    assert_eq!(listed.data(200)["tenants"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn provisioning_that_may_still_be_running_is_left_alone() {
    let deployment = Deployment::start().await;
    interrupted(&deployment, 4_000_000_000_000).await;
    assert_eq!(reconcile(&deployment).await, json!({ "removed": 0, "forgotten": 0 }));
    assert_eq!(deployment.stored_secrets().len(), 1);
}

#[tokio::test]
async fn a_removed_tenant_is_remembered_for_an_hour_and_its_secret_deleted_again() {
    let deployment = Deployment::start().await;
    interrupted(&deployment, 1).await;
    reconcile(&deployment).await;
    let state = deployment.states().await.pop().unwrap();
    assert_eq!(state["tenant_status"], "removed");
    // A request to create the secret arrives late.
    let name = format!("{}/{}", deployment.variable("LATCHKEY_SECRET_PREFIX"), &state["pk"].as_str().unwrap()[7..]);
    let late = json!({ "Name": name, "SecretString": "{}", "ClientRequestToken": "0".repeat(32) }).to_string();
    assert_eq!(deployment.stack.secrets().handle("CreateSecret", late.as_bytes(), 0).0, 200);
    assert_eq!(reconcile(&deployment).await, json!({ "removed": 0, "forgotten": 0 }));
    assert!(deployment.stored_secrets().is_empty());
    deployment.set(state["pk"].as_str().unwrap(), "STATE", "lease_until", &json!({ "N": "1" })).await;
    assert_eq!(reconcile(&deployment).await, json!({ "removed": 0, "forgotten": 1 }));
    assert!(deployment.items().await.is_empty());
}

#[tokio::test]
async fn provisioning_that_goes_on_after_it_was_removed_cannot_finish() {
    let deployment = Deployment::start().await;
    let held =
        deployment.stack.faults().hold(stack::Match::any().function("provision-tenant").operation("CreateSecret"));
    let call = event(
        "POST",
        "/api/v1/provision/tenant",
        "",
        &[("x-admin-key", deployment.key())],
        Some(&json!({ "tenant_name": "Acme" })),
    );
    let provision = deployment.stack.invoke("provision-tenant", call, Invocation { deadline: Some(1) });
    let overtake = async {
        held.reached().await;
        let removed = reconcile(&deployment).await;
        held.release();
        removed
    };
    let (answer, removed) = tokio::join!(provision, overtake);
    assert_eq!(removed["removed"], 1);
    assert_eq!(answer.unwrap().payload["statusCode"], 503);
    reconcile(&deployment).await;
    assert!(deployment.stored_secrets().is_empty());
    assert_eq!(deployment.get("/api/v1/fetch/tenants").await.data(200)["tenants"], json!([]));
}

#[tokio::test]
async fn a_store_that_fails_at_one_tenant_fails_the_run_and_the_next_run_finishes() {
    let deployment = Deployment::start().await;
    interrupted(&deployment, 1).await;
    interrupted(&deployment, 1).await;
    let fault = stack::Fault::new(
        stack::Match::any().function("reconcile").operation("DeleteSecret"),
        stack::Effect::Status(500, "InternalServiceError".to_owned()),
    );
    deployment.stack.faults().inject(fault.count(3));
    let failed = deployment.stack.invoke("reconcile", scheduled_event(), Invocation::default()).await;
    assert!(failed.is_err());
    assert!(deployment.stored_secrets().len() < 2);
    reconcile(&deployment).await;
    assert!(deployment.stored_secrets().is_empty());
}
