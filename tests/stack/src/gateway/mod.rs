//! The HTTP API in front of the functions, with API Gateway's own answers and limits.

mod event;
mod percent;
mod response;
mod route;
mod signed_text;
mod throttle;

use std::collections::BTreeMap;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::http::request::Parts;
use hyper::{Request, StatusCode};
use serde_json::json;
use tokio::net::TcpListener;

use crate::error::Result;
use crate::http::{self, Answer, BodyError, Closed, Server};
use crate::lambda::{Invocation, InvokeError, Lambda};
use crate::system;
use crate::template::{Api, Function};
use route::Routes;
use throttle::Throttles;

/// API Gateway's limit of a body.
const BODY_LIMIT: usize = 10 * 1024 * 1024;
/// API Gateway's limit of the request line and all header values together.
const HEAD_LIMIT: usize = 10_240;
/// Lambda's limit of an event.
const EVENT_LIMIT: usize = 6 * 1024 * 1024;
/// How much of a body that is too large is still read, so that the client sees the answer.
const DRAIN_LIMIT: usize = 32 * 1024 * 1024;

#[derive(Debug)]
struct Gateway {
    routes: Routes,
    lambda: Lambda,
    /// Whether a refused signature is answered with the text that was to be signed.
    shows_signed_texts: bool,
    /// The throttles of the template, if they are imitated.
    throttles: Option<Throttles>,
}

/// Answers on this listener with the functions' routes.
pub(crate) fn start(
    listener: TcpListener,
    functions: &[Arc<Function>],
    apis: &BTreeMap<String, Api>,
    lambda: Lambda,
    shows_signed_texts: bool,
    is_throttled: bool,
) -> Result<Server> {
    let routes = Routes::new(functions, apis);
    let throttles = is_throttled.then(|| Throttles::new(apis));
    let gateway = Arc::new(Gateway { routes, lambda, shows_signed_texts, throttles });
    Server::spawn(listener, move |request| {
        let gateway = Arc::clone(&gateway);
        async move { gateway.handle(request).await }
    })
}

impl Gateway {
    async fn handle(&self, request: Request<Incoming>) -> Result<Answer, Closed> {
        let request_id = system::gateway_request_id();
        let mut answer = match self.answer(request, &request_id).await {
            Ok(answer) => answer,
            Err(Refusal::Gone) => return Err(Closed),
            Err(Refusal::Answer(status, message)) => {
                http::json(status, "application/json", &json!({"message": message}))
            }
        };
        if let Ok(id) = HeaderValue::from_str(&request_id) {
            answer.headers_mut().insert("apigw-requestid", id);
        }
        Ok(answer)
    }

    async fn answer(&self, request: Request<Incoming>, request_id: &str) -> Result<Answer, Refusal> {
        let (parts, body) = request.into_parts();
        if head_size(&parts) > HEAD_LIMIT {
            http::drain(body, DRAIN_LIMIT).await;
            return Err(Refusal::Answer(
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "Request Header Fields Too Large",
            ));
        }
        let body = read(&parts, body).await?;
        let found = self.routes.find(parts.method.as_str(), parts.uri.path());
        let matched = found.ok_or(Refusal::Answer(StatusCode::NOT_FOUND, "Not Found"))?;
        if self.throttles.as_ref().is_some_and(|throttles| !throttles.admits(&matched, system::now_ms())) {
            return Err(TOO_MANY);
        }
        let event = event::event(&parts, &body, &matched, request_id, system::now_ms());
        let signed_text = self.shows_signed_texts.then(|| signed_text::signed_text(&event)).flatten();
        let event = event.to_string();
        if event.len() > EVENT_LIMIT {
            return Err(TOO_LARGE);
        }
        let result = self.lambda.invoke(&matched.binary, event.into(), Invocation::default()).await?;
        let mut answer = response::response(&result.raw).ok_or_else(|| {
            self.lambda.note(&matched.binary, "the answer is not what an HTTP API understands");
            INTERNAL
        })?;
        if let Some(text) = signed_text.filter(|_| answer.status() == StatusCode::UNAUTHORIZED) {
            self.lambda.note(&matched.binary, &format!("the text to sign was {text}"));
            // One that is no header's value is in the log alone.
            if let Ok(value) = HeaderValue::try_from(text) {
                answer.headers_mut().insert(signed_text::HEADER, value);
            }
        }
        Ok(answer)
    }
}

/// The answers that the gateway gives itself.
enum Refusal {
    Answer(StatusCode, &'static str),
    /// The client went away.
    Gone,
}

const TOO_LARGE: Refusal = Refusal::Answer(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
const TOO_MANY: Refusal = Refusal::Answer(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests");
const INTERNAL: Refusal = Refusal::Answer(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");

impl From<InvokeError> for Refusal {
    fn from(error: InvokeError) -> Self {
        match error {
            InvokeError::Busy => TOO_MANY,
            InvokeError::Timeout => Self::Answer(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
            InvokeError::Unknown(_) | InvokeError::Start(_) | InvokeError::Crashed | InvokeError::Failed { .. } => {
                INTERNAL
            }
        }
    }
}

async fn read(parts: &Parts, body: Incoming) -> Result<hyper::body::Bytes, Refusal> {
    let announced = parts.headers.get("content-length").and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > BODY_LIMIT) {
        http::drain(body, DRAIN_LIMIT).await;
        return Err(TOO_LARGE);
    }
    http::read(body, BODY_LIMIT).await.map_err(|error| match error {
        BodyError::TooLarge => TOO_LARGE,
        BodyError::Broken => Refusal::Gone,
    })
}

/// The request line and the header values.
fn head_size(parts: &Parts) -> usize {
    let target = parts.uri.path_and_query().map_or(1, |target| target.as_str().len());
    let values: usize = parts.headers.values().map(HeaderValue::len).sum();
    parts.method.as_str().len() + target + " HTTP/1.1".len() + 1 + values
}
