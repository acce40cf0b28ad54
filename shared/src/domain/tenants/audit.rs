//! Who changes what: the facts of one change as it is made, and the event that stays.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::credentials::idempotency::IdempotencyKey;
use crate::domain::credentials::secrets::KeySlot;
use crate::domain::time::clock::Timestamp;

/// Who made a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Actor {
    /// The operator, with the admin key in force.
    #[serde(rename = "operator")]
    Operator,
    /// The operator, with the admin key that is being rotated out: as long as these appear, somebody still has it.
    #[serde(rename = "operator (previous key)")]
    OperatorWithPreviousKey,
    /// Latchkey itself: the guard of the relay, at the last of a tenant's strikes.
    #[serde(rename = "relay guard")]
    RelayGuard,
}

impl From<KeySlot> for Actor {
    fn from(slot: KeySlot) -> Self {
        match slot {
            KeySlot::Current => Self::Operator,
            KeySlot::Previous => Self::OperatorWithPreviousKey,
        }
    }
}

/// What a change did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Action {
    /// A tenant was registered.
    #[serde(rename = "tenant.provisioned")]
    TenantProvisioned,
    /// Fields of a tenant's configuration were written.
    #[serde(rename = "tenant.updated")]
    TenantUpdated,
    /// A tenant got a new secret.
    #[serde(rename = "tenant.secret_rotated")]
    TenantSecretRotated,
    /// A tenant was suspended.
    #[serde(rename = "tenant.suspended")]
    TenantSuspended,
    /// A suspension was undone, or strikes were reset.
    #[serde(rename = "tenant.reactivated")]
    TenantReactivated,
    /// A tenant got a new key to sign tokens with.
    #[serde(rename = "tenant.signing_key_rotated")]
    SigningKeyRotated,
    /// A tenant got an API key.
    #[serde(rename = "api_key.provisioned")]
    ApiKeyProvisioned,
    /// An API key got a new secret.
    #[serde(rename = "api_key.rotated")]
    ApiKeyRotated,
    /// An API key was revoked.
    #[serde(rename = "api_key.revoked")]
    ApiKeyRevoked,
    /// Tokens were revoked.
    #[serde(rename = "tokens.revoked")]
    TokensRevoked,
}

/// One successful change, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditEvent {
    /// What was done.
    pub action: Action,
    /// By whom.
    pub actor: Actor,
    /// When, by the clock of the function that did it.
    pub at: Timestamp,
    /// The `x-request-id` of the answer, and of its log line.
    pub request_id: String,
    /// The names of the fields that were written, where the action is an update. Never their values.
    pub fields: Vec<String>,
    /// What of the tenant it was done to, where that is not the tenant itself: the id of a key, a user, an organization.
    #[serde(default)]
    pub subject: Option<String>,
}

/// The request for a change: who, when, under which request and idempotency key. Every store method that changes something
/// takes one, so that there is no change without its audit event.
#[derive(Debug)]
pub struct ChangeContext {
    pub actor: Actor,
    /// When it was asked for.
    pub at: Timestamp,
    pub request_id: String,
    /// When the platform stops this invocation: after that, nothing of it runs any more. It is the lease on what the change
    /// began and has not finished.
    pub deadline: Timestamp,
    /// The idempotency key, if one was sent.
    pub idempotency_key: Option<IdempotencyKey>,
}

impl ChangeContext {
    /// The event that says that this change was made to the tenant.
    pub fn event(&self, action: Action, fields: Vec<String>) -> AuditEvent {
        AuditEvent {
            action,
            actor: self.actor,
            at: self.at,
            request_id: self.request_id.clone(),
            fields,
            subject: None,
        }
    }

    /// The event that says that this change was made to something of the tenant's.
    pub fn event_about(&self, action: Action, subject: &impl ToString) -> AuditEvent {
        AuditEvent { subject: Some(subject.to_string()), ..self.event(action, Vec::new()) }
    }
}
