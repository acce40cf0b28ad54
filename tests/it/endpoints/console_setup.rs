//! `GET /api/v1/console/setup`

use crate::support::Deployment;

#[tokio::test]
async fn the_tenants_people_see_what_the_operator_sees_of_its_set_up() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let shown = deployment.in_console(&world.console, "GET", "/api/v1/console/setup").send().await;
    let fetched = deployment.get(&format!("/api/v1/fetch/setup?tenant_id={}", world.tenant.id)).await;
    assert_eq!(shown.data(200)["checks"], fetched.data(200)["checks"]);
    assert!(!shown.data(200)["checks"].as_array().unwrap().is_empty());
    assert_eq!(shown.data(200)["tenant_id"], world.tenant.id.as_str());
}
