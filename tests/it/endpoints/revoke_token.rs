//! `POST /api/v1/auth/revoke`

use serde_json::json;

use crate::support::{Answer, ApiKey, Deployment};

async fn revoke(deployment: &Deployment, key: &ApiKey, token: &str) -> Answer {
    let call = deployment.backend(key, "POST", "/api/v1/auth/revoke");
    call.body("application/x-www-form-urlencoded", format!("token={token}")).send().await
}

#[tokio::test]
async fn one_token_is_taken_back_and_the_others_stay() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let other = deployment.token(&world.key, &world.member).await;
    assert_eq!(revoke(&deployment, &world.key, &world.token).await.text, "{}");
    assert!(!deployment.is_active(&world.key, &world.token).await);
    assert!(deployment.is_active(&world.key, &other).await);
    revoke(&deployment, &world.key, &world.token).await.document(200);
}

#[tokio::test]
async fn what_is_kept_of_it_goes_when_the_token_expires() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let claims = deployment.introspect(&world.key, &world.token).await;
    revoke(&deployment, &world.key, &world.token).await.document(200);
    let items = deployment.items().await;
    let kept: Vec<_> = items.iter().filter(|item| item["sk"]["S"] == "TOKEN").collect();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0]["purge_at"]["N"], claims["exp"].to_string());
    assert!(kept[0]["pk"]["S"].as_str().unwrap().ends_with(claims["jti"].as_str().unwrap()));
}

/// What is inactive now can be active again: its user comes back, its tenant is looked at under its other address.
#[tokio::test]
async fn a_token_that_is_inactive_for_now_is_taken_back_too() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    deployment.revoke_tokens(&world.tenant, &json!({ "all": true })).await.data(200);
    assert!(!deployment.is_active(&world.key, &world.token).await);
    revoke(&deployment, &world.key, &world.token).await.document(200);
    let kept = deployment.items().await.iter().filter(|item| item["sk"]["S"] == "TOKEN").count();
    assert_eq!(kept, 1);
}

#[tokio::test]
async fn a_token_that_is_not_valid_or_another_tenants_is_answered_alike_and_writes_nothing() {
    let deployment = Deployment::start().await;
    let (ours, theirs) = (deployment.world().await, deployment.world().await);
    let before = deployment.items().await;
    for token in [theirs.token.as_str(), "x", "a.b.c", &ours.token[..ours.token.len() - 1]] {
        let answer = revoke(&deployment, &ours.key, token).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "{}"));
    }
    assert_eq!(deployment.items().await, before);
    assert!(deployment.is_active(&theirs.key, &theirs.token).await);
}
