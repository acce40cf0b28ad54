//! Everything that can be refused, and the closed list of codes under which clients see it.

use std::error::Error as StdError;
use std::fmt;

use crate::domain::{Problem, RandomnessUnavailable, Violation};

/// The outcome of whatever can be refused.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong on our side. It reaches the log and never a client.
pub type Cause = Box<dyn StdError + Send + Sync>;

/// A refusal. Each variant but the last two is something that the caller can act on. `Display` is the sentence for the
/// client; what only we may know is in [`Error::cause`].
#[derive(Debug)]
pub enum Error {
    /// The request can't be read: bad JSON, bad encoding.
    Malformed(Problem),
    /// Something that looks like a credential is in the query string, where proxies and browsers keep it.
    CredentialInQuery,
    /// A body of another type than JSON.
    UnsupportedMediaType,
    /// A body over the limit.
    TooLarge,
    /// The path exists, the method does not.
    MethodNotAllowed {
        /// The methods that do, for the `Allow` header.
        allow: &'static str,
    },
    /// A field breaks a rule.
    Invalid {
        /// The field's name, with an index where it is one of a list.
        field: String,
        problem: Problem,
    },
    /// No valid credential. Clients see one and the same body for every reason; the log has the reason.
    Unauthenticated(&'static str),
    /// There is no such tenant.
    TenantNotFound,
    /// Others changed the same thing at the same time, again and again.
    StaleUpdate,
    /// The tenant's secret was rotated more often in a day than the secret store keeps versions of.
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

/// The codes, one per kind of refusal. They are part of the contract: none is ever renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// See [`Error::Malformed`].
    MalformedRequest,
    /// See [`Error::CredentialInQuery`].
    CredentialInQuery,
    /// See [`Error::Unauthenticated`].
    Unauthenticated,
    /// See [`Error::TenantNotFound`].
    TenantNotFound,
    /// See [`Error::MethodNotAllowed`].
    MethodNotAllowed,
    /// See [`Error::StaleUpdate`].
    StaleUpdate,
    /// See [`Error::IdempotencyInProgress`].
    IdempotencyInProgress,
    /// See [`Error::TooLarge`].
    PayloadTooLarge,
    /// See [`Error::UnsupportedMediaType`].
    UnsupportedMediaType,
    /// See [`Error::Invalid`].
    InvalidField,
    /// See [`Error::IdempotencyKeyReused`].
    IdempotencyKeyReused,
    /// See [`Error::RotatedTooOften`].
    RotatedTooOften,
    /// See [`Error::Internal`].
    Internal,
    /// See [`Error::Unavailable`].
    TemporarilyUnavailable,
}

impl ErrorCode {
    /// All codes, in the order of their statuses.
    pub const ALL: [Self; 14] = [
        Self::MalformedRequest,
        Self::CredentialInQuery,
        Self::Unauthenticated,
        Self::TenantNotFound,
        Self::MethodNotAllowed,
        Self::StaleUpdate,
        Self::IdempotencyInProgress,
        Self::PayloadTooLarge,
        Self::UnsupportedMediaType,
        Self::InvalidField,
        Self::IdempotencyKeyReused,
        Self::RotatedTooOften,
        Self::Internal,
        Self::TemporarilyUnavailable,
    ];

    /// The code as clients see it.
    pub fn as_str(self) -> &'static str {
        self.facts().0
    }

    /// The HTTP status that goes with it.
    pub fn status(self) -> u16 {
        self.facts().1
    }

    /// What it means and what to do, for the documentation.
    pub fn meaning(self) -> &'static str {
        self.facts().2
    }

    fn facts(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::MalformedRequest => ("malformed_request", 400, "the body or a header cannot be read"),
            Self::CredentialInQuery => {
                ("credential_in_query", 400, "a credential is in the query string: consider it leaked and rotate it")
            }
            Self::Unauthenticated => {
                ("unauthenticated", 401, "the credential is missing, malformed, unknown, wrong, expired or revoked")
            }
            Self::TenantNotFound => ("tenant_not_found", 404, "there is no such tenant"),
            Self::MethodNotAllowed => ("method_not_allowed", 405, "the path has other methods: see `Allow`"),
            Self::StaleUpdate => {
                ("stale_update", 409, "others changed the tenant at the same time; nothing was changed: try again")
            }
            Self::IdempotencyInProgress => (
                "idempotency_in_progress",
                409,
                "the first request with this `Idempotency-Key` may still be running: try again after `Retry-After`",
            ),
            Self::PayloadTooLarge => ("payload_too_large", 413, "the body is over 64 KiB"),
            Self::UnsupportedMediaType => ("unsupported_media_type", 415, "the body is not `application/json`"),
            Self::InvalidField => ("invalid_field", 422, "`error.field` breaks the rule in `message`"),
            Self::IdempotencyKeyReused => {
                ("idempotency_key_reused", 422, "this `Idempotency-Key` was used for another request")
            }
            Self::RotatedTooOften => (
                "rotated_too_often",
                429,
                "the secret was rotated about 100 times within a day, which is all that AWS keeps: suspend the tenant if it is urgent",
            ),
            Self::Internal => ("internal", 500, "our fault: report the `x-request-id`"),
            Self::TemporarilyUnavailable => (
                "temporarily_unavailable",
                503,
                "a store could not be reached: try again, a change with its `Idempotency-Key`",
            ),
        }
    }
}

impl Error {
    /// The refusal of a field.
    pub fn invalid(field: impl Into<String>, problem: Problem) -> Self {
        Self::Invalid { field: field.into(), problem }
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
            Self::Invalid { field, problem } => write!(formatter, "{field} {problem}"),
            Self::CredentialInQuery => formatter.write_str("credentials belong in a header, never in the query string"),
            Self::UnsupportedMediaType => formatter.write_str("content-type must be application/json"),
            Self::TooLarge => formatter.write_str("body is over 64 KiB"),
            Self::MethodNotAllowed { allow } => write!(formatter, "method must be {allow}"),
            Self::Unauthenticated(_) => formatter.write_str("credential is missing or not valid"),
            Self::TenantNotFound => formatter.write_str("tenant not found"),
            Self::StaleUpdate => formatter.write_str("tenant was changed by others at the same time, try again"),
            Self::IdempotencyInProgress { .. } => {
                formatter.write_str("the first request with this Idempotency-Key may still be running")
            }
            Self::IdempotencyKeyReused => formatter.write_str("Idempotency-Key was used for another request"),
            Self::RotatedTooOften => {
                formatter.write_str("secret was rotated too often today, suspend the tenant if it is urgent")
            }
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

impl From<Violation> for Error {
    fn from(violation: Violation) -> Self {
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
