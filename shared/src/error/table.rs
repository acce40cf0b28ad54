//! The table of refusals: for each the variant of [`Error`], its code, its status, the sentence for the client, and
//! what the documentation says of it. A refusal that is new is a row here, and nothing else.

use std::error::Error as StdError;
use std::fmt;

use super::{Cause, CredentialRefusal, RequestPart};
use crate::domain::{CredentialFault, DpopCause, Problem, TenantQuota};

/// Defines [`Error`] and [`ErrorCode`] from rows, in the order of their statuses: `/// doc` `Variant(payload: Type) =>
/// Code status "code" "sentence" "meaning";`. The sentence may name the payload in braces. Before them, in braces,
/// those that clients see under the code of another row: `Variant(Type) as Code`, with the payload's sentence.
macro_rules! refusals {
    ({ $( $(#[$alike_doc:meta])* $alike:ident($alike_type:ty) as $alike_code:ident; )* } $(
        $(#[$doc:meta])*
        $variant:ident $( ( $value:ident: $type:ty ) )? $( { $( $field:ident: $field_type:ty ),* } )?
        => $code:ident $status:literal $text:literal $sentence:literal $meaning:literal;
    )*) => {
        /// A refusal. Each variant but the last two is something that the caller can act on. `Display` is the sentence
        /// for the client; what only we may know is in [`Error::cause`].
        #[derive(Debug)]
        pub enum Error {
            $( $(#[$alike_doc])* $alike($alike_type), )*
            $( $(#[$doc])* $variant $( ($type) )? $( { $( $field: $field_type ),* } )?, )*
        }

        impl Error {
            /// The code under which clients see it.
            pub fn code(&self) -> ErrorCode {
                match self {
                    $( Self::$alike(_) => ErrorCode::$alike_code, )*
                    $( Self::$variant { .. } => ErrorCode::$code, )*
                }
            }
        }

        impl fmt::Display for Error {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $( Self::$alike(value) => fmt::Display::fmt(value, formatter), )*
                    $( Self::$variant $( ($value) )? $( { $( $field ),* } )? => {
                        $( let _ = $value; )?
                        $( $( let _ = $field; )* )?
                        write!(formatter, $sentence)
                    } )*
                }
            }
        }

        impl StdError for Error {}

        /// The codes, one per kind of refusal. They are part of the contract: none is ever renamed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum ErrorCode {
            $( #[doc = $meaning] $code, )*
        }

        impl ErrorCode {
            /// All codes, in the order of their statuses.
            pub const ALL: &'static [Self] = &[$( Self::$code ),*];

            /// The code as clients see it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $( Self::$code => $text, )*
                }
            }

            /// The HTTP status that goes with it.
            pub fn status(self) -> u16 {
                match self {
                    $( Self::$code => $status, )*
                }
            }

            /// What it means and what to do, for the documentation.
            pub fn meaning(self) -> &'static str {
                match self {
                    $( Self::$code => $meaning, )*
                }
            }
        }
    };
}

refusals! {
    {
        /// A credential with a fault that its sender can see. Clients are told which it is.
        CredentialFault(CredentialFault) as Unauthenticated;
    }
    /// The request can't be read: bad JSON, bad encoding.
    Malformed(problem: Problem) => MalformedRequest 400 "malformed_request"
        "request {problem}"
        "the body or a header cannot be read";
    /// Something that looks like a credential is in the query string, where proxies and browsers keep it.
    CredentialInQuery => CredentialInQuery 400 "credential_in_query"
        "credentials belong in a header, never in the query string"
        "a credential is in the query string: consider it leaked and rotate it";
    /// The request names two end users.
    EndUsersDiffer => EndUsersDiffer 400 "end_users_differ"
        "headers and body name different end users"
        "headers and body name different end users";
    /// A header is named almost like one that names the end user.
    MisspeltHeader(name: String) => MisspeltHeader 400 "misspelt_header"
        "header {name} is no header of this endpoint: the end user goes in external_user_id or X-End-User-ID"
        "a header is named almost like those that name the end user: it would not have been heeded";
    /// No valid credential, for a reason that takes a look into a store. Clients see one and the same body for every
    /// such reason; the log has it.
    Unauthenticated(reason: &'static str) => Unauthenticated 401 "unauthenticated"
        "credential is missing or not valid"
        "the credential is missing, malformed, unknown, wrong, expired or revoked; what its sender can see for \
         itself has a `reason`";
    /// The signature is right, and a passkey's response is not. Clients see one and the same sentence for every reason
    /// but faults of a page; the log has the reason.
    CredentialRefused(refusal: CredentialRefusal) => CredentialRefused 401 "credential_refused"
        "{refusal}"
        "what the browser answered is not accepted, whatever the reason: the log has it. If the passkey is unknown or \
         revoked, `error.signals` has what makes the browser hide it";
    /// What a device presents would do with a nonce of now.
    DpopNonceWanted(cause: DpopCause) => UseDpopNonce 401 "use_dpop_nonce"
        "the proof needs the nonce in DPoP-Nonce: make another with it"
        "the proof has no nonce, or an old one: make another with that of `DPoP-Nonce`, and send the call again";
    /// The proof that a device has its key is not in order. The log has the reason.
    DpopProofRefused(cause: DpopCause) => InvalidDpopProof 401 "invalid_dpop_proof"
        "DPoP proof is not valid"
        "the DPoP proof is malformed, for another call, key or token, or was used before; without any it is \
         `unauthenticated`";
    /// The credential is right, and its tenant is suspended. If it was a signature: how the tenant stands.
    TenantSuspended(quota: Option<TenantQuota>) => TenantSuspended 403 "tenant_suspended"
        "tenant is suspended"
        "the credential is right, and its tenant is suspended";
    /// The API key is right, and of a kind that the operation does not take.
    KeyKindNotAllowed => KeyKindNotAllowed 403 "key_kind_not_allowed"
        "API key is of a kind that this endpoint does not take"
        "the API key is right, and of a kind that this endpoint does not take";
    /// A browser page of that origin may not do that: the sentence says what.
    OriginNotAllowed(sentence: &'static str) => OriginNotAllowed 403 "origin_not_allowed"
        "{sentence}"
        "the API key, or a token that it minted, may not be sent by a browser page of this origin; or `browser_origin` \
         is not one of the tenant's; or a page that is not the service's own used a device's or a console session's \
         credential";
    /// The tenant has no passkeys: the sentence says what is missing.
    PasskeysDisabled(sentence: &'static str) => PasskeysDisabled 403 "passkeys_disabled"
        "{sentence}"
        "the tenant has no passkeys: `message` says which of its fields is missing or off";
    /// The tenant has no QR logins.
    QrLoginDisabled => QrLoginDisabled 403 "qr_login_disabled"
        "the tenant has no QR logins: qr_login_allowed_origins is empty"
        "the tenant has no QR logins: its `qr_login_allowed_origins` is empty";
    /// The phone is on another network than the browser, and the tenant wants no such login.
    QrLoginDistant => QrLoginDistant 403 "qr_login_distant"
        "the login was denied: this device is on another network than the browser"
        "the device is on another network than the browser, and the tenant's `qr_distant` is `deny`: the login was \
         denied";
    /// A session of the console asks for what only the operator's key itself opens.
    OperatorKeyRequired => OperatorKeyRequired 403 "operator_key_required"
        "a session of the console makes links for tenants only: the operator's own take the operator's key"
        "a session of the console can't make a link to the operator's console, by which it would outlast itself: that \
         takes the operator's key";
    /// The token is right, and does not reach as far as the operation.
    InsufficientScope(sentence: &'static str) => InsufficientScope 403 "insufficient_scope"
        "{sentence}"
        "the token is right, and the operation takes another kind or an API key only";
    /// The request names another end user than its token.
    AnotherEndUser => AnotherEndUser 403 "another_end_user"
        "the token is not that end user's"
        "header or body name another end user than the token";
    /// The request names no end user, and the tenant's calls have to.
    EndUserRequired => EndUserRequired 403 "end_user_required"
        "calls of this account have to name an end user"
        "the tenant's calls have to name an end user, and this one does not";
    /// The row is nobody's in particular: end users read it, and only the account changes it.
    GlobalResource => GlobalResource 403 "global_row"
        "all end users share this: only the account may change it"
        "an end user can't change what all end users share";
    /// There is no such tenant.
    TenantNotFound => TenantNotFound 404 "tenant_not_found"
        "tenant not found"
        "there is no such tenant";
    /// The tenant has no such API key.
    ApiKeyNotFound => ApiKeyNotFound 404 "api_key_not_found"
        "API key not found"
        "the tenant has no such API key";
    /// There is no such project, or it is another tenant's.
    ProjectNotFound => ProjectNotFound 404 "project_not_found"
        "project not found"
        "there is no such project, or it is not that of the API key";
    /// The tenant has no such organization.
    OrganizationNotFound => OrganizationNotFound 404 "organization_not_found"
        "organization not found"
        "the tenant has no such organization";
    /// The tenant has no such user, or not in that organization.
    UserNotFound => UserNotFound 404 "user_not_found"
        "user not found"
        "the tenant has no such user, or not in that organization";
    /// The tenant has no such callback.
    CallbackNotFound => CallbackNotFound 404 "callback_not_found"
        "callback not found"
        "the tenant has no such callback; one that is over is kept for 30 days";
    /// The tenant has no person with that id, or not with those two.
    PersonNotFound => PersonNotFound 404 "person_not_found"
        "person not found"
        "nobody has this `relay_user_linked_id`, or not with this `backend_user_id`; `fetch/person`: nobody has it";
    /// The person has no such passkey.
    PasskeyNotFound => PasskeyNotFound 404 "passkey_not_found"
        "passkey not found"
        "the person has no such passkey, or to rename: no such passkey that is not revoked";
    /// No pairing has this handle, or its proof was redeemed.
    PairingNotFound => PairingNotFound 404 "pairing_not_found"
        "pairing not found: it may have been used, or has expired"
        "there is no such pairing: it was redeemed, or has expired, or never was";
    /// The person has no such device.
    DeviceNotFound => DeviceNotFound 404 "device_not_found"
        "device not found"
        "the person has no such device, or has it no more";
    /// No link to the console has this code, or it was opened.
    ConsoleLinkNotFound => ConsoleLinkNotFound 404 "console_link_not_found"
        "console link not found: it may have been opened, or has expired"
        "there is no such console link: it was opened, or has expired after five minutes, or never was";
    /// There is no such row, or it is somebody else's.
    ResourceNotFound => ResourceNotFound 404 "not_found"
        "not found"
        "there is no such thing, or it is somebody else's";
    /// The path exists, the method does not. `allow` has those that do, for the header of that name.
    MethodNotAllowed{ allow: String } => MethodNotAllowed 405 "method_not_allowed"
        "method must be {allow}"
        "the path has other methods: see `Allow`";
    /// Others changed the same thing at the same time, again and again.
    StaleUpdate => StaleUpdate 409 "stale_update"
        "others changed the same thing at the same time, try again"
        "others changed the same thing at the same time; nothing was changed: try again";
    /// The first request with this idempotency key is still running, for `retry_after` seconds at most.
    IdempotencyInProgress{ retry_after: u64 } => IdempotencyInProgress 409 "idempotency_in_progress"
        "the first request with this Idempotency-Key may still be running"
        "the first request with this `Idempotency-Key` may still be running: try again after `Retry-After`";
    /// The external id is that of another one.
    ExternalIdTaken => ExternalIdTaken 409 "external_id_taken"
        "externalId already belongs to another organization or user"
        "the external id is that of another organization or user";
    /// The id is the uuid of one organization or user and the external id of another.
    AmbiguousId => AmbiguousId 409 "ambiguous_id"
        "the id is the uuid of one and the external id of another"
        "a text is, or would become, the uuid of one organization or user and the external id of another: nothing was \
         minted or changed";
    /// What a token would carry is over the limit.
    PropertiesTooLarge => PropertiesTooLarge 409 "properties_too_large"
        "what the token would carry is over 4096 bytes of properties, or 8192 bytes with everything else"
        "what the token would carry is over 4096 bytes of properties, or 8192 bytes with everything else";
    /// What was reported of an execution can't follow what was reported before.
    ExecutionFinished => ExecutionFinished 409 "execution_finished"
        "the execution is past that status"
        "the execution is past the status that was reported";
    /// The tenant gets no such callback.
    CallbackNotWanted(problem: Problem) => CallbackNotWanted 409 "callback_not_wanted"
        "tenant {problem}"
        "the tenant has no `callback_url_base`, or its `callback_types` do not name the type; nothing was written";
    /// The standby key may not sign yet, for `retry_after` seconds more: caches may lack it.
    StandbyTooYoung{ retry_after: u64 } => StandbyTooYoung 409 "standby_too_young"
        "the standby key has been published for less than 15 minutes: try again after Retry-After, or send force, with \
        which verifiers may refuse fresh tokens that long"
        "the standby key has been published for less than 15 minutes, so that verifiers may lack it: try again after \
        `Retry-After`. With `force` it signs all the same, and verifiers may refuse fresh tokens that long";
    /// Passkeys of the present relying party are in use.
    PasskeysInUse => PasskeysInUse 409 "passkeys_in_use"
        "passkeys of the present webauthn_rp_id are in use and work for no other; send force=true in the query to \
         change it all the same"
        "passkeys of the present `webauthn_rp_id` are in use and would not work any more: `force=true` in the query \
         changes it all the same";
    /// The end user or the tenant has as many rows of the kind as it may have.
    QuotaExceeded => QuotaExceeded 409 "quota_exceeded"
        "no room for another of these: delete some first"
        "the end user, the session or the tenant has as many rows of this kind as it may have, or the person as many \
         passkeys or devices; nothing was written: delete some, or ask the operator for a higher quota";
    /// Another device has scanned the code.
    QrLoginTaken => QrLoginTaken 409 "qr_login_taken"
        "another device has scanned this code"
        "another device has scanned the code first; nothing was changed";
    /// The QR login is over, or never was. Clients see one and the same body for every reason.
    QrLoginGone => QrLoginGone 410 "qr_login_gone"
        "the QR login is over, or the code is out of date"
        "the QR login has expired, its result was read, or it never was; or its poll token is wrong; or the code that \
         was scanned is out of date";
    /// The API key was revoked or has expired, and can't be changed any more.
    ApiKeyGone => ApiKeyGone 410 "api_key_gone"
        "API key was revoked or has expired"
        "the API key was revoked or has expired: provision another";
    /// A body over the limit.
    TooLarge => PayloadTooLarge 413 "payload_too_large"
        "body is over 64 KiB"
        "the body is over 64 KiB, counted without escapes";
    /// A body of a type that the operation does not take.
    UnsupportedMediaType => UnsupportedMediaType 415 "unsupported_media_type"
        "content-type must be application/json, or that of a form where one is taken, and the body not compressed"
        "the body is not `application/json`, or a form where one is taken, or it is compressed";
    /// A field breaks a rule. It is named with its index where it is one of a list.
    Invalid{ part: RequestPart, field: String, problem: Problem } => InvalidField 422 "invalid_field"
        "{field} {problem}"
        "a field breaks a rule: `error.field` and `message`, or `detail`, say which";
    /// The idempotency key was used for another request.
    IdempotencyKeyReused => IdempotencyKeyReused 422 "idempotency_key_reused"
        "Idempotency-Key was used for another request"
        "this `Idempotency-Key` was used for another request";
    /// The credential is right, and its tenant, API key or end user has made all calls of the minute.
    RateLimited(quota: TenantQuota) => RateLimited 429 "rate_limited"
        "the calls of this minute are used up"
        "the tenant, the API key or the end user has made as many calls in this minute as its limit allows: try again \
         after `Retry-After`";
    /// The QR login was polled less than a second ago.
    SlowDown => SlowDown 429 "slow_down"
        "polled less than a second ago"
        "the QR login was polled less than a second ago: try again after `Retry-After`";
    /// As many QR logins are live as may be for one browser. `retry_after` is the time until one of them expires.
    TooManyQrLogins{ retry_after: u64 } => TooManyQrLogins 429 "too_many_qr_logins"
        "too many QR logins are live for this browser"
        "as many QR logins are live for the browser's address as `qr_sessions_per_address` allows, or three for its \
         `browser_key`: try again after `Retry-After`";
    /// The tenant's secret was rotated more often in a day than the secret store keeps versions of, or its signing key
    /// more often than a key set has room for.
    RotatedTooOften => RotatedTooOften 429 "rotated_too_often"
        "rotated too often today; if it is urgent, suspend the tenant, or drop the previous signing keys"
        "rotated too often within a day: a secret about 100 times, which is all that AWS keeps, a signing key 14 \
         times. If it is urgent, suspend the tenant, or rotate the signing key with `drop_previous`";
    /// We failed in a way that trying again does not mend.
    Internal(cause: Cause) => Internal 500 "internal"
        "internal error"
        "our fault: report the `x-request-id`";
    /// A store or the source of randomness failed. Nothing was let through, and trying again may help. A change may
    /// have been made all the same, if only its answer was lost: an idempotency key makes trying again safe.
    Unavailable(cause: Cause) => TemporarilyUnavailable 503 "temporarily_unavailable"
        "temporarily unavailable, try again"
        "a store could not be reached: try again, with the same `Idempotency-Key` where one is taken";
}

impl ErrorCode {
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
}
