//! Outcomes to answers: the only place that knows the envelope.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::api::Output;
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
    body: String,
}

impl Success {
    /// The registry's envelope around an output.
    ///
    /// # Errors
    /// If the output can't be written as JSON, which is our fault.
    pub fn new<T: Output>(status: u16, output: &T) -> Result<Self> {
        #[derive(Serialize)]
        struct Envelope<'a, T> {
            success: bool,
            status_code: u16,
            message: &'static str,
            data: &'a T,
        }
        let envelope = Envelope { success: true, status_code: status, message: output.message(), data: output };
        let body = serde_json::to_string(&envelope).map_err(|_| Error::internal("the answer can't be written"))?;
        Ok(Self { status, body })
    }
}

/// The response.
pub fn make(request_id: &str, outcome: Result<Success>) -> HttpResponse {
    let mut headers = BTreeMap::from([
        ("content-type", "application/json".to_owned()),
        ("cache-control", "no-store".to_owned()),
        ("x-content-type-options", "nosniff".to_owned()),
        ("x-request-id", request_id.to_owned()),
    ]);
    let Success { status, body } = outcome.unwrap_or_else(|error| {
        if let Error::MethodNotAllowed { allow } = &error {
            headers.insert("allow", (*allow).to_owned());
        }
        if let Some(seconds) = error.retry_after() {
            headers.insert("retry-after", seconds.to_string());
        }
        refusal(&error)
    });
    HttpResponse { status_code: status, headers, cookies: [], body, is_base64_encoded: false }
}

fn refusal(error: &Error) -> Success {
    #[derive(Serialize)]
    struct Envelope<'a> {
        success: bool,
        status_code: u16,
        message: String,
        data: (),
        error: Detail<'a>,
    }
    #[derive(Serialize)]
    struct Detail<'a> {
        code: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        field: Option<&'a str>,
    }
    let code = error.code();
    let envelope = Envelope {
        success: false,
        status_code: code.status(),
        message: error.to_string(),
        data: (),
        error: Detail { code: code.as_str(), field: error.field() },
    };
    // Texts and numbers: there is nothing in it that could not be written.
    Success { status: code.status(), body: serde_json::to_string(&envelope).unwrap_or_default() }
}
