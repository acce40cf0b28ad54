//! The console of an operator whose API asks for a signature of IAM.
//!
//! A browser makes no such signature. So this listens on 127.0.0.1, signs what the operator's browser asks for with
//! the operator's own credentials of AWS, and sends it to the API. It keeps nothing and decides nothing: the session
//! and its proof are the browser's, and the API checks them as ever.
//!
//! Whoever is answered by it acts with the operator's credentials. It answers pages of its own address alone: not those
//! of other origins, and not those whose name leads to 127.0.0.1.

mod api;
mod guard;
mod headers;
mod send;
mod signature;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_credential_types::provider::SharedCredentialsProvider;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

pub use api::Api;
use send::Client;

/// The largest request: Lambda takes no larger one.
const LARGEST: usize = 6 << 20;
/// How long a browser may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(10);

/// A request as it was read, and later as it is sent.
type Whole = Request<Full<Bytes>>;

/// Answers a browser on this machine by what an API answers to a signed request.
#[derive(Debug)]
pub struct Proxy {
    api: Api,
    credentials: SharedCredentialsProvider,
    client: Client,
    now: fn() -> SystemTime,
    complain: fn(&str),
}

/// Why a request was not answered by the API. The cause is for whoever has started the proxy, and has nothing of the
/// request in it.
#[derive(Debug)]
struct Failure {
    status: StatusCode,
    code: &'static str,
    message: &'static str,
    cause: String,
}

impl Failure {
    fn new(status: StatusCode, code: &'static str, message: &'static str, cause: &dyn ToString) -> Self {
        Self { status, code, message, cause: cause.to_string() }
    }

    /// The refusal in the form of the API's own.
    fn answer(&self) -> Response<Full<Bytes>> {
        let Self { status, code, message, .. } = self;
        let number = status.as_u16();
        let error = format!(r#"{{"code":"{code}"}}"#);
        let body =
            format!(r#"{{"success":false,"status_code":{number},"message":"{message}","data":null,"error":{error}}}"#);
        let mut answer = Response::new(Full::new(Bytes::from(body)));
        *answer.status_mut() = *status;
        answer.headers_mut().insert("content-type", headers::JSON);
        answer
    }
}

impl Proxy {
    /// A proxy of that API. The time is asked for once for each signature; `complain` is told why something failed.
    ///
    /// # Errors
    /// If the cryptographic library has no cipher suite for TLS, which is an error of the build.
    pub fn new(
        api: Api,
        credentials: SharedCredentialsProvider,
        now: fn() -> SystemTime,
        complain: fn(&str),
    ) -> Result<Self, rustls::Error> {
        Ok(Self { api, credentials, client: Client::new()?, now, complain })
    }

    /// Answers until it is dropped.
    ///
    /// # Errors
    /// If the listener has no address.
    pub async fn serve(self, listener: TcpListener) -> std::io::Result<Infallible> {
        let port = listener.local_addr()?.port();
        let proxy = Arc::new(self);
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let proxy = Arc::clone(&proxy);
            let service = service_fn(move |request| {
                let proxy = Arc::clone(&proxy);
                async move {
                    let answer = proxy.answer(request, port).await;
                    Ok::<_, Infallible>(answer.unwrap_or_else(|failure| {
                        (proxy.complain)(&failure.cause);
                        failure.answer()
                    }))
                }
            });
            let mut server = http1::Builder::new();
            server.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
            // How the browser ends the connection is its own affair.
            tokio::spawn(async move { server.serve_connection(TokioIo::new(stream), service).await.ok() });
        }
    }

    async fn answer(&self, request: Request<Incoming>, port: u16) -> Result<Response<Full<Bytes>>, Failure> {
        guard::check(&request, port)?;
        let (parts, body) = request.into_parts();
        let body = Limited::new(body, LARGEST).collect().await.map_err(|error| {
            Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "the body is too large or broken", &error)
        })?;
        let path = parts.uri.path().to_owned();
        let outgoing = headers::outgoing(parts, &self.api)?;
        let outgoing = signature::signed(outgoing, body.to_bytes(), &self.api, &self.credentials, (self.now)()).await?;
        let answer = self.client.send(&self.api, outgoing).await?;
        if headers::is_of_the_gateway(&answer) {
            (self.complain)("the API's gateway refuses the signature: does its principal have execute-api:Invoke?");
        }
        Ok(headers::incoming(answer, &path, &self.api))
    }
}
