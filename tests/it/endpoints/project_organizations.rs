//! `GET /v1/api/projects/organizations`

use serde_json::{Value, json};

use crate::support::lists::{check_forty_five, check_refusals, next, pages};
use crate::support::{ApiKey, Call, Deployment, Tenant};

const PATH: &str = "/v1/api/projects/organizations";

fn ask<'a>(deployment: &'a Deployment, key: &'a ApiKey) -> impl Fn(&str) -> Call + 'a {
    move |query| deployment.backend(key, "GET", &format!("{PATH}?{query}"))
}

/// A tenant and its admin key, which was used before.
async fn tenant(deployment: &Deployment, name: &str) -> (Tenant, ApiKey) {
    let tenant = deployment.provision(name).await;
    let key = deployment.api_key(&tenant, "admin").await;
    deployment.backend(&key, "GET", PATH).send().await.data(200);
    (tenant, key)
}

#[tokio::test]
async fn they_are_listed_newest_first_without_loss_or_repeat() {
    let deployment = Deployment::start().await;
    let (_, key) = tenant(&deployment, "Acme").await;
    let mut ids = Vec::new();
    for _ in 0..45 {
        let answer = deployment.register_organization(&key, &json!({ "name": "n" })).await;
        ids.push(answer.data(200)["projectOrganizationId"].as_str().unwrap().to_owned());
    }
    check_forty_five("organizations", "id", &ids, ask(&deployment, &key)).await;
    let answer = deployment.backend(&key, "GET", PATH).send().await;
    let data = answer.data(200);
    assert_eq!(
        (&data["limit"], data["organizations"].as_array().unwrap().len()),
        (&json!(20), 20),
        "unless it is said"
    );
}

#[tokio::test]
async fn the_rows_are_those_that_the_operator_sees() {
    let deployment = Deployment::start().await;
    let (tenant, key) = tenant(&deployment, "Acme").await;
    let member = deployment.member(&key, "acme", "ada").await;
    deployment.member(&key, "other", "grace").await;
    deployment.token(&key, &member).await;
    let whose = json!({ "organization_id": member.organization_id });
    deployment.revoke_tokens(&tenant, &whose).await.data(200);
    let fetched = deployment.get(&format!("/api/v1/fetch/organizations?tenant_id={}", tenant.id)).await;
    let listed = deployment.backend(&key, "GET", PATH).send().await;
    assert_eq!(listed.body, json!({ "status": "success", "data": fetched.data(200) }));
    assert_eq!(listed.data(200)["organizations"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_page_costs_one_read_for_the_credential_and_one_query_even_when_it_is_empty() {
    let deployment = Deployment::start().await;
    let (_, key) = tenant(&deployment, "Acme").await;
    for _ in 0..2 {
        let (answer, calls) = deployment.calls_of(ask(&deployment, &key)("limit=1")).await;
        answer.data(200);
        let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
        assert_eq!(operations, ["BatchGetItem", "Query"]);
        deployment.member(&key, "acme", "ada").await;
    }
}

#[tokio::test]
async fn keys_that_only_mint_tokens_or_are_for_accounts_may_not_list() {
    let deployment = Deployment::start().await;
    let (tenant, admin) = tenant(&deployment, "Acme").await;
    deployment.member(&admin, "acme", "ada").await;
    for kind in ["embed", "account"] {
        let key = deployment.api_key(&tenant, kind).await;
        let answer = deployment.backend(&key, "GET", PATH).send().await;
        answer.refused(403, "key_kind_not_allowed");
        assert!(!answer.text.contains("acme"));
    }
    deployment.operator("GET", PATH).send().await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn each_tenant_sees_its_own_and_names_no_other() {
    let deployment = Deployment::start().await;
    let ((_, key), (other, others)) = (tenant(&deployment, "Acme").await, tenant(&deployment, "Other").await);
    let (ours, theirs) =
        (deployment.member(&key, "acme", "ada").await, deployment.member(&others, "acme", "ada").await);
    for (key, member) in [(&key, &ours), (&others, &theirs)] {
        let rows: Vec<Value> = pages("organizations", 1, ask(&deployment, key)).await.concat();
        assert_eq!(rows.iter().map(|row| row["id"].as_str().unwrap()).collect::<Vec<_>>(), [&member.organization_id]);
    }
    ask(&deployment, &key)(&format!("tenant_id={}", other.id)).send().await.names("tenant_id");
}

#[tokio::test]
async fn cursors_of_other_lists_and_tenants_are_refused() {
    let deployment = Deployment::start().await;
    let ((_, key), (_, others)) = (tenant(&deployment, "Acme").await, tenant(&deployment, "Other").await);
    for key in [&key, &others] {
        for n in ["1", "2"] {
            deployment.member(key, n, n).await;
        }
    }
    let own = next(&ask(&deployment, &key)("limit=1").send().await);
    ask(&deployment, &key)(&format!("cursor={own}")).send().await.data(200);
    let foreign = [
        next(&ask(&deployment, &others)("limit=1").send().await),
        next(&deployment.backend(&key, "GET", "/v1/api/projects/users?limit=1").send().await),
    ];
    check_refusals(&foreign, ask(&deployment, &key)).await;
}
