//! Audit: the context in which a change is made, and the event that records it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::credentials::idempotency::IdempotencyKey;
use crate::domain::credentials::secrets::KeySlot;
use crate::domain::time::clock::Timestamp;

/// Party that made a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Actor {
    /// The operator, with the current operator's key.
    #[serde(rename = "operator")]
    Operator,
    /// The operator, with the operator's key that is being rotated out. While such events appear, somebody still uses
    /// it.
    #[serde(rename = "operator (previous key)")]
    OperatorWithPreviousKey,
    /// Latchkey itself, which suspends a tenant whose strikes reach the deployment's threshold.
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

/// Kind of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Action {
    /// A tenant was registered.
    #[serde(rename = "tenant.provisioned")]
    TenantProvisioned,
    /// Fields of a tenant's configuration were updated.
    #[serde(rename = "tenant.updated")]
    TenantUpdated,
    /// A tenant got a new secret.
    #[serde(rename = "tenant.secret_rotated")]
    TenantSecretRotated,
    /// A tenant was suspended.
    #[serde(rename = "tenant.suspended")]
    TenantSuspended,
    /// A suspension was lifted, or strikes were reset.
    #[serde(rename = "tenant.reactivated")]
    TenantReactivated,
    /// A tenant got a new key that signs its tokens.
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
    /// Tokens of a tenant were revoked.
    #[serde(rename = "tokens.revoked")]
    TokensRevoked,
}

/// Audit event: the record of one successful change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditEvent {
    /// Kind of the change.
    pub action: Action,
    /// Party that made the change.
    pub actor: Actor,
    /// Time of the change, by the clock of the machine that made it.
    pub at: Timestamp,
    /// Id of the request that made the change, as in the `x-request-id` header of its answer and in the log.
    pub request_id: String,
    /// Names of the fields that an update wrote, never their values. Empty for all other actions.
    pub fields: Vec<String>,
    /// Id of what the change was made to, if that is not the tenant itself: an API key, a signing key, or the owner of
    /// revoked tokens (a user, an organization, an end user or an API key). Null if it is the tenant itself.
    #[serde(default)]
    pub subject: Option<String>,
}

/// Context of a change: who makes it, when, for which request, and under which idempotency key. Every store method that
/// changes something takes one, so that there is no change without its audit event.
#[derive(Debug)]
pub struct ChangeContext {
    pub actor: Actor,
    /// Time at which the change was requested.
    pub at: Timestamp,
    pub request_id: String,
    /// Time at which the platform stops this invocation, after which no part of it runs any more. It is the lease on
    /// what the change began and has not finished.
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

#[cfg(test)]
mod tests;
