//! Secrets and keys: what they are, how they are made, stored and compared.

pub(super) mod api_key;
pub(super) mod api_key_secret;
pub(super) mod fault;
pub(super) mod idempotency;
pub(super) mod key_hash;
pub(super) mod key_text;
pub(super) mod secret_pointer;
pub(super) mod secrets;
pub(super) mod signing_key;
pub(super) mod standby_key;
pub(super) mod trace_key;
pub(super) mod webhook_secret;

pub use api_key::{ApiKey, KeyHashes, KeyState};
pub use api_key_secret::{ApiKeyClaims, ApiKeyId, ApiKeySecret, KeyKind};
pub use fault::{CredentialFault, CredentialForm};
pub use idempotency::{IdempotencyKey, IdempotencyScope, REMEMBERED, SECRET_REMEMBERED};
pub use key_hash::KeyHash;
pub use secret_pointer::{PreviousSecret, SecretLabel, SecretPointer, SecretVersion, SigningPointer};
pub use secrets::{KeySlot, OperatorKey, OperatorKeys, RevealedSecret, TenantSecret};
pub use signing_key::{PrivateJwk, PublicKey, PublishedKey, SigningKey};
pub use standby_key::{KeyRotation, KeyRotationStep, StandbyKey, StandbyTooYoung, known_everywhere_at};
pub use trace_key::{Person, PersonDigest, TraceKey};
pub use webhook_secret::WebhookSecret;
