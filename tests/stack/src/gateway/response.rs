//! The HTTP response that an HTTP API makes of a function's answer, by the rules of payload format 2.0.

use data_encoding::BASE64;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, SET_COOKIE};
use hyper::{Response, StatusCode};
use serde_json::{Map, Value};

use crate::http::Answer;

/// The response. `None` if the gateway would not understand the function's answer either.
pub(super) fn response(raw: &[u8]) -> Option<Answer> {
    let answer: Value = serde_json::from_slice(raw).ok()?;
    let Some(object) = answer.as_object().filter(|object| object.contains_key("statusCode")) else {
        // Without a status the answer is the body.
        let body = answer.as_str().map_or_else(|| raw.to_vec(), |text| text.as_bytes().to_vec());
        return Some(plain(StatusCode::OK, "application/json", body));
    };
    let status = object.get("statusCode")?.as_u64().and_then(|status| u16::try_from(status).ok())?;
    let status = StatusCode::from_u16(status).ok().filter(|status| (200..600).contains(&status.as_u16()))?;
    let text = match object.get("body") {
        None | Some(Value::Null) => "",
        Some(body) => body.as_str()?,
    };
    let encoded = object.get("isBase64Encoded").and_then(Value::as_bool).unwrap_or(false);
    let body = if encoded { BASE64.decode(text.as_bytes()).ok()? } else { text.as_bytes().to_vec() };

    let mut response = plain(status, "text/plain;charset=UTF-8", body);
    for (name, value) in object.get("headers").and_then(Value::as_object).into_iter().flat_map(Map::iter) {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            // Lists are what `multiValueHeaders` of format 1.0 had.
            _ => return None,
        };
        let name: HeaderName = name.parse().ok()?;
        // The length is the gateway's business.
        if name != "content-length" && name != "transfer-encoding" && name != "connection" {
            response.headers_mut().insert(name, HeaderValue::from_str(&value).ok()?);
        }
    }
    for cookie in object.get("cookies").and_then(Value::as_array).into_iter().flatten() {
        response.headers_mut().append(SET_COOKIE, HeaderValue::from_str(cookie.as_str()?).ok()?);
    }
    Some(response)
}

fn plain(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Answer {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use serde_json::{Value, json};

    use super::response;

    async fn made(answer: &Value) -> Option<(u16, Vec<(String, String)>, String)> {
        let (parts, body) = response(answer.to_string().as_bytes())?.into_parts();
        let headers = parts.headers.iter().map(|(k, v)| (k.to_string(), v.to_str().unwrap().to_owned())).collect();
        let body = body.collect().await.unwrap().to_bytes();
        Some((parts.status.as_u16(), headers, String::from_utf8(body.to_vec()).unwrap()))
    }

    fn header(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[tokio::test]
    async fn with_a_status_everything_is_as_the_function_says() {
        let answer = json!({
            "statusCode": 201, "headers": {"Content-Type": "text/html", "X-N": 7}, "cookies": ["a=1", "b=2"],
            "body": "aGk=", "isBase64Encoded": true,
        });
        let (status, headers, body) = made(&answer).await.unwrap();
        assert_eq!((status, body.as_str()), (201, "hi"));
        assert_eq!(
            headers,
            [
                header("content-type", "text/html"),
                header("x-n", "7"),
                header("set-cookie", "a=1"),
                header("set-cookie", "b=2")
            ]
        );
    }

    #[tokio::test]
    async fn without_a_status_the_answer_is_the_body() {
        let json_type = [header("content-type", "application/json")];
        let (status, headers, body) = made(&json!({"a": 1})).await.unwrap();
        assert_eq!((status, headers.as_slice(), body.as_str()), (200, &json_type[..], r#"{"a":1}"#));
        assert_eq!(made(&json!("hello")).await.unwrap().2, "hello");
    }

    #[tokio::test]
    async fn what_the_gateway_cannot_read_is_no_response() {
        for answer in [json!({"statusCode": "x"}), json!({"statusCode": 42}), json!({"statusCode": 200, "body": {}})] {
            assert_eq!(made(&answer).await, None, "{answer}");
        }
        assert!(response(b"not json").is_none());
    }
}
