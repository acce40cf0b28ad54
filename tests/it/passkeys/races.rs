//! Several at once, on one passkey or one ceremony.

use serde_json::json;

use crate::support::authenticator::Authenticator;
use crate::support::passkeys::ORIGIN;
use crate::support::{Answer, Deployment, at_once};

fn accepted(answers: &[Answer]) -> usize {
    answers.iter().filter(|answer| answer.status == 200).count()
}

/// The passkey and its copies sign with one counter, for ceremonies of their own.
#[tokio::test]
async fn of_logins_at_once_with_one_counter_one_is_accepted() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_passkeys("Acme").await;
    let mut passkey = deployment.enrol(&tenant, "ada", 1).await;
    for round in 0..4 {
        let mut calls = Vec::new();
        for _ in 0..4 {
            let options = deployment.request_options(&tenant, &json!({})).await;
            calls.push(deployment.authenticate(&tenant, &passkey.clone().get(&options, ORIGIN)));
        }
        passkey.counter += 1;
        let answers = at_once(calls).await;
        assert_eq!(accepted(&answers), 1, "{round}: {answers:?}");
        assert!(answers.iter().all(|answer| answer.status == 200 || answer.code() == Some("credential_refused")));
    }
}

/// Synced passkeys do not count: there is nothing to tell two logins apart by.
#[tokio::test]
async fn of_logins_at_once_with_a_passkey_that_does_not_count_each_is_accepted() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_passkeys("Acme").await;
    let mut passkey = deployment.enrol(&tenant, "ada", 0).await;
    let mut calls = Vec::new();
    for _ in 0..6 {
        let options = deployment.request_options(&tenant, &json!({})).await;
        calls.push(deployment.authenticate(&tenant, &passkey.get(&options, ORIGIN)));
    }
    assert_eq!(accepted(&at_once(calls).await), 6);
}

#[tokio::test]
async fn a_response_that_is_sent_several_times_at_once_counts_once() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_passkeys("Acme").await;
    let options = deployment.creation_options(&tenant, "ada").await;
    let (mut passkey, credential) = Authenticator::create(&options, ORIGIN, 0);
    let answers = at_once((0..4).map(|_| deployment.register(&tenant, &credential))).await;
    assert_eq!(accepted(&answers), 1, "{answers:?}");
    assert_eq!(deployment.passkeys_of(&tenant, "ada").await.len(), 1);
    let options = deployment.request_options(&tenant, &json!({})).await;
    let credential = passkey.get(&options, ORIGIN);
    let answers = at_once((0..4).map(|_| deployment.authenticate(&tenant, &credential))).await;
    assert_eq!(accepted(&answers), 1, "{answers:?}");
}

/// Whichever comes first: after the answer to a revocation no login is accepted.
#[tokio::test]
async fn a_revocation_at_the_same_moment_as_logins_is_the_last_word() {
    let deployment = Deployment::start().await;
    let tenant = deployment.with_passkeys("Acme").await;
    let mut passkey = deployment.enrol(&tenant, "ada", 0).await;
    let mut calls = Vec::new();
    for _ in 0..4 {
        let options = deployment.request_options(&tenant, &json!({})).await;
        calls.push(deployment.authenticate(&tenant, &passkey.get(&options, ORIGIN)));
    }
    let revoke = json!({ "backend_user_id": "ada", "credential_id": passkey.credential_id() });
    calls.push(deployment.webauthn(&tenant, "revoke/passkey", &revoke));
    let answers = at_once(calls).await;
    answers[4].data(200);
    for answer in &answers[..4] {
        assert!(answer.status == 200 || answer.code() == Some("credential_refused"), "{}", answer.text);
    }
    deployment.log_in(&tenant, &mut passkey).await.refused(401, "credential_refused");
}
