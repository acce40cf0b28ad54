//! `GET /api/v1/fetch/callbacks`

use serde_json::{Value, json};
use shared::domain::Cursor;

use crate::support::{Deployment, Tenant, TestReceiver};

async fn history(deployment: &Deployment) -> (Tenant, TestReceiver) {
    deployment.stack.streams().stop().await;
    let (tenant, receiver) = (deployment.provision("Acme").await, TestReceiver::start().await);
    let wanted = json!({ "callback_url_base": receiver.base(), "callback_types": ["tenant.*"] });
    deployment.update(&tenant, &wanted).await.data(200);
    for _ in 0..2 {
        deployment.suspend(&tenant).await.data(200);
        deployment.reactivate(&tenant).await.data(200);
    }
    (tenant, receiver)
}

#[tokio::test]
async fn callbacks_are_listed_with_what_became_of_them_and_without_their_bodies() {
    let deployment = Deployment::start().await;
    let (tenant, receiver) = history(&deployment).await;
    let path = format!("/api/v1/fetch/callbacks?tenant_id={}", tenant.id);
    let all = deployment.get(&path).await.data(200)["callbacks"].as_array().unwrap().clone();
    assert_eq!(
        all.iter().map(|row| &row["type"]).collect::<Vec<_>>(),
        ["tenant.reactivated", "tenant.suspended", "tenant.reactivated", "tenant.suspended"]
    );
    for row in &all {
        assert_eq!(
            (&row["state"], &row["attempts"], &row["last_outcome"]),
            (&json!("pending"), &json!(0), &Value::Null)
        );
        assert_eq!(row["next_attempt_at"], row["created_at"]);
    }
    receiver.answers(&[500]);
    deployment.sweep().await;
    let after = deployment.get(&path).await.data(200)["callbacks"].as_array().unwrap().clone();
    let seen: Vec<_> = after.iter().map(|row| (&row["state"], &row["last_outcome"])).collect();
    let delivered = (&json!("delivered"), &json!("204"));
    assert_eq!(seen, [delivered, delivered, delivered, (&json!("pending"), &json!("500"))]);
    assert!(after[3]["next_attempt_at"].as_str() > after[3]["created_at"].as_str());
    assert!(after[0]["next_attempt_at"].is_null());
    // Page by page it is the same.
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = deployment.get(&format!("{path}&limit=3{cursor}")).await;
        paged.extend(answer.data(200)["callbacks"].as_array().unwrap().iter().cloned());
        let Some(next) = answer.data(200)["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(paged, after);
}

#[tokio::test]
async fn cursors_and_tenants_that_there_are_not_are_refused() {
    let deployment = Deployment::start().await;
    let (one, other) = (deployment.provision("Acme").await, deployment.provision("Globex").await);
    let path = format!("/api/v1/fetch/callbacks?tenant_id={}", one.id);
    for position in ["", "evt_", "STATE", "evt_0190000000007000800000000000000g"] {
        let cursor = Cursor::new(&format!("callbacks/{}", one.id), position);
        deployment.get(&format!("{path}&cursor={cursor}")).await.names("cursor");
    }
    let others = Cursor::new(&format!("callbacks/{}", other.id), "evt_01900000000070008000000000000000");
    deployment.get(&format!("{path}&cursor={others}")).await.names("cursor");
    assert_eq!(deployment.get(&path).await.data(200)["callbacks"], json!([]));
    deployment.get("/api/v1/fetch/callbacks?tenant_id=tnt_unknown").await.refused(404, "tenant_not_found");
    deployment.get(&format!("{path}&limit=0")).await.names("limit");
}

#[tokio::test]
async fn a_list_of_a_state_or_a_type_has_all_of_it_page_by_page() {
    let deployment = Deployment::start().await;
    let (tenant, receiver) = history(&deployment).await;
    receiver.answers(&[500]);
    deployment.sweep().await;
    let path = format!("/api/v1/fetch/callbacks?tenant_id={}", tenant.id);
    let all = deployment.get(&path).await.data(200)["callbacks"].as_array().unwrap().clone();
    for (query, is_in) in [
        ("&state=pending", &(|row: &Value| row["state"] == "pending") as &dyn Fn(&Value) -> bool),
        ("&state=delivered", &|row| row["state"] == "delivered"),
        ("&state=failed", &|_| false),
        ("&type=tenant.suspended", &|row| row["type"] == "tenant.suspended"),
        ("&type=tenant.suspended&state=delivered", &|row| {
            row["type"] == "tenant.suspended" && row["state"] == "delivered"
        }),
        ("&type=ping", &|_| false),
    ] {
        let expected: Vec<_> = all.iter().filter(|row| is_in(row)).cloned().collect();
        let (mut paged, mut cursor) = (Vec::new(), String::new());
        loop {
            let answer = deployment.get(&format!("{path}{query}&limit=1{cursor}")).await;
            let rows = answer.data(200)["callbacks"].as_array().unwrap();
            assert!(rows.len() <= 1, "{query}");
            paged.extend(rows.iter().cloned());
            let Some(next) = answer.data(200)["next_cursor"].as_str() else { break };
            // It is of this list and of no other.
            deployment.get(&format!("{path}&limit=1&cursor={next}")).await.names("cursor");
            cursor = format!("&cursor={next}");
        }
        assert_eq!(paged, expected, "{query}");
    }
    deployment.get(&format!("{path}&state=lost")).await.names("state");
    deployment.get(&format!("{path}&type=tenant.*")).await.names("type");
    let unknown = "/api/v1/fetch/callbacks?tenant_id=tnt_unknown&state=failed";
    deployment.get(unknown).await.refused(404, "tenant_not_found");
}

#[tokio::test]
async fn what_is_far_back_among_others_is_found_in_bounded_steps() {
    let deployment = Deployment::start().await;
    let (tenant, _receiver) = history(&deployment).await;
    let items = deployment.items().await;
    let template = items.iter().find(|item| item.get("callback_state").is_some()).unwrap().clone();
    // Fourteen megabytes of others in front of the four.
    for number in 0..230_u32 {
        let mut item = template.clone();
        item["sk"] = json!({ "S": format!("evt_fffffffffff0700080{number:014x}") });
        item["callback_state"] = json!({ "S": "delivered" });
        item["body"] = json!({ "S": "a".repeat(62_000) });
        deployment.dynamodb("PutItem", &json!({ "TableName": deployment.table(), "Item": item })).await;
    }
    let path = format!("/api/v1/fetch/callbacks?tenant_id={}&state=pending", tenant.id);
    let (answer, calls) = deployment.calls_of(deployment.operator("GET", &path)).await;
    assert_eq!(answer.data(200)["callbacks"], json!([]));
    assert_eq!(calls.iter().filter(|call| call.operation == "Query").count(), 10);
    let next = answer.data(200)["next_cursor"].as_str().unwrap();
    let rest = deployment.get(&format!("{path}&cursor={next}")).await;
    assert_eq!(rest.data(200)["callbacks"].as_array().unwrap().len(), 4);
    assert_eq!(rest.data(200)["next_cursor"], Value::Null);
}
