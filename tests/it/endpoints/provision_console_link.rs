//! `POST /api/v1/provision/console-link`

use serde_json::{Value, json};

use crate::support::console::{Browser, LINK, opened};
use crate::support::{Deployment, Tenant};

#[tokio::test]
async fn a_link_is_shown_once_with_the_address_that_opens_it_and_stored_as_a_digest() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    for tenant in [None, Some(&tenant)] {
        let answer = deployment.makes_link(tenant, "Ada Lovelace").send().await;
        let data = answer.data(201);
        let code = data["code"].as_str().unwrap();
        assert_eq!(data["link"], format!("{}/console#{code}", deployment.stack.url()));
        assert_eq!(data["label"], "Ada Lovelace");
        assert_eq!(data["tenant_id"], json!(tenant.map(|tenant| &tenant.id)));
        assert!(data["console_id"].as_str().unwrap().starts_with("con_"));
        let stored = deployment.items().await;
        assert!(stored.iter().all(|item| !item.to_string().contains(code)), "only its digest is stored");
    }
}

#[tokio::test]
async fn under_one_idempotency_key_there_is_one_link() {
    let deployment = Deployment::start().await;
    let call = || deployment.makes_link(None, "Ada").header("idempotency-key", "1");
    let first = call().send().await;
    let again = call().send().await;
    assert_eq!((again.data(201), again.status), (first.data(201), 201));
    let other = deployment.makes_link(None, "Bob").header("idempotency-key", "1");
    other.send().await.refused(422, "idempotency_key_reused");
    let events = deployment.get("/api/v1/fetch/audit-events").await;
    let events = events.data(200)["events"].as_array().unwrap();
    let replayed: Vec<_> = events.iter().map(|event| &event["details"]["replayed"]).collect();
    assert_eq!(replayed, [&json!(true), &Value::Null], "that it was shown again is recorded");
}

#[tokio::test]
async fn a_label_that_breaks_its_rule_and_a_tenant_that_is_none_are_refused() {
    let deployment = Deployment::start().await;
    let before = deployment.items().await;
    for label in [json!(""), json!(" "), json!("a\u{202e}b"), json!("a".repeat(121)), json!(1), Value::Null] {
        let answer = deployment.operator("POST", LINK).json(&json!({ "label": label })).send().await;
        answer.names("label");
    }
    deployment.post(LINK, &json!({})).await.names("label");
    deployment.post(&format!("{LINK}?tenant_id=acme"), &json!({ "label": "a" })).await.names("tenant_id");
    for id in ["tnt_unknown", "tnt_00000000000000000000000000000001"] {
        let unknown = Tenant { id: id.to_owned(), secret: String::new() };
        deployment.makes_link(Some(&unknown), "Ada").send().await.refused(404, "tenant_not_found");
    }
    assert_eq!(deployment.items().await, before);
}

#[tokio::test]
async fn a_session_makes_links_for_tenants_and_none_by_which_it_would_outlast_itself() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let operator = deployment.console(None, "Ada").await;
    let body = json!({ "label": "Bob" });
    let call = |target: &str| deployment.in_console(&operator, "POST", target).json(&body);
    call(LINK).send().await.refused(403, "operator_key_required");
    let answer = call(&format!("{LINK}?tenant_id={}", tenant.id)).send().await;
    let code = answer.data(201)["code"].as_str().unwrap().to_owned();
    let browser = Browser::default();
    let answer = deployment.opens_with(&browser, &code, &json!({})).send().await;
    let browser = opened(browser, &answer);
    deployment.in_console(&browser, "GET", "/api/v1/console/tenant").send().await.data(200);
    let made = deployment.audit_events(&tenant).await;
    let made = made.iter().find(|event| event["action"] == "console.link_provisioned").unwrap();
    assert_eq!((&made["actor"], &made["label"]), (&json!("operator (console)"), &json!("Ada")));
    assert_eq!(made["details"]["label"], "Bob");
}
