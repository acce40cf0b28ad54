//! Signatures, by the SDK's own signer and by the examples that AWS publishes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_dynamodb::config::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use proptest::collection::vec;
use proptest::{prop_assert_eq, proptest};
use time::PrimitiveDateTime;
use time::macros::format_description;

use super::script::Sent;
use super::{SECRET, TOKEN};
use crate::domain::Timestamp;
use crate::store::dynamodb::direct::signature::{AmzDate, Signable, Signer};

fn credentials(token: Option<&str>) -> Credentials {
    Credentials::new("AKIDEXAMPLE", SECRET, token.map(str::to_owned), None, "test")
}

/// What the SDK's signer puts into `authorization` for a request with these headers.
fn expected(
    token: Option<&str>,
    (region, service): (&str, &str),
    time: SystemTime,
    (method, uri): (&str, &str),
    headers: &[(&str, &str)],
    body: &[u8],
) -> String {
    let identity = credentials(token).into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(time)
        .settings(SigningSettings::default())
        .build()
        .unwrap();
    let request = SignableRequest::new(method, uri, headers.iter().copied(), SignableBody::Bytes(body)).unwrap();
    let (instructions, _) = sign(request, &params.into()).unwrap().into_parts();
    let authorization = instructions.headers().find(|(name, _)| *name == "authorization").unwrap();
    authorization.1.to_owned()
}

/// Asserts that the signature on a request is right.
pub fn is_signed(sent: &Sent) {
    let authorization = sent.header("authorization").unwrap();
    let (_, signed) = authorization.split_once("SignedHeaders=").unwrap();
    let signed: Vec<_> = signed.split(',').next().unwrap().split(';').collect();
    for name in ["content-type", "host", "x-amz-date", "x-amz-security-token", "x-amz-target"] {
        assert!(signed.contains(&name), "{name} is not signed: {authorization}");
    }
    // The signer adds the others itself, from the credentials, the time and the address.
    let headers = sent.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let headers: Vec<_> = headers
        .filter(|(name, _)| signed.contains(name) && !["host", "x-amz-date", "x-amz-security-token"].contains(name))
        .collect();
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let time = PrimitiveDateTime::parse(sent.header("x-amz-date").unwrap(), format).unwrap().assume_utc();
    let place = ("eu-west-3", "dynamodb");
    let expected = expected(Some(TOKEN), place, time.into(), (&sent.method, &sent.uri), &headers, &sent.body);
    assert_eq!(authorization, expected);
}

/// Name, method, headers, body, signature.
type Example = (&'static str, &'static str, &'static [(&'static str, &'static str)], &'static str, &'static str);

/// From <https://github.com/awslabs/aws-c-auth/tree/v0.9.0/tests/aws-signing-test-suite>.
#[test]
fn the_published_examples_have_their_signatures() {
    const HOST: (&str, &str) = ("host", "example.amazonaws.com");
    const DATE: (&str, &str) = ("x-amz-date", "20150830T123600Z");
    const TOKEN: &str = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";
    const FORM: &[(&str, &str)] = &[
        ("content-length", "13"),
        ("content-type", "application/x-www-form-urlencoded"),
        HOST,
        ("x-amz-content-sha256", "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"),
        DATE,
    ];
    let examples: [Example; 5] = [
        ("post-vanilla", "POST", &[HOST, DATE], "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            "post-header-value-case",
            "POST",
            &[HOST, ("my-header1", "VALUE1"), DATE],
            "",
            "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
        ),
        (
            "post-header-key-sort",
            "POST",
            &[HOST, ("my-header1", "value1"), DATE],
            "",
            "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
        ),
        (
            "post-x-www-form-urlencoded",
            "POST",
            FORM,
            "Param1=value1",
            "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
        ),
        (
            "get-vanilla-with-session-token",
            "GET",
            &[HOST, DATE, ("x-amz-security-token", TOKEN)],
            "",
            "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
        ),
    ];
    let time = AmzDate::from(Timestamp::parse("2015-08-30T12:36:00Z").unwrap());
    assert_eq!(time.as_str(), DATE.1);
    let signer = Signer::new(credentials(None), "us-east-1".to_owned(), "service");
    for (name, method, headers, body, signature) in examples {
        let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
        let expected = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={}, \
             Signature={signature}",
            names.join(";")
        );
        let request = Signable { method, path: "/", headers, body: body.as_bytes() };
        assert_eq!(signer.authorization(&time, request), expected, "{name}");
    }
}

#[test]
fn a_key_is_of_its_day() {
    let signer = Signer::new(credentials(None), "us-east-1".to_owned(), "dynamodb");
    let at = |text: &str| Timestamp::parse(text).unwrap();
    let mut signatures = Vec::new();
    for text in ["2026-01-31T23:59:59.999Z", "2026-02-01T00:00:00Z", "2026-01-31T23:59:59.999Z", "1970-01-01T00:00:00Z"]
    {
        let (time, date) = (UNIX_EPOCH + Duration::from_secs(at(text).as_seconds()), AmzDate::from(at(text)));
        let headers = [("host", "example.com"), ("x-amz-date", date.as_str())];
        let request = Signable { method: "POST", path: "/", headers: &headers, body: b"{}" };
        let ours = signer.authorization(&date, request);
        let place = ("us-east-1", "dynamodb");
        assert_eq!(ours, expected(None, place, time, ("POST", "https://example.com/"), &[], b"{}"));
        signatures.push(ours);
    }
    assert_eq!(signatures[0], signatures[2]);
    assert_ne!(signatures[0], signatures[1]);
}

proptest! {
    #[test]
    fn any_request_is_signed_as_the_sdk_signs_it(
        body in vec(0_u8.., 0..300),
        target in "[ -~&&[^ ]]{1,40}",
        token in proptest::option::of("[!-~]{1,400}"),
        region in "[a-z]{2}-[a-z]{4,9}-[1-9]",
        seconds in 0_u32..,
    ) {
        let signer = Signer::new(credentials(token.as_deref()), region.clone(), "dynamodb");
        let date = AmzDate::from(Timestamp::from_millis(i64::from(seconds) * 1000 + 999));
        let host = format!("dynamodb.{region}.amazonaws.com");
        let mut headers =
            vec![("content-type", "application/x-amz-json-1.0"), ("host", &host), ("x-amz-date", date.as_str())];
        headers.extend(token.as_deref().map(|token| ("x-amz-security-token", token)));
        headers.push(("x-amz-target", &target));
        let request = Signable { method: "POST", path: "/", headers: &headers, body: &body };
        let ours = signer.authorization(&date, request);
        let time = UNIX_EPOCH + Duration::from_secs(u64::from(seconds));
        let given = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", target.as_str())];
        let address = format!("https://{host}/");
        let place = (region.as_str(), "dynamodb");
        prop_assert_eq!(ours, expected(token.as_deref(), place, time, ("POST", &address), &given, &body));
    }
}
