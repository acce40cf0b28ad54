//! What of a request and of an answer goes through.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, ORIGIN};
use hyper::http::request::Parts;
use hyper::{Request, Response, StatusCode, Uri};

use crate::{Api, Failure};

/// The page that says to whom it proves its key.
const PAGE: &str = "/console";
pub const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Where the session goes, because the signature needs its header. Google's API Gateway calls it so, too.
const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-authorization");

/// Whether a header of a request stays here: what is of this connection, of the signature, or would tell the API of
/// other things than the console's.
fn stays(name: &HeaderName) -> bool {
    let name = name.as_str();
    is_of_connection(name)
        || name.starts_with("x-amz-")
        || name.starts_with("x-forwarded-")
        || name.starts_with("sec-fetch-")
        || ["host", "cookie", "referer", "forwarded", "expect", "accept-encoding", "content-length"].contains(&name)
}

/// Whether a header is of one connection (RFC 9110 §7.6.1).
fn is_of_connection(name: &str) -> bool {
    let names = ["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"];
    names.contains(&name) || name.starts_with("proxy-auth")
}

/// The request to the API, without its body and without a signature. The page's origin becomes the API's, so that it is
/// one of the API's own pages there.
///
/// # Errors
/// If its target is no path.
pub fn outgoing(parts: Parts, api: &Api) -> Result<Request<()>, Failure> {
    let refused = |cause: &dyn ToString| {
        Failure::new(StatusCode::BAD_REQUEST, "malformed_request", "the request's target is no path", cause)
    };
    let target = parts.uri.path_and_query().ok_or_else(|| refused(&"no path"))?;
    // A space, which signatures know as %20 only. A plus sign is %2B in a query of a browser's.
    let target = match target.as_str().split_once('?') {
        Some((path, query)) => format!("{path}?{}", query.replace('+', "%20")),
        None => target.to_string(),
    };
    let uri: Uri = format!("{}{target}", api.origin()).parse().map_err(|error| refused(&error))?;
    let mut request = Request::new(());
    *request.method_mut() = parts.method;
    *request.uri_mut() = uri;
    for (name, value) in &parts.headers {
        if *name == hyper::header::AUTHORIZATION {
            request.headers_mut().append(FORWARDED, value.clone());
        } else if *name == ORIGIN {
            request.headers_mut().insert(ORIGIN, text(&api.origin())?);
        } else if !(stays(name) || parts.uri.path() == PAGE && name.as_str().starts_with("if-")) {
            request.headers_mut().append(name, value.clone());
        }
    }
    Ok(request)
}

/// A value that a header may have.
///
/// # Errors
/// If it has a character that no header may have.
pub fn text(value: &str) -> Result<HeaderValue, Failure> {
    HeaderValue::from_str(value)
        .map_err(|error| Failure::new(StatusCode::BAD_GATEWAY, "unavailable", "the request can't be sent", &error))
}

/// Whether an answer is a refusal of the gateway's, which asks for the signature: those of the API itself have
/// `success`.
pub fn is_of_the_gateway(answer: &Response<Bytes>) -> bool {
    let says_success = answer.body().windows(9).any(|text| text == b"\"success\"");
    answer.status() == StatusCode::FORBIDDEN && !says_success
}

/// The API's answer as the browser gets it. The page is told the API's address, which proofs have to name.
pub fn incoming(answer: Response<Bytes>, path: &str, api: &Api) -> Response<Full<Bytes>> {
    let (mut parts, mut body) = answer.into_parts();
    let names: Vec<_> = parts.headers.keys().filter(|name| is_of_connection(name.as_str())).cloned().collect();
    for name in names {
        parts.headers.remove(name);
    }
    parts.headers.remove(CONTENT_LENGTH);
    let is_html = parts.headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/html"));
    if path == PAGE && is_html {
        let page =
            String::from_utf8_lossy(&body).replacen("<html", &format!("<html data-base=\"{}\"", api.origin()), 1);
        body = Bytes::from(page);
        parts.headers.remove(ETAG);
    }
    Response::from_parts(parts, Full::new(body))
}
