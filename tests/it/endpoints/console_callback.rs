//! `GET /api/v1/console/callback`

use crate::support::Deployment;

#[tokio::test]
async fn the_tenants_people_see_one_of_its_callbacks_and_none_of_anothers() {
    let deployment = Deployment::start().await;
    let (ours, theirs) = (deployment.world().await, deployment.world().await);
    let get = |event: &str| {
        deployment.in_console(&ours.console, "GET", &format!("/api/v1/console/callback?event_id={event}"))
    };
    let shown = get(&ours.event).send().await;
    let path = format!("/api/v1/fetch/callback?tenant_id={}&event_id={}", ours.tenant.id, ours.event);
    assert_eq!(shown.data(200), deployment.get(&path).await.data(200));
    get(&theirs.event).send().await.refused(404, "callback_not_found");
    get("evt_x").send().await.names("event_id");
}
