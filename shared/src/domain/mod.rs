//! Rules and types. No I/O, no async, no AWS, no HTTP: everything here is tested in microseconds.

mod account;
mod api_key;
mod api_key_secret;
mod audit;
mod clock;
mod external_id;
mod idempotency;
mod ids;
mod lifetime;
mod limits;
mod origin;
mod page;
mod patch;
mod problem;
mod project;
mod properties;
mod public_url;
mod quota;
mod random;
mod rp_id;
mod secret;
mod secret_pointer;
mod serde_rules;
mod signature;
mod signing_key;
mod tenant;
mod text;
mod token;
mod token_check;

pub use account::{
    AgentSession, Description, Document, DocumentStatus, ExecutionId, ExecutionPathId, ExecutionStatus, Failure,
    FieldUpdates, Finished, Label, LongText, Markdown, Message, MessageContent, MessageRole, PathId, Report,
    SessionStatus, SystemPrompt, ToolData, ToolExecution, ToolIds, Viewpoint, Workspace, WorkspaceIds, WorkspaceView,
    new_resource_id,
};
pub use api_key::{ApiKey, KeyHashes, KeyState};
pub use api_key_secret::{ApiKeyClaims, ApiKeyId, ApiKeySecret, KeyHash, KeyKind};
pub use audit::{Action, Actor, AuditEvent, ChangeContext};
pub use clock::{Clock, Day, SystemClock, Timestamp};
pub use external_id::{ExternalId, Handle, Reference, UuidText, parse_uuid};
pub use idempotency::{IdempotencyKey, REMEMBERED, SECRET_REMEMBERED};
pub use ids::{TenantId, random_uuid};
pub use lifetime::TokenLifetime;
pub use limits::{KeyLifetime, Minutes, Offset, OverlapSeconds, PageLimit, PageNumber, RatePerMinute};
pub use origin::Origin;
pub use page::{Cursor, CursorPage, OffsetPage, PageRequest};
pub use patch::Patch;
pub use problem::Problem;
pub use project::{
    Organization, OrganizationFields, Record, RegisteredKey, RegisteredTenant, RegisteredTenantFields, User, UserFields,
};
pub use properties::{JsonObject, Properties};
pub use public_url::{CallbackUrl, LogoUrl};
pub use quota::{Minute, Quota, TenantQuota};
pub use random::{Random, RandomnessUnavailable, SystemRandomness, draw};
pub use rp_id::RpId;
pub use secret::{KeySlot, OperatorKey, OperatorKeys, RevealedSecret, TenantSecret};
pub use secret_pointer::{PreviousSecret, SecretLabel, SecretPointer, SecretVersion, SigningPointer};
pub use serde_rules::{not_null, not_null_enum, string_enum};
pub use signature::{Nonce, SignatureHeaders, SignedCall, SignedParts, SigningVersion};
pub use signing_key::{PrivateJwk, PublicKey, PublishedKey, SigningKey};
pub use tenant::{
    Configuration, FieldProblem, NewTenant, Origins, StatusFilter, Tenant, TenantPatch, TenantStatus, TenantSummary,
};
pub use text::{DisplayName, KeyName, PartyName, Reason, TenantName};
pub use token::{Claims, Epochs, Issuer, PropertiesTooLarge, RegisteredData, Scope, SignedToken, TokenRequest};
pub use token_check::{LONGEST_TOKEN, Refused, UnverifiedToken};
