//! Credentials in, proof out.
//!
//! A [`Caller`] is the proof that a request carried a valid credential. It can be made in this module only, from a request;
//! a handler gets it as an argument whose type its operation names ([`Anyone`] where no credential is asked for). So there is no handler without the check, and no check
//! that a handler could forget.

mod account_key;
mod anyone;
mod key_holder;
mod operator;
mod signed_tenant;
mod token;
mod viewer;

pub use account_key::AccountKey;
pub use anyone::Anyone;
pub use key_holder::{Found, InspectsTokens, KeyHolder, MintsTokens, Purpose, Registers};
pub use operator::Operator;
pub use signed_tenant::{SecretUsed, SignedTenant};
pub use token::{Order, active_claims, reads_for, revocable_claims};
pub use viewer::Viewer;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;

use crate::app::App;
use crate::domain::{ExternalId, Quota, Timestamp};
use crate::error::Result;
use crate::store::Read;

/// The largest body that is looked at, in bytes.
pub const LARGEST_BODY: usize = 64 * 1024;

/// A request as the gateway hands it on.
///
/// No `http::Request`: that can't be built from every path and query string that a client can send.
#[derive(Default)]
pub struct Request {
    pub method: String,
    /// The path, as the gateway hands it on: decoded.
    pub path: String,
    /// The platform's id of it, which no other request has.
    pub request_id: String,
    /// The variables of the route's path, such as `tenant_id`, decoded.
    pub path_parameters: BTreeMap<String, String>,
    /// The service's address as clients see it, without a slash at its end.
    pub base_url: String,
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
    /// Where it is in a request.
    pub location: CredentialLocation,
    /// What it is.
    pub description: &'static str,
}

/// Where a credential is in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialLocation {
    /// The whole value of this header.
    Header(&'static str),
    /// `Authorization: Bearer …` (RFC 6750 §2.1).
    Bearer,
}

/// One request, as far as a change made by it has to know.
#[derive(Debug, Clone)]
pub struct Attempt<'a> {
    pub at: Timestamp,
    pub request_id: &'a str,
    /// When the platform stops it.
    pub deadline: Timestamp,
    /// The `Idempotency-Key` header, if it changes something and has one.
    pub idempotency_key: Option<&'a str>,
    /// What has to be the same when the key comes again.
    pub request: &'a [&'a [u8]],
}

/// What an operation needs for its decision, as far as its input tells.
#[derive(Debug, Default)]
pub struct Needs {
    /// What of the caller's tenant it reads. Where the credential is looked up in the table, it comes with the same call.
    pub reads: Vec<Read>,
    /// The end user that its body names.
    pub end_user: Option<ExternalId>,
    /// Whether the input could be read. If not, the request ends with what is wrong with it.
    pub is_readable: bool,
}

/// The proof of who calls.
pub trait Caller: Sized + Send + 'static {
    /// The credentials, any one of which will do; none where anybody may call.
    const SCHEMES: &'static [SecurityScheme];

    /// What is known of whom the request is about, once it is authenticated.
    type Found: Send;
    /// What handlers hand to a store that changes something, beside what is to be changed.
    type ChangeContext: Send;

    /// Checks the credential of `request`, and reads what the operation needs.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`](crate::error::Error) for every reason that lies with the caller.
    fn authenticate(
        app: &App,
        request: &Request,
        needs: &Needs,
    ) -> impl Future<Output = Result<(Self, Self::Found)>> + Send;

    /// The change that is asked for with this request.
    ///
    /// # Errors
    /// If the idempotency key has not the shape of one.
    fn change(&self, attempt: &Attempt<'_>) -> Result<Self::ChangeContext>;

    /// The tenant whose credential it is, for the log.
    fn tenant_id(&self) -> Option<&str> {
        None
    }

    /// What the call has left of a limit, where there is one, for the answer's headers.
    fn quota(&self) -> Option<Quota> {
        None
    }
}
