//! A small HTTP/1.1 server for loopback, whose handlers may also close the connection without an answer.

use std::convert::Infallible;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use crate::error::{Error, Result};

/// A whole answer.
pub(crate) type Answer = Response<Full<Bytes>>;

/// Instead of an answer: the connection is closed.
#[derive(Debug)]
pub(crate) struct Closed;

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("connection closed on purpose")
    }
}

impl std::error::Error for Closed {}

impl From<Infallible> for Closed {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// A running server. Dropping it closes the listener and every connection.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    /// Answers the connections of `listener` with `handler`.
    pub(crate) fn spawn<H, F>(listener: TcpListener, handler: H) -> Result<Self>
    where
        H: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
        F: Future<Output = Result<Answer, Closed>> + Send + 'static,
    {
        let address = listener.local_addr().map_err(|e| Error::new(e.to_string()))?;
        Ok(Self { address, task: tokio::spawn(accept(listener, handler)) })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address as a base URL without a slash at the end.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept<H, F>(listener: TcpListener, handler: H)
where
    H: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Result<Answer, Closed>> + Send + 'static,
{
    // The set ends its connections when this task is aborted.
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, most likely: let some connections end first.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        // Small answers must not wait for an acknowledgement. Failing only makes it slower.
        let _ = stream.set_nodelay(true);
        let handler = handler.clone();
        connections.spawn(async move {
            // An error is a client that went away, or `Closed`; either way there is nobody to tell.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(handler)).await;
        });
    }
}

/// Listens on loopback. Port 0 takes any free one.
///
/// # Errors
/// Names the port when it is taken.
pub(crate) async fn listen(port: u16) -> Result<TcpListener> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address).await.map_err(|cause| {
        if cause.kind() == std::io::ErrorKind::AddrInUse {
            Error::new(format!(
                "port {port} on 127.0.0.1 is already in use: stop what listens there, or choose another port"
            ))
        } else {
            Error::new(format!("cannot listen on 127.0.0.1:{port}: {cause}"))
        }
    })
}

/// Why a body could not be had.
#[derive(Debug)]
pub(crate) enum BodyError {
    /// Longer than allowed. It has been read to the end as far as that was reasonable.
    TooLarge,
    /// The client went away.
    Broken,
}

/// Reads a whole body of at most `limit` bytes.
pub(crate) async fn read(body: Incoming, limit: usize) -> Result<Bytes, BodyError> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => Err(BodyError::TooLarge),
        Err(_) => Err(BodyError::Broken),
    }
}

/// Reads and forgets up to `limit` bytes. A client that is still sending when the answer comes may lose the answer.
pub(crate) async fn drain(mut body: Incoming, limit: usize) {
    let mut seen = 0;
    while let Some(Ok(frame)) = body.frame().await {
        seen += frame.data_ref().map_or(0, Bytes::len);
        if seen > limit {
            return;
        }
    }
}

/// An answer with a JSON body.
pub(crate) fn json(status: StatusCode, content_type: &'static str, body: &serde_json::Value) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body.to_string())));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}
