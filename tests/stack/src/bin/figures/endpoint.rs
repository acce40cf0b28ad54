//! The local AWS behind TLS, as AWS is: a certificate of this run's own, and no resumption of sessions.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use data_encoding::BASE64;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::NoServerSessionStorage;
use stack::{Error, Result};
use tempfile::NamedTempFile;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::because;

/// Those that a function trusts where it is deployed.
const AMAZON_ROOTS: &str = "shared/src/store/aws/amazon-roots.pem";
/// Where Debian and Amazon Linux have the public roots, of which other clients parse each.
const PUBLIC_ROOTS: [&str; 2] = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

/// An address with TLS, from which bytes are handed on to one without.
pub struct Endpoint {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    pub url: String,
    /// Amazon's roots, and the one of this certificate.
    roots: NamedTempFile,
    /// The public roots of this machine, and that one.
    public_roots: NamedTempFile,
}

impl Endpoint {
    /// Listens on this machine. The certificates are as those of DynamoDB: RSA with 2048 bits, and one between root and
    /// server.
    pub async fn listen(repository: &Path) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(because("an address with TLS"))?;
        let port = listener.local_addr().map_err(because("an address with TLS"))?.port();
        let key = || KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).map_err(because("a key"));
        let authority = |name: &str| {
            let mut params = CertificateParams::default();
            params.distinguished_name.push(DnType::CommonName, name);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params
        };
        let root = CertifiedIssuer::self_signed(authority("root"), key()?).map_err(because("a root"))?;
        let between = CertifiedIssuer::signed_by(authority("between"), key()?, &root).map_err(because("a CA"))?;
        let server = key()?;
        let params = CertificateParams::new(["localhost".to_owned()]).map_err(because("a certificate"))?;
        let certificate = params.signed_by(&server, &between).map_err(because("a certificate"))?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(because("TLS"))?
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone(), between.der().clone()],
                PrivateKeyDer::Pkcs8(server.serialize_der().into()),
            )
            .map_err(because("TLS"))?;
        // A process that starts has no session to resume.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        let own = pem(root.as_ref().der());
        let with_own = |others: String| {
            let file = NamedTempFile::new().map_err(because("a file of roots"))?;
            fs::write(&file, format!("{others}\n{own}")).map_err(because("a file of roots"))?;
            Ok::<_, Error>(file)
        };
        let roots = with_own(fs::read_to_string(repository.join(AMAZON_ROOTS)).map_err(because(AMAZON_ROOTS))?)?;
        let public = PUBLIC_ROOTS.iter().find_map(|path| fs::read_to_string(path).ok()).unwrap_or_default();
        let public_roots = with_own(public)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Ok(Self { listener, acceptor, url: format!("https://localhost:{port}"), roots, public_roots })
    }

    /// The variables with which clients are told what they may trust: ours, which deployed trusts Amazon's roots alone,
    /// and others, which trust all that are public.
    pub fn variables(&self) -> [(&'static str, String); 3] {
        let (ours, others) = (&self.roots, &self.public_roots);
        [("AWS_CA_BUNDLE", ours), ("SSL_CERT_FILE", others), ("NODE_EXTRA_CA_CERTS", others)]
            .map(|(name, file)| (name, file.path().display().to_string()))
    }

    /// Hands on what comes to an address without TLS, until the runtime ends. Answers with the files of roots, which
    /// are to be kept as long.
    pub fn hand_on(self, target: &str) -> [NamedTempFile; 2] {
        let target = target.trim_start_matches("http://").to_owned();
        tokio::spawn(async move {
            while let Ok((stream, _)) = self.listener.accept().await {
                let (acceptor, target) = (self.acceptor.clone(), target.clone());
                tokio::spawn(async move {
                    let _ = stream.set_nodelay(true);
                    // Who breaks off notices it.
                    if let (Ok(mut outside), Ok(mut inside)) =
                        (acceptor.accept(stream).await, TcpStream::connect(target).await)
                    {
                        let _ = inside.set_nodelay(true);
                        let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
                    }
                });
            }
        });
        [self.roots, self.public_roots]
    }
}

/// A certificate as text (RFC 7468 §5). rcgen writes it too, with one more crate.
fn pem(der: &[u8]) -> String {
    let lines: Vec<String> = der.chunks(48).map(|part| BASE64.encode(part)).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}
