//! `GET /api/v1/console/registered-tenants`

use serde_json::json;

use crate::support::Deployment;

#[tokio::test]
async fn the_tenants_people_see_what_the_operator_sees_of_it_and_nothing_of_another() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "admin").await;
    let body = json!({ "displayName": "n", "key": "acme", "prefilters": {} });
    deployment.backend(&key, "POST", "/register-tenant").json(&body).send().await;
    deployment.check_console_list(&tenant, "registered-tenants", "registered_tenants").await;
}
