//! `GET /api/v1/console/tenant`

use crate::support::Deployment;

#[tokio::test]
async fn people_of_a_tenant_see_what_the_operator_sees_of_it_and_no_secret() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let browser = deployment.console(Some(&tenant), "Ada").await;
    let shown = deployment.in_console(&browser, "GET", "/api/v1/console/tenant").send().await;
    assert_eq!(shown.data(200), &deployment.fetch(&tenant).await);
    assert!(!shown.text.contains(&tenant.secret) && !shown.text.contains("whsec_"));
    let other = deployment.provision("Beta").await;
    let named = deployment.in_console(&browser, "GET", &format!("/api/v1/console/tenant?tenant_id={}", other.id));
    named.send().await.names("tenant_id");
}
