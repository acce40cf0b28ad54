//! `GET /api/v1/fetch/tenant`

use serde_json::{Value, json};

use crate::support::{Deployment, TestReceiver, with};

#[tokio::test]
async fn a_tenant_is_shown_without_its_secret() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let answer = deployment.get(&format!("/api/v1/fetch/tenant?tenant_id={}", tenant.id)).await;
    assert_eq!(answer.body["message"], "OK");
    assert_eq!((&answer.data(200)["status"], &answer.data(200)["abuse_strikes"]), (&json!("active"), &json!(0)));
    assert_eq!(answer.data(200).get("require_end_user"), Some(&json!(null)), "it is there, though not decided");
    assert!(
        !answer.text.contains("sk_")
            && !answer.text.contains("whsec_")
            && answer.data(200).get("tenant_secret").is_none()
    );
}

#[tokio::test]
async fn the_tenant_id_is_required_once_and_in_its_shape() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    for query in ["", "?tenant_id=", "?tenant_id=acme", "?tenant_id=tnt_a%20b", "?tenant_id=tnt_%00", "?tenant_id=sk_1"]
    {
        deployment.get(&format!("/api/v1/fetch/tenant{query}")).await.names("tenant_id");
    }
    deployment.get(&format!("/api/v1/fetch/tenant?tenant_id={0}&tenant_id={0}", tenant.id)).await.names("tenant_id");
    deployment.get(&format!("/api/v1/fetch/tenant?tenant_id={}&page=1", tenant.id)).await.names("page");
}

#[tokio::test]
async fn query_strings_that_are_no_uri_are_answered_too() {
    let deployment = Deployment::start().await;
    for query in ["tenant_id=tnt_a|b", "tenant_id=\"", "<>", "%", "%zz", "tenant_id=tnt_1&^", "a=b=c&&&"] {
        let event =
            crate::support::event("GET", "/api/v1/fetch/tenant", query, &[("x-admin-key", deployment.key())], None);
        let answer = deployment.stack.invoke("fetch-tenant", event, stack::Invocation::default()).await.unwrap();
        assert_eq!(answer.payload["statusCode"], 422, "{query}: {}", answer.payload);
    }
}

#[tokio::test]
async fn a_tenant_whose_items_cannot_be_read_is_our_fault_and_shows_nothing() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    deployment.set(&format!("TENANT#{}", tenant.id), "STATE", "tenant_status", &json!({ "S": "paused" })).await;
    let answer = deployment.get(&format!("/api/v1/fetch/tenant?tenant_id={}", tenant.id)).await;
    answer.refused(500, "internal");
    assert!(!answer.text.contains("paused") && !answer.text.contains("STATE"));
    assert!(deployment.stack.output().contains("has no readable tenant_status"));
}

#[tokio::test]
async fn two_items_that_are_not_of_one_moment_are_never_put_together() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let partition = format!("TENANT#{}", tenant.id);
    // As a read sees it that falls into the middle of an update's transaction.
    deployment.set(&partition, "CONFIG", "configuration_revision", &json!({ "N": "1" })).await;
    let path = format!("/api/v1/fetch/tenant?tenant_id={}", tenant.id);
    let (answer, calls) = deployment.calls_of(deployment.operator("GET", &path)).await;
    answer.refused(503, "temporarily_unavailable");
    assert_eq!(calls.iter().filter(|call| call.operation == "BatchGetItem").count(), 3, "it looks again");
    deployment.update(&tenant, &json!({ "passkeys_enabled": null })).await.refused(503, "temporarily_unavailable");
    deployment.set(&partition, "CONFIG", "configuration_revision", &json!({ "N": "0" })).await;
    deployment.fetch(&tenant).await;
}

#[tokio::test]
async fn an_unknown_tenant_is_not_found() {
    let deployment = Deployment::start().await;
    let answer = deployment.get("/api/v1/fetch/tenant?tenant_id=tnt_unknown").await;
    answer.refused(404, "tenant_not_found");
}

#[tokio::test]
async fn the_receiver_of_each_flow_is_shown_with_what_is_pending_for_it() {
    let deployment = Deployment::start().await;
    deployment.stack.streams().stop().await;
    let (tenant, receiver) = (deployment.provision("Acme").await, TestReceiver::start().await);
    let idle = json!({
        "state": "closed", "pending": 0, "oldest_pending_at": null, "last_success_at": null, "last_failure": null,
    });
    let all = ["qr-login", "pairing", "passkey", "tenant", "test"].map(|flow| (flow.to_owned(), idle.clone()));
    let all = Value::Object(all.into_iter().collect());
    let fetched = deployment.fetch(&tenant).await;
    assert_eq!((&fetched["callbacks"], &fetched["callbacks_counted_since"]), (&all, &Value::Null));
    let wanted = json!({ "callback_url_base": receiver.base(), "callback_types": ["tenant.*"] });
    let updated = deployment.update(&tenant, &wanted).await;
    assert!(updated.data(200).get("callbacks").is_none(), "an update shows what it can change");

    deployment.suspend(&tenant).await.data(200);
    let suspended_at = deployment.fetch(&tenant).await["suspended_at"].clone();
    deployment.reactivate(&tenant).await.data(200);
    let shown = deployment.fetch(&tenant).await["callbacks"].clone();
    let pending = with(&idle, &json!({ "pending": 2, "oldest_pending_at": suspended_at }));
    assert_eq!(shown, with(&all, &json!({ "tenant": pending })));

    deployment.sweep().await;
    let shown = deployment.fetch(&tenant).await["callbacks"]["tenant"].clone();
    assert!(shown["last_success_at"].is_string(), "{shown}");
    assert_eq!(with(&shown, &json!({ "last_success_at": null })), idle);

    receiver.answers(&[500, 410]);
    deployment.suspend(&tenant).await.data(200);
    let suspended_at = deployment.fetch(&tenant).await["suspended_at"].clone();
    deployment.sweep().await;
    let shown = deployment.fetch(&tenant).await["callbacks"]["tenant"].clone();
    assert_eq!((&shown["state"], &shown["pending"]), (&json!("closed"), &json!(1)));
    assert_eq!((&shown["oldest_pending_at"], &shown["last_failure"]["outcome"]), (&suspended_at, &json!("500")));
    deployment.reactivate(&tenant).await.data(200);
    deployment.sweep().await;
    let shown = deployment.fetch(&tenant).await["callbacks"].clone();
    // The event that was answered 410 has failed, and the one that waits for its second attempt will not get it.
    assert_eq!((&shown["tenant"]["state"], &shown["tenant"]["pending"]), (&json!("disabled"), &json!(1)));
    assert_eq!(shown["tenant"]["last_failure"]["outcome"], "410");
    assert!(shown["tenant"]["last_failure"]["at"].is_string());
    assert_eq!(with(&shown, &json!({ "tenant": idle })), all, "another flow is another receiver");
}

#[tokio::test]
async fn what_is_pending_is_counted_among_the_newest_and_the_answer_says_since_when() {
    let deployment = Deployment::start().await;
    deployment.stack.streams().stop().await;
    let tenant = deployment.provision("Acme").await;
    let wanted =
        json!({ "callback_url_base": "https://callbacks.example.com", "callback_types": ["tenant.suspended"] });
    deployment.update(&tenant, &wanted).await.data(200);
    deployment.suspend(&tenant).await.data(200);
    let [callback] = &deployment.callbacks(&tenant).await[..] else { panic!("one event") };
    let base: i64 = callback["created_at"]["N"].as_str().unwrap().parse().unwrap();
    let later = |number: i64| {
        let at = base + 1000 * number;
        let id = format!("evt_{at:012x}7{number:019x}");
        let written = json!({ "sk": { "S": id }, "created_at": { "N": at.to_string() } });
        json!({ "PutRequest": { "Item": with(callback, &written) } })
    };
    for (first, last) in (1..500).step_by(25).map(|first| (first, (first + 25).min(500))) {
        let requests: Vec<_> = (first..last).map(later).collect();
        deployment.dynamodb("BatchWriteItem", &json!({ "RequestItems": { deployment.table(): requests } })).await;
    }
    let fetched = deployment.fetch(&tenant).await;
    let receiver = &fetched["callbacks"]["tenant"];
    assert_eq!((&receiver["pending"], &receiver["oldest_pending_at"]), (&json!(500), &fetched["suspended_at"]));
    let request = json!({ "RequestItems": { deployment.table(): [later(500)] } });
    deployment.dynamodb("BatchWriteItem", &request).await;
    let fetched = deployment.fetch(&tenant).await;
    let receiver = &fetched["callbacks"]["tenant"];
    assert_eq!(receiver["pending"], 500);
    let since = fetched["callbacks_counted_since"].as_str().unwrap();
    assert!(receiver["oldest_pending_at"] == since && since > fetched["suspended_at"].as_str().unwrap());
}
