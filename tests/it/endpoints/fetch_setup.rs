//! `GET /api/v1/fetch/setup`

use serde_json::{Value, json};
use shared::domain::Timestamp;

use crate::support::{Deployment, Tenant, now_ms};

fn path(tenant: &Tenant) -> String {
    format!("/api/v1/fetch/setup?tenant_id={}", tenant.id)
}

/// The check of that name.
fn check<'a>(setup: &'a Value, name: &str) -> &'a Value {
    let mut checks = setup["checks"].as_array().unwrap().iter();
    checks.find(|check| check["check"] == name).unwrap_or_else(|| panic!("no check {name}"))
}

#[tokio::test]
async fn a_new_tenant_has_nothing_that_fails_and_nothing_that_was_seen() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let answer = deployment.get(&path(&tenant)).await;
    let setup = answer.data(200);
    assert_eq!((&setup["tenant_id"], &setup["tenant_name"]), (&json!(tenant.id), &json!("Acme")));
    assert!(Timestamp::parse(setup["checked_at"].as_str().unwrap()).is_ok());
    for check in setup["checks"].as_array().unwrap() {
        let expected = if check["check"] == "tenant" { vec!["works"] } else { vec!["unseen", "off"] };
        assert!(expected.contains(&check["state"].as_str().unwrap()), "{check}");
        assert_eq!(check["last_seen"], json!(null), "{check}");
        assert!(check["state"] != "unseen" || check["mend"].is_string(), "{check}");
    }
    assert!(!answer.text.contains(&tenant.secret) && !answer.text.contains("sk_"));
}

#[tokio::test]
async fn what_was_used_works_and_says_when() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "admin").await;
    let member = deployment.member(&key, "acme", "ada").await;
    let token = deployment.token(&key, &member).await;
    deployment.introspect(&key, &token).await;
    deployment.whoami(&tenant.signing()).send().await.data(200);
    deployment.whoami(&tenant.signing().nonce("0123456789abcdef")).send().await.data(200);
    let setup = deployment.get(&path(&tenant)).await.data(200).clone();
    let today = Timestamp::from_millis(now_ms()).day().to_string();
    for name in ["api_key_admin", "token_issued", "token_introspected"] {
        let check = check(&setup, name);
        assert_eq!((&check["state"], &check["last_seen"]), (&json!("works"), &json!(today)), "{check}");
    }
    for name in ["organization", "user", "token_subject", "signed_call", "clock", "signature_version"] {
        assert_eq!(check(&setup, name)["state"], "works", "{name}");
    }
    let minute = Timestamp::parse(check(&setup, "signed_call")["last_seen"].as_str().unwrap()).unwrap();
    assert!(minute.as_millis() % 60_000 == 0 && now_ms() - minute.as_millis() < 120_000);
    let versions = check(&setup, "signature_version")["says"].as_str().unwrap();
    assert!(versions.contains(&format!("v1 on {today}, v2 on {today}")), "{versions}");
    let clock = check(&setup, "clock")["says"].as_str().unwrap();
    assert!(clock.contains(" behind") || clock.contains(" 0 ms ahead"), "{clock}");
    assert!(!setup.to_string().contains(&token));
}

#[tokio::test]
async fn it_is_of_one_tenant_that_there_is() {
    let deployment = Deployment::start().await;
    deployment.get("/api/v1/fetch/setup?tenant_id=tnt_unknown").await.refused(404, "tenant_not_found");
    for query in ["", "?tenant_id=", "?tenant_id=acme"] {
        deployment.get(&format!("/api/v1/fetch/setup{query}")).await.names("tenant_id");
    }
    let tenant = deployment.provision("Acme").await;
    deployment.get(&format!("{}&limit=1", path(&tenant))).await.names("limit");
}

/// As the item would be if somebody had changed it by hand.
#[tokio::test]
async fn a_refusal_that_cannot_be_read_is_our_fault() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    deployment.set(&format!("TENANT#{}#SETUP", tenant.id), "SETUP", "key_kind", &json!({ "S": "x" })).await;
    deployment.get(&path(&tenant)).await.refused(500, "internal");
}

#[tokio::test]
async fn lines_have_the_service_s_address_or_a_variable_for_it() {
    let deployment = Deployment::start_with(|builder| builder.parameter("PublicUrl", "")).await;
    let tenant = deployment.provision("Acme").await;
    let setup = deployment.get(&path(&tenant)).await.data(200).clone();
    let line = check(&setup, "signed_call")["curl"].as_str().unwrap().to_owned();
    assert!(line.contains("\"$LATCHKEY_URL/api/v1/relay/whoami\"") && line.contains(&tenant.id), "{line}");
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let setup = deployment.get(&path(&tenant)).await.data(200).clone();
    let url = format!("\"{}/api/v1/relay/whoami\"", deployment.stack.url());
    assert!(check(&setup, "signed_call")["curl"].as_str().unwrap().contains(&url));
}
