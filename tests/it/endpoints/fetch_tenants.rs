//! `GET /api/v1/fetch/tenants`

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stack::AwsCall;

use crate::support::Deployment;

/// A thousand tenants, created a second apart; every tenth is suspended. Copies of one that was really provisioned,
/// because provisioning a thousand is not what is tested here.
async fn thousand(deployment: &Deployment) -> Vec<String> {
    let first = deployment.provision("Acme").await;
    let items = deployment.items().await;
    let state = items.iter().find(|item| item["sk"]["S"] == "STATE").unwrap();
    let created: i64 = state["created_at"]["N"].as_str().unwrap().parse().unwrap();
    let mut ids = vec![first.id];
    let copies: Vec<Value> = (1..1000)
        .map(|n| {
            let id = format!("tnt_{n:032x}");
            let at = created + n * 1000;
            let mut copy = state.clone();
            copy["pk"]["S"] = format!("TENANT#{id}").into();
            copy["listing_order"]["S"] = format!("{at:015}#{id}").into();
            copy["created_at"]["N"] = at.to_string().into();
            if n % 10 == 0 {
                copy["tenant_status"]["S"] = "suspended".into();
                copy["suspended_at"] = json!({ "N": at.to_string() });
            }
            ids.push(id);
            json!({ "PutRequest": { "Item": copy } })
        })
        .collect();
    for batch in copies.chunks(25) {
        let request = json!({ "RequestItems": { deployment.table(): batch } });
        deployment.dynamodb("BatchWriteItem", &request).await;
    }
    ids.reverse();
    ids
}

fn ids(page: &Value) -> Vec<String> {
    let tenants = page["tenants"].as_array().unwrap().iter();
    tenants.map(|tenant| tenant["tenant_id"].as_str().unwrap().to_owned()).collect()
}

/// Every page of a list, with what was called in AWS for each.
async fn pages(deployment: &Deployment, query: &str) -> Vec<(Vec<String>, Vec<AwsCall>)> {
    let mut pages = Vec::new();
    let mut cursor = String::new();
    loop {
        let call = deployment.operator("GET", &format!("/api/v1/fetch/tenants?{query}{cursor}"));
        let (answer, calls) = deployment.calls_of(call).await;
        let data = answer.data(200);
        pages.push((ids(data), calls));
        match data["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return pages,
        }
    }
}

#[tokio::test]
async fn a_thousand_tenants_are_listed_newest_first_with_one_query_a_page_and_no_scan() {
    let deployment = Deployment::start().await;
    let expected = thousand(&deployment).await;
    for limit in [100, 37] {
        let pages = pages(&deployment, &format!("limit={limit}")).await;
        assert_eq!(pages.len(), 1000_usize.div_ceil(limit));
        for (_, calls) in &pages {
            let operations: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
            assert_eq!(operations, ["GetSecretValue", "Query"]);
        }
        let listed: Vec<_> = pages.into_iter().flat_map(|(ids, _)| ids).collect();
        assert_eq!(listed, expected);
    }
    for (status, expected_count) in [("suspended", 99), ("active", 901)] {
        let pages = pages(&deployment, &format!("limit=100&status={status}")).await;
        assert!(pages.iter().all(|(_, calls)| calls.len() == 2));
        let listed: Vec<_> = pages.into_iter().flat_map(|(ids, _)| ids).collect();
        assert_eq!(listed.len(), expected_count);
        assert!(listed.is_sorted_by_key(|id| expected.iter().position(|known| known == id)), "{status}");
    }
}

#[tokio::test]
async fn an_offset_skips_rows_without_sending_them() {
    let deployment = Deployment::start().await;
    let expected = thousand(&deployment).await;
    for offset in [0, 1, 500, 995] {
        let call = deployment.operator("GET", &format!("/api/v1/fetch/tenants?limit=10&offset={offset}"));
        let (answer, calls) = deployment.calls_of(call).await;
        assert_eq!(ids(answer.data(200)), expected[offset..(offset + 10).min(1000)]);
        assert!(calls.len() <= 3, "{offset}: {}", calls.len());
    }
    for offset in [1000, 10_000] {
        let answer = deployment.get(&format!("/api/v1/fetch/tenants?offset={offset}")).await;
        assert_eq!((ids(answer.data(200)).len(), &answer.body["data"]["next_cursor"]), (0, &Value::Null));
    }
    // From an offset a cursor goes on.
    let answer = deployment.get("/api/v1/fetch/tenants?limit=10&offset=500").await;
    let next = answer.data(200)["next_cursor"].as_str().unwrap();
    let answer = deployment.get(&format!("/api/v1/fetch/tenants?limit=10&cursor={next}")).await;
    assert_eq!(ids(answer.data(200)), expected[510..520]);
}

#[tokio::test]
async fn a_row_has_the_state_and_the_limit_is_twenty_unless_said() {
    let deployment = Deployment::start().await;
    let mut tenants = Vec::new();
    for n in 0..22 {
        tenants.push(deployment.provision(&format!("Acme {n}")).await);
    }
    deployment.suspend(&tenants[21]).await.data(200);
    let answer = deployment.get("/api/v1/fetch/tenants").await;
    let data = answer.data(200);
    assert_eq!((&data["limit"], data["tenants"].as_array().unwrap().len()), (&json!(20), 20));
    let full = deployment.fetch(&tenants[21]).await;
    for (name, value) in data["tenants"][0].as_object().unwrap() {
        assert_eq!(value, &full[name], "{name}");
    }
    assert_eq!(data["tenants"][0]["status"], "suspended");
    assert!(!answer.text.contains("sk_"));
}

#[tokio::test]
async fn tenants_that_are_provisioned_between_two_pages_neither_shift_nor_repeat_rows() {
    let deployment = Deployment::start().await;
    let mut expected = BTreeSet::new();
    for n in 0..6 {
        expected.insert(deployment.provision(&format!("Acme {n}")).await.id);
    }
    let first = deployment.get("/api/v1/fetch/tenants?limit=3").await;
    deployment.provision("Late").await;
    let next = first.data(200)["next_cursor"].as_str().unwrap();
    let second = deployment.get(&format!("/api/v1/fetch/tenants?limit=3&cursor={next}")).await;
    let listed: BTreeSet<_> = ids(first.data(200)).into_iter().chain(ids(second.data(200))).collect();
    assert_eq!(listed, expected);
    assert!(second.data(200)["next_cursor"].is_null());
}

#[tokio::test]
async fn parameters_outside_their_rules_are_refused_by_name() {
    let deployment = Deployment::start().await;
    for _ in 0..2 {
        deployment.provision("Acme").await;
    }
    let cases = [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=", "limit"),
        ("offset=-1", "offset"),
        ("offset=10001", "offset"),
        ("offset=1e3", "offset"),
        ("status=pending", "status"),
        ("status=ACTIVE", "status"),
        ("cursor=x", "cursor"),
        ("cursor=", "cursor"),
        ("cursor=AAAAAAAAAAAAAAAAAAAA", "cursor"),
        ("page=2", "page"),
        ("limit=1&limit=2", "limit"),
    ];
    for (query, field) in cases {
        deployment.get(&format!("/api/v1/fetch/tenants?{query}")).await.names(field);
    }
    let answer = deployment.get("/api/v1/fetch/tenants?limit=1").await;
    let next = answer.data(200)["next_cursor"].as_str().unwrap();
    deployment.get(&format!("/api/v1/fetch/tenants?status=active&cursor={next}")).await.names("cursor");
    deployment.get(&format!("/api/v1/fetch/tenants?offset=0&cursor={next}")).await.names("offset");
}
