//! `GET /api/v1/relay/fetch/callbacks`

use crate::support::{Call, Deployment, Tenant};

const PATH: &str = "/api/v1/relay/fetch/callbacks";

fn list(deployment: &Deployment, tenant: &Tenant, query: &str) -> Call {
    deployment.anonymous("GET", &format!("{PATH}{query}")).signed(&tenant.signing())
}

#[tokio::test]
async fn a_tenant_sees_its_own_callbacks_as_the_operator_does_and_nobody_elses() {
    let deployment = Deployment::start().await;
    let (ours, theirs) = (deployment.world().await, deployment.world().await);
    let by_operator = deployment.get(&format!("/api/v1/fetch/callbacks?tenant_id={}", ours.tenant.id)).await;
    let answer = list(&deployment, &ours.tenant, "").send().await;
    assert_eq!(answer.data(200), by_operator.data(200));
    assert_eq!(answer.data(200)["callbacks"][0]["event_id"], ours.event.as_str());
    assert!(!answer.text.contains(&theirs.event));
    for (query, count) in
        [("?state=pending", 1), ("?state=failed", 0), ("?type=ping", 1), ("?type=pairing.created&limit=5", 0)]
    {
        let answer = list(&deployment, &ours.tenant, query).send().await;
        assert_eq!(answer.data(200)["callbacks"].as_array().unwrap().len(), count, "{query}");
    }
    // Whose they are, the signature says.
    let named = format!("?tenant_id={}", theirs.tenant.id);
    list(&deployment, &ours.tenant, &named).send().await.names("tenant_id");
    list(&deployment, &ours.tenant, "?state=lost").send().await.names("state");
    let cursor = shared::domain::Cursor::new(&format!("callbacks/{}", theirs.tenant.id), &theirs.event);
    list(&deployment, &ours.tenant, &format!("?cursor={cursor}")).send().await.names("cursor");
    deployment.suspend(&ours.tenant).await.data(200);
    list(&deployment, &ours.tenant, "").send().await.refused(403, "tenant_suspended");
}
