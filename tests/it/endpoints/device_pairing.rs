//! `POST /api/v1/device/pairing`

use serde_json::json;

use crate::support::phone::{Phone, handle_of};
use crate::support::{Call, Deployment};

fn ask(deployment: &Deployment, handle: &str) -> Call {
    deployment.anonymous("POST", "/api/v1/device/pairing").json(&json!({ "handle": handle }))
}

#[tokio::test]
async fn a_phone_sees_whose_pairing_it_is_and_nothing_changes() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let branding =
        json!({ "branding_display_name": "Acme Inc", "branding_logo_url": "https://acme.example.com/a.png" });
    deployment.update(&tenant, &branding).await.data(200);
    let handle = deployment.handle(&tenant, "ada").await;
    let before = deployment.items().await;
    for _ in 0..2 {
        let answer = ask(&deployment, &handle).send().await;
        let data = answer.data(200);
        assert_eq!(
            (&data["tenant_id"], &data["tenant_name"], &data["branding_display_name"], &data["branding_logo_url"]),
            (&json!(tenant.id), &json!("Acme"), &branding["branding_display_name"], &branding["branding_logo_url"])
        );
        assert_eq!(
            (&data["display_name"], &data["user_email"], &data["user_phone"]),
            (&json!("Ada Lovelace"), &json!("a***@e***.com"), &json!(null))
        );
        assert!(!answer.text.contains("backend_user_id") && !answer.text.contains("ada@"));
    }
    assert_eq!(deployment.items().await, before);
    deployment.paired(&tenant, "ada").await;
    ask(&deployment, &handle).send().await.data(200);
}

#[tokio::test]
async fn a_pairing_that_is_not_there_any_more_is_answered_like_one_that_never_was() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let used = deployment.handle(&tenant, "ada").await;
    deployment.register_phone(&Phone::default(), &used).await.send().await.data(201);
    let prepared = deployment.prepared(&tenant, "bob").await;
    let expired = handle_of(&prepared);
    for item in deployment.items().await {
        let pk = item["pk"]["S"].as_str().unwrap();
        if pk.starts_with("PAIRING#") {
            deployment.set(pk, "PAIRING", "expires_at", &json!({ "N": "1" })).await;
        }
    }
    let mut texts = Vec::new();
    for handle in [used.as_str(), &expired, "AAAAAAAAAAAAAAAAAAAAAA"] {
        texts.push(ask(&deployment, handle).send().await.refused(404, "pairing_not_found").text.clone());
        let call = deployment.register_phone(&Phone::default(), handle).await;
        texts.push(call.send().await.refused(404, "pairing_not_found").text.clone());
    }
    texts.dedup();
    assert_eq!(texts.len(), 1);
    for handle in ["", "AAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAB"] {
        ask(&deployment, handle).send().await.names("handle");
    }
}

#[tokio::test]
async fn pages_of_other_origins_are_refused_and_a_suspended_tenant_says_so() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let handle = deployment.handle(&tenant, "ada").await;
    let own = deployment.stack.url().clone();
    ask(&deployment, &handle).header("origin", &own).send().await.data(200);
    for origin in ["https://evil.example.com", "null"] {
        let (answer, calls) = deployment.calls_of(ask(&deployment, &handle).header("origin", origin)).await;
        answer.refused(403, "origin_not_allowed");
        assert!(calls.is_empty());
    }
    let prefetch = ask(&deployment, &handle).header("sec-purpose", "prefetch;prerender");
    prefetch.send().await.refused(400, "malformed_request");
    deployment.suspend(&tenant).await.data(200);
    ask(&deployment, &handle).send().await.refused(403, "tenant_suspended");
    deployment.register_phone(&Phone::default(), &handle).await.send().await.refused(403, "tenant_suspended");
    deployment.reactivate(&tenant).await.data(200);
    deployment.register_phone(&Phone::default(), &handle).await.send().await.data(201);
}
