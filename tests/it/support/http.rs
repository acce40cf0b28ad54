//! An HTTP client that checks on each answer what holds for all of them.

use std::collections::BTreeMap;

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use shared::api::{OPERATIONS, Surface};

/// A request that is being put together.
#[derive(Debug, Clone)]
pub struct Call {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// The body as it came.
    pub text: String,
    /// The body as JSON; null if it is none.
    pub body: Value,
}

impl Call {
    pub fn new(method: &str, url: impl Into<String>) -> Self {
        Self { method: method.to_owned(), url: url.into(), headers: Vec::new(), body: Vec::new() }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A body whose type a header says, or none.
    pub fn bytes(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// A body and its type.
    pub fn body(self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.header("content-type", content_type).bytes(body)
    }

    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub fn method(&self) -> &str {
        &self.method
    }

    /// Path and query.
    pub fn target(&self) -> &str {
        let path = self.url.match_indices('/').nth(2).map_or(self.url.len(), |(position, _)| position);
        &self.url[path..]
    }

    /// The body.
    pub fn sent(&self) -> &[u8] {
        &self.body
    }

    /// Sends it, whoever answers.
    pub async fn send_raw(self) -> Answer {
        let mut request = Request::builder().method(self.method.as_str()).uri(&self.url);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(self.body))).unwrap();
        let response = Client::builder(TokioExecutor::new()).build_http().request(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        let body = serde_json::from_str(&text).unwrap_or_default();
        Answer { status: parts.status.as_u16(), headers: headers.collect(), text, body }
    }

    /// Sends it to a function of ours, whose answers all have their surface's envelope.
    pub async fn send(self) -> Answer {
        let surface = surface_of(self.target());
        let answer = self.send_raw().await;
        answer.check_envelope(surface);
        answer.check_limit(surface);
        answer
    }
}

/// The surface of the operation at a target.
fn surface_of(target: &str) -> Surface {
    let path = target.split('?').next().unwrap();
    let is_at = |template: &str| {
        let (expected, found): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
        let mut pairs = expected.iter().zip(&found);
        expected.len() == found.len() && pairs.all(|(part, found)| part.starts_with('{') || part == found)
    };
    let entry = OPERATIONS.iter().find(|entry| entry.route.paths().any(is_at));
    entry.unwrap_or_else(|| panic!("no operation is at {target}")).surface
}

/// The names of an envelope's fields.
fn fields(surface: Surface, success: bool) -> &'static [&'static str] {
    match (surface, success) {
        (Surface::Registry | Surface::Relay | Surface::Device | Surface::Console, true) => {
            &["data", "message", "status_code", "success"]
        }
        (Surface::Registry | Surface::Relay | Surface::Device | Surface::Console, false) => {
            &["data", "error", "message", "status_code", "success"]
        }
        (Surface::Projects, true) => &["data", "status"],
        (Surface::Projects, false) => &["error", "message", "status"],
        (Surface::Account | Surface::Tokens, true) => &[],
        (Surface::Account, false) => &["code", "detail"],
        (Surface::Tokens, false) => &["error", "error_description"],
        (Surface::Pages, _) => unreachable!("a page has no fields"),
    }
}

impl Answer {
    fn check_envelope(&self, surface: Surface) {
        if surface == Surface::Pages {
            return self.check_page();
        }
        // One that has them not is the gateway's own.
        assert_eq!(self.headers.get("content-type").map(String::as_str), Some("application/json"), "{self:?}");
        assert!(self.headers.get("x-request-id").is_some_and(|id| id.len() >= 16), "{self:?}");
        let success = (200..300).contains(&self.status);
        let public = surface == Surface::Tokens && success && self.body.get("keys").is_some();
        let kept = if public { "public, max-age=300" } else { "no-store" };
        assert_eq!(self.headers["cache-control"], kept, "{self:?}");
        let mut names: Vec<_> = self.body.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        let bare = success && matches!(surface, Surface::Account | Surface::Tokens);
        let reused = self.code() == Some("idempotency_key_reused");
        let invalid = surface == Surface::Account && self.status == 422 && !reused;
        if invalid {
            self.check_validation();
        } else if !bare {
            // What a credential's sender can see itself is beside the code, where that is a field of its own.
            names.retain(|name| *name != "reason" || success || !matches!(surface, Surface::Account | Surface::Tokens));
            assert_eq!(names, fields(surface, success), "{self:?}");
        }
        // The registry gives one to whoever has sent a proof.
        if surface != Surface::Registry {
            assert_eq!(self.headers.contains_key("dpop-nonce"), surface.takes_proofs(), "{self:?}");
        }
        // Pages of any origin may read what the account surface answers, and what is published of tokens.
        let readable = self.headers.get("access-control-allow-origin").map(String::as_str);
        if surface != Surface::Tokens {
            assert_eq!(readable, (surface == Surface::Account).then_some("*"), "{self:?}");
        }
        match surface {
            Surface::Registry | Surface::Relay | Surface::Device | Surface::Console => {
                assert_eq!((&self.body["success"], &self.body["status_code"]), (&success.into(), &self.status.into()));
                assert!(!self.body["message"].as_str().unwrap().is_empty(), "{self:?}");
            }
            Surface::Projects => {
                assert_eq!(self.body["status"], if success { "success" } else { "error" }, "{self:?}");
            }
            Surface::Account | Surface::Tokens | Surface::Pages => {}
        }
        if !success {
            assert!(
                reused
                    || matches!(
                        surface,
                        Surface::Registry | Surface::Relay | Surface::Device | Surface::Console | Surface::Account
                    )
                    || self.status != 422,
                "{self:?}"
            );
            assert!(invalid || self.code().is_some(), "{self:?}");
            assert!(self.reason().is_none() || self.status == 401, "{self:?}");
            assert_eq!(
                self.headers.contains_key("www-authenticate"),
                self.status == 401
                    && (!matches!(surface, Surface::Registry | Surface::Relay)
                        || matches!(self.code(), Some("use_dpop_nonce" | "invalid_dpop_proof")))
            );
        }
    }

    /// What a browser shows or runs; a refusal is a line of text.
    fn check_page(&self) {
        assert!(self.headers.get("x-request-id").is_some_and(|id| id.len() >= 16), "{self:?}");
        let media_type = self.headers["content-type"].as_str();
        let kept = match media_type {
            "text/html; charset=utf-8" => "no-store",
            "text/plain; charset=utf-8" => {
                assert!(self.status >= 400 && self.code().is_some() && self.text.ends_with(")\n"), "{self:?}");
                "no-store"
            }
            _ => "public, max-age=31536000, immutable",
        };
        assert_eq!(self.headers["cache-control"], kept, "{self:?}");
        assert_eq!(media_type == "text/plain; charset=utf-8", self.status >= 400, "{self:?}");
        assert_eq!(self.headers.get("access-control-allow-origin"), None, "{self:?}");
    }

    /// Whoever signed correctly is told what is left. With an API key or a token, whoever is known may be, where there
    /// is a limit, and always if it is used up. Nobody else is.
    fn check_limit(&self, surface: Surface) {
        let told: Vec<_> = self.headers.keys().filter(|name| name.starts_with("ratelimit")).collect();
        let is_told = match surface {
            Surface::Relay => match self.status {
                401 => self.code() == Some("credential_refused"),
                // Before or after the signature was looked at.
                400 | 503 => !told.is_empty(),
                status => matches!(status, 200..=299 | 403 | 404 | 409 | 410 | 413 | 415 | 422 | 429),
            },
            Surface::Projects | Surface::Account | Surface::Tokens if self.status != 401 => {
                self.status == 429 || !told.is_empty()
            }
            _ => false,
        };
        let expected = if is_told { &["ratelimit", "ratelimit-policy"][..] } else { &[] };
        assert_eq!(told, expected, "{self:?}");
    }

    /// The shape of FastAPI.
    fn check_validation(&self) {
        assert_eq!(self.body.as_object().unwrap().len(), 1, "{self:?}");
        for problem in self.body["detail"].as_array().unwrap() {
            let part = problem["loc"][0].as_str().unwrap();
            assert!(["path", "query", "header", "body"].contains(&part), "{self:?}");
            assert!(problem["loc"][1].is_string() && problem["msg"].is_string() && problem["type"].is_string());
            assert_eq!(problem.as_object().unwrap().len(), 3, "{self:?}");
        }
    }

    /// The code of a refusal.
    pub fn code(&self) -> Option<&str> {
        let of_page = || self.text.strip_suffix(")\n")?.rsplit_once(" (").map(|(_, code)| code);
        let error = &self.body["error"];
        error["code"].as_str().or(error.as_str()).or(self.body["code"].as_str()).or_else(of_page)
    }

    /// What a refused credential's sender is told of it.
    pub fn reason(&self) -> Option<&str> {
        self.body["error"]["reason"].as_str().or(self.body["reason"].as_str())
    }

    /// Checks that it is the account surface's refusal of this field, in that part of the request.
    pub fn invalid(&self, part: &str, field: &str) -> &Self {
        assert_eq!(self.status, 422, "{}", self.text);
        let problems = self.body["detail"].as_array().unwrap();
        assert_eq!(problems.len(), 1, "{}", self.text);
        assert_eq!((&problems[0]["loc"][0], &problems[0]["loc"][1]), (&part.into(), &field.into()), "{}", self.text);
        assert!(problems[0]["msg"].as_str().unwrap().starts_with(field), "{}", self.text);
        self
    }

    /// `data`, after checking the status.
    pub fn data(&self, status: u16) -> &Value {
        assert_eq!(self.status, status, "{}", self.text);
        &self.body["data"]
    }

    /// Checks that it is a refusal with this status and code.
    pub fn refused(&self, status: u16, code: &str) -> &Self {
        assert_eq!((self.status, self.code()), (status, Some(code)), "{}", self.text);
        self
    }

    /// The document of an answer without an envelope, after checking the status.
    pub fn document(&self, status: u16) -> &Value {
        assert_eq!(self.status, status, "{}", self.text);
        &self.body
    }

    /// Checks that it is a refusal of this field.
    pub fn names(&self, field: &str) -> &Self {
        self.refused(if self.body.get("success").is_some() { 422 } else { 400 }, "invalid_field");
        assert_eq!(self.body["error"]["field"], field, "{}", self.text);
        assert!(self.body["message"].as_str().unwrap().starts_with(field), "{}", self.text);
        self
    }
}

/// Sends all at once: the answers, in the order of the calls.
pub async fn at_once(calls: impl IntoIterator<Item = Call>) -> Vec<Answer> {
    let calls: Vec<_> = calls.into_iter().map(|call| tokio::spawn(call.send())).collect();
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await.unwrap());
    }
    answers
}
