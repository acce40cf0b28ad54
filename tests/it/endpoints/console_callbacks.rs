//! `GET /api/v1/console/callbacks`

use crate::support::Deployment;

#[tokio::test]
async fn the_tenants_people_see_its_callbacks_by_state_and_type() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let get = async |query: &str| {
        let call = deployment.in_console(&world.console, "GET", &format!("/api/v1/console/callbacks{query}"));
        call.send().await
    };
    let fetched = deployment.get(&format!("/api/v1/fetch/callbacks?tenant_id={}", world.tenant.id)).await;
    assert_eq!(get("").await.data(200), fetched.data(200));
    let ids = |answer: &crate::support::Answer| answer.data(200)["callbacks"].as_array().unwrap().len();
    assert_eq!((ids(&get("?type=ping").await), ids(&get("?type=tenant.suspended").await)), (1, 0));
    assert_eq!((ids(&get("?state=pending").await), ids(&get("?state=failed").await)), (1, 0));
    get("?state=x").await.names("state");
}
