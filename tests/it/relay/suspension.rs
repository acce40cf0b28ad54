//! What a suspension by strikes owes to the tenant's receiver, and what must not keep a tenant active.

use serde_json::{Value, json};
use stack::{CrashMode, Invocation, Match};

use crate::support::{Answer, Call, Deployment, Tenant, TestReceiver, WHOAMI, event, in_one_minute};

const FUNCTION: &str = "relay-whoami";
const UNTOLD: &str = "the tenant is suspended, and its receiver is not told";

/// A deployment in which the first strike suspends. The stream stands still.
async fn start() -> Deployment {
    let deployment = Deployment::start_with(|builder| builder.parameter("StrikesToSuspend", "1")).await;
    deployment.stack.streams().stop().await;
    deployment
}

/// A tenant that wants its own events, of one call a minute.
async fn tenant(deployment: &Deployment) -> Tenant {
    let body = json!({
        "tenant_name": "Acme", "rate_limit_per_min": 1, "callback_types": ["tenant.*"],
        "callback_url_base": "https://callbacks.example.com",
    });
    Tenant::of(&deployment.post("/api/v1/provision/tenant", &body).await)
}

async fn replay(deployment: &Deployment, tenant: &Tenant, nonce: &str) -> Answer {
    let call = deployment.whoami(&tenant.signing().nonce(nonce));
    call.clone().send().await;
    call.send().await
}

async fn status(deployment: &Deployment, tenant: &Tenant) -> Value {
    deployment.state(&tenant.id).await.unwrap()["tenant_status"].clone()
}

#[tokio::test]
async fn the_last_strike_owes_the_event_of_the_suspension_whatever_kind_it_is_of() {
    in_one_minute(async || {
        let deployment = start().await;
        for is_replay in [true, false] {
            let tenant = tenant(&deployment).await;
            if is_replay {
                replay(&deployment, &tenant, "0123456789abcdef").await.refused(401, "unauthenticated");
            } else {
                deployment.whoami(&tenant.signing()).send().await.data(200);
                deployment.whoami(&tenant.signing()).send().await.over_limit(1);
            }
            let fetched = deployment.fetch(&tenant).await;
            assert_eq!(fetched["status"], "suspended");
            let events = deployment.owed(&tenant).await;
            let [told] = &events[..] else { panic!("{events:?}") };
            assert_eq!(
                (&told["type"], &told["created_at"], &told["sequence"]),
                (&json!("tenant.suspended"), &fetched["suspended_at"], &json!(1))
            );
            assert_eq!(told["data"], json!({ "status": "suspended", "suspended_at": fetched["suspended_at"] }));
            // The next state has the next number.
            deployment.reactivate(&tenant).await.data(200);
            assert_eq!(deployment.owed(&tenant).await[1]["sequence"], 2);
        }
        assert!(!deployment.stack.output().contains(UNTOLD));
    })
    .await;
}

#[tokio::test]
async fn it_is_delivered() {
    let deployment = start().await;
    let (tenant, receiver) = (tenant(&deployment).await, TestReceiver::start().await);
    deployment.update(&tenant, &json!({ "callback_url_base": receiver.base() })).await.data(200);
    replay(&deployment, &tenant, "0123456789abcdef").await.refused(401, "unauthenticated");
    assert_eq!(deployment.sweep().await["delivered"], 1);
    assert_eq!(receiver.received()[0].body()["type"], "tenant.suspended");
}

#[tokio::test]
async fn a_tenant_that_wants_none_is_suspended_and_owed_nothing() {
    let deployment = start().await;
    let tenant = tenant(&deployment).await;
    deployment.update(&tenant, &json!({ "callback_types": ["ping"] })).await.data(200);
    replay(&deployment, &tenant, "0123456789abcdef").await.refused(401, "unauthenticated");
    assert_eq!(status(&deployment, &tenant).await, "suspended");
    assert!(deployment.owed(&tenant).await.is_empty());
    assert!(!deployment.stack.output().contains(UNTOLD));
}

/// Makes a tenant's configuration unreadable, in one of the ways in which it can be.
async fn spoil(deployment: &Deployment, tenant: &Tenant, way: &str) {
    let pk = format!("TENANT#{}", tenant.id);
    match way {
        "gone" => {
            let key = json!({ "pk": { "S": pk }, "sk": { "S": "CONFIG" } });
            deployment.dynamodb("DeleteItem", &json!({ "TableName": deployment.table(), "Key": key })).await;
        }
        // As it was, for good, after an update that wrote the other item only.
        "of another moment" => {
            deployment.set(&pk, "CONFIG", "configuration_revision", &json!({ "N": "7" })).await;
        }
        attribute => deployment.set(&pk, "CONFIG", attribute, &json!({ "M": {} })).await,
    }
}

const WAYS: [&str; 5] = ["gone", "of another moment", "configuration_revision", "callback_types", "callback_url_base"];

/// The error lines that say of a tenant that nobody is told.
fn untold(deployment: &Deployment, tenant: &Tenant) -> Vec<Value> {
    let output = deployment.stack.output();
    let lines = output.lines().filter(|line| line.contains(UNTOLD));
    let lines = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["tenant_id"] == tenant.id).collect()
}

fn check_untold(deployment: &Deployment, tenant: &Tenant, answer: &Answer) {
    let lines = untold(deployment, tenant);
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!((&line["level"], &line["message"]), (&json!("error"), &json!(UNTOLD)));
    assert_eq!(line["request_id"], answer.headers["x-request-id"].as_str());
    assert!(line["cause"].is_string(), "{line}");
}

#[tokio::test]
async fn a_configuration_that_can_not_be_read_costs_the_event_and_not_the_suspension() {
    let deployment = start().await;
    for way in WAYS {
        let by_strike = tenant(&deployment).await;
        spoil(&deployment, &by_strike, way).await;
        let answer = replay(&deployment, &by_strike, "0123456789abcdef").await;
        answer.refused(401, "unauthenticated");
        check_untold(&deployment, &by_strike, &answer);
        let by_operator = tenant(&deployment).await;
        spoil(&deployment, &by_operator, way).await;
        let answer = deployment.suspend(&by_operator).await;
        answer.data(200);
        check_untold(&deployment, &by_operator, &answer);
        for tenant in [&by_strike, &by_operator] {
            assert_eq!(status(&deployment, tenant).await, "suspended", "{way}");
            assert!(deployment.owed(tenant).await.is_empty(), "{way}");
            assert_eq!(deployment.audit_trail(tenant).await, ["tenant.provisioned", "tenant.suspended"], "{way}");
            deployment.whoami(&tenant.signing()).send().await.refused(403, "tenant_suspended");
            // It is not lifted by what nobody can be told of.
            assert!(deployment.reactivate(tenant).await.status >= 500, "{way}");
            assert_eq!(status(&deployment, tenant).await, "suspended", "{way}");
        }
        // Who suspends again changes nothing, and nothing is untold.
        deployment.suspend(&by_operator).await.data(200);
        assert_eq!(untold(&deployment, &by_operator).len(), 1, "{way}");
    }
}

/// The state is at the number that the event has, and the next attempt is told of it if it is not.
#[tokio::test]
async fn a_last_strike_that_meets_an_update_is_made_all_the_same_with_the_number_that_is_right_then() {
    let deployment = start().await;
    let tenant = tenant(&deployment).await;
    let call = deployment.whoami(&tenant.signing().nonce("0123456789abcdef"));
    call.clone().send().await.data(200);
    let held = deployment.stack.faults().hold(Match::any().function(FUNCTION).operation("GetItem"));
    let striking = tokio::spawn(call.send());
    held.reached_by(1).await;
    // The hot item is read already.
    deployment.update(&tenant, &json!({ "tenant_name": "Globex" })).await.data(200);
    held.release();
    striking.await.unwrap().refused(401, "unauthenticated");
    assert_eq!(status(&deployment, &tenant).await, "suspended");
    let events = deployment.owed(&tenant).await;
    assert_eq!((events.len(), &events[0]["sequence"]), (1, &json!(2)));
}

#[tokio::test]
async fn a_last_strike_that_dies_at_any_of_its_calls_suspends_and_tells_or_does_neither() {
    let deployment = start().await;
    for at in 0.. {
        let mut fired = 0;
        for mode in [CrashMode::NotSent, CrashMode::DoneButNoAnswer] {
            let tenant = tenant(&deployment).await;
            let signing = tenant.signing().nonce("0123456789abcdef");
            deployment.whoami(&signing).send().await.data(200);
            let headers = signing.headers("GET", WHOAMI, b"");
            let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let killed = deployment.stack.faults().kill(FUNCTION, at, mode);
            let request = event("GET", WHOAMI, "", &headers, None);
            let died = deployment.stack.invoke(FUNCTION, request, Invocation::default()).await.is_err();
            assert_eq!(died, killed.fired() > 0, "call {at}, {mode:?}");
            fired += killed.fired();
            deployment.stack.faults().clear();
            let is_suspended = status(&deployment, &tenant).await == "suspended";
            assert_eq!(deployment.owed(&tenant).await.len(), usize::from(is_suspended), "call {at}, {mode:?}");
            let trail = deployment.audit_trail(&tenant).await;
            assert_eq!(trail.contains(&"tenant.suspended".to_owned()), is_suspended, "call {at}, {mode:?}");
            // The nonce strikes until it has.
            let again: Call = deployment.whoami(&signing);
            again.send().await.refused(401, "unauthenticated");
            assert_eq!(deployment.owed(&tenant).await.len(), 1, "call {at}, {mode:?}");
            assert_eq!(status(&deployment, &tenant).await, "suspended");
        }
        if fired == 0 {
            assert!(at >= 4, "only {at} calls");
            return;
        }
    }
}
