//! Every point at which a process can die, for what is counted and what is reserved: limits of calls, quotas of rows,
//! and reservations of idempotency keys that are given back.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use stack::{CrashMode, Effect, Fault, Invocation, Match};

use crate::support::{ApiKey, Deployment, event, in_one_minute};

/// An invocation whose lease on what it began is over when the next one comes.
const OVER: Invocation = Invocation { deadline: Some(1) };
const MODES: [CrashMode; 2] = [CrashMode::NotSent, CrashMode::DoneButNoAnswer];
const WORKSPACES: &str = "/api/v1/workspaces";

async fn status(deployment: &Deployment, function: &str, request: Value) -> Option<u64> {
    let answer = deployment.stack.invoke(function, request, OVER).await.ok()?;
    answer.payload["statusCode"].as_u64()
}

#[tokio::test]
async fn a_call_that_dies_while_it_is_counted_is_counted_once_or_not_at_all() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    deployment.update(&tenant, &json!({ "calls_per_min_per_key": 3 })).await.data(200);
    let list = |key: &ApiKey| event("GET", WORKSPACES, "", &[("x-api-key", key.text.as_str())], None);
    let mut at = 0;
    loop {
        let fired = AtomicUsize::new(0);
        for mode in MODES {
            in_one_minute(async || {
                let key = deployment.api_key(&tenant, "account").await;
                let killed = deployment.stack.faults().kill("workspaces", at, mode);
                let first = status(&deployment, "workspaces", list(&key)).await;
                deployment.stack.faults().clear();
                fired.fetch_add(killed.fired(), Ordering::SeqCst);
                let mut accepted = usize::from(first == Some(200));
                while status(&deployment, "workspaces", list(&key)).await == Some(200) {
                    accepted += 1;
                }
                // A call that died may have spent its place. Nobody gets a fourth.
                let least = 3 - usize::from(first.is_none());
                assert!((least..=3).contains(&accepted), "call {at}, {mode:?}: {accepted}");
            })
            .await;
        }
        if fired.into_inner() == 0 {
            break;
        }
        at += 1;
    }
    assert!(at >= 2, "only {at} calls");
}

#[tokio::test]
async fn a_row_whose_making_dies_counts_if_it_is_there_and_only_then() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    deployment.update(&tenant, &json!({ "rows_per_end_user": 2 })).await.data(200);
    let key = deployment.api_key(&tenant, "account").await;
    let make = |user: &str, idempotency_key: &str| {
        let headers = [("x-api-key", key.text.as_str()), ("x-end-user-id", user), ("idempotency-key", idempotency_key)];
        event("POST", WORKSPACES, "", &headers, Some(&json!({ "name": "Contracts" })))
    };
    let mut at = 0;
    loop {
        let mut fired = 0;
        for mode in MODES {
            let user = format!("ada-{at}-{mode:?}");
            let killed = deployment.stack.faults().kill("workspaces", at, mode);
            let first = status(&deployment, "workspaces", make(&user, "1")).await;
            deployment.stack.faults().clear();
            fired += killed.fired();
            assert_eq!(first.is_none(), killed.fired() > 0);
            // The same request again is the same row, so exactly one more has room.
            for (idempotency_key, expected) in [("1", 201), ("2", 201), ("3", 409), ("2", 201)] {
                let answer = status(&deployment, "workspaces", make(&user, idempotency_key)).await;
                assert_eq!(answer, Some(expected), "call {at}, {mode:?}, key {idempotency_key}");
            }
            let list = deployment.account_for(&key, &user, "GET", WORKSPACES).send().await;
            assert_eq!(list.document(200)["total"], 2, "call {at}, {mode:?}");
        }
        if fired == 0 {
            break;
        }
        at += 1;
    }
    assert!(at >= 2, "only {at} calls");
}

/// The last call of a refusal behind a reservation gives the idempotency key back. A process that dies there leaves
/// the reservation, whose lease then ends by itself.
#[tokio::test]
async fn a_refusal_that_dies_while_it_gives_its_key_back_is_waited_for_no_longer_than_its_lease() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let secret_before = deployment.valid_secrets(&tenant.id).await;
    let query = format!("tenant_id={}", tenant.id);
    let (over, far) = (Some(1), Some(4_000_000_000_000));
    let limit = Effect::Status(400, "LimitExceededException".to_owned());
    for (mode, deadline, expected) in [
        // Not given back: whoever asks within the lease is told to wait, and after it finds the key free.
        (CrashMode::NotSent, far, 409),
        (CrashMode::NotSent, over, 200),
        // Given back: the key is free at once.
        (CrashMode::DoneButNoAnswer, far, 200),
    ] {
        let key = format!("k-{mode:?}-{expected}");
        let headers = [("x-admin-key", deployment.key()), ("idempotency-key", key.as_str())];
        let request = event("POST", "/api/v1/rotate/tenant-secret", &query, &headers, Some(&json!({})));
        let faults = deployment.stack.faults();
        faults.inject(Fault::new(Match::any().operation("PutSecretValue"), limit.clone()));
        let undisturbed = deployment.stack.invoke("rotate-tenant-secret", request.clone(), OVER).await.unwrap();
        assert_eq!(undisturbed.payload["statusCode"], 429, "{}", undisturbed.payload);
        let last = undisturbed.aws_calls - 1;
        assert_eq!(deployment.stack.calls().pop().unwrap().operation, "UpdateItem");
        let killed = faults.kill("rotate-tenant-secret", last, mode);
        assert!(
            deployment.stack.invoke("rotate-tenant-secret", request.clone(), Invocation { deadline }).await.is_err()
        );
        assert_eq!(killed.fired(), 1);
        faults.clear();
        if expected == 409 {
            assert_eq!(deployment.valid_secrets(&tenant.id).await, secret_before, "a refusal rotates nothing");
        }
        let answer = deployment.stack.invoke("rotate-tenant-secret", request, OVER).await.unwrap().payload;
        assert_eq!(answer["statusCode"], expected, "{mode:?}: {answer}");
    }
}
