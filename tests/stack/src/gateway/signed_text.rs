//! The text that a signed call has to sign, for whoever signs and is refused.
//!
//! Written anew from the documentation of the relay, so that it does not repeat a mistake of the functions. `cargo dev`
//! alone shows it: elsewhere, whoever gets hold of a request would learn nothing, but answers would differ by what was
//! sent.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::{BASE64, HEXLOWER};
use serde_json::Value;

/// The header of an answer that has the text.
pub(super) const HEADER: &str = "x-latchkey-dev-signed-text";

/// The text that the request of this event has to sign: of v2 if it has a nonce. `None` if it is no signed call.
pub(super) fn signed_text(event: &Value) -> Option<String> {
    let text = |name: &str| event.get(name)?.as_str();
    let path = text("rawPath").filter(|path| path.starts_with("/api/v1/relay/"))?;
    let headers = event.get("headers")?;
    let header = |name: &str| {
        let named = |family: &str| headers.get(format!("x-{family}-{name}"))?.as_str();
        named("latchkey").or_else(|| named("bloonio"))
    };
    let timestamp = header("timestamp")?;
    let body = text("body").unwrap_or_default();
    let is_encoded = event.get("isBase64Encoded").and_then(Value::as_bool) == Some(true);
    let body = if is_encoded { BASE64.decode(body.as_bytes()).ok()? } else { body.as_bytes().to_vec() };
    let body = HEXLOWER.encode(digest(&SHA256, &body).as_ref());
    let Some(nonce) = header("nonce") else { return Some(format!("{timestamp}.{body}")) };
    let method = event.pointer("/requestContext/http/method")?.as_str()?;
    let query = text("rawQueryString").filter(|query| !query.is_empty());
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    Some(format!("{timestamp}.{method}.{path}{query}.{nonce}.{body}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The published vectors: see `docs/api/relay.md`.
    #[test]
    fn it_is_the_text_of_the_documentation() {
        let file: Value = serde_json::from_str(include_str!("../../../vectors/relay-v2.json")).unwrap();
        for vector in file["vectors"].as_array().unwrap() {
            let (path, query) =
                vector["target"].as_str().map(|target| target.split_once('?').unwrap_or((target, ""))).unwrap();
            let timestamp = vector["timestamp_ms"].to_string();
            let event = |headers: Value| {
                json!({
                    "rawPath": path, "rawQueryString": query, "headers": headers, "body": vector["body"],
                    "requestContext": { "http": { "method": vector["method"] } },
                })
            };
            let v2 = event(json!({ "x-latchkey-timestamp": timestamp, "x-latchkey-nonce": vector["nonce"] }));
            assert_eq!(signed_text(&v2).as_deref(), vector["signed_text"].as_str());
            let v1 = event(json!({ "x-bloonio-timestamp": timestamp }));
            let expected = format!("{timestamp}.{}", vector["body_sha256"].as_str().unwrap());
            assert_eq!(signed_text(&v1), Some(expected));
            assert_eq!(signed_text(&event(json!({}))), None);
        }
        let elsewhere = json!({ "rawPath": "/api/v1/fetch/tenants", "headers": { "x-latchkey-timestamp": "1" } });
        assert_eq!(signed_text(&elsewhere), None);
    }
}
