//! `GET /api/v1/fetch/callback`

use serde_json::json;

use crate::support::{Deployment, Tenant, TestReceiver};

fn path(tenant: &Tenant, event: &str) -> String {
    format!("/api/v1/fetch/callback?tenant_id={}&event_id={event}", tenant.id)
}

#[tokio::test]
async fn a_callback_is_shown_with_the_bytes_that_are_sent_and_its_last_ten_attempts() {
    let deployment = Deployment::start().await;
    deployment.stack.streams().stop().await;
    let (tenant, receiver) = (deployment.provision("Acme").await, TestReceiver::start().await);
    deployment.update(&tenant, &json!({ "callback_url_base": receiver.base() })).await.data(200);
    let ping = deployment.post_nothing(&format!("/api/v1/test/callback?tenant_id={}", tenant.id)).await;
    let id = ping.data(202)["event_id"].as_str().unwrap().to_owned();
    let new = deployment.get(&path(&tenant, &id)).await.data(200).clone();
    assert_eq!((&new["state"], &new["attempts"], &new["last_attempts"]), (&json!("pending"), &json!(0), &json!([])));
    let statuses: Vec<u16> = (500..511).collect();
    receiver.answers(&statuses[..10]);
    for _ in 0..11 {
        deployment.sweep().await;
        let (partition, due) = (format!("TENANT#{}#CALLBACKS", tenant.id), json!({ "N": "1" }));
        if deployment.get(&path(&tenant, &id)).await.data(200)["state"] == "pending" {
            deployment.set(&partition, &id, "due_at", &due).await;
        }
    }
    let shown = deployment.get(&path(&tenant, &id)).await.data(200).clone();
    assert_eq!(
        (&shown["state"], &shown["attempts"], &shown["type"]),
        (&json!("delivered"), &json!(11), &json!("ping"))
    );
    assert_eq!(shown["body"], receiver.received()[0].text.as_str());
    let attempts = shown["last_attempts"].as_array().unwrap();
    let outcomes: Vec<_> = attempts.iter().map(|attempt| attempt["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["501", "502", "503", "504", "505", "506", "507", "508", "509", "204"]);
    assert!(attempts.iter().map(|attempt| attempt["at"].as_str()).is_sorted());
    // What a list says of it is a part.
    let list = deployment.get(&format!("/api/v1/fetch/callbacks?tenant_id={}", tenant.id)).await;
    let row = list.data(200)["callbacks"][0].as_object().unwrap().clone();
    assert!(row.iter().all(|(name, value)| shown[name] == *value) && !row.contains_key("body"), "{row:?}");
}

#[tokio::test]
async fn what_is_anothers_is_not_there_and_an_id_is_one() {
    let deployment = Deployment::start().await;
    let (world, other) = (deployment.world().await, deployment.provision("Globex").await);
    deployment.get(&path(&world.tenant, &world.event)).await.data(200);
    deployment.get(&path(&other, &world.event)).await.refused(404, "callback_not_found");
    let none = "evt_01900000000070008000000000000000";
    deployment.get(&path(&world.tenant, none)).await.refused(404, "callback_not_found");
    let ghost = Tenant { id: "tnt_unknown".to_owned(), ..other.clone() };
    deployment.get(&path(&ghost, &world.event)).await.refused(404, "tenant_not_found");
    for event in ["", "STATE", "evt_", &world.event.to_uppercase(), &world.event[1..]] {
        deployment.get(&path(&other, event)).await.names("event_id");
    }
    deployment.get(&format!("/api/v1/fetch/callback?tenant_id={}", other.id)).await.names("event_id");
}
