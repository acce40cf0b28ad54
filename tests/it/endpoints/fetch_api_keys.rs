//! `GET /api/v1/fetch/api-keys`

use serde_json::{Value, json};
use shared::domain::Timestamp;

use crate::support::{Answer, ApiKey, Call, Deployment, Tenant};

async fn fetch(deployment: &Deployment, tenant: &Tenant, query: &str) -> Answer {
    deployment.get(&format!("/api/v1/fetch/api-keys?tenant_id={}{query}", tenant.id)).await
}

async fn rows(deployment: &Deployment, tenant: &Tenant) -> Vec<Value> {
    fetch(deployment, tenant, "").await.data(200)["api_keys"].as_array().unwrap().clone()
}

async fn row(deployment: &Deployment, key: &ApiKey) -> Value {
    let rows = rows(deployment, &key.tenant).await;
    rows.into_iter().find(|row| row["key_id"] == key.id.as_str()).unwrap()
}

fn ids(page: &Value) -> Vec<&str> {
    page["api_keys"].as_array().unwrap().iter().map(|row| row["key_id"].as_str().unwrap()).collect()
}

/// A request that uses a key.
fn used(deployment: &Deployment, key: &ApiKey) -> Call {
    deployment.backend(key, "POST", "/api/v1/auth/introspect").json(&json!({ "token": "x" }))
}

async fn set(deployment: &Deployment, key: &ApiKey, attribute: &str, value: &Value) {
    deployment
        .set(&format!("TENANT#{}#KEY#{}", key.tenant.id, key.id), "KEY", &format!("details.{attribute}"), value)
        .await;
}

/// The calendar day in UTC.
fn today() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap());
    now.to_string()[.."2026-01-31".len()].to_owned()
}

#[tokio::test]
async fn keys_are_listed_newest_first_with_what_they_are_and_never_the_keys() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let mut made = Vec::new();
    for kind in ["embed", "admin", "account"] {
        made.push((kind, deployment.api_key(&tenant, kind).await));
    }
    let answer = fetch(&deployment, &tenant, "").await;
    let rows = answer.data(200)["api_keys"].as_array().unwrap();
    assert_eq!(
        (rows.len(), &answer.body["data"]["next_cursor"], &answer.body["data"]["limit"]),
        (3, &json!(null), &json!(100))
    );
    for (row, (kind, key)) in rows.iter().zip(made.iter().rev()) {
        let prefix = key.text.len() - 96;
        let expected = json!({
            "key_id": key.id,
            "name": kind,
            "kind": kind,
            "start": key.text[..prefix + 4],
            "state": "active",
            "allowed_origins": [],
            "origins_apply_to_tokens": true,
            "created_at": row["created_at"],
            "expires_at": null,
            "rotated_at": null,
            "previous_valid_until": null,
            "revoked_at": null,
            "tokens_revoked_before": null,
            "last_used_at": null,
        });
        assert_eq!(row, &expected);
        assert!(Timestamp::parse(row["created_at"].as_str().unwrap()).is_ok());
        assert!(!answer.text.contains(&key.text) && !answer.text.contains(&key.text[prefix + 4..prefix + 12]));
    }
    for item in deployment.items().await {
        let hash = item["key_hash"]["S"].as_str().unwrap_or("no hash");
        assert!(!answer.text.contains(hash));
    }
}

#[tokio::test]
async fn a_row_says_whether_origins_apply_to_tokens_and_a_key_from_before_that_says_no() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "account").await;
    assert_eq!(row(&deployment, &key).await["origins_apply_to_tokens"], true);
    let pk = format!("TENANT#{}#KEY#{}", tenant.id, key.id);
    deployment.remove(&pk, "KEY", "details.origins_apply_to_tokens").await;
    assert_eq!(row(&deployment, &key).await["origins_apply_to_tokens"], false);
}

#[tokio::test]
async fn pages_of_one_follow_each_other_without_loss_or_repeat() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    for _ in 0..4 {
        deployment.api_key(&tenant, "embed").await;
    }
    let all = fetch(&deployment, &tenant, "").await;
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let answer = fetch(&deployment, &tenant, &format!("&limit=1{cursor}")).await;
        let data = answer.data(200);
        assert_eq!((ids(data).len(), &data["limit"]), (1, &json!(1)));
        paged.extend(ids(data).into_iter().map(str::to_owned));
        match data["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
        // What is made while somebody pages neither shifts nor repeats rows.
        deployment.api_key(&tenant, "embed").await;
    }
    assert_eq!(paged, ids(all.data(200)));
}

#[tokio::test]
async fn a_cursor_of_another_list_or_tenant_is_refused_and_so_are_parameters_outside_their_rules() {
    let deployment = Deployment::start().await;
    let (tenant, other) = (deployment.provision("Acme").await, deployment.provision("Other").await);
    for tenant in [&tenant, &tenant, &other, &other] {
        deployment.api_key(tenant, "admin").await;
    }
    let next = |answer: &Answer| answer.data(200)["next_cursor"].as_str().unwrap().to_owned();
    let own = next(&fetch(&deployment, &tenant, "&limit=1").await);
    fetch(&deployment, &tenant, &format!("&cursor={own}")).await.data(200);
    let foreign = [
        next(&fetch(&deployment, &other, "&limit=1").await),
        next(&deployment.get("/api/v1/fetch/tenants?limit=1").await),
        next(&deployment.get(&format!("/api/v1/fetch/audit-events?tenant_id={}&limit=1", tenant.id)).await),
    ];
    for cursor in foreign {
        fetch(&deployment, &tenant, &format!("&cursor={cursor}")).await.names("cursor");
    }
    let cases = [
        ("&cursor=x", "cursor"),
        ("&cursor=", "cursor"),
        ("&limit=0", "limit"),
        ("&limit=101", "limit"),
        ("&limit=ten", "limit"),
        ("&offset=1", "offset"),
        ("&state=active", "state"),
    ];
    for (query, field) in cases {
        fetch(&deployment, &tenant, query).await.names(field);
    }
    deployment.get("/api/v1/fetch/api-keys").await.names("tenant_id");
}

#[tokio::test]
async fn the_state_says_whether_a_key_can_be_used() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "admin").await;
    assert_eq!(row(&deployment, &key).await["state"], "active");
    set(&deployment, &key, "expires_at", &json!({ "N": "4102444800000" })).await;
    let row_of_it = row(&deployment, &key).await;
    assert_eq!((&row_of_it["state"], &row_of_it["expires_at"]), (&json!("active"), &json!("2100-01-01T00:00:00.000Z")));
    set(&deployment, &key, "expires_at", &json!({ "N": "1000" })).await;
    let row_of_it = row(&deployment, &key).await;
    assert_eq!(
        (&row_of_it["state"], &row_of_it["expires_at"]),
        (&json!("expired"), &json!("1970-01-01T00:00:01.000Z"))
    );
    // Revoked is what it stays, expired or not.
    deployment
        .post_nothing(&format!("/api/v1/revoke/api-key?tenant_id={}&key_id={}", tenant.id, key.id))
        .await
        .data(200);
    let row_of_it = row(&deployment, &key).await;
    assert_eq!(row_of_it["state"], "revoked");
    assert!(row_of_it["revoked_at"].is_string());
}

#[tokio::test]
async fn a_revocation_of_its_tokens_is_in_the_row_and_leaves_the_key_active() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "admin").await;
    let answer = deployment.revoke_tokens(&tenant, &json!({ "key_id": key.id })).await;
    let row = row(&deployment, &key).await;
    assert_eq!((&row["tokens_revoked_before"], &row["state"]), (&answer.data(200)["revoked_before"], &json!("active")));
}

#[tokio::test]
async fn the_day_of_the_last_use_costs_one_write_a_key_and_day() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "account").await;
    let operations = || async {
        let (answer, calls) = deployment.calls_of(used(&deployment, &key)).await;
        answer.document(200);
        calls.into_iter().map(|call| call.operation).collect::<Vec<_>>()
    };
    assert!(row(&deployment, &key).await["last_used_at"].is_null());
    let before = today();
    assert_eq!(operations().await, ["BatchGetItem", "UpdateItem"]);
    let noted = row(&deployment, &key).await["last_used_at"].clone();
    assert!(noted == before || noted == today(), "{noted}");
    assert_eq!(operations().await, ["BatchGetItem"]);
    // On another day it is noted again.
    set(&deployment, &key, "last_used_on", &json!({ "S": "2026-01-01" })).await;
    assert_eq!(operations().await, ["BatchGetItem", "UpdateItem"]);
    assert_ne!(row(&deployment, &key).await["last_used_at"], "2026-01-01");
    assert_eq!(operations().await, ["BatchGetItem"]);
}

#[tokio::test]
async fn ten_first_uses_at_once_are_noted_once() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "admin").await;
    let held = deployment.stack.faults().hold(stack::Match::any().operation("UpdateItem"));
    let mark = deployment.stack.mark();
    let calls: Vec<_> = (0..10).map(|_| tokio::spawn(used(&deployment, &key).send())).collect();
    held.reached_by(10).await;
    held.release();
    for call in calls {
        call.await.unwrap().document(200);
    }
    let noted = deployment.stack.calls_since(mark).into_iter().filter(|call| call.operation == "UpdateItem");
    let (done, refused): (Vec<_>, Vec<_>) = noted.partition(|call| call.status == 200);
    // More than nine if one was asked again because it was held for so long.
    assert!(done.len() == 1 && refused.len() >= 9, "{done:?} {refused:?}");
    assert!(refused.iter().all(|call| call.error.as_deref() == Some("ConditionalCheckFailedException")));
}

#[tokio::test]
async fn a_use_that_is_refused_is_not_noted() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "embed").await;
    deployment.backend(&key, "GET", "/v1/api/projects/users").send().await.refused(403, "key_kind_not_allowed");
    deployment.suspend(&tenant).await.data(200);
    assert_eq!(used(&deployment, &key).send().await.status, 403);
    assert!(row(&deployment, &key).await["last_used_at"].is_null());
}

/// What is noted decides nothing, so that it can't be noted refuses nothing.
#[tokio::test]
async fn a_use_that_cannot_be_noted_is_a_use_all_the_same() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "admin").await;
    let broken = stack::Effect::Status(400, "ThrottlingException".to_owned());
    deployment.stack.faults().inject(stack::Fault::new(stack::Match::any().operation("UpdateItem"), broken));
    used(&deployment, &key).send().await.document(200);
    deployment.stack.faults().clear();
    assert!(row(&deployment, &key).await["last_used_at"].is_null());
}

#[tokio::test]
async fn a_tenant_without_keys_has_an_empty_list_and_an_unknown_one_has_none() {
    let deployment = Deployment::start().await;
    let (tenant, other) = (deployment.provision("Acme").await, deployment.provision("Other").await);
    deployment.api_key(&other, "admin").await;
    assert!(rows(&deployment, &tenant).await.is_empty(), "another tenant's keys are not in it");
    for id in ["tnt_unknown", "tnt_00000000000000000000000000000000"] {
        let ghost = Tenant { id: id.to_owned(), secret: String::new() };
        fetch(&deployment, &ghost, "").await.refused(404, "tenant_not_found");
    }
}
