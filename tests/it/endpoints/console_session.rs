//! `/api/v1/console/session`: what opens a session, what it says, and what ends it.

use serde_json::json;
use stack::{Effect, Fault, Match};

use crate::support::console::{Browser, SESSION, opened};
use crate::support::{Deployment, at_once};

#[tokio::test]
async fn a_link_opens_one_session_that_says_whose_it_is() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    for tenant in [None, Some(&tenant)] {
        let code = deployment.link(tenant, "Ada Lovelace").await;
        let browser = Browser::default();
        let answer = deployment.opens_with(&browser, &code, &json!({})).send().await;
        let data = answer.data(201).clone();
        assert_eq!((&data["label"], &data["expires_in"]), (&json!("Ada Lovelace"), &json!(3600)));
        assert_eq!(data["api_url"], json!(deployment.stack.url()));
        assert_eq!(data["party"], if tenant.is_some() { "tenant" } else { "operator" });
        assert_eq!(data["tenant_id"], json!(tenant.map(|tenant| &tenant.id)));
        assert_eq!(data["tenant_name"], json!(tenant.map(|_| "Acme")));
        let browser = opened(browser, &answer);
        let shown = deployment.in_console(&browser, "GET", SESSION).send().await;
        for name in ["console_id", "label", "party", "tenant_id", "tenant_name", "expires_at", "api_url"] {
            assert_eq!(shown.data(200)[name], data[name], "{name}");
        }
        assert!(!shown.text.contains("cs_"));
        let again = deployment.opens_with(&Browser::default(), &code, &json!({})).send().await;
        again.refused(404, "console_link_not_found");
    }
}

#[tokio::test]
async fn of_many_browsers_with_one_link_one_gets_in() {
    let deployment = Deployment::start().await;
    let code = deployment.link(None, "Ada").await;
    let calls = (0..8).map(|_| deployment.opens_with(&Browser::default(), &code, &json!({})));
    let answers = at_once(calls).await;
    let opened = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(opened, 1);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert!(matches!(answer.code(), Some("console_link_not_found" | "stale_update")), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_link_is_over_after_five_minutes_and_a_session_after_an_hour() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let code = deployment.link(Some(&tenant), "Ada").await;
    let browser = deployment.console(Some(&tenant), "Bob").await;
    let items = deployment.items().await;
    let now = crate::support::now_ms();
    for (sk, lasts) in [("LINK", 300_000), ("SESSION", 3_600_000)] {
        let item = items.iter().find(|item| item["sk"]["S"] == sk).unwrap();
        let until: i64 = item["expires_at"]["N"].as_str().unwrap().parse().unwrap();
        assert!((until - now - lasts).abs() < 60_000, "{sk}");
        deployment.set(item["pk"]["S"].as_str().unwrap(), sk, "expires_at", &json!({ "N": "1" })).await;
    }
    let late = deployment.opens_with(&Browser::default(), &code, &json!({})).send().await;
    late.refused(404, "console_link_not_found");
    deployment.in_console(&browser, "GET", SESSION).send().await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn an_ended_session_opens_nothing_more() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    for (tenant, path) in [(None, "/api/v1/fetch/tenants"), (Some(&tenant), "/api/v1/console/tenant")] {
        let browser = deployment.console(tenant, "Ada").await;
        deployment.in_console(&browser, "GET", path).send().await.data(200);
        assert!(deployment.in_console(&browser, "DELETE", SESSION).send().await.data(200).is_null());
        deployment.in_console(&browser, "GET", path).send().await.refused(401, "unauthenticated");
        deployment.in_console(&browser, "DELETE", SESSION).send().await.refused(401, "unauthenticated");
    }
    let trail = deployment.audit_trail(&tenant).await;
    let of_console: Vec<_> = trail.iter().filter(|action| action.starts_with("console.")).collect();
    assert_eq!(of_console, ["console.link_provisioned", "console.session_opened", "console.session_ended"]);
    let actors: Vec<_> =
        deployment.audit_events(&tenant).await.into_iter().map(|event| event["actor"].clone()).collect();
    assert_eq!(actors[1..], ["operator", "tenant (console)", "tenant (console)"]);
    let events = deployment.get("/api/v1/fetch/audit-events").await;
    let events = events.data(200)["events"].as_array().unwrap();
    let told: Vec<_> = events.iter().map(|event| (event["action"].as_str().unwrap(), &event["actor"])).collect();
    let console = json!("operator (console)");
    assert_eq!(
        told,
        [
            ("console.session_ended", &console),
            ("console.session_opened", &console),
            ("console.link_provisioned", &json!("operator")),
        ]
    );
    assert!(events[..2].iter().all(|event| event["label"] == "Ada" && event["subject"] == events[2]["subject"]));
}

#[tokio::test]
async fn what_is_no_code_is_refused_by_name_and_a_proof_is_asked_for_first() {
    let deployment = Deployment::start().await;
    let code = deployment.link(None, "Ada").await;
    let browser = Browser::default();
    for wrong in ["", "cl_x", &code[..98], &code.replace("cl_", "cs_")] {
        deployment.opens_with(&browser, wrong, &json!({})).send().await.names("code");
    }
    let bare = deployment.anonymous("POST", SESSION).json(&json!({ "code": code }));
    let refused = bare.send().await;
    assert_eq!(refused.refused(401, "unauthenticated").reason(), Some("credential_missing"));
    for changes in [json!({ "htm": "GET" }), json!({ "htu": "https://evil.example/api/v1/console/session" })] {
        let answer = deployment.opens_with(&browser, &code, &changes).send().await;
        answer.refused(401, "invalid_dpop_proof");
    }
    let foreign = deployment.opens_with(&browser, &code, &json!({})).header("origin", "https://evil.example");
    foreign.send().await.refused(403, "origin_not_allowed");
    let preview = deployment.opens_with(&browser, &code, &json!({})).header("sec-purpose", "prefetch");
    preview.send().await.refused(400, "malformed_request");
    // None of them has used it up.
    deployment.opens_with(&browser, &code, &json!({})).send().await.data(201);
}

#[tokio::test]
async fn a_store_that_fails_opens_nothing_and_keeps_the_link() {
    let deployment = Deployment::start().await;
    let code = deployment.link(None, "Ada").await;
    let browser = Browser::default();
    for operation in ["GetItem", "TransactWriteItems"] {
        let down = Effect::Status(500, "InternalServerError".to_owned());
        deployment.stack.faults().inject(Fault::new(Match::any().operation(operation), down));
        let answer = deployment.opens_with(&browser, &code, &json!({})).send().await;
        answer.refused(503, "temporarily_unavailable");
        deployment.stack.faults().clear();
    }
    deployment.opens_with(&browser, &code, &json!({})).send().await.data(201);
}

/// Its session opens nothing, because the registry asks for the key.
#[tokio::test]
async fn a_link_of_a_key_that_is_gone_opens_a_session_that_opens_nothing() {
    let deployment = Deployment::start().await;
    let code = deployment.link(None, "Ada").await;
    deployment.put_admin_keys(&json!({ "current": "b".repeat(48) }), '1');
    let browser = Browser::default();
    let answer = deployment.opens_with(&browser, &code, &json!({})).send().await;
    let browser = opened(browser, &answer);
    deployment.in_console(&browser, "GET", SESSION).send().await.data(200);
    deployment.in_console(&browser, "GET", "/api/v1/fetch/tenants").send().await.refused(401, "unauthenticated");
}
