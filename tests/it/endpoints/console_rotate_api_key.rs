//! `POST /api/v1/console/rotate-api-key`

use serde_json::json;

use crate::support::Deployment;

#[tokio::test]
async fn a_key_of_the_tenants_own_is_rotated_and_anothers_is_none() {
    let deployment = Deployment::start().await;
    let (tenant, other) = (deployment.provision("Acme").await, deployment.provision("Beta").await);
    let (key, theirs) = (deployment.api_key(&tenant, "account").await, deployment.api_key(&other, "account").await);
    let browser = deployment.console(Some(&tenant), "Ada").await;
    let rotate =
        |id: &str| deployment.in_console(&browser, "POST", &format!("/api/v1/console/rotate-api-key?key_id={id}"));
    let rotated = rotate(&key.id).json(&json!({ "overlap_seconds": 60 })).send().await;
    let new = rotated.data(200)["api_key"].as_str().unwrap().to_owned();
    let works = async |text: &str| {
        deployment.anonymous("GET", "/api/v1/workspaces").header("x-api-key", text).send().await.status == 200
    };
    assert!(works(&key.text).await && works(&new).await);
    rotate(&key.id).send().await.data(200);
    assert!(!works(&key.text).await && !works(&new).await, "without an overlap both are refused");
    rotate(&theirs.id).send().await.refused(404, "api_key_not_found");
    assert!(works(&theirs.text).await);
    deployment.in_console(&browser, "POST", "/api/v1/console/rotate-api-key").send().await.names("key_id");
}
