//! One attempt: a connection, a request, the status of the answer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, RETRY_AFTER, USER_AGENT};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use shared::domain::{Attempted, ErrorClass, Outcome, RetryAfter};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::connect::{Connect, Resolve, SystemResolver, Tcp, addresses, connect};
use crate::target::{Place, Target};

/// The bytes of an answer's body that are read, and dropped: enough for the usual `{"received":true}`, so that its
/// sender sees an orderly end.
const READ: usize = 1024;

/// The largest head of an answer, in bytes. It is also the most that is read ahead.
const LARGEST_HEAD: usize = 16 * 1024;

/// How long an attempt may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For a connection, over all addresses.
    pub connect: Duration,
    /// For everything, the look-up included.
    pub total: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(3), total: Duration::from_secs(10) }
    }
}

/// Delivers callbacks. Each attempt has a connection of its own.
pub struct Client<R = SystemResolver, C = Tcp> {
    resolver: R,
    connector: C,
    tls: Arc<ClientConfig>,
    limits: Limits,
}

impl<R, C> fmt::Debug for Client<R, C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Client").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Client {
    /// A client of public hosts: it trusts the roots that Mozilla does, as they are compiled in. Those of the machine
    /// are found by way of environment variables.
    ///
    /// # Errors
    /// If the cryptographic library has no cipher suite for TLS, which is an error of the build.
    pub fn public() -> Result<Self, rustls::Error> {
        let roots = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
        Self::new(SystemResolver, Tcp, roots, Limits::default())
    }
}

impl<R: Resolve, C: Connect> Client<R, C> {
    /// A client with a resolver, roots and limits of its own.
    ///
    /// # Errors
    /// See [`Client::public`].
    pub fn new(resolver: R, connector: C, roots: RootCertStore, limits: Limits) -> Result<Self, rustls::Error> {
        let mut tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        // A ticket is what one attempt leaves to the next, perhaps another tenant's at the same host.
        tls.resumption = Resumption::disabled();
        Ok(Self { resolver, connector, tls: Arc::new(tls), limits })
    }

    /// Makes one attempt: `POST` to the target, with these headers and this body. Nothing of the answer leaves this
    /// function but its status and what `Retry-After` says.
    pub async fn post<'a>(
        &self,
        target: &Target,
        headers: impl IntoIterator<Item = (&'a str, &'a str)>,
        body: &str,
    ) -> Attempted {
        let mut request = Request::post(target.path())
            .header(HOST, target.host())
            .header(USER_AGENT, "Latchkey")
            .header(CONNECTION, "close");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let Ok(request) = request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))) else {
            return ErrorClass::Protocol.into();
        };
        let mut answered = None;
        let attempt = timeout(self.limits.total, self.attempt(target, request, &mut answered)).await;
        // With the status the outcome is known, whatever becomes of the body.
        answered.unwrap_or_else(|| attempt.ok().and_then(Result::err).unwrap_or(ErrorClass::Timeout).into())
    }

    /// Connects and sends, and notes in `answered` what came of it as soon as the head of the answer is there.
    async fn attempt(
        &self,
        target: &Target,
        request: Request<Full<Bytes>>,
        answered: &mut Option<Attempted>,
    ) -> Result<(), ErrorClass> {
        match &target.place {
            Place::Name(name) => {
                let server = ServerName::try_from(name.clone()).map_err(|_| ErrorClass::AddressRefused)?;
                let addresses = addresses(&self.resolver, name).await?;
                let connected = timeout(self.limits.connect, connect(&self.connector, &addresses)).await;
                let stream = connected.map_err(|_| ErrorClass::Connect)??;
                let tls = TlsConnector::from(Arc::clone(&self.tls));
                let stream = tls.connect(server, stream).await.map_err(|_| ErrorClass::Tls)?;
                exchange(stream, request, answered).await
            }
            #[cfg(feature = "loopback-callbacks")]
            Place::Loopback(port) => {
                let address = (std::net::Ipv4Addr::LOCALHOST, *port).into();
                let connected = timeout(self.limits.connect, connect(&self.connector, &[address])).await;
                exchange(connected.map_err(|_| ErrorClass::Connect)??, request, answered).await
            }
        }
    }
}

/// Sends the request over a connection and reads the answer.
async fn exchange<S>(
    stream: S,
    request: Request<Full<Bytes>>,
    answered: &mut Option<Attempted>,
) -> Result<(), ErrorClass>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = http1::Builder::new();
    let handshake = builder.max_buf_size(LARGEST_HEAD).handshake(TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.map_err(|_| ErrorClass::Protocol)?;
    // Ends with this function: a task that is only spawned would go on reading.
    let mut tasks = JoinSet::new();
    tasks.spawn(connection);
    let response = sender.send_request(request).await.map_err(|_| ErrorClass::Protocol)?;
    *answered = Some(head(&response));
    drain(response.into_body()).await;
    Ok(())
}

fn head(response: &Response<Incoming>) -> Attempted {
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let outcome = Outcome::Status(response.status().as_u16());
    Attempted { outcome, retry_after: retry_after.and_then(RetryAfter::parse) }
}

async fn drain(mut body: Incoming) {
    let mut read = 0;
    while read < READ {
        let Some(Ok(frame)) = body.frame().await else { return };
        read += frame.data_ref().map_or(0, Bytes::len);
    }
}
