//! The definition of an operation: its route, its callers, its input and its output.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use super::input::Input;
use super::members::Members;
use crate::auth::{Caller, SecurityScheme};
use crate::domain::Person;
use crate::error::ErrorCode;
use crate::store::Read;

/// HTTP method of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Patch,
    Delete,
}

impl Method {
    /// The method's name, as it stands in a request.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// The route of an operation: its method and path, its name and its status of success.
#[derive(Debug, Clone)]
pub struct Route {
    /// Name of the operation, such as `provision-tenant`.
    pub name: &'static str,
    /// Binary that answers the operation: that of its path, with all of the path's methods. A path with one method has
    /// a function of the operation's name.
    pub function: &'static str,
    /// HTTP method of the operation.
    pub method: Method,
    /// Path, with `{name}` where a segment is a parameter.
    pub path: &'static str,
    /// Other paths of the same operation.
    pub aliases: &'static [&'static str],
    /// HTTP status of success.
    pub status: u16,
    /// Summary for lists of endpoints, in one line.
    pub summary: &'static str,
    /// Whether the operation takes a body.
    pub body: BodyRule,
    /// A body that it takes, as JSON; empty if there is none to show. The document shows it, and tests send it.
    pub body_example: &'static str,
}

impl Route {
    /// A route that changes something.
    pub const fn post(name: &'static str, path: &'static str, body: BodyRule) -> Self {
        Self {
            name,
            function: name,
            method: Method::Post,
            path,
            aliases: &[],
            status: 200,
            summary: "",
            body,
            body_example: "",
        }
    }

    /// A route that changes some fields of something.
    pub const fn patch(name: &'static str, path: &'static str) -> Self {
        Self { method: Method::Patch, ..Self::post(name, path, BodyRule::Required) }
    }

    /// A route that deletes something.
    pub const fn delete(name: &'static str, path: &'static str) -> Self {
        Self { method: Method::Delete, ..Self::get(name, path) }
    }

    /// A route that reads.
    pub const fn get(name: &'static str, path: &'static str) -> Self {
        Self { method: Method::Get, ..Self::post(name, path, BodyRule::None) }
    }

    /// Sets the function: that of the path, which has other methods too.
    #[must_use]
    pub const fn of(mut self, function: &'static str) -> Self {
        self.function = function;
        self
    }

    /// Sets another status of success than 200.
    #[must_use]
    pub const fn answering(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Adds other paths of the same operation.
    #[must_use]
    pub const fn also_at(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// All paths; the main one comes first.
    pub fn paths(&self) -> impl Iterator<Item = &'static str> {
        [self.path].into_iter().chain(self.aliases.iter().copied())
    }

    /// Whether a request with that path, as it was sent, is one of this route.
    pub fn is_at(&self, path: &str) -> bool {
        let fits = |(expected, found): (&str, &str)| expected.starts_with('{') || expected == found;
        self.paths().any(|known| {
            known.split('/').count() == path.split('/').count() && known.split('/').zip(path.split('/')).all(fits)
        })
    }

    /// Sets the summary.
    #[must_use]
    pub const fn about(mut self, summary: &'static str) -> Self {
        self.summary = summary;
        self
    }

    /// The same with an example of its body, as JSON. What depends on who sends it stands for itself: see
    /// [`examples`](super::examples).
    #[must_use]
    pub const fn example(mut self, body: &'static str) -> Self {
        self.body_example = body;
        self
    }
}

/// Whether an operation takes a body, and in which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyRule {
    /// No body is taken; one that is sent is ignored.
    None,
    /// A JSON body may be sent.
    Optional,
    /// A JSON body must be sent.
    Required,
    /// A body must be sent, as JSON or as a form (`application/x-www-form-urlencoded`).
    Form,
}

/// A surface of the service. It decides the shape of its answers and refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// `{success, status_code, message, data}`, and in a refusal also `error: {code, field?, reason?}`.
    Registry,
    /// As the registry's. A caller whose signature is right also gets the rest of its limit in the headers.
    Relay,
    /// `{status, data}`; a refusal is `{status, message, error: {code, field?, reason?}}`. An invalid field is answered
    /// with 400.
    Projects,
    /// The bare document; a refusal is `{detail, code, reason?}`, and for an invalid field
    /// `{detail: [{loc, msg, type}]}` as in FastAPI. Pages of any origin can read its answers.
    Account,
    /// The bare document; a refusal is that of RFC 6749 §5.2, `{error, error_description, reason?}`. An invalid field
    /// is answered with 400.
    Tokens,
    /// As the registry's. Each answer has a nonce for the next proof of the device's key.
    Device,
    /// As the device's.
    Console,
    /// A text that a browser shows or runs; a refusal is one line of plain text. The headers say what a page may do.
    Pages,
}

impl Surface {
    /// All of them, the operator's first.
    pub const ALL: [Self; 8] = [
        Self::Registry,
        Self::Projects,
        Self::Account,
        Self::Relay,
        Self::Tokens,
        Self::Device,
        Self::Console,
        Self::Pages,
    ];

    /// Its name, which is the tag of its operations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Registry => "registry",
            Self::Projects => "projects",
            Self::Account => "account",
            Self::Relay => "relay",
            Self::Tokens => "tokens",
            Self::Device => "device",
            Self::Console => "console",
            Self::Pages => "pages",
        }
    }

    /// Whether pages of any origin may read the answers of its operations: on the account surface, where a page gets in
    /// with the token that it was given and with nothing that a browser would add by itself; and of what is published
    /// about a tenant's tokens.
    pub fn is_shared(self, is_public: bool) -> bool {
        self == Self::Account || (self == Self::Tokens && is_public)
    }

    /// Whether its operations take sessions that are bound to a key (DPoP, RFC 9449). Answers then have a nonce for the
    /// next proof.
    pub const fn takes_proofs(self) -> bool {
        matches!(self, Self::Registry | Self::Device | Self::Console)
    }

    /// The HTTP status of a refusal.
    pub fn status(self, code: ErrorCode) -> u16 {
        match (self, code) {
            (Self::Projects | Self::Tokens, ErrorCode::InvalidField) => 400,
            _ => code.status(),
        }
    }
}

/// The body of an answer that is not JSON.
#[derive(Debug, Clone, Copy)]
pub struct TextBody<'a> {
    /// Media type, with the charset of a text.
    pub media_type: &'static str,
    /// What is sent.
    pub text: &'a str,
}

/// Output of an operation, as `data`.
pub trait Output: Serialize + JsonSchema + Send + 'static {
    /// Media types of its answers, one of which each has.
    const MEDIA_TYPES: &'static [&'static str] = &["application/json"];

    /// The message for people that goes with it.
    fn message(&self) -> &'static str {
        "OK"
    }

    /// The tenant that the answer is about, for the log line.
    fn tenant_id(&self) -> Option<&str> {
        None
    }

    /// The person that the answer is about, for the log line.
    fn person(&self) -> Option<Person<'_>> {
        None
    }

    /// The resource that the answer is, for the log line.
    fn resource(&self) -> Option<Uuid> {
        None
    }

    /// The body on a surface whose answers are not JSON.
    fn text_body(&self) -> Option<TextBody<'_>> {
        None
    }

    /// The `cache-control` header of the answer.
    fn cache_control(&self) -> &'static str {
        "no-store"
    }
}

/// An endpoint of the service: a unit type that ties route, caller, input and output together at compile time.
pub trait Operation: Send + Sync + 'static {
    /// The route.
    const ROUTE: Route;
    /// The surface, which decides the shape of the answers.
    const SURFACE: Surface = Surface::Registry;
    /// Whether the outcome is remembered under an `Idempotency-Key`: of every POST by which its surface changes
    /// something. Those whose answer is a token say no: a token is a secret that is not kept.
    const IS_REMEMBERED: bool = matches!(Self::ROUTE.method, Method::Post)
        && matches!(Self::SURFACE, Surface::Registry | Surface::Projects | Surface::Account | Surface::Console);
    /// Whether it publishes what anybody may fetch with a GET: pages, and what is known of a tenant's tokens. HEAD is
    /// answered there as well, and the query string is not looked at: links and caches add to it.
    const IS_PUBLIC: bool =
        matches!(Self::ROUTE.method, Method::Get) && matches!(Self::SURFACE, Surface::Tokens | Surface::Pages);
    /// Whether a body that is null is no body, where a body may be sent. An operation says no whose call without a body
    /// opens more than one with a body: a variable without a value would be enough.
    const NULL_IS_NO_BODY: bool = true;
    /// Whether it reads a secret as a rule: the operator's key, one that a tenant signs with, or one that signs tokens.
    /// Then the connection for that is opened when the process starts.
    const READS_SECRETS: bool = matches!(Self::SURFACE, Surface::Registry | Surface::Relay);
    /// The proof that the handler receives.
    type Caller: Caller;
    /// The parameters of path and query.
    type Query: Input;
    /// The body.
    type Body: Input;
    /// The answer.
    type Output: Output;

    /// The items of the caller's tenant that the handler is sure to need: they are read together with the credential.
    fn prefetch(_query: &Self::Query, _body: &Self::Body) -> Vec<Read> {
        Vec::new()
    }
}

/// An operation as a value, for code that goes through all of them.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each says something of its own")]
pub struct OperationInfo {
    /// Route of the operation.
    pub route: Route,
    /// Surface of the operation, which decides the shape of its answers.
    pub surface: Surface,
    /// Whether it accepts an `Idempotency-Key`.
    pub is_remembered: bool,
    /// Whether it publishes what anybody may fetch with a GET or a HEAD.
    pub is_public: bool,
    /// Whether it reads a secret as a rule.
    pub reads_secrets: bool,
    /// Credentials that open it, any one of which will do; none if it is open to anyone.
    pub security: &'static [SecurityScheme],
    /// Schema of the query parameters.
    pub query: fn(&mut SchemaGenerator) -> Schema,
    /// Fields of the body of which near misses are refused.
    pub fields: &'static [&'static str],
    /// Whether the body changes some fields of something.
    pub is_patch: bool,
    /// Schema of the body.
    pub body: fn(&mut SchemaGenerator) -> Schema,
    /// Decodes a body as the operation does, and drops it: whether an example is one that it takes.
    pub check_body: fn(&str) -> serde_json::Result<()>,
    /// Schema of `data`.
    pub output: fn(&mut SchemaGenerator) -> Schema,
    /// Media types of a success.
    pub media_types: &'static [&'static str],
}

impl OperationInfo {
    /// The entry of an operation.
    pub const fn of<O: Operation>() -> Self {
        Self {
            route: O::ROUTE,
            surface: O::SURFACE,
            is_remembered: O::IS_REMEMBERED,
            is_public: O::IS_PUBLIC,
            reads_secrets: O::READS_SECRETS,
            security: <O::Caller as Caller>::SCHEMES,
            query: O::Query::json_schema,
            fields: <O::Body as Input>::FIELDS,
            is_patch: <O::Body as Input>::IS_PATCH,
            body: |generator| generator.subschema_for::<O::Body>(),
            check_body: |text| O::Body::deserialize(Members::parse(text, <O::Body as Input>::IS_PATCH)?).map(drop),
            output: |generator| generator.subschema_for::<O::Output>(),
            media_types: <O::Output as Output>::MEDIA_TYPES,
        }
    }

    /// Whether it is a change in the registry.
    pub fn is_change(&self) -> bool {
        self.route.method == Method::Post && self.surface == Surface::Registry
    }

    /// Whether it accepts a body.
    pub fn has_body(&self) -> bool {
        self.route.body != BodyRule::None
    }
}
