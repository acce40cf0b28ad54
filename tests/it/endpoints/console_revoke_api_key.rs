//! `POST /api/v1/console/revoke-api-key`

use crate::support::Deployment;

#[tokio::test]
async fn a_key_of_the_tenants_own_is_revoked_and_anothers_is_none() {
    let deployment = Deployment::start().await;
    let (tenant, other) = (deployment.provision("Acme").await, deployment.provision("Beta").await);
    let (key, theirs) = (deployment.api_key(&tenant, "account").await, deployment.api_key(&other, "account").await);
    let browser = deployment.console(Some(&tenant), "Ada").await;
    let revoke =
        |id: &str| deployment.in_console(&browser, "POST", &format!("/api/v1/console/revoke-api-key?key_id={id}"));
    for _ in 0..2 {
        assert!(revoke(&key.id).send().await.data(200).is_null());
    }
    deployment.account(&key, "GET", "/api/v1/workspaces").send().await.refused(401, "unauthenticated");
    revoke(&theirs.id).send().await.refused(404, "api_key_not_found");
    deployment.account(&theirs, "GET", "/api/v1/workspaces").send().await.document(200);
}
