//! `/api/v1/agent-sessions`.

use serde_json::json;

use crate::support::Deployment;

#[tokio::test]
async fn a_session_is_begun_and_listed() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "account").await;
    let body =
        json!({ "assistant_id": "asst_123...", "external_user_id": "user_456", "title": "Customer Support Chat" });
    let answer = deployment.account(&key, "POST", "/api/v1/agent-sessions").json(&body).send().await;
    let session = answer.document(201).clone();
    let token = deployment.scoped_token(&key, Some("user_456")).await;
    let answer = deployment.page(&token, "GET", "/api/v1/agent-sessions").send().await;
    let page = json!({ "items": [session], "total": 1, "page": 1, "limit": 20, "has_more": false });
    assert_eq!(*answer.document(200), page);
    let other = deployment.scoped_token(&key, Some("user_457")).await;
    let answer = deployment.page(&other, "GET", "/api/v1/agent-sessions").send().await;
    assert_eq!(answer.document(200)["total"], 0);
}
