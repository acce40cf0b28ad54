use aws_lc_rs::hmac;
use proptest::prelude::*;
use serde_json::Value;

use super::*;

const TENANT: &str = "tnt_00000000000000000000000000000000";
const SECRET: &str = "sk_test_vector";
const MILLIS: &str = "1718966400000";
const NONCE: &str = "6f0c8a1e2b3d4f50";

fn secret() -> TenantSecret {
    TenantSecret::restore(SECRET).unwrap()
}

fn mac(text: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    HEXLOWER.encode(hmac::sign(&key, text.as_bytes()).as_ref())
}

fn parts(body: &str) -> SignedParts<'_> {
    SignedParts { method: "GET", path: "/api/v1/relay/whoami", query: "", body: body.as_bytes() }
}

fn headers(signature: &str) -> SignatureHeaders<'_> {
    let nonce = signature.starts_with("v2=").then_some(NONCE);
    SignatureHeaders { tenant_id: TENANT, timestamp: MILLIS, signature, nonce }
}

#[test]
fn the_published_vectors_verify_and_nothing_near_them_does() {
    let file: Value = serde_json::from_str(include_str!("../../../../../tests/vectors/relay-v1.json")).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 4);
    for vector in vectors {
        let text = |name: &str| vector[name].as_str().unwrap();
        let (timestamp, secret) = (vector["timestamp_ms"].to_string(), text("secret"));
        let headers = SignatureHeaders { timestamp: &timestamp, ..headers(text("signature")) };
        let secret = TenantSecret::restore(secret).unwrap();
        let call = SignedCall::read(headers, parts(text("body"))).unwrap();
        assert_eq!((call.version, call.nonce.is_some()), (SigningVersion::V1, !text("body").is_empty()));
        assert!(call.text.ends_with(text("body_sha256")) && call.is_signed_with(&secret));
        let longer = format!("{} ", text("body"));
        assert!(!SignedCall::read(headers, parts(&longer)).unwrap().is_signed_with(&secret));
        let later = SignatureHeaders { timestamp: "1718966400001", ..headers };
        assert!(!SignedCall::read(later, parts(text("body"))).unwrap().is_signed_with(&secret));
        assert!(!call.is_signed_with(&TenantSecret::restore("sk_test_vectoR").unwrap()));
    }
}

/// Made with Python's `hmac` and `hashlib`, and not by us.
#[test]
fn the_published_vectors_of_the_second_version_verify_over_the_text_that_they_show() {
    let file: Value = serde_json::from_str(include_str!("../../../../../tests/vectors/relay-v2.json")).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 3);
    for vector in vectors {
        let text = |name: &str| vector[name].as_str().unwrap();
        let timestamp = vector["timestamp_ms"].to_string();
        let (path, query) = text("target").split_once('?').unwrap_or((text("target"), ""));
        let parts = SignedParts { method: text("method"), path, query, body: text("body").as_bytes() };
        let (signature, nonce) = (text("signature"), Some(text("nonce")));
        let headers = SignatureHeaders { tenant_id: TENANT, timestamp: &timestamp, signature, nonce };
        let call = SignedCall::read(headers, parts).unwrap();
        assert_eq!((call.version, call.text.as_str()), (SigningVersion::V2, text("signed_text")));
        assert!(call.is_signed_with(&TenantSecret::restore(text("secret")).unwrap()));
        let other = SignedParts { method: "PUT", ..parts };
        assert!(!SignedCall::read(headers, other).unwrap().is_signed_with(&secret()));
    }
}

#[test]
fn a_v1_call_with_a_body_has_its_timestamp_and_signature_for_a_nonce_and_one_without_has_none() {
    let nonce = |timestamp: &'static str, body: &'static str, parts: SignedParts<'static>| {
        let empty = HEXLOWER.encode(digest(&SHA256, body.as_bytes()).as_ref());
        let signature = mac(&format!("{timestamp}.{empty}"));
        let headers = SignatureHeaders { timestamp, nonce: None, ..headers(&signature) };
        let call = SignedCall::read(headers, SignedParts { body: body.as_bytes(), ..parts }).unwrap();
        let nonce = call.nonce.map(|nonce| nonce.to_string());
        assert!(!nonce.as_ref().is_some_and(|nonce| nonce.contains(&signature)), "as good as a password");
        nonce
    };
    assert_eq!(nonce(MILLIS, "", parts("")), None);
    let first = nonce(MILLIS, "{}", parts(""));
    // No client can send it as a v2 nonce, and so use it up before.
    assert!(first.as_deref().is_some_and(|nonce| Nonce::parse(nonce).is_none()));
    // What is not signed makes it no other call.
    let elsewhere = SignedParts { method: "POST", path: "/api/v1/relay/other", query: "a=1", body: b"" };
    assert_eq!(nonce(MILLIS, "{}", elsewhere), first);
    assert_ne!(nonce("1718966400001", "{}", parts("")), first);
    assert_ne!(nonce(MILLIS, "{} ", parts("")), first);
}

#[test]
fn the_second_version_covers_method_path_query_nonce_and_body() {
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let plain = mac(&format!("{MILLIS}.GET./api/v1/relay/whoami.{NONCE}.{empty}"));
    let query = mac(&format!("{MILLIS}.GET./api/v1/relay/whoami?a=%20b.{NONCE}.{empty}"));
    let reads = |signature: &str, parts| {
        let signature = format!("v2={signature}");
        SignedCall::read(headers(&signature), parts).unwrap().is_signed_with(&secret())
    };
    assert!(reads(&plain, parts("")));
    assert!(reads(&query, SignedParts { query: "a=%20b", ..parts("") }));
    assert!(!reads(&query, parts("")) && !reads(&plain, SignedParts { query: "a=%20b", ..parts("") }));
    assert!(!reads(&query, SignedParts { query: "a= b", ..parts("") }));
    assert!(!reads(&plain, SignedParts { method: "POST", ..parts("") }));
    assert!(!reads(&plain, SignedParts { path: "/api/v1/relay/whoam", ..parts("") }));
    assert!(!reads(&plain, parts("{}")));
    // Without its version it is another text's.
    assert!(!SignedCall::read(headers(&plain), parts("")).unwrap().is_signed_with(&secret()));
}

#[test]
fn headers_that_are_not_exactly_so_are_refused() {
    let good = "a".repeat(64);
    assert!(SignedCall::read(headers(&good), parts("")).is_ok());
    for timestamp in ["", " 1", "1 ", "+1", "-1", "01", "1.0", "1e3", "0x1", "1,1", "99999999999999999999", "é"] {
        let headers = SignatureHeaders { timestamp, ..headers(&good) };
        assert!(SignedCall::read(headers, parts("")).is_err(), "{timestamp}");
    }
    let upper = "A".repeat(64);
    let twice = format!("{good},{good}");
    let (v1, v3, space, spaces) =
        (format!("v1={good}"), format!("v3={good}"), format!(" {good}"), format!("v2= {good}"));
    for signature in ["", "v2=", &good[1..], &upper, &twice, &v1, &v3, &space, &spaces, &"é".repeat(32)] {
        assert!(SignedCall::read(headers(signature), parts("")).is_err(), "{signature}");
    }
    for tenant_id in ["", "tnt_", " tnt_1", "tnt_1 ", "tnt_1,tnt_1", "tnt_#"] {
        let headers = SignatureHeaders { tenant_id, ..headers(&good) };
        assert!(SignedCall::read(headers, parts("")).is_err(), "{tenant_id}");
    }
    let v2 = format!("v2={good}");
    let long = "n".repeat(65);
    for nonce in
        [None, Some(""), Some("short"), Some(long.as_str()), Some("aaaaaaaaaaaaaaa."), Some("aaaaaaaa aaaaaaaa")]
    {
        let headers = SignatureHeaders { nonce, ..headers(&v2) };
        assert!(SignedCall::read(headers, parts("")).is_err(), "{nonce:?}");
    }
}

#[test]
fn thirty_seconds_on_either_side_are_near_enough_and_a_millisecond_more_is_not() {
    let signature = "a".repeat(64);
    let call = SignedCall::read(headers(&signature), parts("")).unwrap();
    for (off, is_near) in [(0, true), (30_000, true), (-30_000, true), (30_001, false), (-30_001, false)] {
        let now = 1_718_966_400_000 + off;
        let far = CredentialFault::TimestampOutOfWindow { server_time_ms: now };
        let expected = if is_near { Ok(()) } else { Err(far) };
        assert_eq!(call.check_time(Timestamp::from_millis(now)), expected, "{off}");
    }
    for timestamp in ["0", "1718966400", "999999999999", "10000000000000", "1718966400000000"] {
        let other_unit = SignatureHeaders { timestamp, ..headers(&signature) };
        let checked =
            SignedCall::read(other_unit, parts("")).unwrap().check_time(Timestamp::from_millis(1_718_966_400_000));
        assert_eq!(checked, Err(CredentialFault::TimestampNotMilliseconds), "{timestamp}");
    }
}

/// Each mistake of a signer that can be seen without its secret, by its name.
#[test]
fn a_mistake_that_shows_is_named() {
    let (good, upper, base64) = ("a".repeat(64), "A".repeat(64), "q83v".repeat(11));
    let of_v2 = format!("v2={good}");
    let named = |headers: SignatureHeaders<'_>, body: &str| {
        SignedCall::read(headers, parts(body)).err().map(CredentialFault::as_str)
    };
    for tenant_id in ["5d1f6c0e-8a43-4b7f-9c52-1e7a90d3b684", "", "sk_1"] {
        assert_eq!(named(SignatureHeaders { tenant_id, ..headers(&good) }, ""), Some("tenant_id_malformed"));
    }
    for timestamp in ["1718966400.123", "1718966400000.0", "now", ""] {
        assert_eq!(named(SignatureHeaders { timestamp, ..headers(&good) }, ""), Some("timestamp_not_milliseconds"));
    }
    for signature in [upper.as_str(), &base64, "", &good[1..], "V2=x"] {
        assert_eq!(named(headers(signature), ""), Some("signature_not_lower_hex"), "{signature}");
    }
    let nonce = Some(NONCE);
    assert_eq!(named(SignatureHeaders { nonce, ..headers(&good) }, ""), Some("version_prefix_missing"));
    for nonce in [None, Some("short")] {
        assert_eq!(named(SignatureHeaders { nonce, ..headers(&of_v2) }, ""), Some("nonce_malformed"));
    }
    assert_eq!(named(headers(&good), r#"{"event_id":"evt_1"}"#), Some("body_of_a_callback"));
    assert_eq!((named(headers(&good), ""), named(headers(&of_v2), "")), (None, None));
}

proptest! {
    /// What was signed can be taken apart again, and so no two calls have the same text.
    #[test]
    fn a_signed_text_can_be_read_in_one_way_only(
        method in "[A-Z]{1,7}",
        path in "/[a-z./]{0,12}",
        query in "[a-z=&.?/]{0,12}",
        nonce in "[A-Za-z0-9+/=_-]{16,64}",
    ) {
        let signature = format!("v2={}", "a".repeat(64));
        let headers = SignatureHeaders { nonce: Some(&nonce), ..headers(&signature) };
        let parts = SignedParts { method: &method, path: &path, query: &query, body: b"" };
        let text = SignedCall::read(headers, parts).unwrap().text;
        let (rest, body) = text.rsplit_once('.').unwrap();
        let (rest, read_nonce) = rest.rsplit_once('.').unwrap();
        let (read_timestamp, rest) = rest.split_once('.').unwrap();
        let (read_method, target) = rest.split_once('.').unwrap();
        let (read_path, read_query) = target.split_once('?').unwrap_or((target, ""));
        prop_assert_eq!((read_timestamp, body.len()), (MILLIS, 64));
        prop_assert_eq!((read_method, read_path, read_query, read_nonce), (&*method, &*path, &*query, &*nonce));
    }

    #[test]
    fn any_headers_are_read_or_refused(
        tenant_id in "\\PC{0,40}",
        timestamp in "\\PC{0,20}",
        signature in "\\PC{0,70}",
    ) {
        let (tenant_id, timestamp) = (&tenant_id, &timestamp);
        let headers = SignatureHeaders { tenant_id, timestamp, signature: &signature, nonce: None };
        let read = SignedCall::read(headers, parts(""));
        prop_assert!(read.is_err() || signature.len() == 64);
    }
}

#[test]
fn a_tenant_on_v1_takes_both_versions_and_one_on_v2_that_only() {
    use SigningVersion::{V1, V2};
    for (tenant, call, takes) in [(V1, V1, true), (V1, V2, true), (V2, V1, false), (V2, V2, true)] {
        assert_eq!(tenant.takes(call), takes, "{tenant} {call}");
    }
    assert_eq!(format!("{V1} {V2}"), "v1 v2");
}

#[test]
fn no_signature_prints_itself() {
    let (headers, signature) = (headers(NONCE), "a".repeat(64));
    let call = SignedCall::read(SignatureHeaders { signature: &signature, ..headers }, parts("")).unwrap();
    let printed = format!("{headers:?} {:?} {call:?}", parts(""));
    assert_eq!(printed, format!("SignatureHeaders SignedParts(GET) SignedCall({TENANT})"));
}
