//! How many signed calls are accepted, and what is noted of those who send more, or send one twice.

use serde_json::json;
use stack::Match;

use crate::support::{Answer, Call, Deployment, Signing, Tenant, WHOAMI, in_one_minute, now_ms};

const FUNCTION: &str = "relay-whoami";

/// A text that can be a nonce.
fn nonce(number: usize) -> String {
    format!("nonce-{number:016}")
}

async fn ask(deployment: &Deployment, signing: &Signing) -> Answer {
    deployment.whoami(signing).send().await
}

/// A tenant with this many calls a minute.
async fn limited(deployment: &Deployment, limit: u64) -> Tenant {
    let body = json!({ "tenant_name": "Acme", "rate_limit_per_min": limit });
    Tenant::of(&deployment.post("/api/v1/provision/tenant", &body).await)
}

async fn set_limit(deployment: &Deployment, tenant: &Tenant, limit: u64) {
    deployment.update(tenant, &json!({ "rate_limit_per_min": limit })).await.data(200);
}

async fn strikes(deployment: &Deployment, tenant: &Tenant) -> u64 {
    deployment.fetch(tenant).await["abuse_strikes"].as_u64().unwrap()
}

/// Makes a call and the same one again. The answer to the second.
async fn replay(deployment: &Deployment, tenant: &Tenant, number: usize) -> Answer {
    let call = deployment.whoami(&tenant.signing().nonce(&nonce(number)));
    call.clone().send().await.data(200);
    let answer = call.send().await;
    answer.refused(401, "unauthenticated");
    answer
}

#[tokio::test]
async fn a_call_over_the_limit_is_refused_until_the_minute_ends_by_every_process() {
    in_one_minute(async || {
        let deployment = Deployment::start().await;
        let (tenant, other) = (limited(&deployment, 3).await, limited(&deployment, 1).await);
        for left in [2, 1, 0] {
            let quota = ask(&deployment, &tenant.signing()).await.quota();
            assert_eq!((quota.limit, quota.remaining), (3, left));
        }
        for _ in 0..2 {
            for number in 0..2 {
                ask(&deployment, &tenant.signing()).await.over_limit(3);
                ask(&deployment, &tenant.signing().nonce(&nonce(number))).await.over_limit(3);
            }
            deployment.stack.restart(FUNCTION).await;
        }
        let left = u64::try_from(60 - now_ms() / 1000 % 60).unwrap();
        let told = ask(&deployment, &tenant.signing()).await.quota().seconds;
        assert!((told..=told + 10).contains(&left), "{left} {told}");
        let forged = tenant.with_secret("sk_wrong");
        ask(&deployment, &forged.signing()).await.refused(401, "unauthenticated");
        ask(&deployment, &other.signing()).await.data(200);
    })
    .await;
}

#[tokio::test]
async fn the_next_minute_has_room_again() {
    in_one_minute(async || {
        let deployment = Deployment::start().await;
        let tenant = limited(&deployment, 1).await;
        ask(&deployment, &tenant.signing()).await.data(200);
        ask(&deployment, &tenant.signing()).await.over_limit(1);
        // What was counted was counted a minute ago.
        let state = deployment.state(&tenant.id).await.unwrap();
        let minute = state["counted_minute"].as_i64().unwrap();
        assert_eq!(minute, now_ms() / 60_000);
        let (pk, before) = (format!("TENANT#{}", tenant.id), json!({ "N": (minute - 1).to_string() }));
        deployment.set(&pk, "STATE", "counted_minute", &before).await;
        deployment.set(&pk, "STATE", "struck_minute", &before).await;
        let calls = json!({ "M": { format!("m{}", minute - 1): { "N": "1" } } });
        deployment.set(&pk, "STATE", "accepted_calls", &calls).await;
        deployment.stack.restart(FUNCTION).await;
        ask(&deployment, &tenant.signing()).await.data(200);
        ask(&deployment, &tenant.signing()).await.over_limit(1);
        assert_eq!(strikes(&deployment, &tenant).await, 2);
        let counted = deployment.state(&tenant.id).await.unwrap()["accepted_calls"].clone();
        assert_eq!(counted, json!({ format!("m{minute}"): { "N": "1" } }), "what is over is not kept");
    })
    .await;
}

/// Its machine's clock is behind, or it was on its way while the minute turned.
#[tokio::test]
async fn a_call_is_never_counted_in_a_minute_that_is_over() {
    in_one_minute(async || {
        let deployment = Deployment::start().await;
        let tenant = limited(&deployment, 2).await;
        ask(&deployment, &tenant.signing()).await.data(200);
        let (pk, next) = (format!("TENANT#{}", tenant.id), now_ms() / 60_000 + 1);
        deployment.set(&pk, "STATE", "counted_minute", &json!({ "N": next.to_string() })).await;
        let calls = json!({ "M": { format!("m{next}"): { "N": "1" } } });
        deployment.set(&pk, "STATE", "accepted_calls", &calls).await;
        let answer = deployment.whoami(&tenant.signing()).send().await;
        assert_eq!(answer.data(200)["remaining"], 0);
        let answer = deployment.whoami(&tenant.signing()).send().await;
        answer.refused(429, "rate_limited");
        let seconds: u64 = answer.headers["retry-after"].parse().unwrap();
        assert!((60..=120).contains(&seconds), "until the end of the minute that is counted: {seconds}");
    })
    .await;
}

#[tokio::test]
async fn exactly_as_many_calls_as_the_limit_are_accepted_however_many_come_at_once() {
    in_one_minute(async || {
        let deployment = Deployment::start().await;
        let tenant = limited(&deployment, 10).await;
        let sent: Vec<_> = (0..30)
            .map(|number| {
                let signing = tenant.signing();
                let signing = if number % 2 == 0 { signing } else { signing.nonce(&nonce(number)) };
                tokio::spawn(deployment.whoami(&signing).send())
            })
            .collect();
        let mut left = Vec::new();
        for task in sent {
            let answer = task.await.unwrap();
            if answer.status == 200 {
                left.push(answer.quota().remaining);
            } else {
                answer.over_limit(10);
            }
        }
        left.sort_unstable();
        assert_eq!(left, (0..10).collect::<Vec<_>>());
        assert_eq!(strikes(&deployment, &tenant).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_raised_limit_counts_at_once_but_where_a_call_was_refused_already() {
    in_one_minute(async || {
        let deployment = Deployment::start().await;
        let tenant = limited(&deployment, 1).await;
        assert_eq!(ask(&deployment, &tenant.signing()).await.quota().remaining, 0);
        set_limit(&deployment, &tenant, 3).await;
        let quota = ask(&deployment, &tenant.signing()).await.quota();
        assert_eq!((quota.limit, quota.remaining), (3, 1));
        assert_eq!(ask(&deployment, &tenant.signing()).await.quota().remaining, 0);
        ask(&deployment, &tenant.signing()).await.over_limit(3);
        set_limit(&deployment, &tenant, 10).await;
        ask(&deployment, &tenant.signing()).await.over_limit(3);
        deployment.stack.restart(FUNCTION).await;
        let quota = ask(&deployment, &tenant.signing()).await.quota();
        assert_eq!((quota.limit, quota.remaining), (10, 6));
    })
    .await;
}

#[tokio::test]
async fn a_limit_below_what_was_used_refuses_the_next_call() {
    in_one_minute(async || {
        let deployment = Deployment::start().await;
        let tenant = limited(&deployment, 10).await;
        for _ in 0..3 {
            ask(&deployment, &tenant.signing()).await.data(200);
        }
        set_limit(&deployment, &tenant, 2).await;
        for _ in 0..2 {
            ask(&deployment, &tenant.signing()).await.over_limit(2);
            ask(&deployment, &tenant.signing()).await.over_limit(2);
            deployment.stack.restart(FUNCTION).await;
        }
        assert_eq!(strikes(&deployment, &tenant).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_nonce_is_good_once_and_a_second_use_does_not_spend_the_limit() {
    in_one_minute(async || {
        let deployment = Deployment::start().await;
        let tenant = deployment.provision("Acme").await;
        let call = deployment.whoami(&tenant.signing().nonce(&nonce(1)));
        assert_eq!(call.clone().send().await.quota().remaining, 59);
        for _ in 0..2 {
            call.clone().send().await.refused(401, "unauthenticated");
            // Signed again, at another time and in other words.
            let again = tenant.signing().nonce(&nonce(1));
            ask(&deployment, &again.clone().at(now_ms() + 9)).await.refused(401, "unauthenticated");
            let other = Signing { family: "x-bloonio", ..again };
            ask(&deployment, &other).await.refused(401, "unauthenticated");
            deployment.stack.restart(FUNCTION).await;
        }
        assert_eq!(ask(&deployment, &tenant.signing()).await.quota().remaining, 58);
    })
    .await;
}

#[tokio::test]
async fn of_one_call_that_two_processes_get_at_once_one_is_accepted_each_time() {
    in_one_minute(async || {
        let deployment = Deployment::start().await;
        let tenant = deployment.provision("Acme").await;
        for round in 0..25 {
            let held = deployment.stack.faults().hold(Match::any().function(FUNCTION).operation("PutItem"));
            let call = deployment.whoami(&tenant.signing().nonce(&nonce(round)));
            let release = async {
                held.reached_by(2).await;
                held.release();
            };
            let (one, two, ()) = tokio::join!(call.clone().send(), call.send(), release);
            let mut statuses = [one.status, two.status];
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 401], "{} {}", one.text, two.text);
        }
        assert_eq!(strikes(&deployment, &tenant).await, 25);
        assert_eq!(ask(&deployment, &tenant.signing()).await.quota().remaining, 34);
    })
    .await;
}

#[tokio::test]
async fn the_nonces_of_two_tenants_do_not_meet() {
    let deployment = Deployment::start().await;
    let (one, two) = (deployment.provision("Acme").await, deployment.provision("Beta").await);
    for tenant in [&one, &two] {
        replay(&deployment, tenant, 1).await;
    }
    // Written as if it were a part of the key.
    for (tenant, other) in [(&one, &two), (&two, &one)] {
        ask(&deployment, &tenant.signing().nonce(&format!("{}=NONCE={}", other.id, 1))).await.data(200);
    }
    assert_eq!((strikes(&deployment, &one).await, strikes(&deployment, &two).await), (1, 1));
}

#[tokio::test]
async fn a_minute_over_the_limit_is_one_strike_whichever_processes_refuse() {
    in_one_minute(async || {
        let deployment = Deployment::start().await;
        let tenant = limited(&deployment, 1).await;
        ask(&deployment, &tenant.signing()).await.data(200);
        assert_eq!(strikes(&deployment, &tenant).await, 0);
        // The first refusals of three processes.
        let held = deployment.stack.faults().hold(Match::any().function(FUNCTION).operation("TransactWriteItems"));
        let release = async {
            held.reached_by(3).await;
            held.release();
        };
        let signing = tenant.signing();
        let refused = || ask(&deployment, &signing);
        let (one, two, three, ()) = tokio::join!(refused(), refused(), refused(), release);
        for answer in [one, two, three] {
            answer.over_limit(1);
        }
        for _ in 0..2 {
            ask(&deployment, &tenant.signing()).await.over_limit(1);
            assert_eq!(strikes(&deployment, &tenant).await, 1);
            deployment.stack.restart(FUNCTION).await;
        }
        deployment.reactivate(&tenant).await.data(200);
        assert_eq!(strikes(&deployment, &tenant).await, 0);
        ask(&deployment, &tenant.signing()).await.over_limit(1);
        assert_eq!(strikes(&deployment, &tenant).await, 0, "the minute had its strike");
    })
    .await;
}

#[tokio::test]
async fn a_nonce_that_is_used_again_is_one_strike_and_strikes_suspend_nobody_by_default() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    for number in 0..10 {
        replay(&deployment, &tenant, number).await;
        for _ in 0..2 {
            let again = tenant.signing().nonce(&nonce(number));
            ask(&deployment, &again).await.refused(401, "unauthenticated");
        }
    }
    let fetched = deployment.fetch(&tenant).await;
    assert_eq!((&fetched["abuse_strikes"], &fetched["status"]), (&json!(10), &json!("active")));
    assert_eq!(deployment.audit_trail(&tenant).await, ["tenant.provisioned"]);
    deployment.reactivate(&tenant).await.data(200);
    assert_eq!(strikes(&deployment, &tenant).await, 0);
    assert_eq!(deployment.audit_trail(&tenant).await, ["tenant.provisioned", "tenant.reactivated"]);
}

/// The relay has no operation with a body yet; it checks the body of whoami all the same.
fn with_body(deployment: &Deployment, signing: &Signing, query: &str, body: &str) -> Call {
    deployment.anonymous("GET", &format!("{WHOAMI}{query}")).body("application/json", body).signed(signing)
}

#[tokio::test]
async fn a_v1_call_with_a_body_is_good_once_and_its_repeat_is_one_strike() {
    in_one_minute(async || {
        let deployment = Deployment::start().await;
        let tenant = deployment.provision("Acme").await;
        let other = deployment.provision("Beta").await;
        let at = now_ms();
        let signing = tenant.signing().at(at);
        let first = with_body(&deployment, &signing, "", "{}").send().await;
        assert_eq!(first.data(200)["remaining"], 59);
        for number in 0..4 {
            // Neither the query nor the name of a header is signed, and neither makes it another call.
            let signing = Signing { family: ["x-latchkey", "x-bloonio"][number % 2], ..signing.clone() };
            let query = ["", "?a=1"][number / 2];
            with_body(&deployment, &signing, query, "{}").send().await.refused(401, "unauthenticated");
            assert_eq!(strikes(&deployment, &tenant).await, 1);
            deployment.stack.restart(FUNCTION).await;
        }
        // Another time, another body, another tenant: another call.
        let calls = [
            with_body(&deployment, &tenant.signing().at(at + 1), "", "{}"),
            with_body(&deployment, &signing, "", "{} "),
            with_body(&deployment, &other.signing().at(at), "", "{}"),
        ];
        for call in calls {
            call.send().await.data(200);
        }
        // Without a body it is as it was.
        for _ in 0..3 {
            ask(&deployment, &signing).await.data(200);
        }
        assert_eq!((strikes(&deployment, &tenant).await, strikes(&deployment, &other).await), (1, 0));
        assert_eq!(ask(&deployment, &signing).await.data(200)["remaining"], 53, "a repeat is not counted");
    })
    .await;
}

#[tokio::test]
async fn of_two_equal_v1_calls_with_a_body_at_once_one_is_accepted() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let signing = tenant.signing();
    let calls: Vec<_> = (0..8).map(|_| tokio::spawn(with_body(&deployment, &signing, "", "{}").send())).collect();
    let mut accepted = 0;
    for call in calls {
        let answer = call.await.unwrap();
        assert!(matches!(answer.status, 200 | 401), "{}", answer.text);
        accepted += usize::from(answer.status == 200);
    }
    assert_eq!((accepted, strikes(&deployment, &tenant).await), (1, 1));
}

async fn start_with_threshold(strikes: &str) -> Deployment {
    Deployment::start_with(|builder| builder.parameter("StrikesToSuspend", strikes)).await
}

/// Checks that this many strikes have suspended the tenant, once, with the answer that came of the last one.
async fn check_suspended(deployment: &Deployment, tenant: &Tenant, threshold: u64, last: &Answer) {
    let fetched = deployment.fetch(tenant).await;
    assert_eq!((&fetched["status"], &fetched["abuse_strikes"]), (&json!("suspended"), &json!(threshold)));
    assert_eq!(fetched["suspended_reason"], format!("abuse_strikes reached {threshold}"));
    let answer = deployment.get(&format!("/api/v1/fetch/audit-events?tenant_id={}", tenant.id)).await;
    let events = answer.data(200)["events"].as_array().unwrap().iter();
    let told: Vec<_> = events
        .filter(|event| event["action"] == "tenant.suspended")
        .map(|event| (&event["actor"], &event["at"], event["request_id"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [(&json!("relay guard"), &fetched["suspended_at"], last.headers["x-request-id"].as_str())]);
}

#[tokio::test]
async fn the_strike_that_reaches_the_threshold_suspends() {
    let deployment = start_with_threshold("2").await;
    let tenant = deployment.provision("Acme").await;
    replay(&deployment, &tenant, 1).await;
    let again = tenant.signing().nonce(&nonce(1));
    ask(&deployment, &again).await.refused(401, "unauthenticated");
    assert_eq!(deployment.fetch(&tenant).await["status"], "active");
    let last = replay(&deployment, &tenant, 2).await;
    check_suspended(&deployment, &tenant, 2, &last).await;
    for number in 3..5 {
        ask(&deployment, &tenant.signing()).await.refused(403, "tenant_suspended");
        let v2 = tenant.signing().nonce(&nonce(number));
        ask(&deployment, &v2).await.refused(403, "tenant_suspended");
        // Who is suspended strikes no more.
        ask(&deployment, &v2).await.refused(401, "unauthenticated");
        deployment.stack.restart(FUNCTION).await;
    }
    check_suspended(&deployment, &tenant, 2, &last).await;

    deployment.reactivate(&tenant).await.data(200);
    let fetched = deployment.fetch(&tenant).await;
    assert_eq!((&fetched["status"], &fetched["abuse_strikes"]), (&json!("active"), &json!(0)));
    replay(&deployment, &tenant, 6).await;
    ask(&deployment, &tenant.signing()).await.data(200);
    let trail = deployment.audit_trail(&tenant).await;
    assert_eq!(trail, ["tenant.provisioned", "tenant.suspended", "tenant.reactivated"]);
}

#[tokio::test]
async fn a_minute_over_the_limit_suspends_too() {
    in_one_minute(async || {
        let deployment = start_with_threshold("1").await;
        let tenant = limited(&deployment, 1).await;
        ask(&deployment, &tenant.signing()).await.data(200);
        let last = ask(&deployment, &tenant.signing()).await;
        last.over_limit(1);
        check_suspended(&deployment, &tenant, 1, &last).await;
        // This process needs nobody to know that nothing is left.
        ask(&deployment, &tenant.signing()).await.over_limit(1);
        deployment.stack.restart(FUNCTION).await;
        ask(&deployment, &tenant.signing()).await.refused(403, "tenant_suspended");
        check_suspended(&deployment, &tenant, 1, &last).await;
        deployment.reactivate(&tenant).await.data(200);
        deployment.stack.restart(FUNCTION).await;
        ask(&deployment, &tenant.signing()).await.over_limit(1);
        assert_eq!(deployment.fetch(&tenant).await["status"], "active", "one strike a minute");
    })
    .await;
}

#[tokio::test]
async fn strikes_of_both_kinds_add_up_and_any_number_of_them_is_enough_for_a_lower_threshold() {
    in_one_minute(async || {
        let deployment = start_with_threshold("3").await;
        let tenant = limited(&deployment, 2).await;
        replay(&deployment, &tenant, 1).await;
        ask(&deployment, &tenant.signing()).await.data(200);
        ask(&deployment, &tenant.signing()).await.over_limit(2);
        assert_eq!(strikes(&deployment, &tenant).await, 2);
        assert_eq!(deployment.fetch(&tenant).await["status"], "active");
        let more = limited(&deployment, 60).await;
        deployment.set(&format!("TENANT#{}", more.id), "STATE", "abuse_strikes", &json!({ "N": "7" })).await;
        ask(&deployment, &more.signing()).await.data(200);
        replay(&deployment, &more, 1).await;
        let fetched = deployment.fetch(&more).await;
        assert_eq!((&fetched["status"], &fetched["abuse_strikes"]), (&json!("suspended"), &json!(8)));
    })
    .await;
}

#[tokio::test]
async fn of_many_last_strikes_at_once_one_suspends() {
    let deployment = start_with_threshold("1").await;
    let tenant = deployment.provision("Acme").await;
    let calls: Vec<_> = (0..4).map(|number| deployment.whoami(&tenant.signing().nonce(&nonce(number)))).collect();
    for call in &calls {
        call.clone().send().await.data(200);
    }
    let held = deployment.stack.faults().hold(Match::any().function(FUNCTION).operation("TransactWriteItems"));
    let sent: Vec<_> = calls.into_iter().map(|call| tokio::spawn(call.send())).collect();
    held.reached_by(4).await;
    held.release();
    for task in sent {
        let answer = task.await.unwrap();
        assert!(matches!(answer.status, 401 | 503), "{}", answer.text);
    }
    assert_eq!(deployment.audit_trail(&tenant).await, ["tenant.provisioned", "tenant.suspended"]);
    assert_eq!(strikes(&deployment, &tenant).await, 1);
}

#[tokio::test]
async fn nobody_strikes_without_the_secret() {
    in_one_minute(async || {
        let deployment = start_with_threshold("1").await;
        let tenant = limited(&deployment, 2).await;
        let forged = tenant.with_secret("sk_wrong");
        ask(&deployment, &tenant.signing().nonce(&nonce(1))).await.data(200);
        ask(&deployment, &tenant.signing()).await.data(200);
        let before = deployment.items().await;
        for number in [1, 1, 2, 2] {
            ask(&deployment, &forged.signing()).await.refused(401, "unauthenticated");
            ask(&deployment, &forged.signing().nonce(&nonce(number))).await.refused(401, "unauthenticated");
        }
        assert_eq!(deployment.items().await, before);
    })
    .await;
}

#[tokio::test]
async fn nobody_strikes_with_a_dead_secret_even_in_a_process_that_remembers_it() {
    in_one_minute(async || {
        let deployment = start_with_threshold("1").await;
        let old = limited(&deployment, 2).await;
        // The process has seen the minute full, and has refused nothing.
        let used = deployment.whoami(&old.signing().nonce(&nonce(1)));
        used.clone().send().await.data(200);
        ask(&deployment, &old.signing()).await.data(200);
        let answer = deployment.rotate(&old, 0).await;
        let new = old.with_secret(answer.data(200)["tenant_secret"].as_str().unwrap());
        let fresh = deployment.whoami(&old.signing().nonce(&nonce(2)));
        let over = deployment.whoami(&old.signing());
        for call in [&used, &used, &over, &fresh, &fresh] {
            call.clone().send().await.refused(401, "unauthenticated");
        }
        assert_eq!(strikes(&deployment, &old).await, 0);
        assert_eq!(deployment.audit_trail(&old).await, ["tenant.provisioned", "tenant.secret_rotated"]);
        ask(&deployment, &new.signing()).await.over_limit(2);
        assert_eq!(deployment.fetch(&old).await["status"], "suspended");
    })
    .await;
}

/// Signed with too little, a call is as good as signed with nothing.
#[tokio::test]
async fn nobody_strikes_with_v1_once_a_tenant_is_on_v2() {
    in_one_minute(async || {
        let deployment = start_with_threshold("1").await;
        let tenant = limited(&deployment, 1).await;
        ask(&deployment, &tenant.signing()).await.data(200);
        deployment.update(&tenant, &json!({ "signing_version": "v2" })).await.data(200);
        for _ in 0..2 {
            ask(&deployment, &tenant.signing()).await.refused(401, "unauthenticated");
            deployment.stack.restart(FUNCTION).await;
        }
        assert_eq!(strikes(&deployment, &tenant).await, 0);
    })
    .await;
}
