//! How AWS is called: whom it is trusted to be, how long is waited, and that the connections are there before the first
//! request is.

mod time_limit;

pub use time_limit::TimeLimit;

use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::http::HttpRequest;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpConnector};
use futures_util::future::join;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::dynamodb::Table;
use super::secrets_manager::Secrets;
use crate::config::Config;

/// The authorities of Amazon Trust Services, as <https://www.amazontrust.com/repository/> has them: the endpoints of
/// AWS are certified by one of them (AWS General Reference, "Prepare for services to use Amazon Trust Services").
const AMAZON: &str = include_str!("amazon-roots.pem");
/// How each certificate ends in such a text (RFC 7468 §5.1).
const END: &str = "-----END CERTIFICATE-----";

/// A connection, name and TLS included: a few milliseconds on a whole processor, and a multiple on the share of one
/// that the smallest function has.
const CONNECT: Duration = Duration::from_millis(500);
/// One attempt at a call.
const ATTEMPT: Duration = Duration::from_secs(1);
/// A call with all its attempts. What bounds the request as a whole is `runtime::BUDGET`.
const CALL: Duration = Duration::from_secs(2);
/// Attempts at a call, the first included.
const ATTEMPTS: u32 = 3;
/// The SDK's default of a second is longer than most requests take.
const BACKOFF: Duration = Duration::from_millis(50);

/// What the clients of a deployed function have in common. Credentials are in the environment, where Lambda puts them:
/// looking for them elsewhere, as the SDK's default chain does, would be a tenth of each binary for places that a
/// function does not have.
pub fn sdk(config: &Config) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(config.region.clone()))
        .credentials_provider(SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()))
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(BACKOFF))
        // It looks after bodies that take longer than an attempt may.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT)
                .operation_attempt_timeout(ATTEMPT)
                .operation_timeout(CALL)
                .build(),
        )
        .build()
}

/// The connections of a process, which all of its clients share.
///
/// # Errors
/// If the file of `AWS_CA_BUNDLE` can't be read or has no certificate in it.
pub fn connector(config: &Config) -> Result<SharedHttpConnector, String> {
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT).build();
    let connector = Connector::builder()
        .connector_settings(settings)
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .tls_context(tls_context(config)?);
    Ok(SharedHttpConnector::new(connector.build()))
}

/// What TLS trusts: see [`trusted`].
fn tls_context(config: &Config) -> Result<TlsContext, String> {
    TlsContext::builder().with_trust_store(trusted(config)?).build().map_err(|error| error.to_string())
}

/// The authorities that are trusted: those of the file that the deployment names; else Amazon's, where it is known that
/// they certify what is called; else those of the machine. Those are some 140 certificates, which each process would
/// read from the disk, so not everywhere.
fn trusted(config: &Config) -> Result<TrustStore, String> {
    if let Some(path) = &config.ca_bundle {
        let bundle = std::fs::read_to_string(path).map_err(|error| format!("AWS_CA_BUNDLE: {path}: {error}"))?;
        let store = certificates(&bundle).fold(TrustStore::empty(), TrustStore::with_pem_certificate);
        let is_any = certificates(&bundle).next().is_some();
        return is_any.then_some(store).ok_or_else(|| format!("AWS_CA_BUNDLE: {path} has no certificate in it"));
    }
    let endpoints = [&config.dynamodb_endpoint, &config.secrets_manager_endpoint];
    let elsewhere = endpoints.into_iter().flatten().any(|endpoint| !endpoint.starts_with("http://"));
    if elsewhere || !is_commercial(&config.region) {
        return Ok(TrustStore::default());
    }
    Ok(TrustStore::empty().with_pem_certificate(AMAZON))
}

/// The certificates of a bundle, one text each. What can't be read is left out, as it is of the machine's own: the HTTP
/// client would panic.
fn certificates(bundle: &str) -> impl Iterator<Item = &str> {
    bundle.split_inclusive(END).filter(|text| {
        let certificate = CertificateDer::from_pem_slice(text.as_bytes());
        certificate.is_ok_and(|certificate| RootCertStore::empty().add(certificate).is_ok())
    })
}

/// Whether a region is one of AWS's public partition. China, the US government and the isolated regions have
/// authorities of their own; so may one that is not known here.
fn is_commercial(region: &str) -> bool {
    let mut parts = region.split('-');
    let known = ["af", "ap", "ca", "eu", "il", "me", "mx", "sa", "us"];
    parts.next().is_some_and(|part| known.contains(&part))
        && parts.next().is_some_and(|part| part != "gov" && !part.starts_with("iso"))
}

/// Opens the connection to DynamoDB, and to Secrets Manager if the function reads secrets, on which the first request
/// would otherwise wait. It takes one attempt at most. If it fails, nothing is remembered of it: the first request
/// connects.
///
/// Refused alternative: a call that the function may make, such as a read of what is never there. It would be paid, and
/// there is none that the policies of all functions have.
pub async fn connect(table: &Table, secrets: Option<&Secrets>) {
    let once = RetryConfig::disabled();
    let options = aws_sdk_dynamodb::config::Builder::new().retry_config(once.clone());
    let ping = table.client.get_item().table_name(&table.name).customize();
    let table = ping.config_override(options).mutate_request(make_ping).send();
    let secrets = async {
        let Some(Secrets { client, .. }) = secrets else { return };
        let options = aws_sdk_secretsmanager::config::Builder::new().retry_config(once);
        let ping = client.get_secret_value().customize().config_override(options).mutate_request(make_ping);
        // As below.
        let _ = ping.send().await;
    };
    // What is answered is not what the client expects of the call, so an error says nothing.
    let _ = join(table, secrets).await;
}

/// Makes a call into one that does nothing: a GET of a path at which the endpoints of AWS tell load balancers that they
/// are up. It needs no permission and costs nothing, whatever is answered.
fn make_ping(request: &mut HttpRequest) {
    let endpoint = request.uri().split('/').take(3).collect::<Vec<_>>().join("/");
    if request.set_uri(format!("{endpoint}/ping")).and_then(|()| request.set_method("GET")).is_err() {
        return;
    }
    for header in ["x-amz-target", "content-type", "content-length"] {
        request.headers_mut().remove(header);
    }
    *request.body_mut() = "".into();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anchors(pem: &str) -> RootCertStore {
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            store.add(certificate.unwrap()).unwrap();
        }
        store
    }

    #[test]
    fn amazons_authorities_are_those_that_browsers_trust() {
        let amazon = anchors(AMAZON);
        assert_eq!(amazon.roots.len(), 5);
        for anchor in &amazon.roots {
            let subject = String::from_utf8_lossy(&anchor.subject).into_owned();
            assert!(webpki_roots::TLS_SERVER_ROOTS.contains(anchor), "{subject}");
            assert!(subject.contains("Amazon Root CA ") || subject.contains("Starfield Services Root"), "{subject}");
        }
    }

    #[test]
    fn only_regions_of_the_public_partition_are_known_to_be_certified_by_amazon() {
        for region in ["us-east-1", "eu-central-2", "ap-southeast-7", "mx-central-1", "il-central-1"] {
            assert!(is_commercial(region), "{region}");
        }
        for region in
            ["cn-north-1", "us-gov-west-1", "us-iso-east-1", "us-isob-east-1", "eusc-de-east-1", "xx-new-1", ""]
        {
            assert!(!is_commercial(region), "{region}");
        }
    }

    #[test]
    fn of_a_bundle_the_certificates_are_taken_that_can_be_read() {
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let bundle = format!("# Comment\n{broken}{AMAZON}{broken}the end");
        assert_eq!(certificates(&bundle).count(), 5);
        assert_eq!(certificates(broken).count(), 0);
        assert_eq!(certificates("").count(), 0);
    }
}
