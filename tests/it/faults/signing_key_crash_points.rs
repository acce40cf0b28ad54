//! Every point at which a process can die that lets the standby key sign, or publishes the first: as in
//! [`super::crash_points`], where it says what the points are. A forced rotation is in [`super::key_crash_points`].
//!
//! At each of them one key signs, it is in the set, and verifiers had the time to fetch it.

use serde_json::{Value, json};
use stack::{CrashMode, Invocation, scheduled_event};

use crate::support::{Deployment, Tenant, event};

/// A lease that is over at once, so that the retry need not wait for it.
const OVER: Invocation = Invocation { deadline: Some(1) };

/// What is rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    /// The standby key may sign.
    Promote,
    /// There is none: the tenant is from before there were any.
    Publish,
    Drop,
}

/// The keys of a tenant, as everybody sees them.
#[derive(Debug, PartialEq, Eq)]
struct Keys {
    signing: String,
    standby: Option<String>,
    in_set: usize,
    events: usize,
}

impl Operation {
    async fn stage(self, deployment: &Deployment) -> Tenant {
        let tenant = deployment.provision("Acme").await;
        match self {
            Self::Promote | Self::Drop => deployment.age_standby_key(&tenant.id, 900).await,
            Self::Publish => deployment.take_standby_key_away(&tenant.id).await,
        }
        tenant
    }

    fn request(self, deployment: &Deployment, tenant: &Tenant, key: Option<&str>) -> Value {
        let headers = [("x-admin-key", deployment.key())].into_iter().chain(key.map(|key| ("idempotency-key", key)));
        let headers: Vec<_> = headers.collect();
        let query = format!("tenant_id={}", tenant.id);
        let body = json!({ "drop_previous": self == Self::Drop });
        event("POST", "/api/v1/rotate/signing-key", &query, &headers, Some(&body))
    }

    async fn points(self, killed: bool) {
        let deployment = Deployment::start().await;
        for with_key in [true, false] {
            let tenant = self.stage(&deployment).await;
            let undisturbed = self.request(&deployment, &tenant, with_key.then_some("undisturbed"));
            let calls = deployment.stack.invoke("rotate-signing-key", undisturbed, OVER).await.unwrap().aws_calls;
            assert!(calls >= 4, "{calls}");
            for index in 0..=calls {
                for mode in [CrashMode::NotSent, CrashMode::DoneButNoAnswer] {
                    let label = format!("{self:?}-{index}-{mode:?}-{killed}-{with_key}");
                    self.crash(&deployment, (index, mode, killed), with_key, &label).await;
                }
            }
        }
    }

    async fn crash(
        self,
        deployment: &Deployment,
        (index, mode, killed): (usize, CrashMode, bool),
        with_key: bool,
        label: &str,
    ) {
        let tenant = self.stage(deployment).await;
        let before = keys(deployment, &tenant).await;
        let request = self.request(deployment, &tenant, with_key.then_some(label));
        let faults = deployment.stack.faults();
        let injected = if killed {
            faults.kill("rotate-signing-key", index, mode)
        } else {
            faults.crash("rotate-signing-key", index, mode)
        };
        let first = deployment.stack.invoke("rotate-signing-key", request.clone(), OVER).await;
        faults.clear();
        if injected.fired() > 0 && !killed {
            let payload = first.unwrap().payload;
            // A key that can't be given back is no reason not to say that the standby key is too young.
            let too_young = self == Self::Publish && payload["statusCode"] == 409;
            assert!(payload["statusCode"] == 503 || too_young, "{label}: {payload}");
        }
        // Half way there are either the old keys or the new ones, with their event.
        let after = keys(deployment, &tenant).await;
        let took_effect = after != before;
        assert_eq!(after.events, before.events + usize::from(took_effect), "{label}");
        self.check(&before, &after, took_effect, label);

        let retry = deployment.stack.invoke("rotate-signing-key", request, OVER).await.unwrap().payload;
        deployment.stack.invoke("reconcile", scheduled_event(), Invocation::default()).await.unwrap();
        let end = keys(deployment, &tenant).await;
        self.check(&before, &end, true, label);
        let status = retry["statusCode"].as_u64().unwrap();
        let body: Value = serde_json::from_str(retry["body"].as_str().unwrap()).unwrap();
        match self {
            // Once, however often it is asked for.
            Self::Promote => {
                assert_eq!(end.events, before.events + 1, "{label}");
                let waits = took_effect && !with_key;
                assert_eq!(status, if waits { 409 } else { 200 }, "{label}: {body}");
                if status == 200 {
                    assert_eq!(body["data"]["kid"], end.signing, "{label}");
                }
            }
            Self::Publish => {
                assert_eq!(end.events, before.events + 1, "{label}");
                assert_eq!((status, &body["error"]["code"]), (409, &json!("standby_too_young")), "{label}");
                assert!(!took_effect || after == end, "{label}: the key that was published stands by");
            }
            // Each attempt that took effect without an idempotency key has its event, and the last is the truth.
            Self::Drop => {
                let effects = if with_key { 1 } else { 1 + usize::from(took_effect) };
                assert_eq!(end.events, before.events + effects, "{label}");
                assert_eq!((status, &body["data"]["kid"]), (200, &json!(end.signing)), "{label}");
            }
        }
    }

    fn check(self, before: &Keys, after: &Keys, took_effect: bool, label: &str) {
        if !took_effect {
            return assert_eq!(before, after, "{label}");
        }
        let is_new = |kid: &str| kid != before.signing && Some(kid) != before.standby.as_deref();
        assert!(after.standby.as_deref().is_some_and(is_new), "{label}");
        match self {
            Self::Promote => assert_eq!((Some(&after.signing), after.in_set), (before.standby.as_ref(), 3), "{label}"),
            Self::Publish => assert_eq!((&after.signing, after.in_set), (&before.signing, 2), "{label}"),
            Self::Drop => assert!(is_new(&after.signing) && after.in_set == 2, "{label}"),
        }
    }
}

/// What there is; that it fits together is checked on the way.
async fn keys(deployment: &Deployment, tenant: &Tenant) -> Keys {
    Keys {
        signing: deployment.signing_kid(&tenant.id).await,
        standby: deployment.standby_kid(&tenant.id).await,
        in_set: deployment.stored_key_set(&tenant.id).await.len(),
        events: deployment.audit_trail(tenant).await.len(),
    }
}

async fn run(operation: Operation) {
    tokio::join!(operation.points(false), operation.points(true));
}

#[tokio::test]
async fn promotion_of_a_standby_key() {
    run(Operation::Promote).await;
}

#[tokio::test]
async fn publication_of_the_first_standby_key() {
    run(Operation::Publish).await;
}

#[tokio::test]
async fn a_rotation_that_drops_the_keys_of_before() {
    run(Operation::Drop).await;
}
