//! `GET /api/v1/fetch/organizations`

use serde_json::{Value, json};

use crate::support::lists::{check_forty_five, check_refusals, next, pages};
use crate::support::{Call, Deployment, Tenant};

fn ask<'a>(deployment: &'a Deployment, tenant: &Tenant) -> impl Fn(&str) -> Call + 'a {
    let path = format!("/api/v1/fetch/organizations?tenant_id={}", tenant.id);
    move |query| deployment.operator("GET", &format!("{path}&{query}"))
}

async fn rows(deployment: &Deployment, tenant: &Tenant) -> Vec<Value> {
    let pages = pages("organizations", 100, ask(deployment, tenant)).await;
    pages.into_iter().flatten().collect()
}

#[tokio::test]
async fn organizations_are_listed_newest_first_without_loss_or_repeat() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "admin").await;
    let mut ids = Vec::new();
    for n in 0..45 {
        // Every third has no external id.
        let fields =
            if n % 3 == 0 { json!({ "name": "n" }) } else { json!({ "name": "n", "externalId": n.to_string() }) };
        let answer = deployment.register_organization(&key, &fields).await;
        ids.push(answer.data(200)["projectOrganizationId"].as_str().unwrap().to_owned());
    }
    check_forty_five("organizations", "id", &ids, ask(&deployment, &tenant)).await;
    // Unless it is said, a page has twenty rows.
    let path = format!("/api/v1/fetch/organizations?tenant_id={}", tenant.id);
    assert_eq!(deployment.get(&path).await.data(200)["organizations"].as_array().unwrap().len(), 20);
}

#[tokio::test]
async fn a_row_says_what_is_registered_and_when_it_changed_and_nothing_of_its_properties() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "admin").await;
    let fields = json!({ "name": "Before", "externalId": "a#b/ü", "properties": { "hidden": "from lists" } });
    let answer = deployment.register_organization(&key, &fields).await;
    let id = answer.data(200)["projectOrganizationId"].clone();
    let mut expected = rows(&deployment, &tenant).await[0].clone();
    assert!(expected["created_at"].is_string());
    let new = json!({
        "id": id,
        "external_id": "a#b/ü",
        "name": "Before",
        "created_at": expected["created_at"],
        "updated_at": null,
        "tokens_revoked_before": null,
        "last_token_on": null,
    });
    assert_eq!(expected, new);
    // The same once more is no change.
    deployment.register_organization(&key, &fields).await.data(200);
    assert_eq!(rows(&deployment, &tenant).await, [expected.clone()]);
    let fields = json!({ "name": "After", "externalId": "a#b/ü" });
    deployment.register_organization(&key, &fields).await.data(200);
    let revoked = deployment.revoke_tokens(&tenant, &json!({ "organization_id": id })).await;
    let row = rows(&deployment, &tenant).await[0].clone();
    assert!(row["updated_at"].as_str() >= expected["created_at"].as_str());
    expected["name"] = "After".into();
    expected["updated_at"] = row["updated_at"].clone();
    expected["tokens_revoked_before"] = revoked.data(200)["revoked_before"].clone();
    assert_eq!(row, expected);
    assert!(
        !deployment.get(&format!("/api/v1/fetch/organizations?tenant_id={}", tenant.id)).await.text.contains("hidden")
    );
}

#[tokio::test]
async fn a_page_costs_one_query_and_an_empty_one_a_look_at_the_tenant() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "admin").await;
    for expected in [&["GetSecretValue", "Query", "GetItem"][..], &["GetSecretValue", "Query"]] {
        let (answer, calls) = deployment.calls_of(ask(&deployment, &tenant)("limit=1")).await;
        answer.data(200);
        assert_eq!(calls.iter().map(|call| call.operation.as_str()).collect::<Vec<_>>(), expected);
        deployment.register_organization(&key, &json!({ "name": "n" })).await.data(200);
    }
}

#[tokio::test]
async fn cursors_of_other_lists_and_tenants_are_refused() {
    let deployment = Deployment::start().await;
    let (tenant, other) = (deployment.provision("Acme").await, deployment.provision("Other").await);
    for tenant in [&tenant, &other] {
        let key = deployment.api_key(tenant, "admin").await;
        for n in ["1", "2"] {
            deployment.member(&key, n, n).await;
        }
    }
    let own = next(&ask(&deployment, &tenant)("limit=1").send().await);
    ask(&deployment, &tenant)(&format!("cursor={own}")).send().await.data(200);
    let users = format!("/api/v1/fetch/users?tenant_id={}&limit=1", tenant.id);
    let foreign = [
        next(&ask(&deployment, &other)("limit=1").send().await),
        next(&deployment.get(&users).await),
        next(&deployment.get("/api/v1/fetch/tenants?limit=1").await),
    ];
    check_refusals(&foreign, ask(&deployment, &tenant)).await;
}

#[tokio::test]
async fn another_tenants_organizations_never_appear_and_an_unknown_tenant_has_no_list() {
    let deployment = Deployment::start().await;
    let (tenant, other) = (deployment.provision("Acme").await, deployment.provision("Other").await);
    let (key, others) = (deployment.api_key(&tenant, "admin").await, deployment.api_key(&other, "admin").await);
    deployment.register_organization(&others, &json!({ "name": "theirs", "externalId": "acme" })).await.data(200);
    assert!(rows(&deployment, &tenant).await.is_empty());
    deployment.register_organization(&key, &json!({ "name": "ours", "externalId": "acme" })).await.data(200);
    for (tenant, name) in [(&tenant, "ours"), (&other, "theirs")] {
        let rows = rows(&deployment, tenant).await;
        assert_eq!(rows.iter().map(|row| row["name"].as_str().unwrap()).collect::<Vec<_>>(), [name]);
    }
    for id in ["tnt_unknown", "tnt_00000000000000000000000000000000"] {
        let ghost = Tenant { id: id.to_owned(), secret: String::new() };
        ask(&deployment, &ghost)("limit=1").send().await.refused(404, "tenant_not_found");
    }
}
