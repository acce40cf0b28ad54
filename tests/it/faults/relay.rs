//! Signed calls while AWS fails: none is let in that was not counted, and no signature or nonce is good for more than
//! it was.

use serde_json::{Value, json};
use stack::{CrashMode, Effect, Fault, Match};

use crate::support::{Answer, Deployment, Tenant, in_one_minute};

const FUNCTION: &str = "relay-whoami";

/// A text that can be a nonce.
fn nonce(number: usize) -> String {
    format!("nonce-{number:016}")
}

fn status(status: u16, code: &str) -> Effect {
    Effect::Status(status, code.to_owned())
}

/// What can become of a call to AWS.
fn effects() -> [Effect; 5] {
    [
        Effect::NotSent,
        Effect::NoAnswer,
        status(500, "InternalServerError"),
        status(400, "ThrottlingException"),
        status(400, "AccessDeniedException"),
    ]
}

fn check_unavailable(answer: &Answer, label: &str) {
    assert_eq!((answer.status, answer.code()), (503, Some("temporarily_unavailable")), "{label}: {}", answer.text);
    assert!(answer.headers["retry-after"].parse::<u64>().unwrap() >= 1, "{label}");
}

/// How many calls were counted, in whichever minutes.
async fn counted(deployment: &Deployment, tenant: &Tenant) -> usize {
    let state = deployment.state(&tenant.id).await.unwrap();
    let calls = state["accepted_calls"].as_object().unwrap().values();
    calls.map(|count| count["N"].as_str().unwrap().parse::<usize>().unwrap()).sum()
}

async fn strikes(deployment: &Deployment, tenant: &Tenant) -> Value {
    deployment.fetch(tenant).await["abuse_strikes"].clone()
}

#[tokio::test]
async fn a_signed_call_is_refused_while_any_of_its_calls_to_aws_fails_and_works_when_that_is_over() {
    in_one_minute(async || {
        let deployment = Deployment::start().await;
        for (round, effect) in effects().into_iter().enumerate() {
            let tenant = deployment.provision("Acme").await;
            let mut accepted = 0;
            // In the order in which a process that has just started makes them.
            for (step, operation) in ["GetItem", "GetSecretValue", "PutItem", "UpdateItem"].into_iter().enumerate() {
                let label = format!("{operation} {effect:?}");
                let fault = Fault::new(Match::any().function(FUNCTION).operation(operation), effect.clone());
                let injected = deployment.stack.faults().inject(fault);
                let used = counted(&deployment, &tenant).await;
                let signing = tenant.signing().nonce(&nonce(10 * round + step));
                check_unavailable(&deployment.whoami(&signing).send().await, &label);
                assert!(injected.fired() > 0, "{label}");
                let is_counted = operation == "UpdateItem" && effect == Effect::NoAnswer;
                assert_eq!(counted(&deployment, &tenant).await > used, is_counted, "{label}");
                deployment.stack.faults().clear();
                if step == 3 {
                    deployment.whoami(&tenant.signing()).send().await.data(200);
                    accepted += 1;
                }
            }
            assert!(counted(&deployment, &tenant).await >= accepted);
            assert_eq!(strikes(&deployment, &tenant).await, 0);
            deployment.stack.restart(FUNCTION).await;
        }
    })
    .await;
}

#[tokio::test]
async fn no_call_is_let_in_without_being_counted_and_a_short_failure_is_not_noticed() {
    in_one_minute(async || {
        let deployment = Deployment::start().await;
        let tenant = deployment.provision("Acme").await;
        let (mut accepted, mut lost) = (0, 0);
        let short = [Effect::NotSent, Effect::NoAnswer, status(500, "InternalServerError")];
        for effect in short {
            for operation in ["GetItem", "GetSecretValue", "PutItem", "UpdateItem"] {
                let label = format!("{operation} {effect:?}");
                deployment.stack.restart(FUNCTION).await;
                let fault = Fault::new(Match::any().function(FUNCTION).operation(operation), effect.clone()).once();
                let injected = deployment.stack.faults().inject(fault);
                let call = deployment.whoami(&tenant.signing().nonce(&nonce(accepted)));
                let answer = call.clone().send().await;
                assert_eq!((answer.status, injected.fired()), (200, 1), "{label}: {}", answer.text);
                accepted += 1;
                // What was counted and not answered is counted again.
                lost += usize::from(operation == "UpdateItem" && effect == Effect::NoAnswer);
                assert_eq!(counted(&deployment, &tenant).await, accepted + lost, "{label}");
                assert_eq!(strikes(&deployment, &tenant).await, accepted - 1, "{label}");
                call.send().await.refused(401, "unauthenticated");
                assert_eq!(strikes(&deployment, &tenant).await, accepted, "{label}");
            }
        }
        assert_eq!((accepted, lost), (12, 1));
    })
    .await;
}

#[tokio::test]
async fn a_limit_is_never_exceeded_when_answers_are_lost() {
    in_one_minute(async || {
        let deployment = Deployment::start().await;
        let tenant = deployment.provision("Acme").await;
        deployment.update(&tenant, &json!({ "rate_limit_per_min": 4 })).await.data(200);
        let lost = Fault::new(Match::any().function(FUNCTION).operation("UpdateItem"), Effect::NoAnswer);
        deployment.stack.faults().inject(lost.once());
        let mut statuses = Vec::new();
        for _ in 0..6 {
            statuses.push(deployment.whoami(&tenant.signing()).send().await.status);
        }
        assert_eq!(statuses, [200, 200, 200, 429, 429, 429], "the first has counted twice");
        assert_eq!(counted(&deployment, &tenant).await, 4);
    })
    .await;
}

#[tokio::test]
async fn a_nonce_whose_use_was_not_answered_is_good_for_the_call_that_used_it_and_for_no_other() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    deployment.whoami(&tenant.signing()).send().await.data(200);
    let lost = || Fault::new(Match::any().function(FUNCTION).operation("PutItem"), Effect::NoAnswer);
    for times in 1..3 {
        let call = deployment.whoami(&tenant.signing().nonce(&nonce(times)));
        let injected = deployment.stack.faults().inject(lost().count(times));
        let (answer, calls) = deployment.calls_of(call).await;
        assert_eq!((answer.status, injected.fired(), calls.len()), (200, times, times + 2), "{}", answer.text);
        assert_eq!(strikes(&deployment, &tenant).await, 0);
    }
    // Nobody knows what became of it: whoever asks again signs anew.
    deployment.stack.faults().inject(lost());
    let call = deployment.whoami(&tenant.signing().nonce(&nonce(3)));
    check_unavailable(&call.clone().send().await, "without an answer");
    deployment.stack.faults().clear();
    call.send().await.refused(401, "unauthenticated");
    deployment.whoami(&tenant.signing().nonce(&nonce(4))).send().await.data(200);
}

#[tokio::test]
async fn a_transaction_in_the_way_of_a_count_is_waited_for_and_one_that_stays_is_temporary() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    deployment.whoami(&tenant.signing()).send().await.data(200);
    let conflict = || {
        let update = Match::any().function(FUNCTION).operation("UpdateItem");
        Fault::new(update, status(400, "TransactionConflictException"))
    };
    for times in [1, 2, 19] {
        let injected = deployment.stack.faults().inject(conflict().count(times));
        let (answer, calls) = deployment.calls_of(deployment.whoami(&tenant.signing())).await;
        assert_eq!((answer.status, injected.fired(), calls.len()), (200, times, times + 1), "{}", answer.text);
    }
    let used = counted(&deployment, &tenant).await;
    deployment.stack.faults().inject(conflict());
    check_unavailable(&deployment.whoami(&tenant.signing()).send().await, "a conflict that stays");
    deployment.stack.faults().clear();
    assert_eq!(counted(&deployment, &tenant).await, used);
    deployment.whoami(&tenant.signing()).send().await.data(200);
}

#[tokio::test]
async fn a_strike_that_cannot_be_noted_lets_nobody_in_and_is_noted_later() {
    in_one_minute(async || {
        let deployment = Deployment::start().await;
        for effect in effects() {
            let tenant = deployment.provision("Acme").await;
            deployment.update(&tenant, &json!({ "rate_limit_per_min": 1 })).await.data(200);
            let used = deployment.whoami(&tenant.signing().nonce(&nonce(1)));
            used.clone().send().await.data(200);
            let strike = Match::any().function(FUNCTION).operation("TransactWriteItems");
            deployment.stack.faults().inject(Fault::new(strike, effect.clone()));
            let label = format!("{effect:?}");
            check_unavailable(&used.clone().send().await, &label);
            check_unavailable(&deployment.whoami(&tenant.signing()).send().await, &label);
            deployment.stack.faults().clear();
            used.send().await.refused(401, "unauthenticated");
            deployment.whoami(&tenant.signing()).send().await.over_limit(1);
            assert_eq!((counted(&deployment, &tenant).await, strikes(&deployment, &tenant).await), (1, json!(2)));
        }
    })
    .await;
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_is_temporary_and_nobody_is_let_in_without_it() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let wrong = tenant.with_secret("sk_wrong");
    for code in ["AccessDeniedException", "InternalServiceError", "DecryptionFailure", "ResourceNotFoundException"] {
        let fault = Fault::new(Match::any().operation("GetSecretValue").function(FUNCTION), status(400, code));
        deployment.stack.faults().inject(fault);
        for tenant in [&tenant, &wrong] {
            check_unavailable(&deployment.whoami(&tenant.signing()).send().await, code);
        }
        deployment.stack.faults().clear();
    }
    assert_eq!(counted(&deployment, &tenant).await, 0);
    deployment.whoami(&wrong.signing()).send().await.refused(401, "unauthenticated");
    deployment.whoami(&tenant.signing()).send().await.data(200);
    // A process that has it does without the store.
    let gone = Fault::new(Match::any().operation("GetSecretValue").function(FUNCTION), Effect::NotSent);
    deployment.stack.faults().inject(gone);
    deployment.whoami(&tenant.signing()).send().await.data(200);
    deployment.whoami(&wrong.signing()).send().await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_process_that_dies_between_its_calls_leaves_nothing_that_opens_anything() {
    in_one_minute(async || {
        let deployment = Deployment::start().await;
        let tenant = deployment.provision("Acme").await;
        let wrong = tenant.with_secret("sk_wrong");
        let mut accepted = 0;
        // A process that has just started reads, reads the secret, puts the nonce, and counts.
        for index in 0..4 {
            for mode in [CrashMode::NotSent, CrashMode::DoneButNoAnswer] {
                let label = format!("{index} {mode:?}");
                let number = 2 * index + usize::from(mode == CrashMode::NotSent);
                deployment.stack.restart(FUNCTION).await;
                let injected = deployment.stack.faults().kill(FUNCTION, index, mode);
                let call = deployment.whoami(&tenant.signing().nonce(&nonce(number)));
                let answer = call.clone().send_raw().await;
                assert_eq!((answer.status, injected.fired()), (500, 1), "{label}: {}", answer.text);
                deployment.stack.faults().clear();
                let forged = deployment.whoami(&wrong.signing().nonce(&nonce(number)));
                forged.send().await.refused(401, "unauthenticated");
                // The same call is good as long as its nonce was not used, and then once.
                let is_used = index > 2 || (index == 2 && mode == CrashMode::DoneButNoAnswer);
                for is_good in [!is_used, false] {
                    let answer = call.clone().send().await;
                    assert_eq!(answer.status, if is_good { 200 } else { 401 }, "{label}: {}", answer.text);
                    accepted += usize::from(is_good);
                }
                deployment.whoami(&tenant.signing()).send().await.data(200);
                accepted += 1;
                assert!(counted(&deployment, &tenant).await >= accepted, "{label}");
            }
        }
        assert_eq!(
            counted(&deployment, &tenant).await,
            accepted + 1,
            "the one that was killed when it had been counted"
        );
    })
    .await;
}

/// The process has seen the tenant with a secret that it could not read, and the secret is another one by now.
#[tokio::test]
async fn what_a_process_remembers_and_cannot_read_is_not_in_the_way_of_what_is_in_force() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let reads = || Match::any().function(FUNCTION).operation("GetSecretValue");
    let faults = deployment.stack.faults();
    let denied = status(400, "AccessDeniedException");
    faults.inject(Fault::new(reads(), denied.clone()).once());
    check_unavailable(&deployment.whoami(&tenant.signing()).send().await, "the first");
    let answer = deployment.rotate(&tenant, 0).await;
    let now = tenant.with_secret(answer.data(200)["tenant_secret"].as_str().unwrap());
    // The old version is gone for good.
    let gone = faults.inject(Fault::new(reads(), denied).once());
    deployment.whoami(&now.signing()).send().await.data(200);
    assert_eq!(gone.fired(), 1);
}
