//! `POST /api/v1/relay/fetch/pairings`

use serde_json::json;

use crate::support::Deployment;

#[tokio::test]
async fn a_tenant_sees_the_devices_of_its_own_people_by_either_id() {
    let deployment = Deployment::start().await;
    let (tenant, other) = (deployment.provision("Acme").await, deployment.provision("Beta").await);
    let phone = deployment.paired(&tenant, "ada").await;
    let linked = deployment.prepared(&tenant, "ada").await["relay_user_linked_id"].clone();
    for body in [json!({ "backend_user_id": "ada" }), json!({ "relay_user_linked_id": linked })] {
        let answer = deployment.relay(&tenant, "fetch/pairings", &body).send().await;
        let data = answer.data(200);
        assert_eq!(
            (&data["relay_user_linked_id"], &data["pairings"][0]["device_id"]),
            (&linked, &json!(phone.device_id))
        );
        assert_eq!(data["pairings"].as_array().unwrap().len(), 1);
    }
    let nobody = deployment.relay(&tenant, "fetch/pairings", &json!({ "backend_user_id": "eve" })).send().await;
    assert_eq!(nobody.data(200), &json!({ "relay_user_linked_id": null, "pairings": [] }));
    assert!(deployment.devices_of(&other, "ada").await.is_empty());
    let theirs = deployment.relay(&other, "fetch/pairings", &json!({ "relay_user_linked_id": linked })).send().await;
    theirs.refused(404, "person_not_found");
    deployment.relay(&tenant, "fetch/pairings", &json!({})).send().await.names("backend_user_id");
}
