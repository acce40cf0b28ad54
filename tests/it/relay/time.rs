//! Signed calls as time passes, and where the clocks of processes differ: by the functions' own library, whose time is
//! a parameter.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use shared::auth::{Caller, InputSummary, SignedTenant};
use shared::domain::Quota;
use shared::error::Error;
use shared::{App, Result};

use crate::simulation::signed;
use crate::support::{Deployment, HandClock, Signing, Tenant};

/// The beginning of a minute.
const START: i64 = 1_800_000_000_000;
const MINUTE: i64 = 60_000;

/// What one process of a function remembers, and its clock.
struct Process {
    app: App,
    clock: HandClock,
}

impl Process {
    fn of(deployment: &Deployment) -> Self {
        let clock = HandClock::default();
        Self { app: deployment.app(&clock), clock }
    }

    /// Makes a call when the process's clock shows this time. What is left after it.
    async fn ask(&self, signing: &Signing, at: i64) -> Result<Quota> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        self.clock.set(at);
        let request = signed(signing, &format!("request-{}", NUMBER.fetch_add(1, Ordering::SeqCst)));
        let caller = SignedTenant::authenticate(&self.app, &request, &InputSummary::default()).await?;
        Ok(caller.quota().unwrap())
    }

    /// The same, signed at that very time.
    async fn ask_now(&self, tenant: &Tenant, at: i64) -> Result<Quota> {
        self.ask(&tenant.signing().at(at), at).await
    }

    async fn is_let_in(&self, tenant: &Tenant, at: i64) -> bool {
        match self.ask_now(tenant, at).await {
            Ok(_) => true,
            Err(Error::Unauthenticated(_) | Error::CredentialFault(_)) => false,
            Err(error) => panic!("{error}"),
        }
    }
}

/// The limit that a call went over.
fn over(outcome: Result<Quota>) -> Quota {
    match outcome {
        Err(Error::RateLimited(standing)) => standing.quota,
        Err(error) => panic!("{error}"),
        Ok(quota) => panic!("{quota:?}"),
    }
}

async fn limited(deployment: &Deployment, limit: u64) -> Tenant {
    let body = json!({ "tenant_name": "Acme", "rate_limit_per_min": limit });
    Tenant::of(&deployment.post("/api/v1/provision/tenant", &body).await)
}

#[tokio::test]
async fn a_process_that_refused_accepts_again_when_the_minute_turns_and_not_a_millisecond_before() {
    let deployment = Deployment::start().await;
    let tenant = limited(&deployment, 2).await;
    let (one, two) = (Process::of(&deployment), Process::of(&deployment));
    for minute in [START, START + MINUTE, START + 3 * MINUTE] {
        assert_eq!(one.ask_now(&tenant, minute).await.unwrap().to_string(), "\"relay\";r=1;t=60");
        assert_eq!(two.ask_now(&tenant, minute + 1500).await.unwrap().to_string(), "\"relay\";r=0;t=59");
        for process in [&one, &two] {
            assert_eq!(over(process.ask_now(&tenant, minute + 30_000).await).to_string(), "\"relay\";r=0;t=30");
        }
        let mark = deployment.stack.mark();
        for process in [&one, &two] {
            let quota = over(process.ask_now(&tenant, minute + MINUTE - 1).await);
            assert_eq!(quota.to_string(), "\"relay\";r=0;t=1");
        }
        assert!(deployment.stack.calls_since(mark).is_empty());
    }
    assert_eq!(deployment.fetch(&tenant).await["abuse_strikes"], 3, "one a minute");
}

#[tokio::test]
async fn the_secret_of_before_is_good_until_the_last_millisecond_of_its_overlap() {
    let deployment = Deployment::start().await;
    let old = deployment.provision("Acme").await;
    let answer = deployment.rotate(&old, 600).await;
    let new = old.with_secret(answer.data(200)["tenant_secret"].as_str().unwrap());
    let until = deployment.state(&old.id).await.unwrap()["previous_secret_until"].as_i64().unwrap();
    let warm = Process::of(&deployment);
    assert!(warm.is_let_in(&old, until - 1).await);
    for process in [&warm, &Process::of(&deployment)] {
        assert!(process.is_let_in(&old, until - 1).await);
        assert!(!process.is_let_in(&old, until).await);
        assert!(process.is_let_in(&new, until).await);
    }
}

#[tokio::test]
async fn a_timestamp_is_thirty_seconds_off_at_most_to_the_millisecond() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let process = Process::of(&deployment);
    for off in [-30_000, 0, 30_000] {
        process.ask(&tenant.signing().at(START + off), START).await.unwrap();
    }
    let mark = deployment.stack.mark();
    for off in [-30_001, 30_001, -START, START / 1000 - START] {
        let outcome = process.ask(&tenant.signing().at(START + off), START).await;
        assert!(matches!(outcome, Err(Error::CredentialFault(_))), "{off}");
    }
    assert!(deployment.stack.calls_since(mark).is_empty());
}

#[tokio::test]
async fn a_nonce_is_kept_for_longer_than_what_was_signed_with_it_is_taken() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let process = Process::of(&deployment);
    // Signed ahead of time, it is taken for a whole minute.
    let signing = tenant.signing().at(START + 30_000).nonce("0123456789abcdef");
    process.ask(&signing, START).await.unwrap();
    for later in [1, 30_000, 60_000] {
        for process in [&process, &Process::of(&deployment)] {
            let outcome = process.ask(&signing, START + later).await;
            assert!(matches!(outcome, Err(Error::Unauthenticated("nonce was used before"))), "{later}: {outcome:?}");
        }
    }
    let items = deployment.items().await;
    let kept = items.iter().find(|item| item["pk"]["S"].as_str().unwrap().contains("#NONCE#")).unwrap();
    let purged: i64 = kept["purge_at"]["N"].as_str().unwrap().parse().unwrap();
    assert!(purged >= START / 1000 + 120, "{purged}");
    assert_eq!(deployment.fetch(&tenant).await["abuse_strikes"], 1);
}

#[tokio::test]
async fn no_minute_accepts_more_than_the_limit_whatever_the_clocks_of_processes_say() {
    let deployment = Deployment::start().await;
    let tenant = limited(&deployment, 5).await;
    let processes = [(); 3].map(|()| Process::of(&deployment));
    let (mut accepted, mut full, mut refused) = (BTreeSet::new(), BTreeSet::new(), 0);
    for round in 0..60 {
        // Three calls at once every seven seconds, by a right clock, one that is ahead, and one that is behind.
        let now = START + round * 7_000;
        let calls = (
            processes[0].ask_now(&tenant, now),
            processes[1].ask_now(&tenant, now + 4_000),
            processes[2].ask_now(&tenant, now - 9_000),
        );
        let outcomes = tokio::join!(calls.0, calls.1, calls.2);
        for outcome in [outcomes.0, outcomes.1, outcomes.2] {
            match outcome {
                Ok(quota) => {
                    assert!(accepted.insert((quota.minute, quota.remaining)), "counted once: {quota:?}");
                    assert!(quota.remaining < 5);
                }
                outcome => {
                    full.insert(over(outcome).minute);
                    refused += 1;
                }
            }
        }
    }
    for minute in &full {
        assert_eq!(
            accepted.iter().filter(|(counted, _)| counted == minute).count(),
            5,
            "refused for nothing: {minute:?}"
        );
    }
    assert_eq!(accepted.len() + refused, 180);
    assert!(full.len() >= 7 && accepted.len() >= 35, "{} {}", full.len(), accepted.len());
    let strikes = deployment.fetch(&tenant).await["abuse_strikes"].as_u64().unwrap();
    assert!((1..=full.len()).contains(&usize::try_from(strikes).unwrap()), "{strikes}");
}
