//! The way to the API: a connection for each request, which are a person's.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::rt::{Read, Write};
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::{Api, Failure, Whole};

/// How long the API may take. It answers within 30 seconds, or not at all.
const PATIENCE: Duration = Duration::from_secs(40);
/// The largest answer: Lambda gives no larger one.
const LARGEST: usize = 6 << 20;

/// Sends requests to the API. It trusts the roots that Mozilla does, as they are compiled in.
#[derive(Debug)]
pub struct Client(Arc<ClientConfig>);

impl Client {
    /// # Errors
    /// See [`crate::Proxy::new`].
    pub fn new() -> Result<Self, rustls::Error> {
        let roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
        let mut tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(Arc::new(tls)))
    }

    /// The API's answer, whole.
    ///
    /// # Errors
    /// If there is none within the time.
    pub async fn send(&self, api: &Api, request: Whole) -> Result<Response<Bytes>, Failure> {
        let answer = timeout(PATIENCE, self.attempt(api, request)).await;
        let lost =
            |cause: String| Failure::new(StatusCode::BAD_GATEWAY, "unavailable", "the API did not answer", &cause);
        answer.map_err(|_| lost("no answer in time".to_owned()))?.map_err(|error| lost(error.to_string()))
    }

    async fn attempt(&self, api: &Api, mut request: Whole) -> Result<Response<Bytes>, Box<dyn std::error::Error>> {
        // On the connection, a target is a path: the host is in its header.
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str()).parse()?;
        *request.uri_mut() = target;
        let stream = TcpStream::connect((api.host.as_str(), api.port)).await?;
        if !api.is_tls {
            return exchange(TokioIo::new(stream), request).await;
        }
        let name = ServerName::try_from(api.host.clone())?;
        let stream = TlsConnector::from(Arc::clone(&self.0)).connect(name, stream).await?;
        exchange(TokioIo::new(stream), request).await
    }
}

async fn exchange(
    stream: impl Read + Write + Unpin + Send + 'static,
    request: Whole,
) -> Result<Response<Bytes>, Box<dyn std::error::Error>> {
    let (mut sender, connection) = http1::handshake(stream).await?;
    // It ends with the answer, or tells its failure by the sender.
    tokio::spawn(async move { connection.await.ok() });
    let (parts, body) = sender.send_request(request).await?.into_parts();
    let body = Limited::new(body, LARGEST).collect().await.map_err(|error| error.to_string())?;
    Ok(Response::from_parts(parts, body.to_bytes()))
}
