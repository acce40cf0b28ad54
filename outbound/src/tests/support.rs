//! Servers on this machine, and what stands between them and the client.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use rustls::{RootCertStore, ServerConfig};
use shared::domain::{CallbackUrl, Flow};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::{Client, Connect, Limits, Resolve, Target};

/// The name that certificates are for unless a test says otherwise.
pub const NAME: &str = "receiver.example.com";

/// An address that is public, and stands for the server of a test.
pub const PUBLIC: IpAddr = IpAddr::V4(Ipv4Addr::new(93, 184, 215, 14));

/// Enough for everything that is not to time out.
pub const PATIENT: Limits = Limits { connect: Duration::from_secs(20), total: Duration::from_secs(40) };

/// For what is to time out.
pub const HASTY: Limits = Limits { connect: Duration::from_millis(300), total: Duration::from_secs(1) };

pub type Stream = TlsStream<TcpStream>;

/// A certificate authority that only tests trust.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        roots
    }

    /// A server with a certificate for this name, valid until this year.
    pub fn acceptor(&self, name: &str, until: i32) -> TlsAcceptor {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// A listener that counts who comes.
pub struct Listener {
    pub address: SocketAddr,
    accepted: Arc<AtomicUsize>,
}

impl Listener {
    /// Listens at a free port of an address. `None` if this machine has no such address.
    pub async fn at<H, F>(address: IpAddr, handle: H) -> Option<Self>
    where
        H: Fn(TcpStream) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind((address, 0)).await.ok()?;
        let (address, accepted) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&accepted);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(handle(stream));
            }
        });
        Some(Self { address, accepted })
    }

    /// One that accepts connections and does no more.
    pub async fn silent(address: IpAddr) -> Option<Self> {
        Self::at(address, |stream| async move {
            std::future::pending::<()>().await;
            drop(stream);
        })
        .await
    }

    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

/// Answers of a resolver, one after the other; the last of them again and again.
#[derive(Debug)]
pub struct Answers {
    answers: Vec<Vec<IpAddr>>,
    asked: AtomicUsize,
}

impl Answers {
    pub fn new(answers: &[&[IpAddr]]) -> Self {
        Self { answers: answers.iter().map(|answer| answer.to_vec()).collect(), asked: AtomicUsize::new(0) }
    }

    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Resolve for Arc<Answers> {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        assert_eq!(name, NAME);
        let index = self.asked.fetch_add(1, Ordering::SeqCst).min(self.answers.len().saturating_sub(1));
        self.answers.get(index).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// A connector that notes what it is to dial. It goes to the port of a listener instead of to 443, and to the listener
/// itself instead of to [`PUBLIC`].
#[derive(Debug)]
pub struct Reroute {
    listener: SocketAddr,
    pub dialled: Mutex<Vec<SocketAddr>>,
}

impl Reroute {
    pub fn to(listener: SocketAddr) -> Arc<Self> {
        Arc::new(Self { listener, dialled: Mutex::default() })
    }
}

impl Connect for Arc<Reroute> {
    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        self.dialled.lock().unwrap().push(address);
        let ip = if address.ip() == PUBLIC { self.listener.ip() } else { address.ip() };
        TcpStream::connect((ip, self.listener.port())).await
    }
}

/// A receiver of callbacks over TLS, and a client that takes it for [`NAME`].
pub struct Receiver {
    pub listener: Listener,
    pub resolver: Arc<Answers>,
    pub client: Client<Arc<Answers>, Arc<Reroute>>,
}

impl Receiver {
    /// `answer` gets the connection when the request has been read.
    pub async fn new<H, F>(limits: Limits, answer: H) -> Self
    where
        H: Fn(Stream, String) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let authority = Authority::new();
        let acceptor = authority.acceptor(NAME, 2100);
        let handle = move |stream| {
            let (acceptor, answer) = (acceptor.clone(), answer.clone());
            async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let request = read_request(&mut stream).await;
                answer(stream, request).await;
            }
        };
        let listener = Listener::at(Ipv4Addr::LOCALHOST.into(), handle).await.unwrap();
        let resolver = Arc::new(Answers::new(&[&[PUBLIC]]));
        let reroute = Reroute::to(listener.address);
        let client = Client::new(Arc::clone(&resolver), reroute, authority.roots(), limits).unwrap();
        Self { listener, resolver, client }
    }

    /// One that answers with these bytes and closes the connection.
    pub async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer: Arc<[u8]> = answer.into().into();
        Self::new(PATIENT, move |mut stream, _| {
            let answer = Arc::clone(&answer);
            async move {
                let _ = stream.write_all(&answer).await;
                let _ = stream.shutdown().await;
            }
        })
        .await
    }

    /// What comes of an attempt.
    pub async fn outcome(&self) -> String {
        self.client.post(&target(), [("webhook-id", "evt_1")], "{}").await.outcome.to_string()
    }
}

pub fn target() -> Target {
    let base = CallbackUrl::parse(&format!("https://{NAME}/hooks")).unwrap();
    Target::new(&base, Flow::QrLogin).unwrap()
}

/// Reads a request of which the length of the body is known.
pub async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return text;
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap_or_default() == 0 {
            return text;
        }
    }
}
