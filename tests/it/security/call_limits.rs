//! Limits of calls by API key and by end user: exact, and spent by accepted credentials only.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stack::{Effect, Fault, Match, Service};

use crate::support::{Answer, Call, Deployment, World, in_one_minute};

const WORKSPACES: &str = "/api/v1/workspaces";
const ORGANIZATIONS: &str = "/v1/api/projects/organizations";

async fn start(limits: &Value) -> (Deployment, World) {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    deployment.update(&world.tenant, limits).await.data(200);
    (deployment, world)
}

/// Checks that it is the refusal of a call too many, and says so in its headers.
fn over(answer: &Answer, name: &str, limit: u32) {
    answer.refused(429, "rate_limited");
    let headers = &answer.headers;
    assert_eq!(headers["ratelimit-policy"], format!("\"{name}\";q={limit};w=60"));
    let seconds = &headers["retry-after"];
    assert!((1..=60).contains(&seconds.parse::<u32>().unwrap()));
    assert_eq!(headers["ratelimit"], format!("\"{name}\";r=0;t={seconds}"));
}

async fn at_once(count: usize, call: impl Fn() -> Call) -> BTreeMap<u16, usize> {
    let calls: Vec<_> = (0..count).map(|_| tokio::spawn(call().send())).collect();
    let mut statuses = BTreeMap::new();
    for call in calls {
        *statuses.entry(call.await.unwrap().status).or_default() += 1;
    }
    statuses
}

#[tokio::test]
async fn a_key_makes_exactly_as_many_calls_as_its_limit_on_every_surface_together() {
    in_one_minute(async || {
        let (deployment, world) = start(&json!({ "calls_per_min_per_key": 6 })).await;
        let accepted = BTreeMap::from([(200, 5), (429, 9)]);
        let list = || deployment.backend(&world.key, "GET", ORGANIZATIONS);
        let first = list().send().await;
        first.data(200);
        assert_eq!(first.headers["ratelimit-policy"], "\"api-key\";q=6;w=60");
        assert!(first.headers["ratelimit"].starts_with("\"api-key\";r=5;t="));
        assert_eq!(at_once(14, list).await, accepted);
        over(&list().send().await, "api-key", 6);
        // The same key elsewhere, and another one.
        let introspect = deployment.backend(&world.key, "POST", "/api/v1/auth/introspect");
        let answer = introspect.json(&json!({ "token": world.token })).send().await;
        assert_eq!((answer.status, answer.headers.contains_key("retry-after")), (429, true), "{}", answer.text);
        let account = || deployment.account(&world.account, "GET", WORKSPACES);
        account().send().await.document(200);
        assert_eq!(at_once(14, account).await, accepted);
        over(&account().send().await, "api-key", 6);
    })
    .await;
}

#[tokio::test]
async fn an_end_user_makes_exactly_as_many_calls_as_its_limit_by_key_and_by_token() {
    in_one_minute(async || {
        let (deployment, world) = start(&json!({})).await;
        let token = deployment.scoped_token(&world.account, Some("ada")).await;
        deployment.update(&world.tenant, &json!({ "calls_per_min_per_end_user": 4 })).await.data(200);
        let by_key = |user: &str| deployment.account_for(&world.account, user, "GET", WORKSPACES);
        by_key("ada").send().await.document(200);
        let by_token = || deployment.page(&token, "GET", WORKSPACES);
        assert_eq!(at_once(8, by_token).await, BTreeMap::from([(200, 3), (429, 5)]));
        over(&by_token().send().await, "end-user", 4);
        over(&by_key("ada").send().await, "end-user", 4);
        by_key("bob").send().await.document(200);
        // A call for nobody in particular is none of an end user.
        for _ in 0..6 {
            deployment.account(&world.account, "GET", WORKSPACES).send().await.document(200);
        }
    })
    .await;
}

#[tokio::test]
async fn an_end_user_over_its_limit_leaves_the_keys_minute_to_the_others() {
    in_one_minute(async || {
        let limits = json!({ "calls_per_min_per_end_user": 1, "calls_per_min_per_key": 3 });
        let (deployment, world) = start(&limits).await;
        let ask = |user: &str| deployment.account_for(&world.account, user, "GET", WORKSPACES);
        let first = ask("ada").send().await;
        assert_eq!(first.headers["ratelimit-policy"], "\"end-user\";q=1;w=60", "the one with less left");
        for _ in 0..5 {
            over(&ask("ada").send().await, "end-user", 1);
        }
        ask("bob").send().await.document(200);
        ask("eve").send().await.document(200);
        over(&ask("joe").send().await, "api-key", 3);
    })
    .await;
}

/// A page's token counts for its end user, and one of the whole account for the key that minted it.
#[tokio::test]
async fn a_token_counts_for_its_end_user_or_for_its_key() {
    in_one_minute(async || {
        let (deployment, world) = start(&json!({})).await;
        let page = deployment.scoped_token(&world.account, Some("ada")).await;
        let whole = deployment.scoped_token(&world.account, None).await;
        deployment.update(&world.tenant, &json!({ "calls_per_min_per_key": 2 })).await.data(200);
        for _ in 0..4 {
            deployment.page(&page, "GET", WORKSPACES).send().await.document(200);
        }
        for _ in 0..2 {
            deployment.page(&whole, "GET", WORKSPACES).send().await.document(200);
        }
        over(&deployment.page(&whole, "GET", WORKSPACES).send().await, "api-key", 2);
        over(&deployment.account(&world.account, "GET", WORKSPACES).send().await, "api-key", 2);
    })
    .await;
}

#[tokio::test]
async fn a_refused_credential_spends_nothing() {
    in_one_minute(async || {
        let limits = json!({ "calls_per_min_per_key": 1, "calls_per_min_per_end_user": 1 });
        let (deployment, world) = start(&json!({})).await;
        let token = deployment.scoped_token(&world.account, Some("ada")).await;
        let other = deployment.scoped_token(&world.account, None).await;
        deployment.update(&world.tenant, &limits).await.data(200);
        // With the signature of another, and of a kind that is not taken there.
        let forged = format!("{}.{}", token.rsplit_once('.').unwrap().0, other.rsplit_once('.').unwrap().1);
        for _ in 0..3 {
            deployment.page(&forged, "GET", WORKSPACES).send().await.refused(401, "unauthenticated");
            deployment
                .account_for(&world.key, "ada", "GET", WORKSPACES)
                .send()
                .await
                .refused(403, "key_kind_not_allowed");
        }
        deployment.page(&token, "GET", WORKSPACES).send().await.document(200);
        deployment.backend(&world.key, "GET", ORGANIZATIONS).send().await.data(200);
        over(&deployment.page(&token, "GET", WORKSPACES).send().await, "end-user", 1);
    })
    .await;
}

#[tokio::test]
async fn a_call_that_can_not_be_counted_is_refused() {
    let (deployment, world) = start(&json!({ "calls_per_min_per_key": 10 })).await;
    deployment.account(&world.account, "GET", WORKSPACES).send().await.document(200);
    for operation in ["UpdateItem", "BatchGetItem"] {
        for effect in [Effect::NotSent, Effect::Status(500, "InternalServerError".to_owned())] {
            let fault = Match::any().service(Service::Dynamodb).operation(operation);
            deployment.stack.faults().inject(Fault::new(fault, effect));
            let answer = deployment.account(&world.account, "GET", WORKSPACES).send().await;
            answer.refused(503, "temporarily_unavailable");
            deployment.stack.faults().clear();
        }
    }
    deployment.account(&world.account, "GET", WORKSPACES).send().await.document(200);
}
