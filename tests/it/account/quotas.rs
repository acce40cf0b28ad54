//! Quotas of rows: exact, also for those who write at once, and what is refused is not written.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::races::check_rows;
use crate::support::{Answer, ApiKey, Call, Deployment, Tenant, at_once, naming, with};

const DOCUMENTS: &str = "/api/v1/documents";

/// What makes a row of each kind that has a list of its own.
const KINDS: [&str; 4] =
    ["/api/v1/agent-sessions", "/api/v1/tools/web_search/execute", "/api/v1/workspaces", DOCUMENTS];

async fn start(limits: &Value) -> (Deployment, Tenant, ApiKey) {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    deployment.update(&tenant, limits).await.data(200);
    let key = deployment.api_key(&tenant, "account").await;
    // The first use of a day is noted.
    deployment.scoped_token(&key, None).await;
    (deployment, tenant, key)
}

/// A call that makes a row, with content where there is any.
fn make(deployment: &Deployment, key: &ApiKey, user: Option<&str>, path: &str) -> Call {
    let mut body = naming(user);
    match path {
        DOCUMENTS => {
            body["name"] = json!("Handbook");
            body["markdown_content"] = json!("# 1");
        }
        "/api/v1/workspaces" => body["name"] = json!("Contracts"),
        _ => {}
    }
    deployment.account(key, "POST", path).json(&body)
}

/// Answers of calls that were made at once, and how many have each status.
async fn statuses_at_once(calls: impl Iterator<Item = Call>) -> (BTreeMap<u16, usize>, Vec<Answer>) {
    let answers = at_once(calls).await;
    let mut statuses = BTreeMap::new();
    for answer in &answers {
        *statuses.entry(answer.status).or_default() += 1;
    }
    (statuses, answers)
}

#[tokio::test]
async fn an_end_user_that_writes_at_once_gets_exactly_its_quota() {
    let (deployment, _, key) = start(&json!({ "rows_per_end_user": 5 })).await;
    let calls = (0..14).map(|_| make(&deployment, &key, Some("ada"), DOCUMENTS));
    let (statuses, answers) = statuses_at_once(calls).await;
    assert_eq!(statuses, BTreeMap::from([(201, 5), (409, 9)]));
    for answer in answers.iter().filter(|answer| answer.status == 409) {
        answer.refused(409, "quota_exceeded");
    }
    assert_eq!(check_rows(&deployment.items().await), 5, "what was refused is not written");
    // Another end user has a quota of its own.
    make(&deployment, &key, Some("bob"), DOCUMENTS).send().await.document(201);
}

#[tokio::test]
async fn each_kind_has_a_quota_of_its_own_and_what_is_deleted_makes_room() {
    let (deployment, tenant, key) = start(&json!({ "rows_per_end_user": 1 })).await;
    let mut made = Vec::new();
    for path in KINDS {
        let answer = make(&deployment, &key, Some("ada"), path).send().await;
        assert!((201..=202).contains(&answer.status), "{}", answer.text);
        made.push(answer);
        let before = deployment.items().await;
        make(&deployment, &key, Some("ada"), path).send().await.refused(409, "quota_exceeded");
        assert_eq!(deployment.items().await, before, "{path}");
    }
    let id = |answer: &Answer| answer.body["id"].as_str().unwrap().to_owned();
    let delete = |path: &str, id: &str| deployment.account_for(&key, "ada", "DELETE", &format!("{path}/{id}"));
    for (path, answer) in [(KINDS[0], &made[0]), (KINDS[2], &made[2]), (KINDS[3], &made[3])] {
        assert!(delete(path, &id(answer)).send().await.status < 300);
        made_again(&make(&deployment, &key, Some("ada"), path).send().await);
    }
    // Deleting works above a quota that was lowered, too, and what is there stays.
    deployment.update(&tenant, &json!({ "rows_per_end_user": 3 })).await.data(200);
    let answer = make(&deployment, &key, Some("ada"), DOCUMENTS).send().await;
    made_again(&answer);
    deployment.update(&tenant, &json!({ "rows_per_end_user": 1 })).await.data(200);
    assert!(delete(DOCUMENTS, &id(&answer)).send().await.status < 300);
    make(&deployment, &key, Some("ada"), DOCUMENTS).send().await.refused(409, "quota_exceeded");
    check_rows(&deployment.items().await);
}

fn made_again(answer: &Answer) {
    assert_eq!(answer.status, 201, "{}", answer.text);
}

#[tokio::test]
async fn a_session_takes_exactly_as_many_messages_as_the_quota() {
    let (deployment, _, key) = start(&json!({ "rows_per_end_user": 4 })).await;
    for user in [Some("ada"), None] {
        let session = make(&deployment, &key, user, KINDS[0]).send().await.document(201)["id"].clone();
        let path = format!("{}/{}/messages", KINDS[0], session.as_str().unwrap());
        let body = with(&json!({ "role": "user", "content": "Hello" }), &naming(user));
        let (statuses, answers) =
            statuses_at_once((0..9).map(|_| deployment.account(&key, "POST", &path).json(&body))).await;
        assert_eq!(statuses, BTreeMap::from([(201, 4), (409, 5)]));
        answers.iter().find(|answer| answer.status == 409).unwrap().refused(409, "quota_exceeded");
    }
    let gone = format!("{}/00000000-0000-7000-8000-000000000000/messages", KINDS[0]);
    let body = json!({ "role": "user", "content": "Hello" });
    deployment.account(&key, "POST", &gone).json(&body).send().await.refused(404, "not_found");
}

#[tokio::test]
async fn a_tenant_is_never_over_its_quota_whoever_writes() {
    let (deployment, _, key) = start(&json!({ "rows_per_tenant": 17 })).await;
    // Shares of two: full once each of the eight counters has them.
    let users = [None, Some("ada"), Some("bob")];
    for _ in 0..6 {
        let calls = (0..12).map(|number| make(&deployment, &key, users[number % 3], DOCUMENTS));
        let (statuses, _) = statuses_at_once(calls).await;
        assert!(statuses.keys().all(|status| [201, 409].contains(status)), "{statuses:?}");
        assert!(check_rows(&deployment.items().await) <= 16);
    }
    // What is nobody's counts for the tenant only: the quota of an end user does not hold there.
    let (deployment, _, key) = start(&json!({ "rows_per_end_user": 1 })).await;
    for _ in 0..3 {
        make(&deployment, &key, None, DOCUMENTS).send().await.document(201);
    }
}

#[tokio::test]
async fn a_tenant_without_quotas_of_its_own_has_those_of_the_deployment() {
    let options =
        |builder: stack::StackBuilder| builder.parameter("RowsPerEndUser", "1").parameter("RowsPerTenant", "8");
    let deployment = Deployment::start_with(options).await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "account").await;
    make(&deployment, &key, Some("ada"), DOCUMENTS).send().await.document(201);
    make(&deployment, &key, Some("ada"), DOCUMENTS).send().await.refused(409, "quota_exceeded");
    let all = (0..60).map(|_| make(&deployment, &key, None, DOCUMENTS));
    statuses_at_once(all).await;
    assert!(check_rows(&deployment.items().await) <= 8);
    let own = json!({ "rows_per_end_user": 2, "rows_per_tenant": 1000 });
    deployment.update(&tenant, &own).await.data(200);
    make(&deployment, &key, Some("ada"), DOCUMENTS).send().await.document(201);
    make(&deployment, &key, Some("ada"), DOCUMENTS).send().await.refused(409, "quota_exceeded");
    deployment.update(&tenant, &json!({ "rows_per_end_user": null })).await.data(200);
    make(&deployment, &key, Some("bob"), DOCUMENTS).send().await.document(201);
    make(&deployment, &key, Some("bob"), DOCUMENTS).send().await.refused(409, "quota_exceeded");
}
