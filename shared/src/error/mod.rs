//! Everything that can be refused, and the closed list of codes under which clients see it.

mod report;
mod table;

pub use report::{LOG_TARGET, report_strike};
pub use table::{Error, ErrorCode};

use std::error::Error as StdError;
use std::fmt;

use crate::domain::{
    CredentialFault, DpopCause, FieldProblem, PasskeyCause, Problem, PropertiesTooLarge, RandomnessUnavailable,
    StandbyTooYoung, TenantQuota, UnknownCredential,
};

/// The outcome of whatever can be refused.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong on our side. It reaches the log and never a client.
pub type Cause = Box<dyn StdError + Send + Sync>;

/// Why a passkey's response is refused, for the log, and what its browser should know.
#[derive(Debug)]
pub struct CredentialRefusal {
    pub cause: PasskeyCause,
    /// What makes the browser hide a passkey that opens nothing.
    pub unknown_credential: Option<Box<UnknownCredential>>,
}

impl fmt::Display for CredentialRefusal {
    /// The sentence for the client. What is wrong with a page it has to be told, or its author looks for the fault in
    /// cryptography; and it says nothing that whoever made the response did not put into it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.cause {
            PasskeyCause::CrossOrigin | PasskeyCause::TopOrigin => {
                "the passkey was not accepted: its page is in a frame of another origin, open it at the top"
            }
            PasskeyCause::WrongOrigin => {
                "the passkey was not accepted: its page has another origin than browser_origin"
            }
            _ => "the passkey was not accepted",
        })
    }
}

impl From<PasskeyCause> for Error {
    fn from(cause: PasskeyCause) -> Self {
        Self::CredentialRefused(CredentialRefusal { cause, unknown_credential: None })
    }
}

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

    /// What is wrong with a field in this part. A parameter's sentence says where it belongs: its sender may have put
    /// it into the body.
    fn place(self, problem: Problem) -> Problem {
        if self != Self::Query {
            return problem;
        }
        let text = problem.to_string();
        match text.strip_prefix(IS_REQUIRED) {
            Some(rest) => Problem::new(format!("{IS_REQUIRED} in the query string{rest}")),
            None if text == IS_UNKNOWN => Problem::new(IS_UNKNOWN_IN_QUERY),
            None => Problem::new(format!("in the query string {text}")),
        }
    }
}

/// What is wrong with a field that is not there.
pub const IS_REQUIRED: &str = "is required";
/// What is wrong with a field that nobody knows.
pub const IS_UNKNOWN: &str = "is not a field of this operation's body";
/// The same of a parameter, which may be a field.
pub const IS_UNKNOWN_IN_QUERY: &str = "is not a parameter of this operation's query string";

impl Error {
    /// The refusal of a field.
    pub fn invalid(field: impl Into<String>, problem: Problem) -> Self {
        Self::Invalid { part: RequestPart::Body, field: field.into(), problem }
    }

    /// The same error; if it is the refusal of a field, and nobody said yet where that is, of one in this part of the
    /// request.
    #[must_use]
    pub fn in_part(self, part: RequestPart) -> Self {
        match self {
            Self::Invalid { part: RequestPart::Body, field, problem } => {
                Self::Invalid { part, field, problem: part.place(problem) }
            }
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

    /// The name of the field at fault, if one is.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Invalid { field, .. } => Some(field),
            _ => None,
        }
    }

    /// The fault of the credential, if it is one that its sender can see.
    pub fn credential_fault(&self) -> Option<CredentialFault> {
        match self {
            Self::CredentialFault(fault) => Some(*fault),
            _ => None,
        }
    }

    /// What makes a browser hide a passkey that opens nothing, if that is why.
    pub fn unknown_credential(&self) -> Option<&UnknownCredential> {
        match self {
            Self::CredentialRefused(refusal) => refusal.unknown_credential.as_deref(),
            _ => None,
        }
    }

    /// For how many seconds a caller should wait before trying again, where that is what helps.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::IdempotencyInProgress { retry_after }
            | Self::StandbyTooYoung { retry_after }
            | Self::TooManyQrLogins { retry_after } => Some((*retry_after).max(1)),
            Self::Unavailable(_) | Self::StaleUpdate | Self::SlowDown => Some(1),
            // The oldest of the versions goes when it is a day old: an hour is when asking again begins to make sense.
            Self::RotatedTooOften => Some(3600),
            Self::RateLimited(tenant_quota) => Some(tenant_quota.quota.resets_in),
            _ => None,
        }
    }

    /// Whether what was asked for was not done, and will not be done any more. After every other error it may have
    /// taken effect, or may yet.
    pub fn is_definite(&self) -> bool {
        !matches!(self, Self::Unavailable(_) | Self::Internal(_))
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
            Self::CredentialFault(fault) => Some(fault.as_str().to_owned()),
            Self::CredentialRefused(refusal) => Some(refusal.cause.to_string()),
            Self::DpopNonceWanted(cause) | Self::DpopProofRefused(cause) => Some(cause.as_str().to_owned()),
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

impl From<DpopCause> for Error {
    fn from(cause: DpopCause) -> Self {
        if cause.wants_nonce() { Self::DpopNonceWanted(cause) } else { Self::DpopProofRefused(cause) }
    }
}

impl From<CredentialFault> for Error {
    fn from(fault: CredentialFault) -> Self {
        Self::CredentialFault(fault)
    }
}

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

impl From<StandbyTooYoung> for Error {
    fn from(StandbyTooYoung { retry_after }: StandbyTooYoung) -> Self {
        Self::StandbyTooYoung { retry_after }
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
    fn a_passkeys_refusal_says_the_same_whatever_the_cause_but_for_faults_of_a_page() {
        let told = |cause: PasskeyCause| Error::from(cause).to_string();
        let plain = told(PasskeyCause::WrongSignature);
        for cause in PasskeyCause::ALL {
            let of_page = [PasskeyCause::CrossOrigin, PasskeyCause::TopOrigin, PasskeyCause::WrongOrigin];
            assert_eq!(told(*cause) == plain, !of_page.contains(cause), "{cause}");
            assert_eq!(Error::from(*cause).cause().as_deref(), Some(cause.as_str()));
            assert!(Error::from(*cause).unknown_credential().is_none());
        }
    }

    #[test]
    fn only_what_may_have_taken_effect_is_not_definite() {
        for refusal in [
            Error::RotatedTooOften,
            Error::StaleUpdate,
            Error::TenantNotFound,
            Error::StandbyTooYoung { retry_after: 1 },
        ] {
            assert!(refusal.is_definite(), "{refusal}");
        }
        assert!(!Error::unavailable("no answer").is_definite() && !Error::internal("unreadable").is_definite());
    }

    #[test]
    fn every_reason_for_401_reads_the_same_outside() {
        assert_eq!(Error::Unauthenticated("no header").to_string(), Error::Unauthenticated("wrong key").to_string());
    }
}
