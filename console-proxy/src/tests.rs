//! The proxy, between a browser and an API that checks signatures as AWS describes it.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>, by steps of its own:
//! the signer of the SDK, which makes them, is not asked whether they are right.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use data_encoding::HEXLOWER;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{Api, Proxy};

const KEY_ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const REGION: &str = "eu-west-3";
/// What no signature encodes.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// 2026-01-02T03:04:05Z.
fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_767_323_045)
}

/// A request that has come to the API.
#[derive(Debug, Clone)]
struct Came {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl Came {
    fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} is there twice");
        value
    }

    /// Whether the signature is of this request and this secret.
    fn is_signed_with(&self, secret: &str) -> bool {
        let authorization = self.header("authorization").unwrap();
        let fields: Vec<_> = authorization.strip_prefix("AWS4-HMAC-SHA256 ").unwrap().split(", ").collect();
        let [credential, signed, signature] = fields.as_slice() else { panic!("{authorization}") };
        let moment = self.header("x-amz-date").unwrap();
        assert_eq!(moment, "20260102T030405Z");
        let scope = format!("20260102/{REGION}/execute-api/aws4_request");
        assert_eq!(*credential, format!("Credential={KEY_ID}/{scope}"));
        let names = signed.strip_prefix("SignedHeaders=").unwrap();
        assert!(names.split(';').any(|name| name == "host"));
        let headers = names.split(';').map(|name| format!("{name}:{}\n", self.header(name).unwrap().trim()));
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let path = path.split('/').map(|part| utf8_percent_encode(part, ENCODED).to_string());
        let mut query: Vec<_> = query.split('&').filter(|part| !part.is_empty()).map(encoded_again).collect();
        query.sort_unstable();
        let canonical = [
            self.method.clone(),
            path.collect::<Vec<_>>().join("/"),
            query.join("&"),
            headers.collect::<String>(),
            names.to_owned(),
            HEXLOWER.encode(digest(&SHA256, &self.body).as_ref()),
        ];
        let digest = HEXLOWER.encode(digest(&SHA256, canonical.join("\n").as_bytes()).as_ref());
        let text = format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}");
        let step = |key: &[u8], text: &str| sign(&Key::new(HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec();
        let key = scope.split('/').fold(format!("AWS4{secret}").into_bytes(), |key, part| step(&key, part));
        *signature == format!("Signature={}", HEXLOWER.encode(&step(&key, &text)))
    }
}

/// A parameter of a query as signatures have it.
fn encoded_again(part: &str) -> String {
    let (name, value) = part.split_once('=').unwrap_or((part, ""));
    let again = |text: &str| utf8_percent_encode(&percent_decode_str(text).decode_utf8().unwrap(), ENCODED).to_string();
    format!("{}={}", again(name), again(value))
}

/// A proxy before an API, and what has come to it.
struct Set {
    proxy: SocketAddr,
    api: SocketAddr,
    came: Arc<Mutex<Vec<Came>>>,
}

async fn read(request: Request<Incoming>) -> Came {
    let (parts, body) = request.into_parts();
    let headers = parts.headers.iter();
    Came {
        method: parts.method.to_string(),
        target: parts.uri.to_string(),
        headers: headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect(),
        body: body.collect().await.unwrap().to_bytes(),
    }
}

/// What the API answers: pages as they are, and what is not signed with its secret as the gateway does.
fn answer(came: &Came) -> Response<Full<Bytes>> {
    let html = Response::builder().header("content-type", "text/html; charset=utf-8").header("etag", "\"1\"");
    let answer = match came.target.as_str() {
        _ if !came.is_signed_with(SECRET) => Response::builder().status(403).body(r#"{"message":"Forbidden"}"#),
        "/console" => html.header("content-security-policy", "default-src 'self'").body("<html lang=\"en\"><p><html>"),
        "/p" => html.body("<html lang=\"en\">"),
        _ => Response::builder()
            .header("content-type", "application/json")
            .header("dpop-nonce", "n")
            .header("keep-alive", "timeout=5")
            .body("{\"success\":true,\"text\":\"<html lang\"}"),
    };
    answer.unwrap().map(|text| Full::new(Bytes::from(text)))
}

impl Set {
    async fn start() -> Self {
        Self::with(Credentials::new(KEY_ID, SECRET, Some("a-session-token".to_owned()), None, "test")).await
    }

    async fn with(credentials: Credentials) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = listener.local_addr().unwrap();
        let came: Arc<Mutex<Vec<Came>>> = Arc::default();
        let noted = Arc::clone(&came);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let noted = Arc::clone(&noted);
                let service = service_fn(move |request| {
                    let noted = Arc::clone(&noted);
                    async move {
                        let came = read(request).await;
                        let answer = answer(&came);
                        noted.lock().unwrap().push(came);
                        Ok::<_, Infallible>(answer)
                    }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self { proxy: proxy(&format!("http://{api}"), credentials).await, api, came }
    }

    fn came(&self) -> Vec<Came> {
        std::mem::take(&mut self.came.lock().unwrap())
    }

    /// Status, head and body of the answer to a request with these lines as headers.
    async fn ask(&self, line: &str, headers: &[&str], body: &str) -> (u16, String, String) {
        ask(self.proxy, line, headers, body).await
    }

    fn own_host(&self) -> String {
        format!("Host: {}", self.proxy)
    }
}

async fn proxy(api: &str, credentials: Credentials) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let api = Api::parse(api, Some(REGION)).unwrap();
    let proxy = Proxy::new(api, SharedCredentialsProvider::new(credentials), now, |_| {}).unwrap();
    tokio::spawn(proxy.serve(listener));
    address
}

async fn ask(address: SocketAddr, line: &str, headers: &[&str], body: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("{line} HTTP/1.1\r\n{}\r\nConnection: close\r\n", headers.join("\r\n"));
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    // A refusal may come before all of the body was taken.
    stream.write_all(format!("{head}{length}\r\n{body}").as_bytes()).await.ok();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_lowercase(), body.to_owned())
}

#[tokio::test]
async fn every_request_arrives_with_a_signature_of_what_arrives() {
    let set = Set::start().await;
    let host = set.own_host();
    for target in [
        "/console",
        "/api/v1/fetch/tenants",
        "/api/v1/fetch/tenants?search=Acme+%26+S%C3%B6hne&limit=20",
        "/api/v1/fetch/tenants?b=2&a=1&a=0&empty=&%41=%7E",
        "/api/v1/fetch/callbacks?type=*&since=2026-01-01T00:00:00Z",
        "/pages/0123456789abcdef/console.js",
        "/a%20path/with%2Fmore",
    ] {
        let (status, _, body) = set.ask(&format!("GET {target}"), &[&host], "").await;
        assert_eq!(status, 200, "{target}: {body}");
        let came = set.came();
        assert_eq!(came[0].target, target.replace('+', "%20"));
        assert_eq!(came[0].header("x-amz-security-token"), Some("a-session-token"));
        assert_eq!(came[0].header("host"), Some(set.api.to_string().as_str()));
    }
    for method in ["POST", "DELETE"] {
        let body = r#"{"tenant_name":"Größe"}"#;
        let line = format!("{method} /api/v1/provision/tenant");
        let (status, _, _) = set.ask(&line, &[&host, "Content-Type: application/json"], body).await;
        let came = set.came();
        assert_eq!((status, came[0].method.as_str(), &came[0].body[..]), (200, method, body.as_bytes()));
        assert_eq!(came[0].header("content-type"), Some("application/json"));
    }
}

#[tokio::test]
async fn the_session_goes_where_the_signature_leaves_room_and_nothing_of_this_connection_goes_along() {
    let set = Set::start().await;
    let (host, origin) = (set.own_host(), format!("Origin: http://{}", set.proxy));
    let sent = [
        host.as_str(),
        &origin,
        "Authorization: DPoP cs_token",
        "DPoP: a.b.c",
        "Idempotency-Key: 17",
        "Accept: application/json",
        "Cookie: other=1",
        "Referer: http://127.0.0.1/",
        "Sec-Fetch-Site: same-origin",
        "X-Forwarded-Authorization: DPoP forged",
        "X-Forwarded-For: 192.0.2.1",
        "X-Amz-Date: 20200101T000000Z",
        "X-Amz-Security-Token: forged",
        "TE: trailers",
        "Accept-Encoding: br",
    ];
    let (status, head, body) = set.ask("POST /api/v1/console/session", &sent, "{}").await;
    assert_eq!((status, body.as_str()), (200, "{\"success\":true,\"text\":\"<html lang\"}"));
    assert!(head.contains("dpop-nonce: n") && !head.contains("keep-alive"), "{head}");
    let came = &set.came()[0];
    let own = format!("http://{}", set.api);
    for (name, value) in [
        ("x-forwarded-authorization", "DPoP cs_token"),
        ("dpop", "a.b.c"),
        ("idempotency-key", "17"),
        ("accept", "application/json"),
        ("origin", &own),
        ("x-amz-security-token", "a-session-token"),
    ] {
        assert_eq!(came.header(name), Some(value), "{name}");
    }
    for name in ["cookie", "referer", "sec-fetch-site", "x-forwarded-for", "te", "accept-encoding", "connection"] {
        assert_eq!(came.header(name), None, "{name}");
    }
}

#[tokio::test]
async fn the_page_is_told_the_apis_address_and_nothing_else_is_changed() {
    let set = Set::start().await;
    let host = set.own_host();
    let (_, head, page) = set.ask("GET /console", &[&host, "If-None-Match: \"1\""], "").await;
    assert_eq!(page, format!("<html data-base=\"http://{}\" lang=\"en\"><p><html>", set.api));
    assert!(head.contains("content-security-policy: default-src 'self'") && !head.contains("etag"), "{head}");
    assert_eq!(set.came()[0].header("if-none-match"), None);
    let (_, head, page) = set.ask("GET /p", &[&host, "If-None-Match: \"1\""], "").await;
    assert!(page == "<html lang=\"en\">" && head.contains("etag: \"1\""));
    assert_eq!(set.came()[0].header("if-none-match"), Some("\"1\""));
}

#[tokio::test]
async fn pages_of_others_get_nothing_done() {
    let set = Set::start().await;
    let (own, port) = (set.own_host(), set.proxy.port());
    let foreign = [
        vec!["Host: evil.example".to_owned()],
        vec![format!("Host: evil.example:{port}")],
        vec![format!("Host: 127.0.0.1:{}", port ^ 1)],
        vec!["Host: 127.0.0.1".to_owned()],
        vec![own.clone(), "Origin: https://evil.example".to_owned()],
        vec![own.clone(), "Origin: null".to_owned()],
        vec![own.clone(), format!("Origin: http://localhost:{port}")],
        vec![own.clone(), format!("Origin: https://{}", set.proxy)],
        vec![own.clone(), "Sec-Fetch-Site: cross-site".to_owned()],
        vec![own.clone(), "Sec-Fetch-Site: same-site".to_owned(), "Sec-Fetch-Mode: navigate".to_owned()],
        vec![own.clone(), own.clone()],
    ];
    for headers in foreign {
        let headers: Vec<_> = headers.iter().map(String::as_str).collect();
        let (status, _, body) = set.ask("POST /api/v1/suspend/tenant", &headers, "").await;
        assert!(
            status == 403 && body.contains(r#""code":"origin_not_allowed""#) || status == 400,
            "{headers:?} {body}"
        );
    }
    assert!(set.came().is_empty());
    let followed = [own.as_str(), "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"];
    assert_eq!(set.ask("GET /console", &followed, "").await.0, 200);
    let local = format!("Host: localhost:{port}");
    let origin = format!("Origin: http://localhost:{port}");
    assert_eq!(set.ask("POST /api/v1/suspend/tenant", &[&local, &origin], "").await.0, 200);
}

#[tokio::test]
async fn what_the_api_refuses_or_nobody_answers_is_said() {
    let set = Set::with(Credentials::new(KEY_ID, "another", None, None, "test")).await;
    let (status, _, body) = set.ask("GET /console", &[&set.own_host()], "").await;
    assert_eq!((status, body.as_str()), (403, r#"{"message":"Forbidden"}"#));
    assert_eq!(set.came().len(), 1);
    let large = "x".repeat((6 << 20) + 1);
    let (status, _, body) = set.ask("POST /api/v1/provision/tenant", &[&set.own_host()], &large).await;
    assert!(status == 413 && body.contains("body_too_large"), "{status} {body}");
    assert!(set.came().is_empty());
    // A port that was just free.
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let address = proxy(&format!("http://{gone}"), Credentials::new(KEY_ID, SECRET, None, None, "test")).await;
    let (status, _, body) = ask(address, "GET /console", &[&format!("Host: {address}")], "").await;
    assert!(status == 502 && body.contains(r#""success":false"#) && body.contains("did not answer"), "{body}");
}
