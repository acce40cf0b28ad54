//! `/api/v1/console/api-keys`

use serde_json::json;

use crate::support::Deployment;

const PATH: &str = "/api/v1/console/api-keys";

#[tokio::test]
async fn a_key_is_shown_once_works_and_is_listed_as_the_operator_lists_it() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let browser = deployment.console(Some(&tenant), "Ada").await;
    let body = json!({ "name": "Backend", "kind": "account" });
    let create = || deployment.in_console(&browser, "POST", PATH).header("idempotency-key", "1").json(&body);
    let made = create().send().await;
    let key = made.data(201)["api_key"].as_str().unwrap().to_owned();
    let call = deployment.anonymous("GET", "/api/v1/workspaces").header("x-api-key", &key);
    call.send().await.document(200);
    assert_eq!(create().send().await.data(201), made.data(201), "under its key it is the same one");
    let listed = deployment.in_console(&browser, "GET", PATH).send().await;
    let fetched = deployment.get(&format!("/api/v1/fetch/api-keys?tenant_id={}&limit=20", tenant.id)).await;
    assert_eq!(listed.data(200), fetched.data(200));
    assert!(!listed.text.contains(&key));
    let events = deployment.audit_events(&tenant).await;
    let event = events.iter().find(|event| event["action"] == "api_key.provisioned").unwrap();
    assert_eq!((&event["actor"], &event["label"]), (&json!("tenant (console)"), &json!("Ada")));
}

#[tokio::test]
async fn another_sessions_idempotency_key_is_another_key_and_a_page_says_what_is_next() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    for label in ["Ada", "Bob"] {
        let browser = deployment.console(Some(&tenant), label).await;
        let call = deployment.in_console(&browser, "POST", PATH).header("idempotency-key", "1");
        call.json(&json!({ "name": label, "kind": "embed" })).send().await.data(201);
    }
    let browser = deployment.console(Some(&tenant), "Eve").await;
    let first = deployment.in_console(&browser, "GET", &format!("{PATH}?limit=1")).send().await;
    let cursor = first.data(200)["next_cursor"].as_str().unwrap().to_owned();
    let second = deployment.in_console(&browser, "GET", &format!("{PATH}?limit=1&cursor={cursor}")).send().await;
    let names = [&first, &second].map(|page| page.data(200)["api_keys"][0]["name"].clone());
    assert_eq!(names, ["Bob", "Ada"]);
    deployment
        .in_console(&browser, "POST", PATH)
        .json(&json!({ "name": "", "kind": "embed" }))
        .send()
        .await
        .names("name");
}
