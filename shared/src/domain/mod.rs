//! Rules and types. No I/O, no async, no AWS, no HTTP: everything here is tested in microseconds.

mod account;
mod callbacks;
mod console;
mod credentials;
mod devices;
mod directory;
mod dpop;
mod ids;
mod passkeys;
mod people;
mod qr_login;
mod relay;
mod setup;
mod tenants;
mod time;
mod tokens;
mod values;
mod web;

pub use account::{
    AgentSession, Description, Document, DocumentStatus, END_USER_HEADERS, ExecutionId, ExecutionPathId,
    ExecutionStatus, Failure, FieldUpdates, Finished, Label, LongText, Markdown, Message, MessageContent, MessageRole,
    PathId, Report, SessionStatus, SystemPrompt, ToolData, ToolExecution, ToolIds, Viewpoint, Workspace, WorkspaceIds,
    WorkspaceView, is_misspelt_end_user_header, new_resource_id,
};
pub use callbacks::{
    Admission, Attempted, Breaker, CallbackAttempt, CallbackDetails, CallbackFilter, CallbackHeaders, CallbackSigner,
    CallbackState, CallbackSummary, CallbackTypes, Change, DisableCause, ErrorClass, Event, EventFlaw, EventId,
    EventType, Flow, Jitter, LastFailure, NewEvent, Next, NotPublic, NotReplayed, Outcome, ReceiverState,
    ReceiverSummary, ReplayScope, RetryAfter, SkippedCallback, TypePattern, check_public, useless_from,
};
pub use console::{
    ConsoleCode, ConsoleId, ConsoleLink, ConsoleParty, ConsoleSession, ConsoleToken, LINK_LIFETIME, PartyKind,
    RevealedConsoleSecret, SESSION_LIFETIME,
};
pub use credentials::{
    ApiKey, ApiKeyClaims, ApiKeyId, ApiKeySecret, CredentialFault, CredentialForm, IdempotencyKey, IdempotencyScope,
    KeyHash, KeyHashes, KeyKind, KeyRotation, KeyRotationStep, KeySlot, KeyState, OperatorKey, OperatorKeys, Person,
    PersonDigest, PreviousSecret, PrivateJwk, PublicKey, PublishedKey, REMEMBERED, RevealedSecret, SECRET_REMEMBERED,
    SecretLabel, SecretPointer, SecretVersion, SigningKey, SigningPointer, StandbyKey, StandbyTooYoung, TenantSecret,
    TraceKey, WebhookSecret, known_everywhere_at,
};
pub use devices::{
    DeviceEpochs, DeviceId, DeviceSessionClaims, DeviceSessionToken, Introduction, MaskedEmail, MaskedPhone,
    PairedDevice, PairingHandle, PairingId, PairingUrl, Platform, PreparedPairing, RevealedSessionToken,
};
pub use directory::{
    JsonObject, Organization, OrganizationFields, Properties, Record, RegisteredKey, RegisteredTenant,
    RegisteredTenantFields, User, UserFields,
};
pub use dpop::{
    DpopCall, DpopCause, DpopNonce, DpopProof, Freshness, NonceKey, Presented, ReplayKey, Thumbprint,
    UnverifiedDpopProof,
};
pub use ids::{ExternalId, Handle, Reference, TenantId, UuidText, parse_uuid, random_uuid};
pub use passkeys::{
    Aaguid, AllAcceptedCredentials, Ceremony, CeremonyKind, Challenge, CounterChange, CreationOptions,
    CredentialDescriptor, CredentialDigest, CredentialId, CurrentUserDetails, ExpectedResponse, Hint, NewPasskey,
    Passkey, PasskeyAlgorithm, PasskeyCause, RelyingParty, RequestOptions, StoredPasskey, Transports,
    UnknownCredential, UserEntity, UserHandle, VerifiedLogin, challenge_of, credential_id_of, verify_login,
    verify_registration,
};
pub use people::{LinkedUserId, PersonRef, RelayPerson};
pub use qr_login::{
    AnswerDigest, BrowserAddress, BrowserKey, BrowserName, BrowserNetwork, Choice, ExpectedStatement, FrameKey,
    FrameMac, MatchNumber, Poll, PollToken, Proximity, QrDecision, QrDistant, QrLoginSettings, QrLoginUrl,
    QrNumberMatching, QrPhase, QrRotation, QrScan, QrSession, QrSessionId, QrStatement, RevealedPollToken, ScanId,
    Scanner, StatementFlaw, UnverifiedStatement, UserAgent,
};
pub use relay::{
    LimitOf, Minute, Nonce, Quota, SignatureHeaders, SignedCall, SignedParts, SigningVersion, TenantQuota,
};
pub(crate) use setup::ADDRESS;
pub use setup::{Check, CheckState, Refusal, RefusalCause, Seen, Setup, SetupDefaults, SetupFacts};
pub use tenants::{
    AccountWideUse, Action, Actor, AuditEvent, CallbackUrl, ChangeContext, Configuration, FieldProblem, Limits,
    LogoUrl, NewTenant, Origin, Origins, RowQuotas, RpId, Seal, SealedEvent, SignedUse, StatusFilter, Tenant,
    TenantPatch, TenantSearch, TenantStatus, TenantSummary, WebauthnOrigin, WebauthnOrigins, folded,
};
pub use time::{Clock, Day, SystemClock, Timestamp};
pub use tokens::{
    Claims, Epochs, Issuer, LONGEST_TOKEN, PairingClaims, PropertiesTooLarge, Refused, RegisteredData, Scope,
    SignedToken, TokenLifetime, TokenRequest, UnverifiedPairingProof, UnverifiedToken,
};
pub use values::{
    AccountName, ConsoleLabel, Cursor, CursorPage, DeviceName, DisplayName, ExactJson, FrameNumber, KeyLifetime,
    KeyName, Minutes, Offset, OffsetPage, OverlapSeconds, PageLimit, PageNumber, PageRequest, PartyName, PasskeyName,
    Patch, Problem, QrCode, QrExpirySeconds, QrSessionsPerAddress, Random, RandomnessUnavailable, RatePerMinute,
    Reason, RowsPerEndUser, RowsPerTenant, SystemRandomness, TenantName, draw, near_miss, not_null, not_null_enum,
    string_enum,
};
pub use web::{CSS, HTML, JAVASCRIPT, SVG, WebFile, WebFiles};
