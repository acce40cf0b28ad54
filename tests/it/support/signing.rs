//! Signatures of tenants' calls, made as the documentation says and with nothing of the service.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::task::Poll;

use aws_lc_rs::{digest, hmac};
use data_encoding::HEXLOWER;

use super::deployment::{Deployment, Tenant};
use super::http::{Answer, Call};

/// What asks a tenant's signature and nothing else.
pub const WHOAMI: &str = "/api/v1/relay/whoami";

/// The time in Unix milliseconds.
pub fn now_ms() -> i64 {
    let elapsed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(elapsed.as_millis()).unwrap()
}

/// What a call is signed with.
#[derive(Debug, Clone)]
pub struct Signing {
    pub tenant_id: String,
    pub secret: String,
    pub at: i64,
    /// With a nonce it is v2.
    pub nonce: Option<String>,
    /// What the names of the headers begin with.
    pub family: &'static str,
}

impl Tenant {
    /// Signs with v1, now.
    pub fn signing(&self) -> Signing {
        let (tenant_id, secret) = (self.id.clone(), self.secret.clone());
        Signing { tenant_id, secret, at: now_ms(), nonce: None, family: "x-latchkey" }
    }

    /// The same tenant after a rotation.
    pub fn with_secret(&self, secret: &str) -> Self {
        Self { secret: secret.to_owned(), ..self.clone() }
    }
}

impl Signing {
    /// Signs with v2.
    pub fn nonce(self, nonce: &str) -> Self {
        Self { nonce: Some(nonce.to_owned()), ..self }
    }

    pub fn at(self, at: i64) -> Self {
        Self { at, ..self }
    }

    /// The value of the signature's header. `target` is path and query.
    pub fn signature(&self, method: &str, target: &str, body: &[u8]) -> String {
        let body = HEXLOWER.encode(digest::digest(&digest::SHA256, body).as_ref());
        let (at, key) = (self.at, hmac::Key::new(hmac::HMAC_SHA256, self.secret.as_bytes()));
        let mac = |text: String| HEXLOWER.encode(hmac::sign(&key, text.as_bytes()).as_ref());
        match &self.nonce {
            None => mac(format!("{at}.{body}")),
            Some(nonce) => format!("v2={}", mac(format!("{at}.{method}.{target}.{nonce}.{body}"))),
        }
    }

    /// The headers of a call.
    pub fn headers(&self, method: &str, target: &str, body: &[u8]) -> Vec<(String, String)> {
        let named = |name: &str, value: String| (format!("{}-{name}", self.family), value);
        let nonce = self.nonce.iter().map(|nonce| ("x-latchkey-nonce".to_owned(), nonce.clone()));
        [
            named("tenant-id", self.tenant_id.clone()),
            named("timestamp", self.at.to_string()),
            named("signature", self.signature(method, target, body)),
        ]
        .into_iter()
        .chain(nonce)
        .collect()
    }
}

impl Call {
    /// Signs the request as it is.
    pub fn signed(self, signing: &Signing) -> Self {
        let headers = signing.headers(self.method(), self.target(), self.sent());
        headers.iter().fold(self, |call, (name, value)| call.header(name, value))
    }
}

impl Deployment {
    pub fn whoami(&self, signing: &Signing) -> Call {
        self.anonymous("GET", WHOAMI).signed(signing)
    }
}

/// What an answer says of its caller's limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    pub limit: u64,
    /// How many calls are left.
    pub remaining: u64,
    /// For how many seconds.
    pub seconds: u64,
}

impl Answer {
    /// What is left, which only whoever signed correctly is told.
    pub fn quota(&self) -> Quota {
        let numbers = |header: &str| {
            let numbers = self.headers[header].split(';').filter_map(|part| part.split_once('=')?.1.parse().ok());
            numbers.collect::<Vec<u64>>()
        };
        let (policy, left) = (numbers("ratelimit-policy"), numbers("ratelimit"));
        let quota = Quota { limit: policy[0], remaining: left[0], seconds: left[1] };
        assert_eq!(self.headers["ratelimit-policy"], format!("\"relay\";q={};w=60", quota.limit));
        assert_eq!(self.headers["ratelimit"], format!("\"relay\";r={};t={}", quota.remaining, quota.seconds));
        assert!((1..=60).contains(&quota.seconds) && quota.remaining <= quota.limit, "{quota:?}");
        quota
    }

    /// Checks that it is the refusal of a call too many.
    pub fn over_limit(&self, limit: u64) -> &Self {
        self.refused(429, "rate_limited");
        let told = self.quota();
        assert_eq!((told.limit, told.remaining), (limit, 0));
        assert_eq!(self.headers["retry-after"], told.seconds.to_string());
        self
    }
}

/// Runs what has to be within one calendar minute and takes seconds: if the minute turned and it failed, again from its
/// beginning.
pub async fn in_one_minute(scenario: impl AsyncFn()) {
    loop {
        let minute = now_ms() / 60_000;
        let mut running = pin!(scenario());
        let outcome = poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(context))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        });
        match outcome.await {
            Ok(()) => return,
            Err(panic) if now_ms() / 60_000 == minute => resume_unwind(panic),
            Err(_) => {}
        }
    }
}
