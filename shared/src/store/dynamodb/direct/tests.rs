//! The same calls by the SDK's own way and by the short one: what they send, and what they make of the answers.

mod answers;
#[expect(clippy::disallowed_methods, reason = "the runtime of a test is its own")]
mod differences;
mod script;
mod signatures;

use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryPartition;
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};

use self::script::Script;
use super::{Direct, Wire};
use crate::domain::{Clock, Random, RandomnessUnavailable, SystemClock, SystemRandomness, random_uuid};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "a-session-token";
/// How long to wait for an answer that comes.
const ATTEMPT: Duration = Duration::from_secs(30);
/// How long to wait for one that doesn't: enough for those that come after it.
const SHORT_ATTEMPT: Duration = Duration::from_millis(400);

/// The longest waits.
struct NoRandomness;

impl Random for NoRandomness {
    fn fill(&self, _: &mut [u8]) -> Result<(), RandomnessUnavailable> {
        Err(RandomnessUnavailable)
    }
}

fn sdk(attempt: Duration) -> SdkConfig {
    let credentials = Credentials::new("AKIDEXAMPLE", SECRET, Some(TOKEN.to_owned()), None, "test");
    let times = TimeoutConfig::builder().operation_attempt_timeout(attempt).operation_timeout(attempt * 5 / 2).build();
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-3"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)))
        .timeout_config(times)
        .build()
}

fn direct(sdk: &SdkConfig, script: &Script, endpoint: Option<&str>) -> Direct {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let connector = SharedHttpConnector::new(script.clone());
    Direct::new(Wire::new(sdk, endpoint.map(str::to_owned), connector, clock, Arc::new(NoRandomness)))
}

/// The SDK's client, with a budget for retries that no other has.
fn client(sdk: &SdkConfig, script: &Script, endpoint: Option<&str>) -> Client {
    let script = script.clone();
    let mut config = aws_sdk_dynamodb::config::Builder::from(sdk);
    config.set_endpoint_url(endpoint.map(str::to_owned));
    let partition = RetryPartition::new(random_uuid(&SystemRandomness::new()).unwrap().to_string());
    let connector = http_client_fn(move |_, _| SharedHttpConnector::new(script.clone()));
    Client::from_conf(config.http_client(connector).retry_partition(partition).build())
}
