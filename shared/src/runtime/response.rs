//! Outcomes to answers: the only place that knows the surfaces' envelopes.

use data_encoding::BASE64;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use lambda_http::aws_lambda_events::encodings::Body;
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::{Value, json};

use crate::api::{Output, Surface, TextBody};
use crate::domain::{CredentialFault, DpopNonce, Quota, UnknownCredential};
use crate::error::{Error, ErrorCode, IS_REQUIRED, IS_UNKNOWN, IS_UNKNOWN_IN_QUERY, RequestPart, Result};

/// What the gateway makes an HTTP response of.
pub type HttpResponse = ApiGatewayV2httpResponse;

/// The longest body that goes to the gateway as it is, in bytes. In what a function hands over it is a text in JSON,
/// which can be twice as long; in Base64 it is a third longer, whatever it consists of. Lambda takes 6 MB.
const LONGEST_TEXT: usize = 2 * 1024 * 1024;

/// Bytes of most bodies.
const ANSWER: usize = 1024;

/// The media type of every answer that is none of a page.
const JSON: &str = "application/json";
/// The media type of a page's refusal.
const PLAIN_TEXT: &str = "text/plain; charset=utf-8";

/// What a page may do. A script of another origin, one that stands in the page, and one that was made of a text do not
/// run; nothing is sent to another origin but the request for a tenant's logo, which is wherever the tenant has it; no
/// form is submitted, and no other page has this one in a frame.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' https:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// The headers of the pages surface, beside those of all answers.
const PAGE_HEADERS: [(&str, &str); 6] = [
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    // A page that opened this one, or was opened by it, has no handle on it.
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"),
    // An address names a QR login.
    ("referrer-policy", "no-referrer"),
    ("strict-transport-security", "max-age=31536000"),
];

/// A success, ready to send.
pub struct Success {
    status: u16,
    media_type: &'static str,
    cache_control: &'static str,
    body: String,
}

impl Success {
    /// An output in the shape of its surface.
    ///
    /// # Errors
    /// If the output can't be written as JSON, which is our fault.
    pub fn new<T: Output>(surface: Surface, status: u16, output: &T) -> Result<Self> {
        #[derive(Serialize)]
        struct Registry<'a, T> {
            success: bool,
            status_code: u16,
            message: &'static str,
            data: &'a T,
        }
        #[derive(Serialize)]
        struct Projects<'a, T> {
            status: &'static str,
            data: &'a T,
        }
        if surface == Surface::Pages {
            let TextBody { media_type, text } =
                output.text_body().ok_or(Error::internal("the answer of a page is no text"))?;
            return Ok(Self { status, media_type, cache_control: output.cache_control(), body: text.to_owned() });
        }
        let body = match surface {
            Surface::Registry | Surface::Relay | Surface::Device | Surface::Console => {
                json_text(&Registry { success: true, status_code: status, message: output.message(), data: output })
            }
            Surface::Projects => json_text(&Projects { status: "success", data: output }),
            Surface::Account | Surface::Tokens | Surface::Pages => json_text(output),
        };
        let body = body.ok_or(Error::internal("the answer can't be written"))?;
        Ok(Self { status, media_type: JSON, cache_control: output.cache_control(), body })
    }

    /// The bytes of the body.
    pub fn body(&self) -> &[u8] {
        self.body.as_bytes()
    }
}

/// JSON in room for most answers: to make room for a token, a text that grows is moved four times.
fn json_text(value: &impl Serialize) -> Option<String> {
    let mut text = Vec::with_capacity(ANSWER);
    serde_json::to_writer(&mut text, value).ok()?;
    String::from_utf8(text).ok()
}

/// The response.
pub fn make(surface: Surface, request_id: &str, quota: Option<Quota>, outcome: Result<Success>) -> HttpResponse {
    let mut headers = common_headers(surface, request_id);
    if let Some(quota) = quota {
        set(&mut headers, "ratelimit-policy", quota.policy());
        set(&mut headers, "ratelimit", quota.to_string());
    }
    let Success { status, media_type, cache_control, body } = outcome.unwrap_or_else(|error| {
        if let Error::MethodNotAllowed { allow } = &error {
            set(&mut headers, "allow", allow.clone());
        }
        if let Some(seconds) = error.retry_after() {
            set(&mut headers, "retry-after", seconds.to_string());
        }
        let has_scheme = !matches!(surface, Surface::Registry | Surface::Relay);
        let is_refused = surface.status(error.code()) == 401;
        let is_proofs = matches!(error, Error::DpopNonceWanted(_) | Error::DpopProofRefused(_));
        if is_refused && (is_proofs || matches!(surface, Surface::Device | Surface::Console)) {
            set(&mut headers, "www-authenticate", dpop_challenge(&error));
        } else if error.code() == ErrorCode::Unauthenticated && has_scheme {
            // RFC 9110 §11.6.1. The operator's key and a signature have no scheme that could be named. OAuth clients
            // send HTTP Basic, and must be answered with it (RFC 6749 §5.2).
            let is_oauth = surface == Surface::Tokens;
            let schemes = if is_oauth { "Bearer, Basic realm=\"Latchkey\", charset=\"UTF-8\"" } else { "Bearer" };
            headers.insert("www-authenticate", HeaderValue::from_static(schemes));
        }
        refusal(surface, &error)
    });
    headers.insert("content-type", HeaderValue::from_static(media_type));
    headers.insert("cache-control", HeaderValue::from_static(cache_control));
    response(status, headers, body)
}

/// What a device is asked for (RFC 9449 §7.1). Why a credential itself is not accepted, is not told.
fn dpop_challenge(error: &Error) -> String {
    match error {
        Error::DpopNonceWanted(_) | Error::DpopProofRefused(_) => {
            format!("DPoP error=\"{}\", algs=\"ES256\"", error.code().as_str())
        }
        _ => "DPoP algs=\"ES256\"".to_owned(),
    }
}

/// Gives a device the nonce for its next proof (RFC 9449 §8.2).
pub fn with_nonce(mut response: HttpResponse, nonce: &DpopNonce) -> HttpResponse {
    set(&mut response.headers, "dpop-nonce", nonce.to_string());
    response
}

fn response(status: u16, headers: HeaderMap, body: String) -> HttpResponse {
    let is_base64_encoded = body.len() > LONGEST_TEXT;
    let body = if is_base64_encoded { BASE64.encode(body.as_bytes()) } else { body };
    let mut response = HttpResponse::default();
    response.status_code = status.into();
    response.headers = headers;
    response.body = Some(Body::Text(body));
    response.is_base64_encoded = is_base64_encoded;
    response
}

/// Sets a header to a text of our own. Each is ASCII: one that isn't would be left out rather than stop the answer.
fn set(headers: &mut HeaderMap, name: &'static str, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

/// The headers of all answers.
fn common_headers(surface: Surface, request_id: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    set(&mut headers, "x-request-id", request_id.to_owned());
    if surface == Surface::Pages {
        headers
            .extend(PAGE_HEADERS.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))));
    }
    headers
}

/// Lets pages of any origin read an answer (Fetch standard, CORS protocol).
pub fn shared(mut response: HttpResponse) -> HttpResponse {
    let exposed = HeaderValue::from_static("ratelimit, ratelimit-policy, retry-after, x-request-id");
    response.headers.insert("access-control-allow-origin", HeaderValue::from_static("*"));
    response.headers.insert("access-control-expose-headers", exposed);
    response
}

/// What a page may send. The last four are those of tracing (W3C Trace Context, Baggage, and Sentry's own), which is
/// added to every request of a page that has it and carries no authority.
const ALLOWED_HEADERS: &str =
    "authorization, content-type, idempotency-key, traceparent, tracestate, baggage, sentry-trace";

/// The answer to a browser that asks what it may send (Fetch standard, CORS-preflight). `X-API-KEY` is not in it:
/// browsers then refuse to send the one credential that no page may have.
pub fn preflight(request_id: &str, methods: String) -> HttpResponse {
    let mut headers = common_headers(Surface::Account, request_id);
    headers.insert("access-control-allow-headers", HeaderValue::from_static(ALLOWED_HEADERS));
    set(&mut headers, "access-control-allow-methods", methods);
    headers.insert("content-type", HeaderValue::from_static(JSON));
    headers.insert("access-control-max-age", HeaderValue::from_static("7200"));
    headers.insert("cache-control", HeaderValue::from_static("no-store"));
    shared(response(200, headers, "{}".to_owned()))
}

fn refusal(surface: Surface, error: &Error) -> Success {
    #[derive(Serialize)]
    struct Registry<'a> {
        success: bool,
        status_code: u16,
        message: String,
        data: (),
        error: Detail<'a>,
    }
    #[derive(Serialize)]
    struct Projects<'a> {
        status: &'static str,
        message: String,
        error: Detail<'a>,
    }
    #[derive(Serialize)]
    struct Tokens {
        error: &'static str,
        error_description: String,
        // No field of RFC 6749 §5.2, by which clients pass over what they do not know.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'static str>,
    }
    #[derive(Serialize)]
    struct Detail<'a> {
        code: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        field: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        server_time_ms: Option<i64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        signals: Option<Signals<'a>>,
    }
    #[derive(Serialize)]
    struct Signals<'a> {
        unknown_credential: &'a UnknownCredential,
    }
    let (code, message) = (error.code(), error.to_string());
    let status = surface.status(code);
    let signals = error.unknown_credential().map(|unknown_credential| Signals { unknown_credential });
    let fault = error.credential_fault();
    let reason = fault.map(CredentialFault::as_str);
    let server_time_ms = match fault {
        Some(CredentialFault::TimestampOutOfWindow { server_time_ms }) => Some(server_time_ms),
        _ => None,
    };
    let detail = Detail { code: code.as_str(), field: error.field(), reason, server_time_ms, signals };
    let body = match surface {
        Surface::Registry | Surface::Relay | Surface::Device | Surface::Console => {
            serde_json::to_string(&Registry { success: false, status_code: status, message, data: (), error: detail })
        }
        Surface::Projects => serde_json::to_string(&Projects { status: "error", message, error: detail }),
        Surface::Account => serde_json::to_string(&account_refusal(error)),
        // A client's name for a field may be repeated in it, in characters that RFC 6749 §5.2 rules out.
        Surface::Tokens => serde_json::to_string(&Tokens {
            error: code.oauth(),
            reason,
            error_description: message.replace(|sign| !matches!(sign, ' ' | '!' | '#'..='[' | ']'..='~'), "?"),
        }),
        Surface::Pages => Ok(format!("{message} ({})\n", code.as_str())),
    };
    let media_type = if surface == Surface::Pages { PLAIN_TEXT } else { JSON };
    // Texts and numbers: there is nothing in it that could not be written.
    Success { status, media_type, cache_control: "no-store", body: body.unwrap_or_default() }
}

/// `{detail, code, reason?}`; of a field `{detail: [{loc, msg, type}]}`, which is what FastAPI answers and its clients
/// read.
fn account_refusal(error: &Error) -> Value {
    let Error::Invalid { part, field, problem } = error else {
        let mut refusal = json!({ "detail": error.to_string(), "code": error.code().as_str() });
        if let (Some(fault), Some(fields)) = (error.credential_fault(), refusal.as_object_mut()) {
            fields.insert("reason".to_owned(), fault.as_str().into());
        }
        return refusal;
    };
    let msg = problem.to_string();
    let kind = match msg.as_str() {
        text if text.starts_with(IS_REQUIRED) => "missing",
        text if text.starts_with(IS_UNKNOWN) || text == IS_UNKNOWN_IN_QUERY => "extra_forbidden",
        _ => "value_error",
    };
    // A name that we don't know is the client's own, whatever signs are in it.
    let loc = if kind == "extra_forbidden" {
        vec![part.as_str().into(), field.as_str().into()]
    } else {
        location(*part, field)
    };
    json!({ "detail": [{ "loc": loc, "msg": format!("{field} {msg}"), "type": kind }] })
}

/// Where a field is: the part of the request, the name, and the index if it is one of a list. What is within an object
/// of the client's own making is not told apart.
fn location(part: RequestPart, field: &str) -> Vec<Value> {
    let end = field.find(['.', '[']).unwrap_or(field.len());
    let (name, rest) = field.split_at_checked(end).unwrap_or((field, ""));
    let index = rest.strip_prefix('[').and_then(|rest| rest.split(']').next()?.parse::<u64>().ok());
    [Value::from(part.as_str()), Value::from(name)].into_iter().chain(index.map(Value::from)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Audience, document};
    use crate::domain::Problem;

    #[test]
    fn the_refusals_that_the_document_shows_are_those_that_are_sent() {
        let missing = Error::invalid("name", Problem::new(IS_REQUIRED));
        let nobody = Error::Unauthenticated("no header");
        let document = document(Audience::Everyone);
        for (surface, error, name) in [
            (Surface::Registry, &missing, "Refusal"),
            (Surface::Projects, &missing, "ProjectsRefusal"),
            (Surface::Account, &nobody, "AccountRefusal"),
            (Surface::Account, &missing, "ValidationError"),
            (Surface::Tokens, &nobody, "TokensRefusal"),
            (Surface::Pages, &Error::ResourceNotFound, "PagesRefusal"),
        ] {
            let body = refusal(surface, error).body;
            let sent: Value = serde_json::from_str(&body).unwrap_or(Value::from(body));
            assert_eq!(document["components"]["schemas"][name]["examples"], json!([sent]), "{name}");
        }
    }

    #[test]
    fn a_surface_whose_credential_has_a_scheme_names_it() {
        for (surface, schemes) in [
            (Surface::Projects, Some("Bearer")),
            (Surface::Account, Some("Bearer")),
            (Surface::Tokens, Some("Bearer, Basic realm=\"Latchkey\", charset=\"UTF-8\"")),
            (Surface::Device, Some("DPoP algs=\"ES256\"")),
            (Surface::Relay, None),
            (Surface::Registry, None),
        ] {
            let answer = make(surface, "id", None, Err(Error::Unauthenticated("no header")));
            let told = answer.headers.get("www-authenticate").map(|value| value.to_str().unwrap());
            assert_eq!(told, schemes, "{surface:?}");
        }
    }

    #[test]
    fn the_reason_stands_beside_the_code_in_each_surfaces_shape() {
        let late = Error::from(CredentialFault::TimestampOutOfWindow { server_time_ms: 1_718_966_400_000 });
        let document = document(Audience::Everyone);
        for (surface, place, name) in [
            (Surface::Registry, "/error/reason", "Refusal"),
            (Surface::Relay, "/error/reason", "Refusal"),
            (Surface::Device, "/error/reason", "Refusal"),
            (Surface::Projects, "/error/reason", "ProjectsRefusal"),
            (Surface::Account, "/reason", "AccountRefusal"),
            (Surface::Tokens, "/reason", "TokensRefusal"),
        ] {
            let told = |error: &Error| serde_json::from_str::<Value>(&refusal(surface, error).body).unwrap();
            assert_eq!(told(&late).pointer(place), Some(&json!("timestamp_out_of_window")), "{surface:?}");
            let time = told(&late).pointer("/error/server_time_ms").and_then(Value::as_i64);
            assert_eq!(time, place.starts_with("/error").then_some(1_718_966_400_000), "{surface:?}");
            assert_eq!(told(&Error::Unauthenticated("unknown")).pointer(place), None, "{surface:?}");
            let schema = &document["components"]["schemas"][name]["properties"];
            let schema = if place == "/reason" { schema } else { &schema["error"]["properties"] };
            let names: Vec<_> = CredentialFault::ALL.iter().map(|(name, _)| *name).collect();
            assert_eq!(schema["reason"]["enum"], json!(names), "{surface:?}");
        }
    }
}
