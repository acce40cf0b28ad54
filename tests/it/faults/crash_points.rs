//! Every point at which a process can die. An operation with n calls to AWS has 2n + 1: at each call before it was
//! sent, or after it was done and before its answer came, and after the last.
//!
//! Each point twice: the process loses AWS and answers what it can, or is killed. Then the caller tries again with the
//! same idempotency key, and the reconciler runs. Whatever the point, the outcome has to be that of one undisturbed
//! request.

use serde_json::{Value, json};
use stack::{CrashMode, Effect, Fault, Invocation, Match, scheduled_event};

use crate::support::{Deployment, Tenant, event};

/// A lease that is over at once, so that the retry need not wait for it.
const OVER: Invocation = Invocation { deadline: Some(1) };

/// An operation under test.
struct Case {
    function: &'static str,
    path: &'static str,
    body: Value,
    action: &'static str,
}

impl Case {
    fn event(&self, deployment: &Deployment, tenant: &Tenant, key: Option<&str>) -> Value {
        let query = if self.is_provision() { String::new() } else { format!("tenant_id={}", tenant.id) };
        let mut headers = vec![("x-admin-key", deployment.key())];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        event("POST", self.path, &query, &headers, Some(&self.body))
    }

    fn is_provision(&self) -> bool {
        self.function == "provision-tenant"
    }

    /// Runs all crash points of the operation.
    async fn run(&self) {
        let deployment = Deployment::start().await;
        for with_key in [true, false] {
            let tenant = self.tenant(&deployment).await;
            let undisturbed = self.event(&deployment, &tenant, with_key.then_some("undisturbed"));
            let calls = deployment.stack.invoke(self.function, undisturbed, OVER).await.unwrap().aws_calls;
            assert!(calls >= 2, "{calls}");
            for index in 0..=calls {
                for mode in [CrashMode::NotSent, CrashMode::DoneButNoAnswer] {
                    for killed in [false, true] {
                        let point = Point { index, mode, killed, with_key };
                        let crashed = self.crash(&deployment, &point).await;
                        assert_eq!(crashed, index < calls, "{} {point:?}", self.function);
                    }
                }
            }
        }
    }

    /// A tenant to operate on, in the state that the operation changes.
    async fn tenant(&self, deployment: &Deployment) -> Tenant {
        let tenant = deployment.provision("Before").await;
        if self.function == "reactivate-tenant" {
            deployment.suspend(&tenant).await.data(200);
        }
        tenant
    }

    /// Crashes, tries again, reconciles and checks. Whether it did crash: not after the last call.
    async fn crash(&self, deployment: &Deployment, point: &Point) -> bool {
        let label = format!("{} {point:?}", self.function);
        let tenant = self.tenant(deployment).await;
        let tenants_before = listed(deployment).await;
        let trail_before = deployment.audit_trail(&tenant).await;
        let fetched_before = deployment.fetch(&tenant).await;
        let key = label.replace(' ', "_");
        let request = self.event(deployment, &tenant, point.with_key.then_some(key.as_str()));

        let faults = deployment.stack.faults();
        let injected = if point.killed {
            faults.kill(self.function, point.index, point.mode)
        } else {
            faults.crash(self.function, point.index, point.mode)
        };
        let first = deployment.stack.invoke(self.function, request.clone(), OVER).await;
        faults.clear();
        let crashed = injected.fired() > 0;
        match &first {
            Ok(answer) if crashed => assert_eq!(answer.payload["statusCode"], 503, "{label}: {}", answer.payload),
            Ok(answer) => assert!(status(&answer.payload) < 300, "{label}: {}", answer.payload),
            Err(error) => assert!(crashed && point.killed, "{label}: {error}"),
        }
        // Half way there is either the old state or the new one, whole.
        let fetched = deployment.fetch(&tenant).await;
        if fetched != fetched_before && !self.is_provision() {
            let trail = deployment.audit_trail(&tenant).await;
            assert_eq!(trail.last().map(String::as_str), Some(self.action), "{label}");
        }

        let retry = deployment.stack.invoke(self.function, request.clone(), OVER).await.unwrap().payload;
        assert!(status(&retry) < 300, "{label}: {retry}");
        let replay = deployment.stack.invoke(self.function, request, OVER).await.unwrap().payload;
        assert!(status(&replay) < 300, "{label}: {replay}");
        deployment.stack.invoke("reconcile", scheduled_event(), Invocation::default()).await.unwrap();

        let retry: Value = serde_json::from_str(retry["body"].as_str().unwrap()).unwrap();
        let replay: Value = serde_json::from_str(replay["body"].as_str().unwrap()).unwrap();
        if point.with_key {
            assert_eq!(retry, replay, "{label}: the same key has the same outcome");
            self.check_one_effect(deployment, &tenant, &retry["data"], &trail_before, &label).await;
            let expected = tenants_before + usize::from(self.is_provision());
            assert_eq!(listed(deployment).await, expected, "{label}");
        }
        self.check_outcome(deployment, &tenant, &replay["data"], &fetched_before, &label).await;
        check_stores(deployment, &label).await;
        crashed
    }

    /// One effect: one event, and for provisioning one tenant.
    async fn check_one_effect(
        &self,
        deployment: &Deployment,
        tenant: &Tenant,
        data: &Value,
        before: &[String],
        label: &str,
    ) {
        let (subject, before) = match data["tenant_id"].as_str().filter(|_| self.is_provision()) {
            Some(id) => (Tenant { id: id.to_owned(), secret: String::new() }, &[][..]),
            None => (tenant.clone(), before),
        };
        let mut expected = before.to_vec();
        expected.push(self.action.to_owned());
        assert_eq!(deployment.audit_trail(&subject).await, expected, "{label}");
    }

    /// The last answer is the truth.
    async fn check_outcome(&self, deployment: &Deployment, tenant: &Tenant, data: &Value, before: &Value, label: &str) {
        let fetched = deployment.fetch(tenant).await;
        let mut expected = before.clone();
        match self.function {
            "provision-tenant" => {
                let id = data["tenant_id"].as_str().unwrap();
                assert_eq!(deployment.valid_secrets(id).await, [data["tenant_secret"].as_str().unwrap()], "{label}");
            }
            "rotate-tenant-secret" => {
                let valid = deployment.valid_secrets(&tenant.id).await;
                assert_eq!(valid, [data["tenant_secret"].as_str().unwrap()], "{label}: exactly one secret is valid");
                expected["secret_rotated_at"] = data["rotated_at"].clone();
            }
            "update-tenant" => {
                assert_eq!(&deployment.fetch_settings(tenant).await, data, "{label}");
                for (name, value) in self.body.as_object().unwrap() {
                    expected[name] = value.clone();
                }
            }
            "suspend-tenant" => {
                expected["status"] = json!("suspended");
                expected["suspended_reason"] = self.body["reason"].clone();
                expected["suspended_at"] = fetched["suspended_at"].clone();
            }
            _ => {
                expected["status"] = json!("active");
                expected["suspended_at"] = Value::Null;
            }
        }
        expected["updated_at"] = fetched["updated_at"].clone();
        assert_eq!(fetched, expected, "{label}");
        if self.function != "rotate-tenant-secret" && !self.is_provision() {
            assert_eq!(deployment.valid_secrets(&tenant.id).await, [tenant.secret.as_str()], "{label}");
        }
    }
}

/// Where a process dies, and how.
#[derive(Debug)]
struct Point {
    index: usize,
    mode: CrashMode,
    /// Whether the process is killed, or lives on without AWS.
    killed: bool,
    /// Whether the request has an idempotency key.
    with_key: bool,
}

fn status(payload: &Value) -> u64 {
    payload["statusCode"].as_u64().unwrap()
}

async fn listed(deployment: &Deployment) -> usize {
    deployment.states().await.iter().filter(|state| state.contains_key("listing")).count()
}

/// After any crash and one run of the reconciler: every secret belongs to a tenant, every tenant has its two secrets
/// with a label on the version in force, and as many events as it had changes, of which its provisioning is the first.
async fn check_stores(deployment: &Deployment, label: &str) {
    let items = deployment.items().await;
    let states = deployment.states().await;
    let tenants: Vec<_> = states.iter().filter(|state| state["tenant_status"] != "removed").collect();
    let secrets = deployment.stored_secrets();
    assert_eq!(2 * tenants.len(), secrets.len(), "{label}");
    for tenant in tenants {
        assert!(tenant["tenant_status"] != "pending", "{label}");
        let id = &tenant["pk"].as_str().unwrap()["TENANT#".len()..];
        for (folder, pointer) in [("tenants", "secret_version"), ("signing-keys", "token_key_version")] {
            let name = deployment.secret_name(folder, id);
            let secret = secrets.iter().find(|secret| secret.name == name).expect(label);
            let valid = secret.versions.iter().find(|(version, ..)| tenant[pointer] == version.as_str());
            assert!(!valid.expect(label).1.is_empty(), "{label}: the version in force has no label");
        }
        let events = items.iter().filter(|item| item["pk"]["S"] == format!("AUDIT#TENANT#{id}"));
        let changes = |item: &&Value| !item["event"]["S"].as_str().unwrap().contains("\"replayed\":true");
        let events = events.filter(changes).count();
        assert_eq!(u64::try_from(events).unwrap(), tenant["revision"].as_u64().unwrap() + 1, "{label}");
    }
}

#[tokio::test]
async fn provision() {
    let body = json!({ "tenant_name": "New", "rate_limit_per_min": 7 });
    let path = "/api/v1/provision/tenant";
    Case { function: "provision-tenant", path, body, action: "tenant.provisioned" }.run().await;
}

#[tokio::test]
async fn rotate() {
    let path = "/api/v1/rotate/tenant-secret";
    Case { function: "rotate-tenant-secret", path, body: json!({}), action: "tenant.secret_rotated" }.run().await;
}

#[tokio::test]
async fn update() {
    let body = json!({ "tenant_name": "After", "callback_url_base": "https://api.example.com" });
    Case { function: "update-tenant", path: "/api/v1/update/tenant", body, action: "tenant.updated" }.run().await;
}

#[tokio::test]
async fn suspend() {
    let body = json!({ "reason": "unpaid" });
    Case { function: "suspend-tenant", path: "/api/v1/suspend/tenant", body, action: "tenant.suspended" }.run().await;
}

#[tokio::test]
async fn reactivate() {
    let path = "/api/v1/reactivate/tenant";
    Case { function: "reactivate-tenant", path, body: json!({}), action: "tenant.reactivated" }.run().await;
}

/// A stand-in for AWS that chooses the version itself. The tenant's item would name a secret that nobody has.
#[tokio::test]
async fn a_secret_that_was_stored_as_another_version_is_refused_and_leaves_nothing() {
    let deployment = Deployment::start().await;
    let other = |operation: &str| Fault::new(Match::any().operation(operation), Effect::AnotherVersion).once();
    // The tenant secret, and the signing key after it.
    for index in [2, 3] {
        let fault = Fault::new(Match::any().operation("CreateSecret").index(index), Effect::AnotherVersion);
        let fault = deployment.stack.faults().inject(fault.once());
        let answer = deployment.post("/api/v1/provision/tenant", &json!({ "tenant_name": "Acme" })).await;
        answer.refused(503, "temporarily_unavailable");
        assert_eq!(fault.fired(), 1);
    }
    assert_eq!(deployment.get("/api/v1/fetch/tenants").await.data(200)["tenants"], json!([]));
    for state in deployment.states().await {
        deployment.set(state["pk"].as_str().unwrap(), "STATE", "lease_until", &json!({ "N": "1" })).await;
    }
    deployment.stack.invoke("reconcile", scheduled_event(), Invocation::default()).await.unwrap();
    assert!(deployment.stored_secrets().is_empty());

    let tenant = deployment.provision("Acme").await;
    deployment.age_standby_key(&tenant.id, 900).await;
    for path in ["rotate/tenant-secret", "rotate/signing-key"] {
        deployment.stack.faults().inject(other("PutSecretValue"));
        let before = deployment.fetch(&tenant).await;
        let answer = deployment.post_nothing(&format!("/api/v1/{path}?tenant_id={}", tenant.id)).await;
        answer.refused(503, "temporarily_unavailable");
        assert_eq!(deployment.fetch(&tenant).await, before);
        deployment.whoami(&tenant.signing()).send().await.data(200);
    }
    deployment.rotate(&tenant, 0).await.data(200);
}
