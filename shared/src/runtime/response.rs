//! Outcomes to answers: the only place that knows the surfaces' envelopes.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::api::{Dialect, Output};
use crate::error::{Error, Result};

/// What the gateway makes an HTTP response of.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpResponse {
    status_code: u16,
    headers: BTreeMap<&'static str, String>,
    // None are ever set. The gateway does without the field; `cargo lambda watch` does not.
    cookies: [&'static str; 0],
    body: String,
    is_base64_encoded: bool,
}

/// A success, ready to send.
pub struct Success {
    status: u16,
    cache_control: &'static str,
    body: String,
}

impl Success {
    /// An output in the shape of its surface.
    ///
    /// # Errors
    /// If the output can't be written as JSON, which is our fault.
    pub fn new<T: Output>(dialect: Dialect, status: u16, output: &T) -> Result<Self> {
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
        let body = match dialect {
            Dialect::Registry => serde_json::to_string(&Registry {
                success: true,
                status_code: status,
                message: output.message(),
                data: output,
            }),
            Dialect::Projects => serde_json::to_string(&Projects { status: "success", data: output }),
            Dialect::Tokens => serde_json::to_string(output),
        };
        let body = body.map_err(|_| Error::internal("the answer can't be written"))?;
        Ok(Self { status, cache_control: output.cache_control(), body })
    }
}

/// The response.
pub fn make(dialect: Dialect, request_id: &str, outcome: Result<Success>) -> HttpResponse {
    let mut headers = BTreeMap::from([
        ("content-type", "application/json".to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
        ("x-request-id", request_id.to_owned()),
    ]);
    let Success { status, cache_control, body } = outcome.unwrap_or_else(|error| {
        if let Error::MethodNotAllowed { allow } = &error {
            headers.insert("allow", (*allow).to_owned());
        }
        if let Some(seconds) = error.retry_after() {
            headers.insert("retry-after", seconds.to_string());
        }
        if matches!(error, Error::Unauthenticated(_)) && dialect != Dialect::Registry {
            // RFC 9110 §11.6.1. The registry's key has no scheme that could be named.
            headers.insert("www-authenticate", "Bearer".to_owned());
        }
        refusal(dialect, &error)
    });
    headers.insert("cache-control", cache_control.to_owned());
    HttpResponse { status_code: status, headers, cookies: [], body, is_base64_encoded: false }
}

fn refusal(dialect: Dialect, error: &Error) -> Success {
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
    }
    #[derive(Serialize)]
    struct Detail<'a> {
        code: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        field: Option<&'a str>,
    }
    let (code, message) = (error.code(), error.to_string());
    let status = dialect.status(code);
    let detail = Detail { code: code.as_str(), field: error.field() };
    let body = match dialect {
        Dialect::Registry => {
            serde_json::to_string(&Registry { success: false, status_code: status, message, data: (), error: detail })
        }
        Dialect::Projects => serde_json::to_string(&Projects { status: "error", message, error: detail }),
        // A client's name for a field may be repeated in it, in characters that RFC 6749 §5.2 rules out.
        Dialect::Tokens => serde_json::to_string(&Tokens {
            error: code.oauth(),
            error_description: message.replace(|sign| !matches!(sign, ' ' | '!' | '#'..='[' | ']'..='~'), "?"),
        }),
    };
    // Texts and numbers: there is nothing in it that could not be written.
    Success { status, cache_control: "no-store", body: body.unwrap_or_default() }
}
