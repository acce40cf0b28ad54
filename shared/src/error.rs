//! Everything that can be refused, and the closed list of codes under which clients see it.

mod code;

pub use code::ErrorCode;

use std::error::Error as StdError;
use std::fmt;

use crate::domain::{FieldProblem, Problem, PropertiesTooLarge, RandomnessUnavailable, TenantQuota};

/// The outcome of whatever can be refused.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong on our side. It reaches the log and never a client.
pub type Cause = Box<dyn StdError + Send + Sync>;

/// Where in a request a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestPart {
    Path,
    Query,
    Header,
    Body,
}

impl RequestPart {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Body => "body",
        }
    }
}

/// A refusal. Each variant but the last two is something that the caller can act on. `Display` is the sentence for the
/// client; what only we may know is in [`Error::cause`].
#[derive(Debug)]
pub enum Error {
    /// The request can't be read: bad JSON, bad encoding.
    Malformed(Problem),
    /// Something that looks like a credential is in the query string, where proxies and browsers keep it.
    CredentialInQuery,
    /// A body of a type that the operation does not take.
    UnsupportedMediaType,
    /// A body over the limit.
    TooLarge,
    /// The path exists, the method does not.
    MethodNotAllowed {
        /// The methods that do, for the `Allow` header.
        allow: String,
    },
    /// A field breaks a rule.
    Invalid {
        part: RequestPart,
        /// The field's name, with an index where it is one of a list.
        field: String,
        problem: Problem,
    },
    /// No valid credential. Clients see one and the same body for every reason; the log has the reason.
    Unauthenticated(&'static str),
    /// There is no such tenant.
    TenantNotFound,
    /// The credential is right, and its tenant is suspended. If it was a signature: how the tenant stands.
    TenantSuspended(Option<TenantQuota>),
    /// The signature is right, and the tenant has made all of its calls of the minute.
    RateLimited(TenantQuota),
    /// The API key is right, and of a kind that the operation does not take.
    KeyKindNotAllowed,
    /// The API key may not be sent by a browser page of that origin.
    OriginNotAllowed,
    /// The request names two end users.
    EndUsersDiffer,
    /// The request names another end user than its token.
    AnotherEndUser,
    /// The request names no end user, and the tenant's calls have to.
    EndUserRequired,
    /// The token is right, and does not reach as far as the operation.
    InsufficientScope,
    /// The row is nobody's in particular: end users read it, and only the account changes it.
    GlobalResource,
    /// There is no such row, or it is somebody else's.
    ResourceNotFound,
    /// What was reported of an execution can't follow what was reported before.
    ExecutionFinished,
    /// The tenant has no such API key.
    ApiKeyNotFound,
    /// There is no such project, or it is another tenant's.
    ProjectNotFound,
    /// The tenant has no such organization.
    OrganizationNotFound,
    /// The tenant has no such user, or not in that organization.
    UserNotFound,
    /// The external id is that of another one.
    ExternalIdTaken,
    /// What a token would carry is over the limit.
    PropertiesTooLarge,
    /// The API key was revoked or has expired, and can't be changed any more.
    ApiKeyGone,
    /// Others changed the same thing at the same time, again and again.
    StaleUpdate,
    /// The tenant's secret was rotated more often in a day than the secret store keeps versions of, or its signing key more
    /// often than a key set has room for.
    RotatedTooOften,
    /// The first request with this idempotency key is still running.
    IdempotencyInProgress {
        /// Seconds until it cannot be running any more.
        retry_after: u64,
    },
    /// The idempotency key was used for another request.
    IdempotencyKeyReused,
    /// A store or the source of randomness failed. Nothing was let through, and trying again may help. A change may have been
    /// made all the same, if only its answer was lost: an idempotency key makes trying again safe.
    Unavailable(Cause),
    /// We failed in a way that trying again does not mend.
    Internal(Cause),
}

impl Error {
    /// The refusal of a field.
    pub fn invalid(field: impl Into<String>, problem: Problem) -> Self {
        Self::Invalid { part: RequestPart::Body, field: field.into(), problem }
    }

    /// The same error, if it is the refusal of a field, of one in another part of the request.
    #[must_use]
    pub fn in_part(self, part: RequestPart) -> Self {
        match self {
            Self::Invalid { field, problem, .. } => Self::Invalid { part, field, problem },
            other => other,
        }
    }

    pub fn unavailable(cause: impl Into<Cause>) -> Self {
        Self::Unavailable(cause.into())
    }

    /// Our own fault, such as an item that can't be read.
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::Internal(cause.into())
    }

    /// The code under which clients see it.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Malformed(_) => ErrorCode::MalformedRequest,
            Self::CredentialInQuery => ErrorCode::CredentialInQuery,
            Self::UnsupportedMediaType => ErrorCode::UnsupportedMediaType,
            Self::TooLarge => ErrorCode::PayloadTooLarge,
            Self::MethodNotAllowed { .. } => ErrorCode::MethodNotAllowed,
            Self::Invalid { .. } => ErrorCode::InvalidField,
            Self::Unauthenticated(_) => ErrorCode::Unauthenticated,
            Self::TenantNotFound => ErrorCode::TenantNotFound,
            Self::TenantSuspended(_) => ErrorCode::TenantSuspended,
            Self::RateLimited(_) => ErrorCode::RateLimited,
            Self::KeyKindNotAllowed => ErrorCode::KeyKindNotAllowed,
            Self::OriginNotAllowed => ErrorCode::OriginNotAllowed,
            Self::EndUsersDiffer => ErrorCode::EndUsersDiffer,
            Self::AnotherEndUser => ErrorCode::AnotherEndUser,
            Self::EndUserRequired => ErrorCode::EndUserRequired,
            Self::InsufficientScope => ErrorCode::InsufficientScope,
            Self::GlobalResource => ErrorCode::GlobalResource,
            Self::ResourceNotFound => ErrorCode::ResourceNotFound,
            Self::ExecutionFinished => ErrorCode::ExecutionFinished,
            Self::ApiKeyNotFound => ErrorCode::ApiKeyNotFound,
            Self::ProjectNotFound => ErrorCode::ProjectNotFound,
            Self::OrganizationNotFound => ErrorCode::OrganizationNotFound,
            Self::UserNotFound => ErrorCode::UserNotFound,
            Self::ExternalIdTaken => ErrorCode::ExternalIdTaken,
            Self::PropertiesTooLarge => ErrorCode::PropertiesTooLarge,
            Self::ApiKeyGone => ErrorCode::ApiKeyGone,
            Self::StaleUpdate => ErrorCode::StaleUpdate,
            Self::IdempotencyInProgress { .. } => ErrorCode::IdempotencyInProgress,
            Self::IdempotencyKeyReused => ErrorCode::IdempotencyKeyReused,
            Self::RotatedTooOften => ErrorCode::RotatedTooOften,
            Self::Unavailable(_) => ErrorCode::TemporarilyUnavailable,
            Self::Internal(_) => ErrorCode::Internal,
        }
    }

    /// The name of the field at fault, if one is.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Invalid { field, .. } => Some(field),
            _ => None,
        }
    }

    /// For how many seconds a caller should wait before trying again, where that is what helps.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::IdempotencyInProgress { retry_after } => Some((*retry_after).max(1)),
            Self::Unavailable(_) | Self::StaleUpdate => Some(1),
            // The oldest of the versions goes when it is a day old: an hour is when asking again begins to make sense.
            Self::RotatedTooOften => Some(3600),
            Self::RateLimited(tenant_quota) => Some(tenant_quota.quota.resets_in),
            _ => None,
        }
    }

    /// How the tenant stands whose signature was right all the same.
    pub fn tenant_quota(&self) -> Option<&TenantQuota> {
        match self {
            Self::RateLimited(tenant_quota) => Some(tenant_quota),
            Self::TenantSuspended(tenant_quota) => tenant_quota.as_ref(),
            _ => None,
        }
    }

    /// What happened behind the public sentence: for the log only.
    pub fn cause(&self) -> Option<String> {
        match self {
            Self::Unauthenticated(reason) => Some((*reason).to_owned()),
            Self::Unavailable(cause) | Self::Internal(cause) => Some(chain(cause.as_ref())),
            _ => None,
        }
    }
}

/// An error and what caused it, down to the root: AWS errors say only "service error" on top.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(problem) => write!(formatter, "request {problem}"),
            Self::Invalid { field, problem, .. } => write!(formatter, "{field} {problem}"),
            Self::CredentialInQuery => formatter.write_str("credentials belong in a header, never in the query string"),
            Self::UnsupportedMediaType => {
                formatter.write_str("content-type must be application/json, or that of a form where one is taken")
            }
            Self::TooLarge => formatter.write_str("body is over 64 KiB"),
            Self::MethodNotAllowed { allow } => write!(formatter, "method must be {allow}"),
            Self::Unauthenticated(_) => formatter.write_str("credential is missing or not valid"),
            Self::TenantNotFound => formatter.write_str("tenant not found"),
            Self::TenantSuspended(_) => formatter.write_str("tenant is suspended"),
            Self::RateLimited(_) => formatter.write_str("the calls of this minute are used up"),
            Self::KeyKindNotAllowed => formatter.write_str("API key is of a kind that this endpoint does not take"),
            Self::OriginNotAllowed => formatter.write_str("API key may not be used from this origin"),
            Self::EndUsersDiffer => formatter.write_str("headers and body name different end users"),
            Self::AnotherEndUser => formatter.write_str("the token is not that end user's"),
            Self::EndUserRequired => formatter.write_str("calls of this account have to name an end user"),
            Self::InsufficientScope => {
                formatter.write_str("the token does not reach this far: use the account's API key")
            }
            Self::GlobalResource => formatter.write_str("all end users share this: only the account may change it"),
            Self::ResourceNotFound => formatter.write_str("not found"),
            Self::ExecutionFinished => formatter.write_str("the execution is past that status"),
            Self::ApiKeyNotFound => formatter.write_str("API key not found"),
            Self::ProjectNotFound => formatter.write_str("project not found"),
            Self::OrganizationNotFound => formatter.write_str("organization not found"),
            Self::UserNotFound => formatter.write_str("user not found"),
            Self::ExternalIdTaken => formatter.write_str("externalId is that of another one already"),
            Self::PropertiesTooLarge => formatter.write_str(
                "what the token would carry is over 4096 bytes of properties, or 8192 bytes with everything else",
            ),
            Self::ApiKeyGone => formatter.write_str("API key was revoked or has expired"),
            Self::StaleUpdate => formatter.write_str("others changed the same thing at the same time, try again"),
            Self::IdempotencyInProgress { .. } => {
                formatter.write_str("the first request with this Idempotency-Key may still be running")
            }
            Self::IdempotencyKeyReused => formatter.write_str("Idempotency-Key was used for another request"),
            Self::RotatedTooOften => formatter.write_str(
                "rotated too often today; if it is urgent, suspend the tenant, or drop the previous signing keys",
            ),
            Self::Unavailable(_) => formatter.write_str("temporarily unavailable, try again"),
            Self::Internal(_) => formatter.write_str("internal error"),
        }
    }
}

impl StdError for Error {}

impl From<RandomnessUnavailable> for Error {
    fn from(_: RandomnessUnavailable) -> Self {
        Self::unavailable("no randomness")
    }
}

impl From<PropertiesTooLarge> for Error {
    fn from(_: PropertiesTooLarge) -> Self {
        Self::PropertiesTooLarge
    }
}

impl From<FieldProblem> for Error {
    fn from(violation: FieldProblem) -> Self {
        Self::invalid(violation.field, violation.problem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_ordered_by_status() {
        let codes: Vec<_> = ErrorCode::ALL.iter().map(|code| (code.status(), code.as_str())).collect();
        assert!(codes.is_sorted_by_key(|(status, _)| *status));
        let unique: std::collections::BTreeSet<_> = codes.iter().map(|(_, code)| code).collect();
        assert_eq!(unique.len(), codes.len());
    }

    #[test]
    fn the_cause_of_a_failure_is_not_in_the_public_sentence() {
        for error in
            [Error::unavailable("connection to 10.0.0.7 refused"), Error::internal("item TENANT#x has no name")]
        {
            assert!(!error.to_string().contains("10.0.0.7") && !error.to_string().contains("TENANT"));
            assert!(error.cause().is_some());
        }
    }

    #[test]
    fn every_reason_for_401_reads_the_same_outside() {
        assert_eq!(Error::Unauthenticated("no header").to_string(), Error::Unauthenticated("wrong key").to_string());
    }
}
