//! The event that an HTTP API makes of a request, in payload format 2.0.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use hyper::HeaderMap;
use hyper::header::{
    CONNECTION, CONTENT_TYPE, COOKIE, EXPECT, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, USER_AGENT,
};
use hyper::http::request::Parts;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::percent;
use super::route::Matched;
use crate::template::ACCOUNT;

/// The id of the local API.
const API_ID: &str = "local";

/// The event of a request.
pub(super) fn event(parts: &Parts, body: &[u8], matched: &Matched, request_id: &str, now_ms: i64) -> Value {
    // The gateway decodes the path, and what looks like a query after that is lost.
    let path = percent::decode(parts.uri.path(), false);
    let path = path.split('?').next().unwrap_or_default();
    let query = parts.uri.query().unwrap_or_default();
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    let domain = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let user_agent = parts.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();

    let mut event = Map::from_iter([
        ("version".to_owned(), Value::from("2.0")),
        ("routeKey".to_owned(), matched.route_key.as_str().into()),
        ("rawPath".to_owned(), path.into()),
        ("rawQueryString".to_owned(), query.into()),
        ("headers".to_owned(), headers(&parts.headers, host)),
        (
            "requestContext".to_owned(),
            json!({
                "accountId": ACCOUNT,
                "apiId": API_ID,
                "domainName": domain,
                "domainPrefix": domain.split('.').next(),
                "http": {
                    "method": parts.method.as_str(),
                    "path": path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": "127.0.0.1",
                    "userAgent": user_agent,
                },
                "requestId": request_id,
                "routeKey": matched.route_key,
                "stage": "$default",
                "time": log_time(now_ms),
                "timeEpoch": now_ms,
            }),
        ),
        ("isBase64Encoded".to_owned(), false.into()),
    ]);
    let cookies = cookies(&parts.headers);
    if !cookies.is_empty() {
        event.insert("cookies".to_owned(), cookies.into());
    }
    if !query.is_empty() {
        event.insert("queryStringParameters".to_owned(), query_parameters(query));
    }
    if !matched.parameters.is_empty() {
        event.insert("pathParameters".to_owned(), json!(matched.parameters));
    }
    if !body.is_empty() {
        let content_type = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let text = std::str::from_utf8(body).ok().filter(|_| is_text(content_type));
        event.insert("isBase64Encoded".to_owned(), text.is_none().into());
        event.insert("body".to_owned(), text.map_or_else(|| BASE64.encode(body), str::to_owned).into());
    }
    Value::Object(event)
}

/// Lower-case names, values of the same name joined; without the cookies, which have a place of their own, and without
/// what belongs to the connection.
fn headers(headers: &HeaderMap, host: &str) -> Value {
    let dropped = [COOKIE, CONNECTION, EXPECT, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];
    let mut joined: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in headers.iter().filter(|(name, _)| !dropped.contains(name)) {
        let value = String::from_utf8_lossy(value.as_bytes());
        joined.entry(name.as_str()).and_modify(|all| *all = format!("{all},{value}")).or_insert(value.into_owned());
    }
    // The gateway vouches for the last hop only; what the client claims before it stays visible.
    joined
        .entry("x-forwarded-for")
        .and_modify(|hops| hops.push_str(", 127.0.0.1"))
        .or_insert_with(|| "127.0.0.1".to_owned());
    let port = host.rsplit_once(':').map_or("80", |(_, port)| port);
    joined.insert("x-forwarded-port", port.to_owned());
    joined.insert("x-forwarded-proto", "http".to_owned());
    json!(joined)
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .map(|cookie| cookie.trim().to_owned())
        .filter(|cookie| !cookie.is_empty())
        .collect()
}

fn query_parameters(query: &str) -> Value {
    let mut joined: BTreeMap<String, String> = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent::decode(value, true);
        joined.entry(percent::decode(name, true)).and_modify(|all| *all = format!("{all},{value}")).or_insert(value);
    }
    json!(joined)
}

fn is_text(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.starts_with("text/")
        || matches!(
            kind.as_str(),
            "application/json" | "application/xml" | "application/javascript" | "application/x-www-form-urlencoded"
        )
}

/// The time of Apache's common log format.
fn log_time(now_ms: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(now_ms / 1000).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let month: String = time.month().to_string().chars().take(3).collect();
    format!(
        "{:02}/{month}/{}:{:02}:{:02}:{:02} +0000",
        time.day(),
        time.year(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use hyper::Request;
    use serde_json::{Value, json};

    use super::event;
    use crate::gateway::route::Matched;

    fn matched() -> Matched {
        Matched {
            binary: "f".to_owned(),
            route_key: "ANY /a/{id}".to_owned(),
            parameters: BTreeMap::from([("id".to_owned(), "x y".to_owned())]),
            api: String::new(),
        }
    }

    fn made(request: hyper::http::request::Builder, body: &[u8]) -> Value {
        let (parts, ()) = request.body(()).unwrap().into_parts();
        event(&parts, body, &matched(), "id=", 1_583_348_638_390)
    }

    #[test]
    fn the_event_is_complete() {
        let request = Request::post("/a/x%20y?q=1&q=a%2Cb&e=&n")
            .header("host", "api.example.com:9000")
            .header("User-Agent", "curl")
            .header("content-type", "application/json; charset=utf-8")
            .header("x-two", "1")
            .header("x-two", "2")
            .header("cookie", "a=1; b=2")
            .header("connection", "keep-alive");
        assert_eq!(
            made(request, br#"{"k":1}"#),
            json!({
                "version": "2.0",
                "routeKey": "ANY /a/{id}",
                "rawPath": "/a/x y",
                "rawQueryString": "q=1&q=a%2Cb&e=&n",
                "cookies": ["a=1", "b=2"],
                "headers": {
                    "host": "api.example.com:9000",
                    "user-agent": "curl",
                    "content-type": "application/json; charset=utf-8",
                    "x-two": "1,2",
                    "x-forwarded-for": "127.0.0.1",
                    "x-forwarded-port": "9000",
                    "x-forwarded-proto": "http",
                },
                "queryStringParameters": {"q": "1,a,b", "e": "", "n": ""},
                "pathParameters": {"id": "x y"},
                "requestContext": {
                    "accountId": "123456789012",
                    "apiId": "local",
                    "domainName": "api.example.com",
                    "domainPrefix": "api",
                    "http": {
                        "method": "POST",
                        "path": "/a/x y",
                        "protocol": "HTTP/1.1",
                        "sourceIp": "127.0.0.1",
                        "userAgent": "curl",
                    },
                    "requestId": "id=",
                    "routeKey": "ANY /a/{id}",
                    "stage": "$default",
                    "time": "04/Mar/2020:19:03:58 +0000",
                    "timeEpoch": 1_583_348_638_390_i64,
                },
                "body": "{\"k\":1}",
                "isBase64Encoded": false,
            })
        );
    }

    #[test]
    fn what_is_not_text_is_base64() {
        for (content_type, body, encoded) in [
            ("application/octet-stream", &b"abc"[..], "YWJj"),
            ("application/json", &b"\xff\xfe"[..], "//4="),
            ("", &b"abc"[..], "YWJj"),
        ] {
            let event = made(Request::post("/a/1").header("content-type", content_type), body);
            assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!(encoded), &json!(true)), "{content_type}");
        }
        let empty = made(Request::get("/a/1"), b"");
        assert_eq!((empty.get("body"), &empty["isBase64Encoded"]), (None, &json!(false)));
        assert_eq!((empty.get("cookies"), empty.get("queryStringParameters")), (None, None));
    }
}
