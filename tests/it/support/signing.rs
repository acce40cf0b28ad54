//! Signatures of tenants' calls, made as the documentation says and with nothing of the service.

use aws_lc_rs::{digest, hmac};
use data_encoding::HEXLOWER;

use super::deployment::Tenant;
use super::http::Call;

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
