//! `POST /api/v1/revoke/api-key`

use serde_json::json;
use stack::Match;

use crate::support::{Answer, ApiKey, Deployment};

async fn revoke(deployment: &Deployment, key: &ApiKey) -> Answer {
    let path = format!("/api/v1/revoke/api-key?tenant_id={}&key_id={}", key.tenant.id, key.id);
    deployment.post_nothing(&path).await
}

/// What is said to an admin key: by two functions, and by two processes of one of them.
async fn said(deployment: &Deployment, key: &ApiKey) -> Vec<Answer> {
    let list = deployment.backend(key, "GET", "/v1/api/projects/organizations").send().await;
    let introspect = || {
        let call = deployment.backend(key, "POST", "/api/v1/auth/introspect").json(&json!({ "token": "x" }));
        call.send()
    };
    // Each is held until the other has come, so one process can't have both.
    let held = deployment.stack.faults().hold(Match::any().function("introspect").operation("BatchGetItem"));
    let release = async {
        held.reached_by(2).await;
        held.release();
    };
    let (one, other, ()) = tokio::join!(introspect(), introspect(), release);
    vec![list, one, other]
}

/// Whether an admin key is let in everywhere.
pub async fn works(deployment: &Deployment, key: &ApiKey) -> bool {
    said(deployment, key).await.iter().all(|answer| answer.status == 200)
}

/// Whether an admin key is refused everywhere.
pub async fn refused(deployment: &Deployment, key: &ApiKey) -> bool {
    said(deployment, key).await.iter().all(|answer| answer.status == 401)
}

#[tokio::test]
async fn the_very_next_call_is_refused_in_every_process() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let (key, other) = (deployment.api_key(&tenant, "admin").await, deployment.api_key(&tenant, "admin").await);
    for round in 0..3 {
        assert!(works(&deployment, &key).await, "{round}");
    }
    let answer = revoke(&deployment, &key).await;
    assert_eq!((answer.data(200), &answer.body["message"]), (&json!(null), &json!("API key revoked")));
    assert!(refused(&deployment, &key).await);
    assert!(works(&deployment, &other).await);
}

#[tokio::test]
async fn a_key_in_its_overlap_is_refused_with_both_of_its_texts() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let old = deployment.api_key(&tenant, "admin").await;
    let path = format!("/api/v1/rotate/api-key?tenant_id={}&key_id={}", tenant.id, old.id);
    let answer = deployment.post(&path, &json!({ "overlap_seconds": 3600 })).await;
    let new = ApiKey { text: answer.data(200)["api_key"].as_str().unwrap().to_owned(), ..old.clone() };
    assert!(works(&deployment, &old).await && works(&deployment, &new).await);
    revoke(&deployment, &old).await.data(200);
    assert!(refused(&deployment, &old).await && refused(&deployment, &new).await);
}

#[tokio::test]
async fn the_tokens_that_it_minted_are_inactive_and_those_of_other_keys_are_not() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let (admin, embed) = (deployment.api_key(&tenant, "admin").await, deployment.api_key(&tenant, "embed").await);
    let member = deployment.member(&admin, "acme", "ada").await;
    let (of_admin, of_embed) = (deployment.token(&admin, &member).await, deployment.token(&embed, &member).await);
    assert!(deployment.is_active(&admin, &of_admin).await && deployment.is_active(&admin, &of_embed).await);
    revoke(&deployment, &embed).await.data(200);
    assert!(!deployment.is_active(&admin, &of_embed).await);
    assert!(deployment.is_active(&admin, &of_admin).await);
    let body = json!({ "userId": member.user_id, "organizationId": member.organization_id });
    deployment.user_token(&embed, &body).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn revoking_twice_is_200_and_changes_nothing() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "admin").await;
    let first = revoke(&deployment, &key).await;
    let after = deployment.items().await;
    let second = revoke(&deployment, &key).await;
    assert_eq!((second.data(200), &second.body), (&json!(null), &first.body));
    assert_eq!(deployment.items().await, after);
    assert_eq!(deployment.audit_trail(&tenant).await, ["tenant.provisioned", "api_key.provisioned", "api_key.revoked"]);
    let events = deployment.get(&format!("/api/v1/fetch/audit-events?tenant_id={}&limit=1", tenant.id)).await;
    assert_eq!(events.data(200)["events"][0]["subject"], key.id.as_str());
}

#[tokio::test]
async fn eight_revocations_at_once_are_one_change() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "admin").await;
    let path = format!("/api/v1/revoke/api-key?tenant_id={}&key_id={}", tenant.id, key.id);
    let calls: Vec<_> = (0..8).map(|_| tokio::spawn(deployment.operator("POST", &path).send())).collect();
    for call in calls {
        call.await.unwrap().data(200);
    }
    assert_eq!(deployment.audit_trail(&tenant).await, ["tenant.provisioned", "api_key.provisioned", "api_key.revoked"]);
}

#[tokio::test]
async fn a_key_that_has_expired_can_be_revoked_and_its_tokens_with_it() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let (admin, embed) = (deployment.api_key(&tenant, "admin").await, deployment.api_key(&tenant, "embed").await);
    let member = deployment.member(&admin, "acme", "ada").await;
    let token = deployment.token(&embed, &member).await;
    let pk = format!("TENANT#{}#KEY#{}", tenant.id, embed.id);
    deployment.set(&pk, "KEY", "expires_at", &json!({ "N": "1" })).await;
    // A token has an end of its own.
    assert!(deployment.is_active(&admin, &token).await);
    revoke(&deployment, &embed).await.data(200);
    assert!(!deployment.is_active(&admin, &token).await);
}

#[tokio::test]
async fn another_tenants_key_and_an_unknown_one_are_the_same_404_and_an_unknown_tenant_is_its_own() {
    let deployment = Deployment::start().await;
    let (tenant, other) = (deployment.provision("Acme").await, deployment.provision("Other").await);
    let key = deployment.api_key(&tenant, "admin").await;
    let before = deployment.items().await;
    let unknown = ApiKey { id: "key_0000000000000000".to_owned(), ..key.clone() };
    let foreign = ApiKey { tenant: other, ..key.clone() };
    let answers = [revoke(&deployment, &unknown).await, revoke(&deployment, &foreign).await];
    for answer in &answers {
        answer.refused(404, "api_key_not_found");
    }
    assert_eq!(answers[0].text, answers[1].text);
    let path = format!("/api/v1/revoke/api-key?tenant_id=tnt_unknown&key_id={}", key.id);
    deployment.post_nothing(&path).await.refused(404, "tenant_not_found");
    assert_eq!(deployment.items().await, before);
    assert!(works(&deployment, &key).await);
}

#[tokio::test]
async fn a_replay_revokes_nothing_and_another_request_under_its_key_is_refused() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let (key, other) = (deployment.api_key(&tenant, "admin").await, deployment.api_key(&tenant, "admin").await);
    let send = |key: &ApiKey| {
        let path = format!("/api/v1/revoke/api-key?tenant_id={}&key_id={}", key.tenant.id, key.id);
        deployment.operator("POST", &path).header("idempotency-key", "k").send()
    };
    let first = send(&key).await;
    first.data(200);
    let after = deployment.items().await;
    assert_eq!(send(&key).await.body, first.body);
    send(&other).await.refused(422, "idempotency_key_reused");
    assert_eq!(deployment.items().await, after);
    assert!(works(&deployment, &other).await);
}

#[tokio::test]
async fn a_suspended_tenants_key_can_be_revoked() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "admin").await;
    deployment.suspend(&tenant).await.data(200);
    revoke(&deployment, &key).await.data(200);
    deployment.reactivate(&tenant).await.data(200);
    assert!(refused(&deployment, &key).await);
}
