//! One attempt at a call: the signed request, and the whole answer to it.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
use aws_sdk_dynamodb::config::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::connection::CaptureSmithyConnection;
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use tokio::time::Instant;
use url::Url;
use uuid::Uuid;

use super::retries::Retries;
use super::signature::{AmzDate, Signable, Signer};
use crate::domain::{Clock, Random, draw};
use crate::store::TimeLimit;

const CONTENT_TYPE: &str = "application/x-amz-json-1.0";
const SECURITY_TOKEN: &str = "x-amz-security-token";
const USER_AGENT: &str = concat!("latchkey/", env!("CARGO_PKG_VERSION"));

/// The way to DynamoDB.
pub struct Wire {
    connector: SharedHttpConnector,
    credentials: Option<SharedCredentialsProvider>,
    clock: Arc<dyn Clock>,
    region: Option<String>,
    endpoint: Option<String>,
    route: OnceLock<Route>,
    attempt_time: Option<Duration>,
    call_time: Option<Duration>,
    limit: TimeLimit,
    pub(super) retries: Retries,
    /// The first half of the ids of this process's calls, and how many there were.
    ids: (u64, AtomicU64),
}

/// Where requests go, and who signs them.
struct Route {
    /// What all requests have in common: address and headers.
    request: HttpRequest,
    host: String,
    path: String,
    signer: Signer,
}

/// A call, with all its attempts.
#[derive(Debug)]
pub(super) struct Call<'a> {
    target: Cow<'static, str>,
    body: &'a SdkBody,
    id: String,
    deadline: Option<Instant>,
}

impl Call<'_> {
    /// Whether its time is over.
    pub(super) fn is_over(&self) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= Instant::now())
    }
}

/// Why an attempt has no answer.
#[derive(Debug)]
pub(super) enum Lost {
    /// The request could not be made.
    Unsent(Box<dyn StdError + Send + Sync>),
    Connection(ConnectorError),
    /// The answer broke off, or is not what was sent.
    Broken(Box<dyn StdError + Send + Sync>, Box<HttpResponse>),
    Late,
}

impl Wire {
    /// The way of calls with the credentials, the region, the retries and the times of `sdk`, to `endpoint` or else to
    /// that of the region.
    pub fn new(
        sdk: &SdkConfig,
        endpoint: Option<String>,
        connector: SharedHttpConnector,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        // Without randomness the ids of two processes may be the same, which only whoever reads AWS's logs would
        // notice.
        let process = draw::<8>(&*random).map(u64::from_be_bytes).unwrap_or_default();
        let times = sdk.timeout_config();
        Self {
            connector,
            credentials: sdk.credentials_provider(),
            clock,
            region: sdk.region().map(ToString::to_string),
            endpoint,
            route: OnceLock::new(),
            attempt_time: times.and_then(TimeoutConfig::operation_attempt_timeout),
            call_time: times.and_then(TimeoutConfig::operation_timeout),
            limit: TimeLimit::default(),
            retries: Retries::new(sdk.retry_config(), random),
            ids: (process, AtomicU64::new(0)),
        }
    }

    /// Begins a call.
    pub(super) fn call<'a>(&self, target: Cow<'static, str>, body: &'a SdkBody) -> Call<'a> {
        let id = Uuid::from_u64_pair(self.ids.0, self.ids.1.fetch_add(1, Ordering::Relaxed)).to_string();
        Call { target, body, id, deadline: self.call_time.map(|time| Instant::now() + time) }
    }

    /// Waits before the next attempt, unless the call's time is over before.
    pub(super) async fn wait(&self, call: &Call<'_>, time: Duration) -> Result<(), Lost> {
        let until = Instant::now() + time;
        match call.deadline {
            Some(deadline) if deadline <= until => {
                tokio::time::sleep_until(deadline).await;
                Err(Lost::Late)
            }
            _ => {
                tokio::time::sleep_until(until).await;
                Ok(())
            }
        }
    }

    /// One attempt, from 1. The answer has its whole body.
    pub(super) async fn attempt(&self, call: &Call<'_>, number: u32) -> Result<HttpResponse, Lost> {
        let route = self.route().await.map_err(Lost::Unsent)?;
        let mut request = self.signed(route, call, number).map_err(Lost::Unsent)?;
        let connection = CaptureSmithyConnection::new();
        request.add_extension(connection.clone());
        let answered = self.answered(request);
        let limit = self.attempt_time.map(|time| Instant::now() + time);
        let limit = limit.into_iter().chain(call.deadline).min();
        let answer = match limit {
            Some(limit) => self.limit.until(limit, answered).await.unwrap_or(Err(Lost::Late)),
            None => answered.await,
        };
        // The next call may reach another host.
        let is_healthy = answer.as_ref().is_ok_and(|answer| !answer.status().is_server_error());
        if let (false, Some(connection)) = (is_healthy, connection.get()) {
            connection.poison();
        }
        answer
    }

    async fn answered(&self, request: HttpRequest) -> Result<HttpResponse, Lost> {
        let mut answer = self.connector.call(request).await.map_err(Lost::Connection)?;
        let body = match ByteStream::new(answer.take_body()).collect().await {
            Ok(body) => body.into_bytes(),
            Err(error) => return Err(Lost::Broken(error.into(), Box::new(answer))),
        };
        // DynamoDB sends it with each answer; the SDK doesn't look.
        let checksum = answer.headers().get("x-amz-crc32").map(|text| text.parse() == Ok(crc32fast::hash(&body)));
        if checksum == Some(false) {
            return Err(Lost::Broken("the answer does not have its checksum".into(), Box::new(answer)));
        }
        *answer.body_mut() = SdkBody::from(body);
        Ok(answer)
    }

    fn signed(
        &self,
        route: &Route,
        call: &Call<'_>,
        number: u32,
    ) -> Result<HttpRequest, Box<dyn StdError + Send + Sync>> {
        let Route { host, path, signer, .. } = route;
        let time = AmzDate::from(self.clock.now());
        let headers: Vec<_> = [("content-type", CONTENT_TYPE), ("host", host), ("x-amz-date", time.as_str())]
            .into_iter()
            .chain(signer.session_token().map(|token| (SECURITY_TOKEN, token)))
            .chain([("x-amz-target", call.target.as_ref())])
            .collect();
        let signable =
            Signable { method: "POST", path, headers: &headers, body: call.body.bytes().unwrap_or_default() };
        let authorization = signer.authorization(&time, signable);
        let mut request = route.request.try_clone().ok_or("a request without a body cannot be copied")?;
        let attempt = format!("attempt={number}; max={}", self.retries.attempts());
        for (name, value) in [
            ("x-amz-date", Cow::Owned(time.into())),
            ("x-amz-target", call.target.clone()),
            ("authorization", Cow::Owned(authorization)),
            ("amz-sdk-invocation-id", Cow::Owned(call.id.clone())),
            ("amz-sdk-request", Cow::Owned(attempt)),
        ] {
            request.headers_mut().try_insert(name, value)?;
        }
        *request.body_mut() = call.body.try_clone().ok_or("the body is a stream")?;
        Ok(request)
    }

    /// Found at the first call: both are asked for asynchronously. Lambda gives a process its credentials once.
    async fn route(&self) -> Result<&Route, Box<dyn StdError + Send + Sync>> {
        if let Some(route) = self.route.get() {
            return Ok(route);
        }
        let region = self.region.clone().ok_or("no region is set")?;
        let credentials = self.credentials.as_ref().ok_or("no credentials are set")?.provide_credentials().await?;
        let place = Params::builder().region(region.clone()).set_endpoint(self.endpoint.clone()).build()?;
        let endpoint = DefaultResolver::new().resolve_endpoint(&place).await?;
        let url = Url::parse(endpoint.url())?;
        let host = match (url.host_str().ok_or("the endpoint has no host")?, url.port()) {
            (host, Some(port)) => format!("{host}:{port}"),
            (host, None) => host.to_owned(),
        };
        let mut request = HttpRequest::new(SdkBody::empty());
        request.set_method("POST")?;
        request.set_uri(url.as_str())?;
        for (name, value) in [("content-type", CONTENT_TYPE), ("user-agent", USER_AGENT)] {
            request.headers_mut().try_insert(name, value)?;
        }
        request.headers_mut().try_insert("host", host.clone())?;
        if let Some(token) = credentials.session_token() {
            request.headers_mut().try_insert(SECURITY_TOKEN, token.to_owned())?;
        }
        let signer = Signer::new(credentials, region, "dynamodb");
        Ok(self.route.get_or_init(|| Route { request, host, path: url.path().to_owned(), signer }))
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Wire")
    }
}
