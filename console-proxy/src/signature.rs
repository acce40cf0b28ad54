//! Signatures of IAM (`SigV4`), by the SDK's own signer.

use std::time::SystemTime;

use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{HOST, HeaderName};
use hyper::{Request, StatusCode};

use crate::{Api, Failure, Whole, headers};

/// The name that API Gateway has in signatures.
const SERVICE: &str = "execute-api";

/// The request with its body and a signature of host, time, method, path, query and body. Other headers are not signed:
/// what is between here and the API may change them, and the session's proof has a signature of its own.
///
/// # Errors
/// If there are no credentials, or the signer can't read the request.
pub async fn signed(
    request: Request<()>,
    body: Bytes,
    api: &Api,
    credentials: &SharedCredentialsProvider,
    now: SystemTime,
) -> Result<Whole, Failure> {
    let unsigned = |message, cause: &dyn ToString| Failure::new(StatusCode::BAD_GATEWAY, "unavailable", message, cause);
    let identity = credentials.provide_credentials().await;
    let identity = identity.map_err(|error| unsigned("no AWS credentials were found", &chain(&error)))?.into();
    let cannot = |error: &dyn ToString| unsigned("the request can't be signed", error);
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(&api.region)
        .name(SERVICE)
        .time(now)
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| cannot(&error))?;
    let uri = request.uri().to_string();
    let host = [("host", api.authority.as_str())];
    let signable = SignableRequest::new(request.method().as_str(), &uri, host.into_iter(), SignableBody::Bytes(&body))
        .map_err(|error| cannot(&error))?;
    let (instructions, _) = sign(signable, &params.into()).map_err(|error| cannot(&error))?.into_parts();
    let mut request = request.map(|()| Full::new(body));
    request.headers_mut().insert(HOST, headers::text(&api.authority)?);
    for (name, value) in instructions.headers() {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| cannot(&error))?;
        request.headers_mut().insert(name, headers::text(value)?);
    }
    Ok(request)
}

/// An error with what it came of: the SDK's own say no more than that there was one.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
