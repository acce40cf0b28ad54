//! How the operator gets in: by which door, as whom, and while strangers use up what there is.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use stack::Invocation;

use crate::support::{Deployment, Tenant, event};

const PRINCIPAL: &str = "arn:aws:sts::123456789012:assumed-role/operators/ada";

/// The event of a suspension, as the operator's API or `aws lambda invoke` hands it over.
fn suspension(deployment: &Deployment, tenant: &Tenant, headers: &[(&str, &str)]) -> Value {
    let headers: Vec<_> = [("x-admin-key", deployment.key())].into_iter().chain(headers.iter().copied()).collect();
    let query = format!("tenant_id={}", tenant.id);
    event("POST", "/api/v1/suspend/tenant", &query, &headers, Some(&json!({ "reason": "leaked" })))
}

async fn suspend(deployment: &Deployment, event: Value) -> Value {
    deployment.stack.invoke("suspend-tenant", event, Invocation::default()).await.unwrap().payload
}

#[tokio::test]
async fn an_audit_event_names_the_principal_that_the_gateway_has_verified_and_none_that_a_client_claims() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let mut signed = suspension(&deployment, &tenant, &[]);
    signed["requestContext"]["authorizer"] = json!({ "iam": { "userArn": PRINCIPAL, "accountId": "123456789012" } });
    assert_eq!(suspend(&deployment, signed).await["statusCode"], 200);
    deployment.reactivate(&tenant).await.data(200);
    let claims = json!({ "iam": { "userArn": PRINCIPAL } }).to_string();
    let claimed = [("authorizer", claims.as_str()), ("x-amzn-iam-user-arn", PRINCIPAL), ("principal", PRINCIPAL)];
    assert_eq!(suspend(&deployment, suspension(&deployment, &tenant, &claimed)).await["statusCode"], 200);
    let events = deployment.audit_events(&tenant).await;
    let named: Vec<_> = events.iter().map(|event| (event["action"].as_str().unwrap(), &event["principal"])).collect();
    let expected = [
        ("tenant.provisioned", &Value::Null),
        ("tenant.suspended", &json!(PRINCIPAL)),
        ("tenant.reactivated", &Value::Null),
        ("tenant.suspended", &Value::Null),
    ];
    assert_eq!(named, expected);
    assert!(events.iter().all(|event| event["actor"] == "operator"));
}

/// As `cargo console` sends it: with the API's origin, and the session beside the signature, which has its header.
#[tokio::test]
async fn a_session_beside_a_signature_opens_the_registry_if_the_gateway_has_verified_the_signature() {
    const HOST: &str = "a1b2c3.execute-api.us-east-1.amazonaws.com";
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let browser = deployment.console(None, "Ada Lovelace").await;
    let origin = format!("https://{HOST}");
    let call = |token: &str, origin: &str, is_signed: bool| {
        let path = "/api/v1/suspend/tenant";
        let ath = browser.ath();
        let claims =
            json!({ "htm": "POST", "htu": format!("https://{HOST}{path}"), "nonce": deployment.nonce(), "ath": ath });
        let (proof, session) = (browser.proof(&claims), format!("DPoP {token}"));
        let signature = "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/execute-api/aws4_request, \
                         SignedHeaders=host;x-amz-date, Signature=0";
        let headers = [
            ("authorization", signature),
            ("x-forwarded-authorization", &session),
            ("dpop", &proof),
            ("origin", origin),
        ];
        let mut event = event("POST", path, &format!("tenant_id={}", tenant.id), &headers, None);
        event["requestContext"]["domainName"] = HOST.into();
        if is_signed {
            event["requestContext"]["authorizer"] = json!({ "iam": { "userArn": PRINCIPAL } });
        }
        event
    };
    for (token, origin, is_signed, status) in [
        (browser.token.as_str(), origin.as_str(), false, 401),
        ("", &origin, true, 401),
        (&browser.token[..browser.token.len() - 1], &origin, true, 401),
        (&browser.token, "http://127.0.0.1:9080", true, 403),
    ] {
        assert_eq!(
            suspend(&deployment, call(token, origin, is_signed)).await["statusCode"],
            status,
            "{origin} {token}"
        );
    }
    assert_eq!(deployment.fetch(&tenant).await["status"], "active");
    let answer = suspend(&deployment, call(&browser.token, &origin, true)).await;
    assert_eq!(answer["statusCode"], 200, "{answer}");
    let event = deployment.audit_events(&tenant).await.pop().unwrap();
    let said = ["action", "actor", "label", "principal"].map(|field| event[field].as_str().unwrap());
    assert_eq!(said, ["tenant.suspended", "operator (console)", "Ada Lovelace", PRINCIPAL]);
}

/// As `aws lambda invoke` with an event of the documents does: it goes by no gateway.
#[tokio::test]
async fn a_function_of_the_registry_can_be_invoked_where_its_api_is_used_up() {
    let one = |builder: stack::StackBuilder| {
        builder.throttled().parameter("ThrottleRate", "1").parameter("ThrottleBurst", "2")
    };
    let deployment = Deployment::start_with(one).await;
    let tenant = deployment.provision("Acme").await;
    let path = format!("/api/v1/suspend/tenant?tenant_id={}", tenant.id);
    let mut statuses = Vec::new();
    // A stranger, who has no key.
    for _ in 0..10 {
        statuses.push(deployment.anonymous("POST", &path).send_raw().await.status);
    }
    assert_eq!((statuses[0], statuses.contains(&429)), (401, true), "{statuses:?}");
    let answer = suspend(&deployment, suspension(&deployment, &tenant, &[])).await;
    assert_eq!(answer["statusCode"], 200, "{answer}");
    assert_eq!(deployment.fetch(&tenant).await["status"], "suspended", "the throttle is of one route");
}

/// For how long there are a thousand requests a second: `LATCHKEY_FLOOD_SECONDS`, by default 2.
#[expect(clippy::disallowed_methods, reason = "how much is tried, not what")]
fn flood_seconds() -> u32 {
    std::env::var("LATCHKEY_FLOOD_SECONDS").map_or(2, |text| text.parse().unwrap())
}

/// What a request of the flood was answered with: 401 or 429.
#[derive(Debug, Default)]
struct Answers {
    refused: AtomicUsize,
    throttled: AtomicUsize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operator_gets_through_at_once_while_strangers_send_a_thousand_requests_a_second() {
    let deployment = Deployment::start_with(stack::StackBuilder::throttled).await;
    let tenant = deployment.provision("Acme").await;
    // More to one route than it takes, and some to those of the other surfaces that tenants and their people call.
    let hot = deployment.anonymous("GET", "/api/v1/relay/whoami");
    let strangers = [
        ("POST", "/v1/api/projects/user-token"),
        ("POST", "/api/v1/auth/token"),
        ("POST", "/api/v1/auth/introspect"),
        ("GET", "/api/v1/device/pairings"),
    ];
    let strangers = strangers.map(|(method, path)| deployment.anonymous(method, path));
    let started = std::time::Instant::now();
    let answers = Arc::new(Answers::default());
    // A bounded client: 64 requests at once and no more, whatever becomes of them.
    let places = Arc::new(tokio::sync::Semaphore::new(64));
    let count = 1000 * usize::try_from(flood_seconds()).unwrap();
    let mut ticks = tokio::time::interval(Duration::from_millis(1));
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..count {
        ticks.tick().await;
        let (answers, place) = (Arc::clone(&answers), Arc::clone(&places).acquire_owned().await.unwrap());
        let call = if number % 20 == 0 { &strangers[number / 20 % strangers.len()] } else { &hot }.clone();
        calls.spawn(async move {
            let counter = match call.send_raw().await.status {
                401 => &answers.refused,
                429 => &answers.throttled,
                other => panic!("{other}"),
            };
            counter.fetch_add(1, Ordering::Relaxed);
            drop(place);
        });
        if number == count / 2 {
            deployment.suspend(&tenant).await.data(200);
        }
    }
    calls.join_all().await;
    let took = started.elapsed();
    assert_eq!(deployment.fetch(&tenant).await["status"], "suspended");
    let [refused, throttled] = [&answers.refused, &answers.throttled].map(|count| count.load(Ordering::Relaxed));
    println!("{count} requests in {took:?}: {refused} were refused by a function, {throttled} by a throttle");
    assert_eq!(refused + throttled, count);
    if flood_seconds() >= 10 {
        let limit = Duration::from_secs((2 * flood_seconds()).into());
        assert!(took < limit, "nearly as fast as it was meant to be: {took:?}");
        // In less time the burst of the route is not used up.
        assert!(throttled > 0, "nothing was throttled");
    }
}
