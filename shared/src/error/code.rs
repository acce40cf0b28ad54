//! The closed list of codes, with what each means.

/// The codes, one per kind of refusal. They are part of the contract: none is ever renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// See [`super::Error::Malformed`].
    MalformedRequest,
    /// See [`super::Error::CredentialInQuery`].
    CredentialInQuery,
    /// See [`super::Error::Unauthenticated`].
    Unauthenticated,
    /// See [`super::Error::TenantNotFound`].
    TenantNotFound,
    /// See [`super::Error::TenantSuspended`].
    TenantSuspended,
    /// See [`super::Error::RateLimited`].
    RateLimited,
    /// See [`super::Error::KeyKindNotAllowed`].
    KeyKindNotAllowed,
    /// See [`super::Error::OriginNotAllowed`].
    OriginNotAllowed,
    /// See [`super::Error::EndUsersDiffer`].
    EndUsersDiffer,
    /// See [`super::Error::AnotherEndUser`].
    AnotherEndUser,
    /// See [`super::Error::EndUserRequired`].
    EndUserRequired,
    /// See [`super::Error::InsufficientScope`].
    InsufficientScope,
    /// See [`super::Error::GlobalResource`].
    GlobalResource,
    /// See [`super::Error::ResourceNotFound`].
    ResourceNotFound,
    /// See [`super::Error::ExecutionFinished`].
    ExecutionFinished,
    /// See [`super::Error::ApiKeyNotFound`].
    ApiKeyNotFound,
    /// See [`super::Error::ProjectNotFound`].
    ProjectNotFound,
    /// See [`super::Error::OrganizationNotFound`].
    OrganizationNotFound,
    /// See [`super::Error::UserNotFound`].
    UserNotFound,
    /// See [`super::Error::ExternalIdTaken`].
    ExternalIdTaken,
    /// See [`super::Error::PropertiesTooLarge`].
    PropertiesTooLarge,
    /// See [`super::Error::ApiKeyGone`].
    ApiKeyGone,
    /// See [`super::Error::MethodNotAllowed`].
    MethodNotAllowed,
    /// See [`super::Error::StaleUpdate`].
    StaleUpdate,
    /// See [`super::Error::IdempotencyInProgress`].
    IdempotencyInProgress,
    /// See [`super::Error::TooLarge`].
    PayloadTooLarge,
    /// See [`super::Error::UnsupportedMediaType`].
    UnsupportedMediaType,
    /// See [`super::Error::Invalid`].
    InvalidField,
    /// See [`super::Error::IdempotencyKeyReused`].
    IdempotencyKeyReused,
    /// See [`super::Error::RotatedTooOften`].
    RotatedTooOften,
    /// See [`super::Error::Internal`].
    Internal,
    /// See [`super::Error::Unavailable`].
    TemporarilyUnavailable,
}

impl ErrorCode {
    /// All codes, in the order of their statuses.
    pub const ALL: [Self; 32] = [
        Self::MalformedRequest,
        Self::CredentialInQuery,
        Self::EndUsersDiffer,
        Self::Unauthenticated,
        Self::TenantSuspended,
        Self::KeyKindNotAllowed,
        Self::OriginNotAllowed,
        Self::InsufficientScope,
        Self::AnotherEndUser,
        Self::EndUserRequired,
        Self::GlobalResource,
        Self::TenantNotFound,
        Self::ApiKeyNotFound,
        Self::ProjectNotFound,
        Self::OrganizationNotFound,
        Self::UserNotFound,
        Self::ResourceNotFound,
        Self::MethodNotAllowed,
        Self::StaleUpdate,
        Self::IdempotencyInProgress,
        Self::ExternalIdTaken,
        Self::PropertiesTooLarge,
        Self::ExecutionFinished,
        Self::ApiKeyGone,
        Self::PayloadTooLarge,
        Self::UnsupportedMediaType,
        Self::InvalidField,
        Self::IdempotencyKeyReused,
        Self::RateLimited,
        Self::RotatedTooOften,
        Self::Internal,
        Self::TemporarilyUnavailable,
    ];

    /// The code as clients see it.
    pub fn as_str(self) -> &'static str {
        self.definition().0
    }

    /// The HTTP status that goes with it.
    pub fn status(self) -> u16 {
        self.definition().1
    }

    /// The code of RFC 6749 §5.2 and §4.1.2.1 that says the same, or the closest; where there is none, our own.
    pub fn oauth(self) -> &'static str {
        match self.status() {
            400 | 405 | 413 | 415 | 422 => "invalid_request",
            401 => "invalid_client",
            403 => "unauthorized_client",
            500 => "server_error",
            503 => "temporarily_unavailable",
            _ => self.as_str(),
        }
    }

    /// What it means and what to do, for the documentation.
    pub fn meaning(self) -> &'static str {
        self.definition().2
    }

    fn definition(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::MalformedRequest => ("malformed_request", 400, "the body or a header cannot be read"),
            Self::CredentialInQuery => {
                ("credential_in_query", 400, "a credential is in the query string: consider it leaked and rotate it")
            }
            Self::Unauthenticated => {
                ("unauthenticated", 401, "the credential is missing, malformed, unknown, wrong, expired or revoked")
            }
            Self::TenantNotFound => ("tenant_not_found", 404, "there is no such tenant"),
            Self::TenantSuspended => ("tenant_suspended", 403, "the credential is right, and its tenant is suspended"),
            Self::KeyKindNotAllowed => {
                ("key_kind_not_allowed", 403, "the API key is right, and of a kind that this endpoint does not take")
            }
            Self::OriginNotAllowed => {
                ("origin_not_allowed", 403, "the API key may not be sent by a browser page of this origin")
            }
            Self::EndUsersDiffer => ("end_users_differ", 400, "headers and body name different end users"),
            Self::AnotherEndUser => ("another_end_user", 403, "header or body name another end user than the token"),
            Self::EndUserRequired => {
                ("end_user_required", 403, "the tenant's calls have to name an end user, and this one does not")
            }
            Self::InsufficientScope => (
                "insufficient_scope",
                403,
                "the token is right, and the operation takes another kind or an API key only",
            ),
            Self::GlobalResource => ("global_row", 403, "an end user can't change what all end users share"),
            Self::ResourceNotFound => ("not_found", 404, "there is no such thing, or it is somebody else's"),
            Self::ExecutionFinished => {
                ("execution_finished", 409, "the execution is past the status that was reported")
            }
            Self::ApiKeyNotFound => ("api_key_not_found", 404, "the tenant has no such API key"),
            Self::ProjectNotFound => {
                ("project_not_found", 404, "there is no such project, or it is not that of the API key")
            }
            Self::OrganizationNotFound => ("organization_not_found", 404, "the tenant has no such organization"),
            Self::UserNotFound => ("user_not_found", 404, "the tenant has no such user, or not in that organization"),
            Self::ExternalIdTaken => {
                ("external_id_taken", 409, "the external id is that of another organization or user")
            }
            Self::PropertiesTooLarge => (
                "properties_too_large",
                409,
                "what the token would carry is over 4096 bytes of properties, or 8192 bytes with everything else",
            ),
            Self::ApiKeyGone => ("api_key_gone", 410, "the API key was revoked or has expired: provision another"),
            Self::MethodNotAllowed => ("method_not_allowed", 405, "the path has other methods: see `Allow`"),
            Self::StaleUpdate => {
                ("stale_update", 409, "others changed the same thing at the same time; nothing was changed: try again")
            }
            Self::IdempotencyInProgress => (
                "idempotency_in_progress",
                409,
                "the first request with this `Idempotency-Key` may still be running: try again after `Retry-After`",
            ),
            Self::PayloadTooLarge => ("payload_too_large", 413, "the body is over 64 KiB"),
            Self::UnsupportedMediaType => {
                ("unsupported_media_type", 415, "the body is not `application/json`, or a form where one is taken")
            }
            Self::InvalidField => {
                ("invalid_field", 422, "a field breaks a rule: `error.field` and `message`, or `detail`, say which")
            }
            Self::IdempotencyKeyReused => {
                ("idempotency_key_reused", 422, "this `Idempotency-Key` was used for another request")
            }
            Self::RateLimited => (
                "rate_limited",
                429,
                "the tenant has made `rate_limit_per_min` calls in this minute: try again after `Retry-After`",
            ),
            Self::RotatedTooOften => (
                "rotated_too_often",
                429,
                "rotated too often within a day: a secret about 100 times, which is all that AWS keeps, a signing key 16 times. If it is urgent, suspend the tenant, or rotate the signing key with `drop_previous`",
            ),
            Self::Internal => ("internal", 500, "our fault: report the `x-request-id`"),
            Self::TemporarilyUnavailable => (
                "temporarily_unavailable",
                503,
                "a store could not be reached: try again, a change of the registry with its `Idempotency-Key`",
            ),
        }
    }
}
