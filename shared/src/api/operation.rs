//! What an operation is: its route, who may call it, what goes in and what comes out.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::auth::{Caller, SecurityScheme};
use crate::domain::ExternalId;
use crate::error::ErrorCode;
use crate::store::Read;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Patch,
    Delete,
}

impl Method {
    /// As it stands in a request.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// Where an operation is, and what it is called.
#[derive(Debug, Clone)]
pub struct Route {
    /// Its name: `provision-tenant`.
    pub name: &'static str,
    /// The binary that answers it: that of its path, with all of the path's methods. A path with one method has a function of
    /// the operation's name.
    pub function: &'static str,
    pub method: Method,
    /// With `{name}` where a segment is a parameter.
    pub path: &'static str,
    /// Other paths of the same operation.
    pub aliases: &'static [&'static str],
    /// The HTTP status of success.
    pub status: u16,
    /// One line for lists of endpoints.
    pub summary: &'static str,
    /// Whether there is a body.
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

    /// A route that takes something away.
    pub const fn delete(name: &'static str, path: &'static str) -> Self {
        Self { method: Method::Delete, ..Self::get(name, path) }
    }

    /// A route that reads.
    pub const fn get(name: &'static str, path: &'static str) -> Self {
        Self { method: Method::Get, ..Self::post(name, path, BodyRule::None) }
    }

    /// The same in the function of its path, which has other methods too.
    #[must_use]
    pub const fn of(mut self, function: &'static str) -> Self {
        self.function = function;
        self
    }

    /// The same with another status of success.
    #[must_use]
    pub const fn answering(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same at other paths too.
    #[must_use]
    pub const fn also_at(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// All paths, the first one first.
    pub fn paths(&self) -> impl Iterator<Item = &'static str> {
        [self.path].into_iter().chain(self.aliases.iter().copied())
    }

    /// The same with its summary.
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

/// Whether an operation takes a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyRule {
    /// It takes none; one that is sent is not looked at.
    None,
    /// It takes one or none.
    Optional,
    /// There has to be one.
    Required,
    /// There has to be one, as JSON or as a form (`application/x-www-form-urlencoded`).
    Form,
}

/// Whose shape an answer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// `{success, status_code, message, data}`, and `error: {code, field?}` in a refusal.
    Registry,
    /// As the registry's; who signed rightly learns in the headers what is left of its limit.
    Relay,
    /// `{status, data}`; a refusal is `{status, message, error: {code, field?}}`. What is invalid is 400.
    Projects,
    /// The bare document; a refusal is `{detail, code}`, and of a field `{detail: [{loc, msg, type}]}`, as FastAPI has it. Its
    /// answers can be read by pages of any origin.
    Account,
    /// The bare document; a refusal is that of RFC 6749 §5.2, `{error, error_description}`. What is invalid is 400.
    Tokens,
}

impl Surface {
    /// All of them, the operator's first.
    pub const ALL: [Self; 5] = [Self::Registry, Self::Projects, Self::Account, Self::Relay, Self::Tokens];

    /// Its name, which is the tag of its operations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Registry => "registry",
            Self::Projects => "projects",
            Self::Account => "account",
            Self::Relay => "relay",
            Self::Tokens => "tokens",
        }
    }

    /// The HTTP status of a refusal.
    pub fn status(self, code: ErrorCode) -> u16 {
        match (self, code) {
            (Self::Projects | Self::Tokens, ErrorCode::InvalidField) => 400,
            _ => code.status(),
        }
    }
}

/// What an operation reads from query or body. Decoding is strict: the type says `deny_unknown_fields`.
pub trait Input: DeserializeOwned + JsonSchema + Send + 'static {
    /// The end user that the input names.
    fn end_user(&self) -> Option<&ExternalId> {
        None
    }

    /// The API key in the body, on the surface that takes one there.
    fn api_key(&self) -> Option<&Zeroizing<String>> {
        None
    }

    /// The tenant that the input is about, for the log line.
    fn tenant_id(&self) -> Option<&str> {
        None
    }
}

/// What an operation answers, as `data`.
pub trait Output: Serialize + JsonSchema + Send + 'static {
    /// The sentence for people that goes with it.
    fn message(&self) -> &'static str {
        "OK"
    }

    /// The tenant that the answer is about, for the log line.
    fn tenant_id(&self) -> Option<&str> {
        None
    }

    /// The `cache-control` of the answer.
    fn cache_control(&self) -> &'static str {
        "no-store"
    }
}

/// An endpoint of the service: a unit type that ties route, caller, input and output together at compile time.
pub trait Operation: Send + Sync + 'static {
    /// Where it is.
    const ROUTE: Route;
    /// Whose shape its answers have.
    const SURFACE: Surface = Surface::Registry;
    /// The proof that its handler receives.
    type Caller: Caller;
    /// The parameters of its path and query.
    type Query: Input;
    /// Its body.
    type Body: Input;
    /// Its answer.
    type Output: Output;

    /// What of the caller's tenant the handler is sure to need: it is read together with the credential.
    fn prefetch(_query: &Self::Query, _body: &Self::Body) -> Vec<Read> {
        Vec::new()
    }
}

/// An operation as a value, for those that go through all of them.
#[derive(Debug, Clone)]
pub struct OperationInfo {
    /// Where it is.
    pub route: Route,
    /// Whose shape its answers have.
    pub surface: Surface,
    /// Which credentials open it; none if it is open.
    pub security: &'static [SecurityScheme],
    /// Schema of the query parameters.
    pub query: fn(&mut SchemaGenerator) -> Schema,
    /// Schema of the body.
    pub body: fn(&mut SchemaGenerator) -> Schema,
    /// Decodes a body as the operation does, and drops it: whether an example is one that it takes.
    pub check_body: fn(&str) -> serde_json::Result<()>,
    /// Schema of `data`.
    pub output: fn(&mut SchemaGenerator) -> Schema,
}

impl OperationInfo {
    /// The entry of an operation.
    pub const fn of<O: Operation>() -> Self {
        Self {
            route: O::ROUTE,
            surface: O::SURFACE,
            security: <O::Caller as Caller>::SCHEMES,
            query: O::Query::json_schema,
            body: |generator| generator.subschema_for::<O::Body>(),
            check_body: |text| serde_json::from_str::<O::Body>(text).map(drop),
            output: |generator| generator.subschema_for::<O::Output>(),
        }
    }

    /// Whether it is a change of the registry, and so takes an `Idempotency-Key`.
    pub fn is_change(&self) -> bool {
        self.route.method == Method::Post && self.surface == Surface::Registry
    }

    /// Whether it takes a body.
    pub fn has_body(&self) -> bool {
        self.route.body != BodyRule::None
    }
}
