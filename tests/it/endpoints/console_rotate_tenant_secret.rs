//! `POST /api/v1/console/rotate-tenant-secret`

use serde_json::json;

use crate::support::Deployment;

const PATH: &str = "/api/v1/console/rotate-tenant-secret";

#[tokio::test]
async fn the_tenants_people_rotate_its_secret_which_is_shown_once() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let browser = deployment.console(Some(&tenant), "Ada").await;
    let rotate = || deployment.in_console(&browser, "POST", PATH).header("idempotency-key", "1");
    let rotated = rotate().json(&json!({ "overlap_seconds": 3600 })).send().await;
    let data = rotated.data(200);
    let secret = data["tenant_secret"].as_str().unwrap().to_owned();
    assert_eq!(data["tenant_id"], tenant.id);
    assert_eq!(deployment.valid_secrets(&tenant.id).await, [secret, tenant.secret.clone()]);
    assert_eq!(rotate().json(&json!({ "overlap_seconds": 3600 })).send().await.data(200), data);
    deployment.in_console(&browser, "POST", PATH).send().await.data(200);
    assert_eq!(deployment.valid_secrets(&tenant.id).await.len(), 1, "without an overlap the old one is refused");
    deployment
        .in_console(&browser, "POST", PATH)
        .json(&json!({ "overlap_seconds": -1 }))
        .send()
        .await
        .names("overlap_seconds");
}
