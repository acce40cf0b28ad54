//! The event that the gateway sends: AWS's "payload format version 2.0" for HTTP APIs.
//!
//! The event's type is that of `lambda_http`. Its conversions to an `http::Request` are refused: they build an
//! `http::Uri` from path and query and a URL from the host, and panic where a client sent what those do not take. Path
//! and query stay texts, as they were sent, which is what signatures cover.

use data_encoding::BASE64;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue};
use lambda_runtime::Context;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use url::Url;

use crate::auth::{Request, Trace};
use crate::domain::{Problem, Timestamp};
use crate::error::{Error, Result};

/// A header value that is not UTF-8, which stands for one that can't be a header value.
const NO_TEXT: &[u8] = b"\xff";

/// An HTTP request as an event.
pub type HttpEvent = ApiGatewayV2httpRequest;

/// The payload of an invocation, as it came. It is read here and not by the runtime, which would answer one that is no
/// event in the platform's words.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct Payload(Box<RawValue>);

impl Payload {
    /// The event; `None` if the payload is none.
    pub fn event(&self) -> Option<HttpEvent> {
        let text = self.0.get();
        serde_json::from_str(text).ok().or_else(|| with_any_headers(text))
    }
}

/// An event with header values that its own decoder refuses, and the whole event with them: those with control
/// characters, which no client can send through HTTP, but whoever invokes the function. They are judged where the
/// header is read: one that names an end user must not be taken for one that isn't there.
fn with_any_headers(text: &str) -> Option<HttpEvent> {
    let mut event: Value = serde_json::from_str(text).ok()?;
    let headers = event.as_object_mut()?.remove("headers")?;
    let mut event: HttpEvent = serde_json::from_value(event).ok()?;
    for (name, value) in headers.as_object()? {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        let value = HeaderValue::from_bytes(value.as_str()?.as_bytes()).or_else(|_| HeaderValue::from_bytes(NO_TEXT));
        event.headers.insert(name, value.ok()?);
    }
    Some(event)
}

/// The request, with the bytes of its body. `public_url` is the service's address, if the deployment says it; else it
/// is the host that was called, which is one that the gateway answers for.
///
/// # Errors
/// If the body is not in the encoding that the event says, or the gateway doesn't say its own address.
pub fn request(
    event: HttpEvent,
    public_url: Option<&str>,
    context: &Context,
    at: Timestamp,
    trace: Trace,
) -> Result<Request> {
    let text = event.body.unwrap_or_default();
    let body = if event.is_base64_encoded {
        let malformed = |_| Error::Malformed(Problem::new("body has no readable encoding"));
        BASE64.decode(text.as_bytes()).map_err(malformed)?
    } else {
        text.into_bytes()
    };
    let host = event.request_context.domain_name.filter(|host| !host.is_empty());
    let is_host = |url: &&str| Url::parse(url).is_ok_and(|url| url.host_str() == host.as_deref());
    // The gateway says no scheme: for a host that the deployment names, it is that of its address.
    let called_url = public_url.filter(is_host).map(str::to_owned).or(host.map(|host| format!("https://{host}")));
    let no_address = || Error::internal("the gateway doesn't say its own address");
    let base_url = public_url.map(str::to_owned).or_else(|| called_url.clone()).ok_or_else(no_address)?;
    let headers: HeaderMap = event.headers;
    let http = event.request_context.http;
    let signed = event.request_context.authorizer.and_then(|authorizer| authorizer.iam);
    Ok(Request {
        method: http.method,
        path: event.raw_path.unwrap_or_default(),
        request_id: context.request_id.clone(),
        at,
        deadline: Timestamp::from_millis(i64::try_from(context.deadline).unwrap_or(i64::MAX)),
        path_parameters: event.path_parameters.into_iter().collect(),
        called_url: called_url.unwrap_or_else(|| base_url.clone()),
        base_url,
        source_ip: http.source_ip,
        principal: signed.and_then(|signed| signed.user_arn),
        // API Gateway sends an empty text where there is no query; `cargo lambda watch` sends null.
        query: event.raw_query_string.unwrap_or_default(),
        headers,
        body,
        trace,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(changes: &Value) -> Option<HttpEvent> {
        let mut event = json!({
            "rawPath": "/a",
            "rawQueryString": null,
            "headers": { "Host": "h", "X-End-User-ID": "user_1" },
            "requestContext": { "domainName": "h", "http": { "method": "GET" } },
        });
        event.as_object_mut()?.extend(changes.as_object()?.clone());
        let payload: Payload = serde_json::from_str(&event.to_string()).ok()?;
        payload.event()
    }

    fn read(changes: &Value) -> Result<Request> {
        let at = Timestamp::from_millis(0);
        request(event(changes).unwrap(), None, &Context::default(), at, Trace::default())
    }

    #[test]
    fn headers_are_found_in_any_case_and_a_query_may_be_null() {
        let request = read(&json!({})).unwrap();
        assert_eq!((request.header("x-end-user-id"), request.query.as_str()), (Some("user_1"), ""));
    }

    #[test]
    fn a_header_that_is_not_ascii_is_there_as_it_was_sent() {
        let request = read(&json!({ "headers": { "external_user_id": "us\u{e9}r", "x-api-key": "k" } })).unwrap();
        assert_eq!(request.header("external_user_id"), Some("us\u{e9}r"));
        assert_eq!(request.header("x-api-key"), Some("k"));
    }

    #[test]
    fn a_header_value_with_control_characters_is_there_and_no_text() {
        for value in ["b\u{0}", "b\r\nc: d", "\u{1b}"] {
            let request = read(&json!({ "headers": { "external_user_id": value } })).unwrap();
            assert_eq!(request.header("external_user_id"), Some("\0"), "{value:?}");
        }
    }

    #[test]
    fn what_is_no_event_is_none() {
        for changes in [
            json!({ "headers": { "a b": "c" } }),
            json!({ "headers": { "a": { "b": "c" } } }),
            json!({ "headers": "a" }),
            json!({ "requestContext": null }),
            json!({ "requestContext": { "http": { "method": "G E T" } } }),
            json!({ "body": 7 }),
        ] {
            assert!(event(&changes).is_none(), "{changes}");
        }
        for text in ["null", "7", "[]", "{}", "\"a\""] {
            assert!(serde_json::from_str::<Payload>(text).unwrap().event().is_none(), "{text}");
        }
    }

    #[test]
    fn paths_and_hosts_that_no_uri_has_are_read_as_they_are() {
        for path in ["", " ", "/\u{fc}", "/a b", "//", "/%zz", "*", &"/a".repeat(40_000), "/\u{0}"] {
            assert_eq!(read(&json!({ "rawPath": path })).unwrap().path, path);
        }
        for host in ["x:99999", "[::1", "a b", "@"] {
            let changes = json!({ "headers": { "host": host, "x-forwarded-proto": host } });
            assert_eq!(read(&changes).unwrap().header("host"), Some(host));
        }
        for body in ["\u{fc}", "=", "YQ", "YQ==="] {
            let error = read(&json!({ "body": body, "isBase64Encoded": true })).unwrap_err();
            assert_eq!(error.code().as_str(), "malformed_request", "{body}");
        }
    }
}
