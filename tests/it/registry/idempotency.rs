//! `Idempotency-Key` on every POST: one effect, and the same outcome when the key comes again.

use std::time::Duration;

use serde_json::{Value, json};
use shared::domain::{
    Actor, ChangeContext, IdempotencyKey, IdempotencyScope, NewTenant, OverlapSeconds, TenantId, TenantSecret,
    Timestamp,
};
use stack::{Effect, Fault, Invocation, Match};

use crate::support::{Call, Deployment, HandClock, Tenant, event};

fn with_key(deployment: &Deployment, path: &str, key: &str, body: &Value) -> Call {
    deployment.operator("POST", path).header("idempotency-key", key).json(body)
}

/// Every POST of the registry, with a body that changes something.
fn posts(tenant: &Tenant) -> Vec<(String, Value)> {
    let at = |path: &str| format!("/api/v1/{path}?tenant_id={}", tenant.id);
    vec![
        ("/api/v1/provision/tenant".to_owned(), json!({ "tenant_name": "Acme" })),
        (at("update/tenant"), json!({ "branding_display_name": "Acme" })),
        (at("rotate/tenant-secret"), json!({})),
        (at("suspend/tenant"), json!({ "reason": "unpaid" })),
        (at("reactivate/tenant"), json!({})),
    ]
}

#[tokio::test]
async fn the_same_request_again_has_the_same_outcome_and_no_effect() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    for (n, (path, body)) in posts(&tenant).iter().enumerate() {
        let first = with_key(&deployment, path, &format!("key-{n}"), body).send().await;
        let after = deployment.items_but_events().await;
        for _ in 0..3 {
            let again = with_key(&deployment, path, &format!("key-{n}"), body).send().await;
            assert_eq!((again.status, &again.body), (first.status, &first.body), "{path}");
        }
        assert_eq!(deployment.items_but_events().await, after, "{path}");
    }
}

#[tokio::test]
async fn a_replay_has_no_effect_even_when_the_tenant_has_changed_since() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let path = format!("/api/v1/suspend/tenant?tenant_id={}", tenant.id);
    with_key(&deployment, &path, "once", &json!({})).send().await.data(200);
    // Also a request that had nothing to do is an outcome that stays.
    with_key(&deployment, &path, "nothing", &json!({})).send().await.data(200);
    deployment.reactivate(&tenant).await.data(200);
    for key in ["once", "nothing"] {
        with_key(&deployment, &path, key, &json!({})).send().await.data(200);
        assert_eq!(deployment.fetch(&tenant).await["status"], "active", "{key}");
    }
}

#[tokio::test]
async fn a_replay_is_answered_even_when_the_request_would_break_a_rule_now() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    deployment.update(&tenant, &json!({ "webauthn_rp_id": "example.com" })).await.data(200);
    let path = format!("/api/v1/update/tenant?tenant_id={}", tenant.id);
    let body = json!({ "webauthn_origins": ["https://a.example.com"] });
    let first = with_key(&deployment, &path, "k", &body).send().await;
    first.data(200);
    deployment.update(&tenant, &json!({ "webauthn_origins": [], "webauthn_rp_id": null })).await.data(200);
    assert_eq!(with_key(&deployment, &path, "k", &body).send().await.body, first.body);
    with_key(&deployment, &path, "other", &body).send().await.names("webauthn_rp_id");
}

#[tokio::test]
async fn another_request_under_the_same_key_is_refused() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let all = posts(&tenant);
    for (n, (path, body)) in all.iter().enumerate() {
        let key = format!("key-{n}");
        assert!(with_key(&deployment, path, &key, body).send().await.status < 300);
        let before = deployment.items().await;
        let (other_path, other_body) = &all[(n + 1) % all.len()];
        with_key(&deployment, other_path, &key, other_body).send().await.refused(422, "idempotency_key_reused");
        let other_body = json!({ "tenant_name": "Other" });
        if n < 2 {
            with_key(&deployment, path, &key, &other_body).send().await.refused(422, "idempotency_key_reused");
        }
        assert_eq!(deployment.items().await, before, "{path}");
    }
}

#[tokio::test]
async fn the_same_request_while_the_first_still_runs_is_told_to_wait() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    for (path, body, operation) in [
        ("/api/v1/provision/tenant".to_owned(), json!({ "tenant_name": "b" }), "CreateSecret"),
        (format!("/api/v1/rotate/tenant-secret?tenant_id={}", tenant.id), json!({}), "PutSecretValue"),
    ] {
        let held = deployment.stack.faults().hold(Match::any().operation(operation));
        let second = async {
            held.reached().await;
            let answer = with_key(&deployment, &path, operation, &body).send().await;
            held.release();
            answer
        };
        let (first, second) = tokio::join!(with_key(&deployment, &path, operation, &body).send(), second);
        second.refused(409, "idempotency_in_progress");
        let wait: u64 = second.headers["retry-after"].parse().unwrap();
        assert!((1..=10).contains(&wait), "{wait}");
        assert!(first.status < 300);
        let replay = with_key(&deployment, &path, operation, &body).send().await;
        assert_eq!(replay.body, first.body);
    }
}

#[tokio::test]
async fn ten_requests_at_once_under_one_key_have_one_effect() {
    let deployment = Deployment::start().await;
    let calls = (0..10).map(|_| {
        let call = with_key(&deployment, "/api/v1/provision/tenant", "burst", &json!({ "tenant_name": "Acme" }));
        tokio::spawn(call.send())
    });
    let mut ids = Vec::new();
    for task in calls.collect::<Vec<_>>() {
        let answer = task.await.unwrap();
        match answer.status {
            201 => ids.push(Tenant::of(&answer).id),
            409 => assert!(answer.headers.contains_key("retry-after")),
            _ => panic!("{}", answer.text),
        }
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    let listed = deployment.get("/api/v1/fetch/tenants").await;
    assert_eq!(listed.data(200)["tenants"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_is_1_to_255_visible_ascii_characters() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let before = deployment.items().await;
    for (path, body) in posts(&tenant) {
        for key in ["", "two words", &"k".repeat(256)] {
            with_key(&deployment, &path, key, &body).send().await.names("Idempotency-Key");
        }
    }
    assert_eq!(deployment.items().await, before);
}

#[tokio::test]
async fn a_refused_request_leaves_its_key_unused() {
    let deployment = Deployment::start().await;
    let path = "/api/v1/provision/tenant";
    with_key(&deployment, path, "k", &json!({})).send().await.names("tenant_name");
    with_key(&deployment, "/api/v1/rotate/tenant-secret?tenant_id=tnt_1", "k", &json!({}))
        .send()
        .await
        .refused(404, "tenant_not_found");
    with_key(&deployment, path, "k", &json!({ "tenant_name": "a" })).send().await.data(201);
}

/// What was refused after the key was reserved: nothing runs that it would have to wait for.
#[tokio::test]
async fn a_refusal_after_the_reservation_gives_the_key_back_at_once() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let secret = format!("/api/v1/rotate/tenant-secret?tenant_id={}", tenant.id);
    let signing = format!("/api/v1/rotate/signing-key?tenant_id={}", tenant.id);
    let (create, update) = ("TransactionCanceledException", "TransactionConflictException");
    // By the number of the call, the read of the operator's key included; each is tried twenty times.
    let conflicts = [
        ("/api/v1/provision/tenant", json!({ "tenant_name": "b" }), "TransactWriteItems", 4, create, 201),
        (secret.as_str(), json!({}), "UpdateItem", 2, update, 200),
        (secret.as_str(), json!({}), "TransactWriteItems", 5, create, 200),
        (signing.as_str(), json!({ "force": true }), "UpdateItem", 3, update, 200),
        (signing.as_str(), json!({ "force": true }), "TransactWriteItems", 5, create, 200),
    ];
    for (n, (path, body, operation, first, code, success)) in conflicts.into_iter().enumerate() {
        let key = format!("conflict-{n}");
        for index in first..first + 20 {
            let matcher = Match::any().operation(operation).index(index);
            deployment.stack.faults().inject(Fault::new(matcher, Effect::Status(400, code.to_owned())).once());
        }
        let first = with_key(&deployment, path, &key, &body).send().await;
        deployment.stack.faults().clear();
        assert_eq!((first.status, first.code()), (409, Some("stale_update")), "{n} {path}");
        assert_eq!(with_key(&deployment, path, &key, &body).send().await.status, success, "{n} {path}");
    }
    let limit = Effect::Status(400, "LimitExceededException".to_owned());
    for (path, body) in [(&secret, json!({})), (&signing, json!({ "force": true }))] {
        deployment.stack.faults().inject(Fault::new(Match::any().operation("PutSecretValue"), limit.clone()));
        for _ in 0..2 {
            with_key(&deployment, path, "often", &body).send().await.refused(429, "rotated_too_often");
        }
        deployment.stack.faults().clear();
        // As a refused request it is not remembered, so another one may have its key.
        with_key(&deployment, path, "often", &json!({ "unknown": 1 })).send().await.names("unknown");
        with_key(&deployment, path, &format!("often-{path}"), &body).send().await.data(200);
    }
    with_key(&deployment, &secret, "often", &json!({ "overlap_seconds": 60 })).send().await.data(200);
}

#[tokio::test]
async fn a_full_key_set_gives_the_key_back_at_once() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let path = format!("/api/v1/rotate/signing-key?tenant_id={}", tenant.id);
    let force = json!({ "force": true });
    for _ in 2..16 {
        deployment.post(&path, &force).await.data(200);
    }
    with_key(&deployment, &path, "k", &force).send().await.refused(429, "rotated_too_often");
    with_key(&deployment, &path, "k", &force).send().await.refused(429, "rotated_too_often");
    with_key(&deployment, &path, "k", &json!({ "drop_previous": true })).send().await.data(200);
}

/// Whether it took effect is not known then: only the end of the lease says that it does not any more.
#[tokio::test]
async fn what_failed_keeps_its_reservation() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let path = format!("/api/v1/rotate/tenant-secret?tenant_id={}", tenant.id);
    let fault = Fault::new(Match::any().operation("PutSecretValue"), Effect::Status(400, "AccessDenied".to_owned()));
    deployment.stack.faults().inject(fault);
    with_key(&deployment, &path, "k", &json!({})).send().await.refused(503, "temporarily_unavailable");
    with_key(&deployment, &path, "k", &json!({})).send().await.refused(409, "idempotency_in_progress");
}

#[tokio::test]
async fn neither_the_key_nor_the_secret_is_in_the_table() {
    let deployment = Deployment::start().await;
    let answer =
        with_key(&deployment, "/api/v1/provision/tenant", "the-idempotency-key", &json!({ "tenant_name": "a" }))
            .send()
            .await;
    let items = Value::from(deployment.items().await).to_string();
    assert!(!items.contains("the-idempotency-key") && !items.contains(&Tenant::of(&answer).secret[3..]));
    assert!(items.contains("sealed"));
}

#[tokio::test]
async fn a_replay_with_the_other_admin_key_does_not_show_the_secret() {
    let deployment = Deployment::start().await;
    let (old, new) = (deployment.key().to_owned(), "N".repeat(48));
    let first = with_key(&deployment, "/api/v1/provision/tenant", "k", &json!({ "tenant_name": "a" })).send().await;
    deployment.put_admin_keys(&json!({ "current": new, "previous": old }), '1');
    let call = deployment
        .anonymous("POST", "/api/v1/provision/tenant")
        .header("idempotency-key", "k")
        .header("x-admin-key", &new);
    let replay = call.json(&json!({ "tenant_name": "a" })).send().await;
    assert_eq!(replay.data(201)["tenant_id"], first.data(201)["tenant_id"]);
    assert!(replay.data(201)["tenant_secret"].is_null() && replay.data(201)["webhook_secret"].is_null());
    let replay = with_key(&deployment, "/api/v1/provision/tenant", "k", &json!({ "tenant_name": "a" })).send().await;
    assert_eq!(replay.body, first.body);
}

fn at(moment: Timestamp) -> ChangeContext {
    ChangeContext {
        key_id: None,
        principal: None,
        label: None,
        actor: Actor::Operator,
        at: moment,
        request_id: format!("request-{}", moment.as_millis()),
        deadline: moment.plus(Duration::from_secs(10)),
        idempotency_key: IdempotencyKey::new(
            "key",
            IdempotencyScope::Operator,
            &[b"the request"],
            b"credential",
            moment,
        ),
    }
}

#[tokio::test]
async fn a_secret_is_shown_again_for_ten_minutes_and_the_outcome_for_a_day() {
    let deployment = Deployment::start().await;
    let app = deployment.app(&HandClock::default());
    let start = Timestamp::from_millis(1_800_000_000_000);
    let new: NewTenant = serde_json::from_value(json!({ "tenant_name": "Acme" })).unwrap();
    let first = app.tenants().provision(new.clone(), &at(start)).await.unwrap();
    let secret = first.secret.unwrap();
    for (minutes, shown) in [(0, true), (9, true), (10, false), (23 * 60, false)] {
        let moment = start.plus(Duration::from_secs(minutes * 60));
        let again = ChangeContext { request_id: format!("again-{minutes}"), ..at(moment) };
        let replay = app.tenants().provision(new.clone(), &again).await.unwrap();
        assert_eq!(replay.tenant, first.tenant);
        assert_eq!(replay.secret.as_ref().map(TenantSecret::expose), shown.then(|| secret.expose()), "{minutes}");
    }
    let forgotten = app.tenants().provision(new, &at(start.plus(Duration::from_hours(24)))).await.unwrap();
    assert_ne!(forgotten.tenant.summary.id, first.tenant.summary.id);
}

#[tokio::test]
async fn the_end_of_an_overlap_is_kept_to_the_millisecond() {
    let deployment = Deployment::start().await;
    let app = deployment.app(&HandClock::default());
    let start = Timestamp::from_millis(1_800_000_000_000);
    let tenant = deployment.provision("Acme").await;
    let id = TenantId::parse(&tenant.id).unwrap();
    let rotated = app.tenants().rotate_secret(&id, OverlapSeconds::new(60).unwrap(), &at(start)).await.unwrap();
    assert_eq!(rotated.rotation.previous_until, Some(Timestamp::from_millis(1_800_000_060_000)));
    let pointer = app.tenants().get(&id).await.unwrap().unwrap().secret;
    assert_eq!(pointer.previous.unwrap().until, Timestamp::from_millis(1_800_000_060_000));
}

#[tokio::test]
async fn a_retry_takes_over_when_the_first_attempt_cannot_be_running_any_more() {
    let deployment = Deployment::start().await;
    let headers = [("x-admin-key", deployment.key()), ("idempotency-key", "k")];
    let call = event("POST", "/api/v1/provision/tenant", "", &headers, Some(&json!({ "tenant_name": "Acme" })));
    let held = deployment.stack.faults().hold(Match::any().operation("CreateSecret").index(2));
    let slow = deployment.stack.invoke("provision-tenant", call.clone(), Invocation { deadline: Some(1) });
    let overtake = async {
        held.reached().await;
        let faults = deployment.stack.faults();
        // The retry's own call must not be held: it is let through by the first's release.
        let retry = deployment.stack.invoke("provision-tenant", call.clone(), Invocation::default());
        let release = async {
            held.reached_by(2).await;
            held.release();
        };
        let (answer, ()) = tokio::join!(retry, release);
        faults.clear();
        answer
    };
    let (slow, retry) = tokio::join!(slow, overtake);
    let statuses = [slow.unwrap().payload["statusCode"].clone(), retry.unwrap().payload["statusCode"].clone()];
    assert_eq!(statuses, [503, 201], "the first finds that it was overtaken");
    let listed = deployment.get("/api/v1/fetch/tenants").await;
    assert_eq!(listed.data(200)["tenants"].as_array().unwrap().len(), 1);
}
