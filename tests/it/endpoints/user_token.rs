//! `POST /v1/api/projects/user-token`

use serde_json::json;

use crate::support::Deployment;

#[tokio::test]
async fn a_registered_user_gets_a_token_that_is_active() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "admin").await;
    let member = deployment.member(&key, "acme", "ada").await;
    let token = deployment.token(&key, &member).await;
    let answer = deployment.introspect(&key, &token).await;
    assert_eq!(answer["active"], true, "{answer}");
    let again = deployment.user_token(&key, &json!({ "userId": "ada", "organizationId": "acme" })).await;
    again.data(200);
    let call = deployment.anonymous("GET", &format!("/t/{}/.well-known/jwks.json", tenant.id)).send().await;
    println!("{} {}", call.text, answer);
    deployment.revoke_tokens(&tenant, &json!({"user_id": member.user_id})).await.data(200);
    assert!(!deployment.is_active(&key, &token).await);
}
