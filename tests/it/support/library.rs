//! The functions' own library on the local AWS, where time is a parameter.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use hyper::{HeaderMap, Method};
use shared::auth::{Request, Trace};
use shared::domain::{Clock, RowQuotas, SigningVersion, SystemRandomness, Timestamp, TraceKey};
use shared::{App, config::Config};

use super::deployment::Deployment;

/// A clock that stands until it is set. Clones are the same clock.
#[derive(Debug, Clone, Default)]
pub struct HandClock(Arc<AtomicI64>);

impl HandClock {
    pub fn set(&self, millis: i64) {
        self.0.store(millis, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// A request as the functions' library has it, without a body.
pub fn request(method: Method, path: &str, request_id: &str, headers: &[(String, String)]) -> Request {
    let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    Request {
        method,
        path: path.to_owned(),
        request_id: request_id.to_owned(),
        at: Timestamp::from_millis(0),
        deadline: Timestamp::from_millis(0),
        path_parameters: BTreeMap::new(),
        base_url: "http://127.0.0.1".to_owned(),
        called_url: "http://127.0.0.1".to_owned(),
        source_ip: None,
        principal: None,
        query: String::new(),
        headers: headers.collect::<HeaderMap>(),
        body: Vec::new(),
        trace: Trace::default(),
    }
}

impl Deployment {
    /// What a process is built on, which remembers as one does.
    pub fn app(&self, clock: &HandClock) -> App {
        let environment: BTreeMap<_, _> = self.stack.environment().into_iter().collect();
        let variable = |name: &str| environment[name].clone();
        let credentials = Credentials::new("developer", "local", None, None, "test");
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        let config = Config {
            public_url: None,
            require_end_user: false,
            strikes_to_suspend: 0,
            default_signing_version: SigningVersion::V1,
            passkeys_enabled: false,
            row_quotas: RowQuotas::default(),
            table: variable("LATCHKEY_TABLE"),
            admin_secret: variable("LATCHKEY_ADMIN_SECRET"),
            secret_prefix: variable("LATCHKEY_SECRET_PREFIX"),
            trace_key: TraceKey::parse(&variable("LATCHKEY_TRACE_KEY")).unwrap(),
            region: variable("AWS_REGION"),
            dynamodb_endpoint: Some(variable("AWS_ENDPOINT_URL_DYNAMODB")),
            secrets_manager_endpoint: Some(variable("AWS_ENDPOINT_URL_SECRETS_MANAGER")),
            ca_bundle: None,
        };
        let connector = shared::store::connector(&config).unwrap();
        App::with(config, &sdk, connector, Box::new(clock.clone()), Box::new(SystemRandomness::new()))
    }
}
