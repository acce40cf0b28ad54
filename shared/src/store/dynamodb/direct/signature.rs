//! Signatures of requests to AWS (Signature Version 4), with the key of the day kept.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>. The SDK's signer
//! derives the key from the secret for each request: four HMACs more than one that keeps it. Tests compare the two.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::{digest, hmac};
use aws_sdk_dynamodb::config::Credentials;
use data_encoding::HEXLOWER;

use crate::domain::Timestamp;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Signs for one service in one region.
pub struct Signer {
    credentials: Credentials,
    region: String,
    service: &'static str,
    today: Mutex<Option<Arc<Day>>>,
}

/// What signs the requests of one day.
struct Day {
    /// Eight digits.
    date: String,
    /// The date, region and service.
    scope: String,
    key: hmac::Key,
}

/// A request to sign, all of its headers that are signed included. There is no query.
#[derive(Debug, Clone, Copy)]
pub struct Signable<'a> {
    pub method: &'a str,
    /// The path as it is sent.
    pub path: &'a str,
    /// Names in lower case and sorted, values without white space around them.
    pub headers: &'a [(&'static str, &'a str)],
    pub body: &'a [u8],
}

impl Signer {
    pub fn new(credentials: Credentials, region: String, service: &'static str) -> Self {
        Self { credentials, region, service, today: Mutex::default() }
    }

    /// What goes into `x-amz-security-token`, if the credentials are temporary.
    pub fn session_token(&self) -> Option<&str> {
        self.credentials.session_token()
    }

    /// What goes into `authorization`. `time` is what `x-amz-date` says.
    pub fn authorization(&self, time: &AmzDate, request: Signable<'_>) -> String {
        let day = self.day(time);
        let names = request.headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let canonical = sha256(canonical(request, &names).as_bytes());
        let text = [ALGORITHM, time.as_str(), &day.scope, &canonical].join("\n");
        let signature = HEXLOWER.encode(hmac::sign(&day.key, text.as_bytes()).as_ref());
        let (key_id, scope) = (self.credentials.access_key_id(), &day.scope);
        // One after the other, in room for all of it: what is formatted grows, and is moved.
        let parts =
            [ALGORITHM, " Credential=", key_id, "/", scope, ", SignedHeaders=", &names, ", Signature=", &signature];
        parts.concat()
    }

    fn day(&self, time: &AmzDate) -> Arc<Day> {
        let mut today = self.today.lock().unwrap_or_else(PoisonError::into_inner);
        match &*today {
            Some(day) if day.date == time.date() => Arc::clone(day),
            _ => Arc::clone(today.insert(Arc::new(self.derive(time.date())))),
        }
    }

    fn derive(&self, date: &str) -> Day {
        let scope = format!("{date}/{}/{}/aws4_request", self.region, self.service);
        let secret = format!("AWS4{}", self.credentials.secret_access_key());
        let key = |bytes: &[u8]| hmac::Key::new(hmac::HMAC_SHA256, bytes);
        let key = scope
            .split('/')
            .fold(key(secret.as_bytes()), |last, part| key(hmac::sign(&last, part.as_bytes()).as_ref()));
        Day { date: date.to_owned(), scope, key }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Signer({}/{})", self.region, self.service)
    }
}

/// A time as `x-amz-date` has it, such as `20260131T120000Z`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmzDate(String);

impl AmzDate {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn date(&self) -> &str {
        self.0.split('T').next().unwrap_or_default()
    }
}

impl From<AmzDate> for String {
    fn from(date: AmzDate) -> Self {
        date.0
    }
}

impl From<Timestamp> for AmzDate {
    fn from(time: Timestamp) -> Self {
        let moment = time.moment();
        let (date, (hour, minute, second)) = (moment.date(), moment.time().as_hms());
        let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
        Self(format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z"))
    }
}

fn canonical(request: Signable<'_>, names: &str) -> String {
    let length = request.headers.iter().map(|(name, value)| name.len() + value.len() + 2).sum::<usize>();
    let mut text = String::with_capacity(length + names.len() + request.path.len() + 80);
    for part in [request.method, "\n", request.path, "\n\n"] {
        text.push_str(part);
    }
    for (name, value) in request.headers {
        for part in [name, ":", value, "\n"] {
            text.push_str(part);
        }
    }
    for part in ["\n", names, "\n"] {
        text.push_str(part);
    }
    HEXLOWER.encode_append(digest::digest(&digest::SHA256, request.body).as_ref(), &mut text);
    text
}

fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, bytes).as_ref())
}
