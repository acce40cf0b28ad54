//! A process: the functions' own library, with a clock of its own.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use hyper::Method;
use shared::App;
use shared::auth::{Caller, InputSummary, Request, SignedTenant};
use shared::config::Config;
use shared::domain::{
    Actor, ChangeContext, NewTenant, Random, RandomnessUnavailable, RowQuotas, SigningVersion, SystemRandomness,
    TenantId, TraceKey,
};
use shared::error::Result;

use super::mistakes::Planted;
use super::schedule::{Fate, Schedule, Stop, Stops};
use super::wire::{Watcher, Wire};
use super::{SimulatedClock, Simulation};
use crate::support::{Dice, Signing, Tenant, WHOAMI, request};

/// What the functions' processes have, each its own.
#[derive(Debug, Clone)]
pub struct Process {
    pub app: App,
    pub clock: SimulatedClock,
    stops: Stops,
}

/// What one process differs by from another. By default its calls wait for nobody.
#[derive(Default)]
pub struct Setup {
    /// Its schedule, and its number there.
    pub schedule: Option<(Schedule, usize)>,
    /// How far its clock is off.
    pub skew_ms: i64,
    pub planted: Option<Planted>,
    /// What its randomness follows from. With it, no call is made again by the SDK: its retries have a budget that all
    /// of a machine's tests share.
    pub seed: Option<u64>,
    pub watcher: Option<Watcher>,
}

impl Process {
    /// A process whose calls wait for nobody.
    pub fn unscheduled(simulation: &Simulation) -> Self {
        Self::new(simulation, Setup::default())
    }

    /// The process with this number in a schedule, with a clock that is off.
    pub fn scheduled(
        simulation: &Simulation,
        schedule: &Schedule,
        number: usize,
        skew_ms: i64,
        planted: Option<Planted>,
    ) -> Self {
        let schedule = Some((schedule.clone(), number));
        Self::new(simulation, Setup { schedule, skew_ms, planted, ..Setup::default() })
    }

    pub fn new(simulation: &Simulation, setup: Setup) -> Self {
        let clock = simulation.clock.off_by(setup.skew_ms);
        let offline = Arc::clone(&simulation.offline);
        let stops = Stops { schedule: setup.schedule, ..Stops::default() };
        let (planted, watcher) = (setup.planted, setup.watcher);
        let wire = Wire { offline, stops: stops.clone(), clock: clock.clone(), planted, watcher };
        let credentials = Credentials::new("simulated", "local", None, None, "test");
        // The waits of the SDK are real time; what they are for is decided by the schedule.
        let attempts = if setup.seed.is_some() { 1 } else { 3 };
        let retries = RetryConfig::standard().with_max_attempts(attempts);
        let retries = retries.with_initial_backoff(Duration::from_nanos(1));
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .retry_config(retries)
            .build();
        let config = Config {
            table: simulation.offline.table().to_owned(),
            admin_secret: "admin-key".to_owned(),
            secret_prefix: "latchkey".to_owned(),
            trace_key: TraceKey::parse(&"a".repeat(48)).unwrap(),
            public_url: None,
            require_end_user: false,
            strikes_to_suspend: 0,
            default_signing_version: SigningVersion::V1,
            passkeys_enabled: false,
            row_quotas: RowQuotas::default(),
            region: "us-east-1".to_owned(),
            dynamodb_endpoint: None,
            secrets_manager_endpoint: None,
            ca_bundle: None,
        };
        let random: Box<dyn Random> = match setup.seed {
            Some(seed) => Box::new(Seeded(Mutex::new(Dice(seed)))),
            None => Box::new(SystemRandomness::new()),
        };
        let app = App::with(config, &sdk, SharedHttpConnector::new(wire), Box::new(clock.clone()), random);
        Self { app, clock, stops }
    }

    /// Stops until it is chosen to begin something.
    pub async fn begin(&self) {
        self.stop(Stop::Begin).await;
    }

    /// Stops until it is chosen to go on.
    pub async fn stop(&self, stop: Stop) -> Fate {
        self.stops.stop(stop).await
    }

    /// Does something, unless it dies over it.
    pub async fn survives<T>(&self, deed: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.stops.death.notified() => None,
            done = deed => Some(done),
        }
    }

    /// A change that the operator asks for now.
    pub fn change(&self, request_id: &str) -> ChangeContext {
        let at = shared::domain::Clock::now(&self.clock);
        let (actor, deadline) = (Actor::Operator, at.plus(Duration::from_mins(10)));
        ChangeContext {
            actor,
            key_id: None,
            at,
            request_id: request_id.to_owned(),
            deadline,
            idempotency_key: None,
            principal: None,
            label: None,
        }
    }

    /// A tenant with this limit.
    pub async fn provision(&self, limit: u32) -> Tenant {
        let new = serde_json::json!({ "tenant_name": "Acme", "rate_limit_per_min": limit });
        let new: NewTenant = serde_json::from_value(new).unwrap();
        let provisioned = self.app.tenants().provision(new, &self.change("provision")).await.unwrap();
        let secret = provisioned.secret.unwrap().expose().to_owned();
        Tenant { id: provisioned.tenant.summary.id.to_string(), secret }
    }

    /// What signs with a secret of the tenant's now, by the clock of whoever has it.
    pub fn signing(&self, tenant: &Tenant) -> Signing {
        tenant.signing().at(self.clock.now_ms())
    }

    /// A signed call, as far as the guard decides about it.
    pub async fn call(&self, signing: &Signing, request_id: &str) -> Result<SignedTenant> {
        self.request(&signed(signing, request_id)).await
    }

    pub async fn request(&self, request: &Request) -> Result<SignedTenant> {
        SignedTenant::authenticate(&self.app, request, &InputSummary::default()).await
    }
}

/// Randomness that can be had again.
struct Seeded(Mutex<Dice>);

impl Random for Seeded {
    fn fill(&self, bytes: &mut [u8]) -> std::result::Result<(), RandomnessUnavailable> {
        let mut dice = self.0.lock().unwrap();
        bytes.fill_with(|| u8::try_from(dice.below(256)).unwrap());
        Ok(())
    }
}

/// The request of a signed call.
pub fn signed(signing: &Signing, request_id: &str) -> Request {
    let headers: Vec<_> = signing.headers("GET", WHOAMI, b"").into_iter().collect();
    request(Method::GET, WHOAMI, request_id, &headers)
}

/// A tenant's id as the library has it.
pub fn id(tenant: &Tenant) -> TenantId {
    TenantId::parse(&tenant.id).unwrap()
}
