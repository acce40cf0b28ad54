//! A receiver of callbacks, on this machine.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

/// What was received.
#[derive(Debug, Clone)]
pub struct Received {
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub text: String,
}

impl Received {
    pub fn body(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

/// It answers with these statuses in turn, and then with 204.
#[derive(Debug, Clone, Default)]
pub struct TestReceiver {
    port: u16,
    received: Arc<Mutex<Vec<Received>>>,
    statuses: Arc<Mutex<VecDeque<u16>>>,
}

impl TestReceiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self { port: listener.local_addr().unwrap().port(), ..Self::default() };
        let serving = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = serving.clone();
                tokio::spawn(async move {
                    let service = service_fn(|request| serving.answer(request));
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        receiver
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, Infallible> {
        let text = |value: &hyper::header::HeaderValue| value.to_str().unwrap().to_owned();
        let headers = request.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let path = request.uri().path().to_owned();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8(body.to_vec()).unwrap();
        self.received.lock().unwrap().push(Received { path, headers, text });
        let status = self.statuses.lock().unwrap().pop_front().unwrap_or(204);
        let mut response = Response::new(Empty::new());
        *response.status_mut() = status.try_into().unwrap();
        // Where nobody must follow.
        if status == 302 {
            let location = format!("http://127.0.0.1:{}/elsewhere", self.port);
            response.headers_mut().insert("location", location.parse().unwrap());
        }
        Ok(response)
    }

    /// The base that leads here.
    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Answers with these next.
    pub fn answers(&self, statuses: &[u16]) {
        self.statuses.lock().unwrap().extend(statuses);
    }

    /// Answers with none of those any more.
    pub fn answers_as_usual(&self) {
        self.statuses.lock().unwrap().clear();
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}
