//! The deliverer of callbacks, which the table's stream and a schedule start.

use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};
use shared::domain::{Attempted, Outcome};
use shared::store::{Delivery, Receiver};
use stack::{CrashMode, Effect, Fault, Invocation, Match, scheduled_event};
use standardwebhooks::Webhook;
use tokio::sync::Barrier;

use crate::support::{Deployment, HandClock, Tenant, TestReceiver, now_ms};

/// A tenant that wants all callbacks of its own, and its receiver. The stream stands still.
async fn start() -> (Deployment, Tenant, TestReceiver) {
    let deployment = Deployment::start().await;
    deployment.stack.streams().stop().await;
    let tenant = deployment.provision("Acme").await;
    let receiver = TestReceiver::start().await;
    let wanted = json!({ "callback_url_base": receiver.base(), "callback_types": ["tenant.*", "ping"] });
    deployment.update(&tenant, &wanted).await.data(200);
    (deployment, tenant, receiver)
}

/// Makes what waits for its next attempt due.
async fn make_due(deployment: &Deployment, tenant: &Tenant) {
    for item in deployment.callbacks(tenant).await.iter().filter(|item| item.get("due_at").is_some()) {
        let (pk, sk) = (item["pk"]["S"].as_str().unwrap(), item["sk"]["S"].as_str().unwrap());
        deployment.set(pk, sk, "due_at", &json!({ "N": "1" })).await;
    }
}

#[tokio::test]
async fn a_change_is_told_once_with_what_it_made_and_signatures_that_others_verify() {
    let (deployment, tenant, receiver) = start().await;
    let suspended = deployment.suspend(&tenant).await;
    suspended.data(200);
    assert!(receiver.received().is_empty());
    assert_eq!(deployment.sweep().await["delivered"], 1);
    assert_eq!(deployment.sweep().await["delivered"], 0);
    let [received] = &receiver.received()[..] else { panic!("{:?}", receiver.received()) };
    assert_eq!(received.path, "/relay-callbacks/tenant");
    assert_eq!(received.headers["content-type"], "application/json");
    let body = received.body();
    assert_eq!(
        (&body["type"], &body["flow"], &body["tenant_id"]),
        (&json!("tenant.suspended"), &json!("tenant"), &json!(tenant.id))
    );
    let fetched = deployment.fetch(&tenant).await;
    let data = json!({ "status": "suspended", "suspended_at": fetched["suspended_at"] });
    assert_eq!(body["data"], data);
    assert_eq!(body["event_id"], received.headers["webhook-id"].as_str());
    // The signature of calls, and that of Standard Webhooks by its own library.
    let signing = tenant.signing().at(received.headers["x-latchkey-timestamp"].parse().unwrap());
    let expected = signing.signature("POST", "/relay-callbacks/tenant", received.text.as_bytes());
    assert_eq!(received.headers["x-latchkey-signature"], expected);
    verify(&tenant.secret, received);
}

/// Checks the headers of Standard Webhooks with the key that a tenant has by its secret.
fn verify(secret: &str, received: &crate::support::Received) {
    let key = shared::domain::TenantSecret::restore(secret).unwrap();
    let key = shared::domain::WebhookSecret::of(&key).unwrap();
    let mut headers = hyper::HeaderMap::new();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        headers.insert(name, received.headers[name].parse().unwrap());
    }
    let key = json!(key.reveal());
    Webhook::new(key.as_str().unwrap()).unwrap().verify(received.text.as_bytes(), &headers).unwrap();
}

#[tokio::test]
async fn the_stream_tells_of_it_at_once_and_the_sweep_does_without() {
    let (deployment, tenant, receiver) = start().await;
    deployment.stack.streams().start().await;
    deployment.suspend(&tenant).await.data(200);
    deployment.stack.streams().settled().await;
    assert_eq!(receiver.received().len(), 1);
    assert_eq!(deployment.sweep().await["delivered"], 0);
    deployment.stack.streams().stop().await;
    deployment.reactivate(&tenant).await.data(200);
    assert_eq!(deployment.sweep().await["delivered"], 1);
    let types: Vec<_> = receiver.received().iter().map(|received| received.body()["type"].clone()).collect();
    assert_eq!(types, ["tenant.suspended", "tenant.reactivated"]);
    let sequences: Vec<_> = receiver.received().iter().map(|received| received.body()["sequence"].as_u64()).collect();
    assert!(sequences[0] < sequences[1]);
}

#[tokio::test]
async fn both_secrets_of_a_rotation_verify_while_both_are_in_force() {
    let (deployment, tenant, receiver) = start().await;
    let rotated = deployment.rotate(&tenant, 600).await;
    let new = rotated.data(200)["tenant_secret"].as_str().unwrap().to_owned();
    deployment.sweep().await;
    let [received] = &receiver.received()[..] else { panic!("{:?}", receiver.received()) };
    assert_eq!(received.body()["type"], "tenant.secret_rotated");
    assert!(!received.text.contains(&new));
    verify(&tenant.secret, received);
    verify(&new, received);
    // Without an overlap the old one signs nothing any more, not even what was owed before.
    deployment.suspend(&tenant).await.data(200);
    let last = deployment.rotate(&tenant, 0).await.data(200)["tenant_secret"].as_str().unwrap().to_owned();
    deployment.sweep().await;
    for received in &receiver.received()[1..] {
        verify(&last, received);
        assert_eq!(received.headers["webhook-signature"].split(' ').count(), 1);
    }
    assert_eq!(receiver.received().len(), 3);
}

#[tokio::test]
async fn nothing_is_owed_without_a_base_or_for_a_type_that_nobody_wants() {
    let (deployment, tenant, receiver) = start().await;
    deployment.update(&tenant, &json!({ "callback_types": ["ping"] })).await.data(200);
    deployment.suspend(&tenant).await.data(200);
    deployment.update(&tenant, &json!({ "callback_types": ["tenant.*"], "callback_url_base": null })).await.data(200);
    deployment.reactivate(&tenant).await.data(200);
    assert!(deployment.callbacks(&tenant).await.is_empty());
    // What changed nothing is not told.
    let wanted = json!({ "callback_url_base": receiver.base() });
    deployment.update(&tenant, &wanted).await.data(200);
    deployment.reactivate(&tenant).await.data(200);
    assert!(deployment.callbacks(&tenant).await.is_empty());
    // What is owed when the base goes is discarded, and goes nowhere.
    deployment.suspend(&tenant).await.data(200);
    deployment.update(&tenant, &json!({ "callback_url_base": null })).await.data(200);
    assert_eq!(deployment.sweep().await["given_up"], 1);
    assert_eq!(deployment.callbacks(&tenant).await[0]["callback_state"]["S"], "discarded");
    assert!(receiver.received().is_empty());
}

#[tokio::test]
async fn what_fails_is_tried_again_with_the_same_body_and_a_new_signature() {
    let (deployment, tenant, receiver) = start().await;
    receiver.answers(&[500, 302, 404]);
    deployment.suspend(&tenant).await.data(200);
    for attempts in 1..=3 {
        let run = deployment.sweep().await;
        assert_eq!((&run["delivered"], &run["unsuccessful"]), (&json!(0), &json!(1)), "{attempts}");
        // Not before it is due.
        assert_eq!(deployment.sweep().await["unsuccessful"], 0);
        let callback = &deployment.callbacks(&tenant).await[0];
        assert_eq!(callback["attempts"]["N"], attempts.to_string());
        make_due(&deployment, &tenant).await;
    }
    assert_eq!(deployment.sweep().await["delivered"], 1);
    let received = receiver.received();
    assert!(received.iter().all(|received| received.text == received.text && received.path != "/elsewhere"));
    assert_eq!(received.iter().map(|received| &received.text).collect::<std::collections::BTreeSet<_>>().len(), 1);
    assert_eq!(received.len(), 4);
    let callback = &deployment.callbacks(&tenant).await[0];
    let outcomes: Vec<_> = callback["last_attempts"]["L"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| attempt["M"]["outcome"]["S"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(outcomes, ["500", "302", "404", "204"]);
    assert!(callback.get("due_at").is_none() && callback.get("due_shard").is_none());
}

#[tokio::test]
async fn a_receiver_that_is_gone_gets_no_more_and_holds_nobody_up() {
    let (deployment, tenant, receiver) = start().await;
    let other = deployment.provision("Globex").await;
    let alive = TestReceiver::start().await;
    let wanted = json!({ "callback_url_base": alive.base(), "callback_types": ["tenant.*"] });
    deployment.update(&other, &wanted).await.data(200);
    receiver.answers(&[410]);
    for tenant in [&tenant, &other] {
        deployment.suspend(tenant).await.data(200);
        deployment.reactivate(tenant).await.data(200);
    }
    let run = deployment.sweep().await;
    assert_eq!((&run["delivered"], &run["given_up"], &run["unsuccessful"]), (&json!(2), &json!(1), &json!(1)));
    assert_eq!((receiver.received().len(), alive.received().len()), (1, 2));
    // The second waits for somebody to reactivate the flow, and is not due meanwhile.
    let waiting = &deployment.callbacks(&tenant).await[1];
    assert!(waiting["callback_state"]["S"] == "pending" && waiting.get("due_at").is_none());
}

#[tokio::test]
async fn a_run_that_dies_at_any_of_its_calls_loses_nothing_and_invents_nothing() {
    let (deployment, tenant, receiver) = start().await;
    let mut at = 0;
    loop {
        let mut fired = 0;
        for mode in [CrashMode::NotSent, CrashMode::DoneButNoAnswer] {
            deployment.suspend(&tenant).await.data(200);
            let before = receiver.received().len();
            let killed = deployment.stack.faults().kill("deliver-callbacks", at, mode);
            let run = deployment.stack.invoke("deliver-callbacks", scheduled_event(), Invocation::default()).await;
            assert_eq!(run.is_err(), killed.fired() > 0, "call {at}, {mode:?}");
            fired += killed.fired();
            deployment.stack.faults().clear();
            // The lease of the process that died runs out.
            let pk = format!("TENANT#{}#DELIVERY#tenant", tenant.id);
            deployment.set(&pk, "DELIVERY", "lease_until", &json!({ "N": "1" })).await;
            deployment.sweep().await;
            let received = receiver.received().split_off(before);
            let ids: std::collections::BTreeSet<_> = received.iter().map(|received| received.text.clone()).collect();
            assert_eq!(ids.len(), 1, "call {at}, {mode:?}: one event, however often");
            let last = deployment.callbacks(&tenant).await.pop().unwrap();
            assert_eq!(last["callback_state"]["S"], "delivered", "call {at}, {mode:?}");
            // The next one's state, without an event of its own.
            deployment.update(&tenant, &json!({ "callback_types": ["tenant.suspended"] })).await.data(200);
            deployment.reactivate(&tenant).await.data(200);
        }
        if fired == 0 {
            break;
        }
        at += 1;
    }
    assert!(at >= 12, "only {at} calls");
}

#[tokio::test]
async fn nothing_waits_for_a_reactivation_that_nobody_knows_to_be_due() {
    let (deployment, tenant, receiver) = start().await;
    let delivery = format!("TENANT#{}#DELIVERY#tenant", tenant.id);
    // The first call after the attempt, by a process that knows the secret.
    let mut at = 11;
    loop {
        let mut fired = 0;
        for mode in [CrashMode::NotSent, CrashMode::DoneButNoAnswer] {
            receiver.answers(&[410]);
            deployment.suspend(&tenant).await.data(200);
            deployment.reactivate(&tenant).await.data(200);
            let killed = deployment.stack.faults().kill("deliver-callbacks", at, mode);
            let run = deployment.stack.invoke("deliver-callbacks", scheduled_event(), Invocation::default()).await;
            assert_eq!(run.is_err(), killed.fired() > 0, "call {at}, {mode:?}");
            fired += killed.fired();
            deployment.stack.faults().clear();
            deployment.set(&delivery, "DELIVERY", "lease_until", &json!({ "N": "1" })).await;
            deployment.sweep().await;
            let is_pending = |callback: &Value| callback["callback_state"]["S"] == "pending";
            let is_waiting = |callback: &Value| is_pending(callback) && callback.get("due_at").is_none();
            if deployment.callbacks(&tenant).await.iter().any(is_waiting) {
                let items = deployment.items().await;
                let breaker = &items.iter().find(|item| item["pk"]["S"] == delivery).unwrap()["breaker"]["S"];
                assert!(breaker.as_str().is_some_and(|breaker| breaker.contains("disabled")), "call {at}, {mode:?}");
            }
            let path = format!("/api/v1/reactivate/callbacks?tenant_id={}", tenant.id);
            deployment.post(&path, &json!({})).await.data(200);
            deployment.sweep().await;
            assert!(!deployment.callbacks(&tenant).await.iter().any(is_pending), "call {at}, {mode:?}");
        }
        if fired == 0 {
            break;
        }
        at += 1;
    }
    assert!(at > 13, "only {at} calls");
}

#[tokio::test]
async fn a_change_that_did_not_commit_owes_nothing_and_a_store_that_fails_delays_only() {
    let (deployment, tenant, receiver) = start().await;
    let failing = Match::any().function("suspend-tenant").operation("TransactWriteItems");
    deployment.stack.faults().inject(Fault::new(failing, Effect::Status(500, "InternalServerError".to_owned())));
    deployment.suspend(&tenant).await.refused(503, "temporarily_unavailable");
    deployment.stack.faults().clear();
    assert!(deployment.callbacks(&tenant).await.is_empty());
    deployment.suspend(&tenant).await.data(200);
    for operation in ["Query", "BatchGetItem", "UpdateItem", "GetSecretValue"] {
        let failing = Match::any().function("deliver-callbacks").operation(operation);
        deployment.stack.faults().inject(Fault::new(failing, Effect::Status(500, "InternalServerError".to_owned())));
        let run = deployment.stack.invoke("deliver-callbacks", scheduled_event(), Invocation::default()).await;
        assert!(run.is_err(), "{operation}");
        deployment.stack.faults().clear();
        let pk = format!("TENANT#{}#DELIVERY#tenant", tenant.id);
        deployment.set(&pk, "DELIVERY", "lease_until", &json!({ "N": "1" })).await;
    }
    make_due(&deployment, &tenant).await;
    deployment.sweep().await;
    assert!(!receiver.received().is_empty());
    assert_eq!(deployment.callbacks(&tenant).await[0]["callback_state"]["S"], "delivered");
}

/// Answers only when as many attempts are under way at once.
struct Together(Barrier);

impl Receiver for Together {
    async fn post(&self, _: &Delivery<'_>) -> Attempted {
        self.0.wait().await;
        Attempted { outcome: Outcome::Status(204), retry_after: None }
    }
}

#[tokio::test]
async fn no_receiver_waits_for_another() {
    let deployment = Deployment::start().await;
    deployment.stack.streams().stop().await;
    let count = 20;
    for _ in 0..count {
        let tenant = deployment.provision("Acme").await;
        let wanted = json!({ "callback_url_base": "https://callbacks.example.com", "callback_types": ["tenant.*"] });
        deployment.update(&tenant, &wanted).await.data(200);
        deployment.suspend(&tenant).await.data(200);
    }
    let clock = HandClock::default();
    clock.set(now_ms() + 1000);
    let app = deployment.app(&clock);
    let together = Together(Barrier::new(count));
    let run = tokio::time::timeout(Duration::from_secs(20), app.callbacks().on(None, &together));
    assert_eq!(run.await.unwrap().unwrap().delivered, count);
}

/// Where attempts went. During the first one the operator gives the tenant another receiver and another secret.
struct Moving<'a> {
    deployment: &'a Deployment,
    tenant: &'a Tenant,
    attempts: Mutex<Vec<[String; 3]>>,
    secret: Mutex<String>,
}

impl Receiver for Moving<'_> {
    async fn post(&self, delivery: &Delivery<'_>) -> Attempted {
        let headers = delivery.headers("/relay-callbacks/tenant").unwrap();
        let header = |wanted: &str| headers.iter().find(|(name, _)| *name == wanted).unwrap().1.to_owned();
        let attempt =
            [delivery.base.as_str().to_owned(), header("x-latchkey-timestamp"), header("x-latchkey-signature")];
        self.attempts.lock().unwrap().push(attempt);
        if self.attempts.lock().unwrap().len() == 1 {
            let moved = json!({ "callback_url_base": "https://new.example.com" });
            self.deployment.update(self.tenant, &moved).await.data(200);
            let rotated = self.deployment.rotate(self.tenant, 0).await;
            let secret = rotated.data(200)["tenant_secret"].as_str().unwrap();
            secret.clone_into(&mut self.secret.lock().unwrap());
        }
        Attempted { outcome: Outcome::Status(204), retry_after: None }
    }
}

#[tokio::test]
async fn what_is_changed_during_an_attempt_holds_for_the_next_one_of_the_same_run() {
    let deployment = Deployment::start().await;
    deployment.stack.streams().stop().await;
    let tenant = deployment.provision("Acme").await;
    let wanted = json!({ "callback_url_base": "https://old.example.com", "callback_types": ["tenant.*"] });
    deployment.update(&tenant, &wanted).await.data(200);
    deployment.suspend(&tenant).await.data(200);
    deployment.reactivate(&tenant).await.data(200);
    let clock = HandClock::default();
    clock.set(now_ms() + 1000);
    let moving =
        Moving { deployment: &deployment, tenant: &tenant, attempts: Mutex::default(), secret: Mutex::default() };
    assert_eq!(deployment.app(&clock).callbacks().on(None, &moving).await.unwrap().delivered, 2);
    let attempts = moving.attempts.into_inner().unwrap();
    let bases = attempts.iter().map(|[base, ..]| base.as_str()).collect::<Vec<_>>();
    assert_eq!(bases, ["https://old.example.com", "https://new.example.com"]);
    let bodies = deployment.callbacks(&tenant).await;
    let secrets = [tenant.secret.clone(), moving.secret.into_inner().unwrap()];
    for ((secret, [_, at, signature]), item) in secrets.iter().zip(&attempts).zip(&bodies) {
        let body = item["body"]["S"].as_str().unwrap();
        let signing = tenant.with_secret(secret).signing().at(at.parse().unwrap());
        assert_eq!(*signature, signing.signature("POST", "/relay-callbacks/tenant", body.as_bytes()));
    }
}

#[tokio::test]
async fn a_qr_login_is_told_of_for_fifteen_minutes_and_then_discarded() {
    let deployment = Deployment::start().await;
    deployment.stack.streams().stop().await;
    let receiver = TestReceiver::start().await;
    let wanted = json!({ "callback_url_base": receiver.base(), "callback_types": ["qr_login.*"] });
    let tenant = deployment.with_qr_logins(&wanted).await;
    let phone = deployment.paired(&tenant, "ada").await;
    // How many minutes ago it was, how often it was attempted, what the receiver answers, whether it is attempted, and
    // what becomes of it. The wait after a third attempt is four minutes at least.
    for (age, before, status, is_attempted, state) in [
        (12, 0, 500, true, "pending"),
        (12, 2, 500, true, "discarded"),
        (15, 0, 500, false, "discarded"),
        (12, 0, 204, true, "delivered"),
    ] {
        let login = deployment.qr_login(&tenant, &json!({})).await;
        deployment.approved(&phone, &login).await;
        let callbacks = deployment.callbacks(&tenant).await;
        let [pk, sk] = ["pk", "sk"].map(|name| callbacks.last().unwrap()[name]["S"].as_str().unwrap());
        deployment.set(pk, sk, "created_at", &json!({ "N": (now_ms() - age * 60_000).to_string() })).await;
        deployment.set(pk, sk, "attempts", &json!({ "N": before.to_string() })).await;
        receiver.answers(&[status]);
        let received = receiver.received().len();
        deployment.sweep().await;
        assert_eq!(receiver.received().len() - received, usize::from(is_attempted), "{age} {before} {status}");
        let callbacks = deployment.callbacks(&tenant).await;
        let item = callbacks.iter().find(|item| item["sk"]["S"] == *sk).unwrap();
        assert_eq!(item["callback_state"]["S"], state, "{age} {before} {status}");
        receiver.answers_as_usual();
        deployment.set(pk, sk, "callback_state", &json!({ "S": "delivered" })).await;
    }
}

#[tokio::test]
async fn a_callback_that_can_not_be_read_is_a_failure_and_in_nobodys_way() {
    let (deployment, tenant, receiver) = start().await;
    deployment.suspend(&tenant).await.data(200);
    deployment.reactivate(&tenant).await.data(200);
    let first = &deployment.callbacks(&tenant).await[0];
    let (pk, sk) = (first["pk"]["S"].as_str().unwrap(), first["sk"]["S"].as_str().unwrap());
    deployment.set(pk, sk, "event_type", &json!({ "S": "tenant.unheard_of" })).await;
    let run = deployment.stack.invoke("deliver-callbacks", scheduled_event(), Invocation::default()).await;
    assert!(run.is_err());
    assert_eq!(receiver.received().len(), 1);
}

/// The answer of a receiver, whichever it is asked for.
struct Always(u16);

impl Receiver for Always {
    async fn post(&self, _: &Delivery<'_>) -> Attempted {
        Attempted { outcome: Outcome::Status(self.0), retry_after: None }
    }
}

/// What the trail says of flows that were disabled.
async fn disabled(deployment: &Deployment, tenant: &Tenant) -> Vec<Value> {
    let mut events = deployment.audit_events(tenant).await;
    events.retain(|event| event["action"] == "callbacks.disabled");
    events
}

#[tokio::test]
async fn five_days_without_a_success_disable_the_flow_and_the_trail_says_so_once() {
    let (deployment, tenant, _) = start().await;
    deployment.suspend(&tenant).await.data(200);
    let (clock, day) = (HandClock::default(), 24 * 3_600_000);
    let (app, begun) = (deployment.app(&clock), now_ms() + 1000);
    let breaker = json!({ "state": "open", "since": "2026-01-01T00:00:00.000Z", "probes": 9, "probe_at": null });
    let pk = format!("TENANT#{}#DELIVERY#tenant", tenant.id);
    for (days, is_disabled) in [(4, false), (6, true), (7, true)] {
        clock.set(begun + days * day);
        if days == 4 {
            let at = |millis: i64| json!(shared::domain::Timestamp::from_millis(millis));
            let open = crate::support::with(&breaker, &json!({ "since": at(begun), "probe_at": at(begun) }));
            deployment.set(&pk, "DELIVERY", "breaker", &json!({ "S": open.to_string() })).await;
        }
        make_due(&deployment, &tenant).await;
        app.callbacks().on(None, &Always(500)).await.unwrap();
        let events = disabled(&deployment, &tenant).await;
        assert_eq!(events.len(), usize::from(is_disabled), "{days}");
        for event in events {
            assert_eq!(event["details"], json!({ "flow": "tenant", "cause": "no_success" }));
            assert_eq!(event["at"], json!(shared::domain::Timestamp::from_millis(begun + 6 * day)));
        }
    }
}

#[tokio::test]
async fn a_flow_is_disabled_with_its_audit_event_or_not_at_all() {
    let (deployment, tenant, receiver) = start().await;
    let pk = format!("TENANT#{}#DELIVERY#tenant", tenant.id);
    for at in 0.. {
        let mut fired = 0;
        for mode in [CrashMode::NotSent, CrashMode::DoneButNoAnswer] {
            receiver.answers(&[410]);
            deployment.suspend(&tenant).await.data(200);
            let before = disabled(&deployment, &tenant).await.len();
            let killed = deployment.stack.faults().kill("deliver-callbacks", at, mode);
            let _ = deployment.stack.invoke("deliver-callbacks", scheduled_event(), Invocation::default()).await;
            fired += killed.fired();
            deployment.stack.faults().clear();
            let items = deployment.items().await;
            let breaker =
                items.iter().find(|item| item["pk"]["S"] == pk).and_then(|item| item["breaker"]["S"].as_str());
            let is_disabled = breaker.is_some_and(|breaker| breaker.contains("disabled"));
            let added = disabled(&deployment, &tenant).await.len() - before;
            assert_eq!(added, usize::from(is_disabled), "call {at}, {mode:?}");
            deployment.update(&tenant, &json!({ "callback_types": ["tenant.suspended"] })).await.data(200);
            deployment.reactivate(&tenant).await.data(200);
            // Nothing is left for the next round: neither lease nor breaker, and no answer that nobody got.
            deployment.set(&pk, "DELIVERY", "lease_until", &json!({ "N": "1" })).await;
            deployment.remove(&pk, "DELIVERY", "breaker").await;
            make_due(&deployment, &tenant).await;
            receiver.answers(&[]);
            deployment.sweep().await;
            deployment.remove(&pk, "DELIVERY", "breaker").await;
        }
        if fired == 0 {
            assert!(at >= 12, "only {at} calls");
            return;
        }
    }
}

/// A login that nobody decides and nobody polls, and one that was decided.
#[tokio::test]
async fn a_qr_login_that_expires_is_told_once_by_the_sweep_and_one_that_was_decided_is_not() {
    let deployment = Deployment::start().await;
    deployment.stack.streams().stop().await;
    let receiver = TestReceiver::start().await;
    let tenant = deployment.with_qr_logins(&json!({ "callback_url_base": receiver.base() })).await;
    let phone = deployment.paired(&tenant, "ada").await;
    let (waiting, scanned, denied) = (
        deployment.qr_login(&tenant, &json!({})).await,
        deployment.qr_login(&tenant, &json!({})).await,
        deployment.qr_login(&tenant, &json!({})).await,
    );
    deployment.scanned(&phone, &scanned).await;
    let seen = deployment.scanned(&phone, &denied).await;
    deployment.decides(&phone, &seen, "deny").await.data(200);
    deployment.sweep().await;
    let told = |receiver: &TestReceiver| {
        let received = receiver.received();
        let of_logins = received.iter().filter(|received| received.path == "/relay-callbacks/qr-login");
        let mut told: Vec<_> = of_logins
            .map(|received| {
                let body = received.body();
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                (text(&body["type"]), text(&body["data"]["session_id"]))
            })
            .collect();
        told.sort();
        told
    };
    // None has expired.
    assert_eq!(told(&receiver), [("qr_login.denied".to_owned(), denied.session_id.clone())]);
    let long_ago = json!({ "N": (now_ms() - 1000).to_string() });
    for login in [&waiting, &scanned, &denied] {
        deployment.set(&login.place(), "QRLOGIN", "expires_at", &long_ago).await;
    }
    for login in [&waiting, &scanned] {
        deployment.set(&login.place(), "QRLOGIN", "due_at", &long_ago).await;
    }
    for _ in 0..2 {
        deployment.sweep().await;
        let mut expected = vec![
            ("qr_login.denied".to_owned(), denied.session_id.clone()),
            ("qr_login.expired".to_owned(), waiting.session_id.clone()),
            ("qr_login.expired".to_owned(), scanned.session_id.clone()),
        ];
        expected.sort();
        assert_eq!(told(&receiver), expected);
    }
}

/// Whoever does not want to know is not told, and nothing waits in the index for it.
#[tokio::test]
async fn a_login_whose_expiry_nobody_wants_to_know_is_left_alone() {
    let deployment = Deployment::start().await;
    for wanted in [json!({}), json!({ "callback_url_base": "http://127.0.0.1:9", "callback_types": ["ping"] })] {
        let tenant = deployment.with_qr_logins(&wanted).await;
        let login = deployment.qr_login(&tenant, &json!({})).await;
        let items = deployment.items().await;
        let item = items.iter().find(|item| item["pk"]["S"] == login.place().as_str()).unwrap();
        assert!(item.get("due_at").is_none() && item.get("due_shard").is_none());
    }
}
