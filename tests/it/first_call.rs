//! What a process has done before its first request: it has connected, over TLS, to an AWS that it trusts.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use shared::api::OPERATIONS;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use stack::Invocation;

use crate::support::{Deployment, event};

/// A certificate authority that only tests trust.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A file with its certificate.
    fn bundle(&self, name: &str) -> PathBuf {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.pem"));
        let certificate = data_encoding::BASE64.encode(self.0.der());
        let pem = format!("-----BEGIN CERTIFICATE-----\n{certificate}\n-----END CERTIFICATE-----\n");
        std::fs::write(&path, pem).unwrap();
        path
    }

    fn acceptor(&self) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
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

/// What becomes of the first connections.
#[derive(Debug, Clone, Copy)]
enum First {
    /// They are served as all others.
    Served,
    /// They are closed.
    Closed(usize),
    /// They are never answered.
    Silent(usize),
}

/// The local AWS behind TLS: what was said on each of its connections.
#[derive(Clone)]
struct Front {
    port: u16,
    upstream: Arc<OnceLock<SocketAddr>>,
    said: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Front {
    async fn start(authority: &Authority, first: First) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let front = Self { port, upstream: Arc::default(), said: Arc::default() };
        let (serving, acceptor) = (front.clone(), authority.acceptor());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = {
                    let mut said = serving.said.lock().unwrap();
                    said.push(Vec::new());
                    said.len() - 1
                };
                match first {
                    First::Closed(most) if number < most => drop(stream),
                    First::Silent(most) if number < most => {
                        tokio::spawn(async move {
                            std::future::pending::<()>().await;
                            drop(stream);
                        });
                    }
                    _ => {
                        tokio::spawn(serving.clone().serve(number, acceptor.clone(), stream));
                    }
                }
            }
        });
        front
    }

    async fn serve(self, number: usize, acceptor: TlsAcceptor, stream: TcpStream) {
        let Ok(stream) = acceptor.accept(stream).await else { return };
        let upstream = TcpStream::connect(self.upstream.get().unwrap()).await.unwrap();
        let ((mut from, mut back), (mut answers, mut to)) = (tokio::io::split(stream), upstream.into_split());
        tokio::spawn(async move {
            let _ = tokio::io::copy(&mut answers, &mut back).await;
            let _ = back.shutdown().await;
        });
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            self.said.lock().unwrap()[number].extend_from_slice(&buffer[..length]);
            if to.write_all(&buffer[..length]).await.is_err() {
                break;
            }
        }
    }

    /// The first lines of the requests on each connection.
    fn requests(&self) -> Vec<Vec<String>> {
        let lines = |said: &Vec<u8>| {
            let text = String::from_utf8_lossy(said).into_owned();
            let firsts = text.split("\r\n").map(|line| line.rsplit_once('}').map_or(line, |(_, line)| line));
            firsts.filter(|line| line.ends_with(" HTTP/1.1")).map(str::to_owned).collect()
        };
        self.said.lock().unwrap().iter().map(lines).collect()
    }

    /// A deployment whose functions reach their AWS through it, with these environment variables.
    async fn deployment(&self, variables: &[String]) -> Deployment {
        // Two hosts, as the two services of AWS are: for one host, the HTTP client would send the second ping on the
        // connection of the first if that is ready sooner than its own.
        let url = |host| format!("https://{host}:{}", self.port);
        let mut launcher = vec!["env".to_owned()];
        launcher.push(format!("AWS_ENDPOINT_URL_DYNAMODB={}", url("localhost")));
        launcher.push(format!("AWS_ENDPOINT_URL_SECRETS_MANAGER={}", url("127.0.0.1")));
        launcher.extend_from_slice(variables);
        launcher.push(env!("CARGO_BIN_EXE_functions").to_owned());
        let launcher: Vec<_> = launcher.into_iter().map(std::ffi::OsString::from).collect();
        let deployment = Deployment::start_with(|builder| builder.launcher(move |_| launcher.clone())).await;
        self.upstream.set(deployment.stack.aws_url().trim_start_matches("http://").parse().unwrap()).unwrap();
        deployment
    }
}

fn bundle(path: &Path) -> Vec<String> {
    vec![format!("AWS_CA_BUNDLE={}", path.display())]
}

/// What new processes said after each of four requests: on how many connections, how many of them began with a ping,
/// and how many calls were made in all. The calls that AWS got for the first one stand beside it.
async fn said_by_new_processes(authority: &Authority, bundle: &[String]) -> (Vec<String>, Vec<[usize; 3]>) {
    let front = Front::start(authority, First::Served).await;
    let deployment = front.deployment(bundle).await;
    let said = || {
        let connections = front.requests();
        let pinged = |lines: &&Vec<String>| lines.first().is_some_and(|line| line == "GET /ping HTTP/1.1");
        let calls = connections.iter().flatten().filter(|line| *line == "POST / HTTP/1.1").count();
        [connections.len(), connections.iter().filter(pinged).count(), calls]
    };
    let mark = deployment.stack.mark();
    deployment.get("/api/v1/fetch/tenants").await.data(200);
    let calls = deployment.stack.calls_since(mark).into_iter().map(|call| call.operation).collect();
    let first = said();
    deployment.get("/api/v1/fetch/tenants").await.data(200);
    let second = said();
    let jwks = deployment.anonymous("GET", "/t/tnt_unknown/.well-known/jwks.json").send().await;
    assert_eq!(jwks.status, 404, "{}", jwks.text);
    let key_set = said();
    assert_eq!(deployment.anonymous("GET", "/p").send().await.status, 200);
    (calls, vec![first, second, key_set, said()])
}

#[tokio::test]
async fn a_process_connects_first_and_its_requests_go_on_those_connections() {
    let authority = Authority::new();
    let bundle = bundle(&authority.bundle("connects_first"));
    // What connects is no call. There is a connection to each of the two services; no secret is read for a key set, and
    // for a page nothing.
    let expected =
        (["GetSecretValue", "Query"].map(str::to_owned).to_vec(), vec![[2, 2, 2], [2, 2, 4], [3, 3, 5], [3, 3, 5]]);
    let mut said = said_by_new_processes(&authority, &bundle).await;
    // A machine that stands still for half a second breaks off a connection, and the request makes it anew, as it
    // should. So one run in which that did not happen is enough.
    for _ in 1..5 {
        if said == expected {
            break;
        }
        said = said_by_new_processes(&authority, &bundle).await;
    }
    assert_eq!(said, expected);
}

#[tokio::test]
async fn a_connection_that_could_not_be_made_at_the_start_is_made_by_the_first_request() {
    let authority = Authority::new();
    let bundle = bundle(&authority.bundle("made_later"));
    for first in [First::Closed(2), First::Silent(2)] {
        let front = Front::start(&authority, first).await;
        let deployment = front.deployment(&bundle).await;
        let started = Instant::now();
        deployment.get("/api/v1/fetch/tenants").await.data(200);
        assert!(started.elapsed() < Duration::from_secs(8), "{first:?}: {:?}", started.elapsed());
        let requests = front.requests();
        assert!(requests[..2].iter().all(Vec::is_empty), "{first:?}: {requests:?}");
        assert!(requests[2..].iter().flatten().all(|line| line == "POST / HTTP/1.1"), "{first:?}: {requests:?}");
    }
}

#[tokio::test]
async fn aws_is_who_has_a_certificate_of_an_authority_that_is_trusted() {
    let (authority, other) = (Authority::new(), Authority::new());
    // Without a bundle, an endpoint of somebody's own is trusted as the machine trusts it.
    for variables in [vec![], bundle(&other.bundle("other"))] {
        let front = Front::start(&authority, First::Served).await;
        let deployment = front.deployment(&variables).await;
        let answer = deployment.get("/api/v1/fetch/tenants").await;
        answer.refused(503, "temporarily_unavailable");
        assert!(front.requests().iter().all(Vec::is_empty), "{variables:?}");
    }
}

#[tokio::test]
async fn a_bundle_that_can_not_be_read_stops_the_process_and_the_line_says_so() {
    let authority = Authority::new();
    let empty = Path::new(env!("CARGO_TARGET_TMPDIR")).join("empty.pem");
    std::fs::write(&empty, "no certificate").unwrap();
    for (path, cause) in [(Path::new("/nowhere.pem"), "No such file"), (&empty, "has no certificate in it")] {
        let front = Front::start(&authority, First::Served).await;
        let deployment = front.deployment(&bundle(path)).await;
        let request = event("GET", "/api/v1/fetch/tenants", "", &[], None);
        let answered = deployment.stack.invoke("fetch-tenants", request, Invocation::default()).await;
        assert!(answered.is_err(), "{answered:?}");
        let output = deployment.stack.output();
        assert!(output.contains(&format!("AWS_CA_BUNDLE: {}", path.display())) && output.contains(cause), "{output}");
    }
}

/// What is connected to is what the policies let a function read.
#[tokio::test]
async fn secrets_are_connected_to_by_the_functions_that_may_read_one() {
    let deployment = Deployment::start().await;
    for function in &deployment.stack.template().functions {
        let mut operations = OPERATIONS.iter().filter(|entry| entry.route.function == function.binary).peekable();
        let mut actions = function.statements.iter().flat_map(|statement| &statement.actions);
        let may = actions.any(|action| action == "secretsmanager:GetSecretValue");
        if operations.peek().is_some() {
            assert_eq!(operations.any(|entry| entry.reads_secrets), may, "{}", function.binary);
        }
    }
}
