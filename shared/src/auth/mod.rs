//! Authentication: credentials in, proof out.
//!
//! A [`Caller`] is the proof that a request carried a valid credential. It can be made in this module only, from a
//! request; a handler gets it as an argument whose type its operation names ([`Anyone`] where no credential is asked
//! for). So there is no handler without the check, and no check that a handler could forget. The proof holds what was
//! read together with the credential: a handler gets at data through it and in no other way.

mod account;
mod api_key;
mod calls;
mod console;
mod device;
mod dpop;
mod headers;
mod idempotency;
mod operator;
mod pairing;
mod public;
mod qr_login;
mod signature;
mod tokens;
mod trace;

pub use account::{AccountKey, Viewer};
pub use api_key::{InspectsTokens, KeyHolder, MintsTokens, Purpose, Registers};
pub use console::{ConsoleGuest, ConsolePerson, ConsoleTenant};
pub use device::{ChangingDevice, Device, Invitation, PairingDevice, PairingGuest, Welcome};
pub use operator::{Operator, WRONG_KEY as WRONG_OPERATOR_KEY};
pub use pairing::Prepared;
pub use public::Anyone;
pub use qr_login::{PolledQrLogin, PollingTenant, QrCodeShown, StartedLogin};
pub use signature::{SecretUsed, SignedTenant};
pub use tokens::PresentedToken;
pub use trace::{Trace, Traced};

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;

use lambda_http::http::{HeaderMap, Method};
use zeroize::Zeroizing;

use crate::app::App;
use crate::domain::{Actor, ApiKeyId, ChangeContext, ExternalId, Quota, TenantId, Timestamp};
use crate::error::Result;
use crate::store::Read;

/// The largest body that is accepted, in bytes of what it says: a character that is sent as an escape counts as itself.
pub const LARGEST_BODY: usize = 64 * 1024;

/// A request as the gateway hands it on.
///
/// No `http::Request`: that can't be built from every path and query string that a client can send.
pub struct Request {
    pub method: Method,
    /// The path, as the gateway hands it on: decoded.
    pub path: String,
    /// Id that the platform gave to the request; no other request has it.
    pub request_id: String,
    /// Time at which the request arrived, before anything was read for it.
    pub at: Timestamp,
    /// Time at which the platform stops this invocation.
    pub deadline: Timestamp,
    /// The variables of the route's path, such as `tenant_id`, decoded.
    pub path_parameters: BTreeMap<String, String>,
    /// The service's address as clients see it, without a slash at its end.
    pub base_url: String,
    /// The address that was called, which the gateway answers for: the registry's is not that of the tenants' surfaces.
    pub called_url: String,
    /// The address of whoever calls, as the gateway sees it.
    pub source_ip: Option<String>,
    /// The principal of IAM that signed the request, as an ARN: the gateway says it where it asks for such a signature.
    pub principal: Option<String>,
    /// The query string, as it was sent, without the question mark.
    pub query: String,
    /// Headers that were sent more than once are one here, joined by commas: so the gateway hands them on.
    pub headers: HeaderMap,
    /// The body's bytes, as they were sent.
    pub body: Vec<u8>,
    /// What the log says of the request.
    pub trace: Trace,
}

impl fmt::Debug for Request {
    /// The method only: everything else can hold a credential.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Request({})", self.method)
    }
}

impl Request {
    /// A header by its lower-case name, as the text that was sent. A value that is no text is a NUL, which no rule for
    /// a header takes: it must be refused like any other wrong value, and not be missed like a header that isn't there.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| str::from_utf8(value.as_bytes()).unwrap_or("\0"))
    }

    /// The context of what a caller changes, with no idempotency key yet.
    fn change(&self, actor: Actor, key: Option<&ApiKeyId>) -> ChangeContext {
        ChangeContext {
            actor,
            key_id: key.cloned(),
            at: self.at,
            request_id: self.request_id.clone(),
            deadline: self.deadline,
            idempotency_key: None,
            principal: None,
            label: None,
        }
    }
}

/// The description of a credential in the OpenAPI document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecurityScheme {
    /// Name of the scheme in the document.
    pub name: &'static str,
    /// Place of the credential in a request.
    pub location: CredentialLocation,
    /// Description for client developers.
    pub description: &'static str,
}

/// The place of a credential in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialLocation {
    /// The whole value of this header.
    Header(&'static str),
    /// `Authorization: Bearer …` (RFC 6750 §2.1).
    Bearer,
    /// `Authorization: Basic …` (RFC 7617 §2).
    Basic,
    /// `Authorization: DPoP …` (RFC 9449 §7.1).
    Dpop,
}

/// The parts of a decoded input that authentication needs.
#[derive(Default)]
pub struct InputSummary {
    /// Name of the operation.
    pub operation: &'static str,
    /// Items of the caller's tenant that the operation needs. Where the credential is looked up in the table, they come
    /// with the same call.
    pub reads: Vec<Read>,
    /// End user that the body names.
    pub end_user: Option<ExternalId>,
    /// API key in the body.
    pub api_key: Option<Zeroizing<String>>,
    /// Id of the API key, as the body says it.
    pub client_id: Option<String>,
    /// Whether the outcome is remembered under an idempotency key.
    pub is_remembered: bool,
    /// Whether the input could be decoded. If not, the request is refused for it once the caller is known.
    pub is_readable: bool,
}

impl fmt::Debug for InputSummary {
    /// The operation only: everything else can hold a credential.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "InputSummary({})", self.operation)
    }
}

/// The proof of who calls.
pub trait Caller: Sized + Send + 'static {
    /// The credentials, any one of which will do; none where anybody may call.
    const SCHEMES: &'static [SecurityScheme];

    /// Checks the credential of `request`, and reads what the operation needs.
    ///
    /// # Errors
    /// Until the caller is proven: [`Error::Unauthenticated`](crate::error::Error), or a
    /// [`CredentialFault`](crate::domain::CredentialFault) that the sender can see for itself. After that: why this
    /// caller may not make this call.
    fn authenticate(app: &App, request: &Request, input: &InputSummary) -> impl Future<Output = Result<Self>> + Send;

    /// The tenant of the credential, for the log.
    fn tenant_id(&self) -> Option<&TenantId> {
        None
    }

    /// The quota that is left to the caller, where there is a limit, for the headers of the answer.
    fn quota(&self) -> Option<Quota> {
        None
    }
}

#[cfg(test)]
pub(crate) mod testing;

#[cfg(test)]
mod tests {
    use lambda_http::http::HeaderValue;

    use super::*;
    use crate::auth::testing::{input, request};

    #[test]
    fn a_header_that_is_no_text_is_there_and_is_no_valid_value() {
        let mut request = request(&[("x-api-key", "é")]);
        request.headers.insert("x-admin-key", HeaderValue::from_bytes(b"\xff").unwrap());
        let read = ["x-api-key", "x-admin-key", "origin"].map(|name| request.header(name));
        assert_eq!(read, [Some("é"), Some("\0"), None]);
    }

    #[test]
    fn a_request_prints_its_method_and_an_input_its_operation() {
        assert_eq!(
            format!("{:?} {:?}", request(&[("x-api-key", "ak_")]), input()),
            "Request(POST) InputSummary(probe)"
        );
    }

    #[test]
    fn a_body_has_64_kibibytes() {
        assert_eq!(LARGEST_BODY, 65_536);
    }
}
