//! Credentials in, proof out.
//!
//! A [`Caller`] is the proof that a request carried a valid credential. It can be made in this module only, from a request;
//! a handler gets it as an argument whose type its operation names. So there is no handler without the check, and no check
//! that a handler could forget.

mod operator;

pub use operator::Operator;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;

use crate::app::App;
use crate::domain::{Actor, IdempotencyKey};
use crate::error::Result;

/// A request as the gateway hands it on.
///
/// No `http::Request`: that can't be built from every path and query string that a client can send.
#[derive(Default)]
pub struct Request {
    pub method: String,
    /// The query string, as it was sent, without the question mark.
    pub query: String,
    /// Headers by lower-case name. Headers that were sent more than once are one here, joined by commas.
    pub headers: BTreeMap<String, String>,
    /// The body's bytes, as they were sent.
    pub body: Vec<u8>,
}

impl fmt::Debug for Request {
    /// The method only: everything else can hold a credential.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Request({})", self.method)
    }
}

impl Request {
    /// A header by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// How the OpenAPI document describes a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecurityScheme {
    /// Its name in the document.
    pub name: &'static str,
    /// The header that carries it.
    pub header: &'static str,
    /// What it is.
    pub description: &'static str,
}

/// The proof of who calls.
pub trait Caller: Sized + Send + 'static {
    /// The credential.
    const SCHEME: SecurityScheme;

    /// Checks the credential of `request`.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`](crate::error::Error) for every reason that lies with the caller.
    fn authenticate(app: &App, request: &Request) -> impl Future<Output = Result<Self>> + Send;

    /// Who the audit trail says it was.
    fn actor(&self) -> Actor;

    /// What an idempotency key of this caller means: it is the caller's own, and what is sealed under it can be opened with
    /// the caller's credential only. `None` if the key's shape is wrong.
    fn idempotency_key(&self, key: &str, request: &[&[u8]]) -> Option<IdempotencyKey>;
}
