//! `POST /api/v1/rotate/tenant-secret`

use serde_json::json;
use shared::domain::{TenantSecret, WebhookSecret};
use stack::Match;

use crate::support::{Answer, Deployment, Tenant};

fn secret(answer: &Answer) -> String {
    answer.data(200)["tenant_secret"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_old_secret_is_dead_when_the_answer_is_sent() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let answer = deployment.rotate(&tenant, 0).await;
    let new = secret(&answer);
    assert_ne!(new, tenant.secret);
    assert!(answer.data(200)["previous_valid_until"].is_null());
    assert_eq!(deployment.valid_secrets(&tenant.id).await, [new]);
    assert_eq!(deployment.audit_trail(&tenant).await, ["tenant.provisioned", "tenant.secret_rotated"]);
}

#[tokio::test]
async fn both_secrets_are_valid_in_a_declared_overlap_and_never_three() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let answer = deployment.rotate(&tenant, 3600).await;
    let second = secret(&answer);
    let fetched = deployment.fetch(&tenant).await;
    assert_eq!(fetched["previous_secret_valid_until"], answer.data(200)["previous_valid_until"]);
    assert_eq!(deployment.valid_secrets(&tenant.id).await, [second.clone(), tenant.secret.clone()]);
    let third = secret(&deployment.rotate(&tenant, 3600).await);
    assert_eq!(deployment.valid_secrets(&tenant.id).await, [third, second]);
    let fourth = secret(&deployment.rotate(&tenant, 0).await);
    assert_eq!(deployment.valid_secrets(&tenant.id).await, [fourth]);
}

#[tokio::test]
async fn each_secret_comes_with_the_webhook_secret_that_belongs_to_it_at_a_repetition_too() {
    let deployment = Deployment::start().await;
    let provision = deployment.operator("POST", "/api/v1/provision/tenant").header("idempotency-key", "1");
    let provision = provision.json(&json!({ "tenant_name": "Acme" }));
    let provisioned = provision.clone().send().await;
    let tenant = Tenant::of(&provisioned);
    let path = format!("/api/v1/rotate/tenant-secret?tenant_id={}", tenant.id);
    let rotate = deployment.operator("POST", &path).header("idempotency-key", "2").json(&json!({}));
    for (call, first, status) in [(provision, Some(provisioned), 201), (rotate, None, 200)] {
        let first = match first {
            Some(first) => first,
            None => call.clone().send().await,
        };
        let shown = first.data(status);
        let key = TenantSecret::restore(shown["tenant_secret"].as_str().unwrap()).unwrap();
        assert_eq!(shown["webhook_secret"], json!(WebhookSecret::of(&key).unwrap().reveal()));
        assert_eq!(call.send().await.body, first.body);
    }
}

#[tokio::test]
async fn many_rotations_leave_no_more_labels_than_a_secret_may_have_until_aws_keeps_no_more_versions() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let mut last = String::new();
    for round in 1..100 {
        last = secret(&deployment.rotate(&tenant, u64::from(round % 3 == 0) * 60).await);
    }
    let stored = deployment.stored_tenant_secret(&tenant.id);
    let labels: usize = stored.versions.iter().map(|(_, labels, _)| labels.len()).sum();
    assert!(labels <= 20, "{labels}");
    let refused = deployment.rotate(&tenant, 0).await;
    refused.refused(429, "rotated_too_often");
    assert_eq!(refused.headers["retry-after"], "3600");
    assert_eq!(deployment.valid_secrets(&tenant.id).await[0], last);
    assert_eq!(deployment.audit_trail(&tenant).await.len(), 100);
}

#[tokio::test]
async fn rotations_at_once_take_no_label_from_a_valid_version() {
    let deployment = Deployment::start().await;
    for _ in 0..10 {
        let tenant = deployment.provision("Acme").await;
        let rotate = || deployment.rotate(&tenant, 600);
        let (a, b, c) = tokio::join!(rotate(), rotate(), rotate());
        let told = [secret(&a), secret(&b), secret(&c)];
        let valid = deployment.valid_secrets(&tenant.id).await;
        assert_eq!(valid.len(), 2);
        assert!(valid.iter().all(|valid| told.contains(valid)));
    }
}

#[tokio::test]
async fn two_rotations_at_once_leave_one_valid_secret_which_one_of_them_was_told() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let held =
        deployment.stack.faults().hold(Match::any().function("rotate-tenant-secret").operation("PutSecretValue"));
    let release = async {
        held.reached_by(2).await;
        held.release();
    };
    let (one, two, ()) = tokio::join!(deployment.rotate(&tenant, 0), deployment.rotate(&tenant, 0), release);
    let told = [secret(&one), secret(&two)];
    let valid = deployment.valid_secrets(&tenant.id).await;
    assert!(valid.len() == 1 && told.contains(&valid[0]));
    assert_eq!(deployment.audit_trail(&tenant).await.len(), 3);
}

#[tokio::test]
async fn the_overlap_is_a_whole_number_of_seconds_up_to_thirty_days() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let path = format!("/api/v1/rotate/tenant-secret?tenant_id={}", tenant.id);
    for overlap in [json!(-1), json!(2_592_001), json!("60"), json!(1.5), json!(true)] {
        deployment.post(&path, &json!({ "overlap_seconds": overlap })).await.names("overlap_seconds");
    }
    assert_eq!(deployment.valid_secrets(&tenant.id).await, [tenant.secret.as_str()]);
    deployment.rotate(&tenant, 2_592_000).await.data(200);
    deployment.post_nothing(&path).await.data(200);
}

#[tokio::test]
async fn a_suspended_tenant_can_be_given_a_new_secret_and_stays_suspended() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    deployment.suspend(&tenant).await.data(200);
    deployment.rotate(&tenant, 0).await.data(200);
    assert_eq!(deployment.fetch(&tenant).await["status"], "suspended");
}

#[tokio::test]
async fn an_unknown_tenant_is_not_found_and_gets_no_secret() {
    let deployment = Deployment::start().await;
    let ghost = Tenant { id: "tnt_unknown".to_owned(), secret: String::new() };
    deployment.rotate(&ghost, 0).await.refused(404, "tenant_not_found");
    assert!(deployment.items().await.is_empty() && deployment.stored_secrets().is_empty());
}
