//! `GET /api/v1/console/registered-tenants`

use serde_json::json;

use crate::support::Deployment;

#[tokio::test]
async fn the_tenants_people_see_what_the_operator_sees_of_it_and_nothing_of_another() {
    let deployment = Deployment::start().await;
    let (tenant, other) = (deployment.provision("Acme").await, deployment.provision("Beta").await);
    let key = deployment.api_key(&tenant, "admin").await;
    let body = json!({ "displayName": "n", "key": "acme", "prefilters": {} });
    deployment.backend(&key, "POST", "/register-tenant").json(&body).send().await;
    let fetched = deployment.get(&format!("/api/v1/fetch/registered-tenants?tenant_id={}", tenant.id)).await;
    assert_eq!(fetched.data(200)["registered_tenants"].as_array().unwrap().len(), 1);
    for (tenant, expected) in [(&tenant, 1), (&other, 0)] {
        let browser = deployment.console(Some(tenant), "Ada").await;
        let listed = deployment.in_console(&browser, "GET", "/api/v1/console/registered-tenants").send().await;
        assert_eq!(listed.data(200)["registered_tenants"].as_array().unwrap().len(), expected);
        if expected == 1 {
            assert_eq!(listed.data(200), fetched.data(200));
        }
        deployment
            .in_console(&browser, "GET", "/api/v1/console/registered-tenants?limit=0")
            .send()
            .await
            .names("limit");
    }
}
