//! The event that the gateway sends: AWS's "payload format version 2.0" for HTTP APIs.
//!
//! Only the fields that are used. The events of `lambda_http` are not: it builds an `http::Uri` from path and query, and
//! panics where a client sent one that `http` does not take.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use lambda_runtime::Context;
use serde::Deserialize;

use crate::auth::Request;
use crate::domain::{Problem, Timestamp};
use crate::error::{Error, Result};

/// An HTTP request as an event.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpEvent {
    #[serde(default)]
    raw_path: String,
    // API Gateway sends an empty text where there is no query; `cargo lambda watch` sends null.
    raw_query_string: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    path_parameters: Option<BTreeMap<String, String>>,
    request_context: RequestContext,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    #[serde(default)]
    domain_name: Option<String>,
    http: Http,
}

#[derive(Deserialize)]
struct Http {
    method: String,
}

impl HttpEvent {
    /// The method, as it was sent.
    pub fn method(&self) -> &str {
        &self.request_context.http.method
    }

    /// The request, with the bytes of its body. `public_url` is the service's address, if the deployment says it; else it is
    /// the host that was called, which is one that the gateway answers for.
    pub fn into_request(self, public_url: Option<&str>, context: &Context, at: Timestamp) -> Result<Request> {
        let text = self.body.unwrap_or_default();
        let body = if self.is_base64_encoded {
            BASE64
                .decode(text.as_bytes())
                .map_err(|_| Error::Malformed(Problem::new("body has no readable encoding")))?
        } else {
            text.into_bytes()
        };
        let base_url = match (public_url, self.request_context.domain_name) {
            (Some(url), _) => url.to_owned(),
            (None, Some(host)) if !host.is_empty() => format!("https://{host}"),
            (None, _) => return Err(Error::internal("the gateway doesn't say its own address")),
        };
        // API Gateway sends names in lower case already; other senders of such events don't.
        let headers = self.headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        Ok(Request {
            method: self.request_context.http.method,
            path: self.raw_path,
            request_id: context.request_id.clone(),
            at,
            deadline: Timestamp::from_millis(i64::try_from(context.deadline).unwrap_or(i64::MAX)),
            path_parameters: self.path_parameters.unwrap_or_default(),
            base_url,
            query: self.raw_query_string.unwrap_or_default(),
            headers,
            body,
        })
    }
}
