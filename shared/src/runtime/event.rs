//! The event that the gateway sends: AWS's "payload format version 2.0" for HTTP APIs.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>. Only what
//! is used of it is read. The type of `lambda_http` is refused: it copies all of it, and refuses the whole event for a
//! header value with control characters. Its conversions to an `http::Request` build an `http::Uri` from path and query
//! and a URL from the host, and panic where a client sent what those do not take. Path and query stay texts, as they
//! were sent, which is what signatures cover.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use data_encoding::BASE64;
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue};
use lambda_runtime::Context;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

use crate::auth::{Request, Trace};
use crate::config::PublicUrl;
use crate::domain::{Problem, Timestamp};
use crate::error::{Error, Result};

/// Headers of most requests.
const HEADERS: usize = 16;

/// A header value that is not UTF-8, which stands for one that can't be a header value.
const NO_TEXT: &[u8] = b"\xff";

/// An HTTP request as an event.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpEvent {
    pub route_key: Option<String>,
    pub raw_path: Option<String>,
    /// API Gateway sends an empty text where there is no query; `cargo lambda watch` sends null.
    raw_query_string: Option<String>,
    headers: Option<Headers>,
    path_parameters: Option<BTreeMap<String, String>>,
    pub request_context: RequestContext,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// What the gateway says of a request.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestContext {
    authorizer: Option<Authorizer>,
    domain_name: Option<String>,
    pub http: Http,
}

#[derive(serde::Deserialize)]
struct Authorizer {
    iam: Option<Iam>,
}

/// Who signed the request, as the gateway has found.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Iam {
    user_arn: Option<String>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Http {
    pub method: Method,
    pub source_ip: Option<String>,
}

impl HttpEvent {
    /// The event that an invocation's payload is; `None` if it is none.
    pub fn read(payload: &[u8]) -> Option<Self> {
        // Checked as a whole: the decoder would check each text by itself.
        serde_json::from_str(str::from_utf8(payload).ok()?).ok()
    }

    /// Whether a header was sent, whatever its value.
    pub fn has_header(&self, name: &str) -> bool {
        self.headers.as_ref().is_some_and(|headers| headers.0.contains_key(name))
    }
}

/// A text that is copied only if it is escaped.
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// A method of HTTP.
pub struct Method(pub lambda_http::http::Method);

impl<'de> Deserialize<'de> for Method {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Text::deserialize(deserializer)?.0.parse().map(Self).map_err(D::Error::custom)
    }
}

/// Headers, their names in lower case. A value with control characters, which no client can send through HTTP, but
/// whoever invokes the function, is there as [`NO_TEXT`] and judged where the header is read: one that names an end
/// user must not be taken for one that isn't there.
struct Headers(HeaderMap);

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Headers;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("headers")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<Headers, M::Error> {
                let mut headers = HeaderMap::with_capacity(HEADERS);
                while let Some((name, value)) = members.next_entry::<Text<'_>, Text<'_>>()? {
                    let name = HeaderName::from_bytes(name.0.as_bytes()).map_err(M::Error::custom)?;
                    let value = HeaderValue::from_bytes(value.0.as_bytes());
                    let value = value.or_else(|_| HeaderValue::from_bytes(NO_TEXT));
                    headers.insert(name, value.map_err(M::Error::custom)?);
                }
                Ok(Headers(headers))
            }
        }

        deserializer.deserialize_map(Pairs)
    }
}

/// The request, with the bytes of its body. `public_url` is the service's address, if the deployment says it; else it
/// is the host that was called, which is one that the gateway answers for.
///
/// # Errors
/// If the body is not in the encoding that the event says, or the gateway doesn't say its own address.
pub fn request(
    event: HttpEvent,
    public_url: Option<&PublicUrl>,
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
    let is_called = |url: &&PublicUrl| host.as_deref().is_some_and(|host| url.is_at(host));
    // The gateway says no scheme: for a host that the deployment names, it is that of its address.
    let url = |url: &PublicUrl| url.as_str().to_owned();
    let called_url = public_url.filter(is_called).map(url).or(host.map(|host| format!("https://{host}")));
    let no_address = || Error::internal("the gateway doesn't say its own address");
    let base_url = public_url.map(url).or_else(|| called_url.clone()).ok_or_else(no_address)?;
    let http = event.request_context.http;
    let signed = event.request_context.authorizer.and_then(|authorizer| authorizer.iam);
    Ok(Request {
        method: http.method.0,
        path: event.raw_path.unwrap_or_default(),
        request_id: context.request_id.clone(),
        at,
        deadline: Timestamp::from_millis(i64::try_from(context.deadline).unwrap_or(i64::MAX)),
        path_parameters: event.path_parameters.unwrap_or_default(),
        called_url: called_url.unwrap_or_else(|| base_url.clone()),
        base_url,
        source_ip: http.source_ip,
        principal: signed.and_then(|signed| signed.user_arn),
        query: event.raw_query_string.unwrap_or_default(),
        headers: event.headers.map(|headers| headers.0).unwrap_or_default(),
        body,
        trace,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequest as Theirs;
    use serde_json::{Value, json};

    use super::*;

    fn event(changes: &Value) -> Option<HttpEvent> {
        let mut event = json!({
            "rawPath": "/a",
            "rawQueryString": null,
            "headers": { "Host": "h", "X-End-User-ID": "user_1" },
            "requestContext": { "domainName": "h", "http": { "method": "GET" } },
        });
        event.as_object_mut()?.extend(changes.as_object()?.clone());
        HttpEvent::read(event.to_string().as_bytes())
    }

    /// With all that the gateway sends, as its guide has it.
    fn whole_event() -> Value {
        json!({
            "version": "2.0",
            "routeKey": "POST /v1/{id}",
            "rawPath": "/v1/a b",
            "rawQueryString": "limit=5&name=%C3%A9",
            "cookies": ["a=b", "c=d"],
            "headers": { "Content-Type": "text/plain; charset=utf-8", "x-two": "1,2", "x-text": "\u{e9}\t\"" },
            "queryStringParameters": { "limit": "5", "name": "\u{e9}" },
            "pathParameters": { "id": "a b" },
            "stageVariables": { "stage": "dev" },
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "api-id",
                "authentication": null,
                "authorizer": { "iam": {
                    "accessKey": "AKIDEXAMPLE",
                    "accountId": "123456789012",
                    "callerId": "AIDAEXAMPLE",
                    "cognitoIdentity": null,
                    "principalOrgId": "o-1",
                    "userArn": "arn:aws:iam::123456789012:user/operator",
                    "userId": "AIDAEXAMPLE",
                } },
                "domainName": "api-id.execute-api.eu-west-3.amazonaws.com",
                "domainPrefix": "api-id",
                "http": {
                    "method": "POST",
                    "path": "/v1/a b",
                    "protocol": "HTTP/1.1",
                    "sourceIp": "192.0.2.1",
                    "userAgent": "agent",
                },
                "requestId": "id",
                "routeKey": "POST /v1/{id}",
                "stage": "$default",
                "time": "12/Mar/2026:19:03:58 +0000",
                "timeEpoch": 1_773_342_238_000_i64,
            },
            "body": "e30=",
            "isBase64Encoded": true,
        })
    }

    #[test]
    fn an_event_is_read_as_the_runtimes_type_reads_it() {
        let mut bare = whole_event();
        for name in ["cookies", "pathParameters", "rawQueryString", "body", "headers", "routeKey"] {
            bare[name] = Value::Null;
        }
        bare["requestContext"]["authorizer"] = Value::Null;
        bare["isBase64Encoded"] = false.into();
        for event in [whole_event(), bare] {
            let text = event.to_string();
            let (ours, theirs) =
                (HttpEvent::read(text.as_bytes()).unwrap(), serde_json::from_str::<Theirs>(&text).unwrap());
            let (context, their_context) = (ours.request_context, theirs.request_context);
            let arn = |iam: Option<String>| iam.unwrap_or_default();
            assert_eq!((ours.route_key, ours.raw_path), (theirs.route_key, theirs.raw_path));
            assert_eq!(ours.raw_query_string, theirs.raw_query_string);
            assert_eq!(ours.headers.map(|headers| headers.0).unwrap_or_default(), theirs.headers);
            assert_eq!(
                ours.path_parameters.unwrap_or_default().into_iter().collect::<HashMap<_, _>>(),
                theirs.path_parameters
            );
            assert_eq!((ours.body, ours.is_base64_encoded), (theirs.body, theirs.is_base64_encoded));
            assert_eq!(context.domain_name, their_context.domain_name);
            assert_eq!(context.http.method.0, their_context.http.method);
            assert_eq!(context.http.source_ip, their_context.http.source_ip);
            assert_eq!(
                arn(context.authorizer.and_then(|found| found.iam?.user_arn)),
                arn(their_context.authorizer.and_then(|found| found.iam?.user_arn))
            );
        }
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
        for text in ["", "{", "null", "7", "[]", "{}", "\"a\""] {
            assert!(HttpEvent::read(text.as_bytes()).is_none(), "{text}");
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
