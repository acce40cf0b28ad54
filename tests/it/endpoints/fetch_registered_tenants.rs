//! `GET /api/v1/fetch/registered-tenants`

use serde_json::{Value, json};

use crate::support::lists::{check_forty_five, check_refusals, next, pages};
use crate::support::{Answer, ApiKey, Call, Deployment, Tenant};

fn ask<'a>(deployment: &'a Deployment, tenant: &Tenant) -> impl Fn(&str) -> Call + 'a {
    let path = format!("/api/v1/fetch/registered-tenants?tenant_id={}", tenant.id);
    move |query| deployment.operator("GET", &format!("{path}&{query}"))
}

async fn rows(deployment: &Deployment, tenant: &Tenant) -> Vec<Value> {
    pages("registered_tenants", 100, ask(deployment, tenant)).await.into_iter().flatten().collect()
}

async fn register(deployment: &Deployment, key: &ApiKey, body: &Value) -> Answer {
    let answer = deployment.backend(key, "POST", "/register-tenant").json(body).send().await;
    answer.data(200);
    answer
}

#[tokio::test]
async fn registered_tenants_are_listed_newest_first_without_loss_or_repeat() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "embed").await;
    let keys: Vec<_> = (0..45).map(|n| format!("customer {n}")).collect();
    for customer in &keys {
        register(&deployment, &key, &json!({ "displayName": "n", "key": customer, "prefilters": {} })).await;
    }
    // To log in again moves nobody.
    for customer in &keys[10..12] {
        register(&deployment, &key, &json!({ "displayName": "new", "key": customer, "prefilters": {} })).await;
    }
    check_forty_five("registered_tenants", "key", &keys, ask(&deployment, &tenant)).await;
}

#[tokio::test]
async fn a_row_says_what_is_registered_and_when_it_changed_and_nothing_of_its_filters() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "embed").await;
    let mut body = json!({ "displayName": "Before", "prefilters": { "hidden": "from lists" } });
    body["key"] = "before".into();
    register(&deployment, &key, &body).await;
    let mut expected = rows(&deployment, &tenant).await[0].clone();
    let new = json!({
        "key": "before",
        "display_name": "Before",
        "created_at": expected["created_at"],
        "updated_at": null,
        "last_token_on": expected["created_at"].as_str().unwrap()[.."2026-01-31".len()],
    });
    assert_eq!(expected, new);
    register(&deployment, &key, &body).await;
    assert_eq!(rows(&deployment, &tenant).await, [expected.clone()]);
    body["displayName"] = "After".into();
    register(&deployment, &key, &body).await;
    let row = rows(&deployment, &tenant).await[0].clone();
    assert!(row["updated_at"].as_str() >= expected["created_at"].as_str());
    expected["display_name"] = "After".into();
    expected["updated_at"] = row["updated_at"].clone();
    expected["last_token_on"] = row["last_token_on"].clone();
    assert_eq!(row, expected);
    assert!(!ask(&deployment, &tenant)("limit=1").send().await.text.contains("hidden"));
}

#[tokio::test]
async fn the_day_of_the_last_token_is_noted_on_each_day_and_is_no_change() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "embed").await;
    let body = json!({ "displayName": "Acme", "prefilters": {} });
    register(&deployment, &key, &body).await;
    let row = rows(&deployment, &tenant).await[0].clone();
    let items = deployment.items().await;
    let pk = items.iter().find(|item| item["sk"]["S"] == "REGISTERED").unwrap()["pk"]["S"].as_str().unwrap();
    deployment.set(pk, "REGISTERED", "details.last_token_on", &json!({ "S": "2026-01-01" })).await;
    assert_eq!(rows(&deployment, &tenant).await[0]["last_token_on"], "2026-01-01");
    register(&deployment, &key, &body).await;
    let after = rows(&deployment, &tenant).await[0].clone();
    assert!(after["last_token_on"].as_str() >= row["last_token_on"].as_str());
    assert!(after["updated_at"].is_null());
}

#[tokio::test]
async fn cursors_of_other_lists_and_tenants_are_refused() {
    let deployment = Deployment::start().await;
    let (tenant, other) = (deployment.provision("Acme").await, deployment.provision("Other").await);
    for tenant in [&tenant, &other] {
        let key = deployment.api_key(tenant, "admin").await;
        for n in ["1", "2"] {
            register(&deployment, &key, &json!({ "displayName": n, "prefilters": {} })).await;
            deployment.register_organization(&key, &json!({ "name": n })).await.data(200);
        }
    }
    let own = next(&ask(&deployment, &tenant)("limit=1").send().await);
    ask(&deployment, &tenant)(&format!("cursor={own}")).send().await.data(200);
    let organizations = format!("/api/v1/fetch/organizations?tenant_id={}&limit=1", tenant.id);
    let foreign = [
        next(&ask(&deployment, &other)("limit=1").send().await),
        next(&deployment.get(&organizations).await),
        next(&deployment.get("/api/v1/fetch/tenants?limit=1").await),
    ];
    check_refusals(&foreign, ask(&deployment, &tenant)).await;
}

#[tokio::test]
async fn another_tenants_customers_never_appear_and_an_unknown_tenant_has_no_list() {
    let deployment = Deployment::start().await;
    let (tenant, other) = (deployment.provision("Acme").await, deployment.provision("Other").await);
    let (key, others) = (deployment.api_key(&tenant, "embed").await, deployment.api_key(&other, "embed").await);
    register(&deployment, &others, &json!({ "displayName": "theirs", "key": "k", "prefilters": {} })).await;
    assert!(rows(&deployment, &tenant).await.is_empty());
    register(&deployment, &key, &json!({ "displayName": "ours", "key": "k", "prefilters": {} })).await;
    for (tenant, name) in [(&tenant, "ours"), (&other, "theirs")] {
        let rows = rows(&deployment, tenant).await;
        assert_eq!(rows.iter().map(|row| row["display_name"].as_str().unwrap()).collect::<Vec<_>>(), [name]);
    }
    for id in ["tnt_unknown", "tnt_00000000000000000000000000000000"] {
        let ghost = Tenant { id: id.to_owned(), secret: String::new() };
        ask(&deployment, &ghost)("limit=1").send().await.refused(404, "tenant_not_found");
    }
}
