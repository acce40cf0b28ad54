//! What an operation is: its route, who may call it, what goes in and what comes out.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::auth::{Caller, SecurityScheme};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
}

impl Method {
    /// As it stands in a request.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// Where an operation is, and what it is called.
#[derive(Debug, Clone)]
pub struct Route {
    /// Its name, which is the binary's: `provision-tenant`.
    pub name: &'static str,
    pub method: Method,
    pub path: &'static str,
    /// The HTTP status of success.
    pub status: u16,
    /// One line for lists of endpoints.
    pub summary: &'static str,
    /// Whether there is a body.
    pub body: BodyRule,
}

impl Route {
    /// A route that changes something.
    pub const fn post(name: &'static str, path: &'static str, body: BodyRule) -> Self {
        Self { name, method: Method::Post, path, status: 200, summary: "", body }
    }

    /// A route that reads.
    pub const fn get(name: &'static str, path: &'static str) -> Self {
        Self { name, method: Method::Get, path, status: 200, summary: "", body: BodyRule::None }
    }

    /// The same with another status of success.
    #[must_use]
    pub const fn answering(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same with its summary.
    #[must_use]
    pub const fn about(mut self, summary: &'static str) -> Self {
        self.summary = summary;
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
}

/// What an operation reads from query or body. Decoding is strict: the type says `deny_unknown_fields`.
pub trait Input: DeserializeOwned + JsonSchema + Send + 'static {
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
}

/// An endpoint of the service: a unit type that ties route, caller, input and output together at compile time.
pub trait Operation: Send + Sync + 'static {
    /// Where it is.
    const ROUTE: Route;
    /// The proof that its handler receives.
    type Caller: Caller;
    /// Its query parameters.
    type Query: Input;
    /// Its body.
    type Body: Input;
    /// Its answer.
    type Output: Output;
}

/// An operation as a value, for those that go through all of them.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Where it is.
    pub route: Route,
    /// Who may call it.
    pub security: SecurityScheme,
    /// Schema of the query parameters.
    pub query: fn(&mut SchemaGenerator) -> Schema,
    /// Schema of the body.
    pub body: fn(&mut SchemaGenerator) -> Schema,
    /// Schema of `data`.
    pub output: fn(&mut SchemaGenerator) -> Schema,
}

impl Entry {
    /// The entry of an operation.
    pub const fn of<O: Operation>() -> Self {
        Self {
            route: O::ROUTE,
            security: <O::Caller as Caller>::SCHEME,
            query: O::Query::json_schema,
            body: |generator| generator.subschema_for::<O::Body>(),
            output: |generator| generator.subschema_for::<O::Output>(),
        }
    }

    /// Whether it changes something, and so takes an `Idempotency-Key`.
    pub fn is_change(&self) -> bool {
        self.route.method == Method::Post
    }
}
