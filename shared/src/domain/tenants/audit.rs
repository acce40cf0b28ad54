//! Audit: the context in which a change is made, and the event that records it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::credentials::api_key_secret::ApiKeyId;
use crate::domain::credentials::idempotency::IdempotencyKey;
use crate::domain::credentials::secrets::KeySlot;
use crate::domain::tenants::tenant::{Configuration, Tenant};
use crate::domain::time::clock::Timestamp;
use crate::domain::values::{ConsoleLabel, RatePerMinute, TenantName};

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
    /// The operator, in a session of the console.
    #[serde(rename = "operator (console)")]
    OperatorConsole,
    /// The tenant's people, in a session of the console.
    #[serde(rename = "tenant (console)")]
    TenantConsole,
    /// Latchkey itself, which suspends a tenant whose strikes reach the deployment's threshold.
    #[serde(rename = "relay guard")]
    RelayGuard,
    /// Latchkey itself, which delivers callbacks no more to a receiver that is gone or does not answer for days.
    #[serde(rename = "callback deliverer")]
    CallbackDeliverer,
    /// A tenant's backend, with a call that it signed with the tenant secret.
    #[serde(rename = "tenant secret")]
    TenantSecret,
    /// A tenant's backend, with an API key.
    #[serde(rename = "API key")]
    ApiKey,
    /// Who holds a scoped token, which an API key minted.
    #[serde(rename = "token")]
    Token,
    /// A person's device, with its session or with what pairs it.
    #[serde(rename = "device")]
    Device,
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
    /// A tenant from before there were standby keys got one: it signs after a later rotation.
    #[serde(rename = "tenant.standby_key_published")]
    StandbyKeyPublished,
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
    /// One token was revoked by the tenant.
    #[serde(rename = "token.revoked")]
    TokenRevoked,
    /// Callbacks of a flow go to the tenant's receiver no more, until they are reactivated.
    #[serde(rename = "callbacks.disabled")]
    CallbacksDisabled,
    /// Callbacks go to a tenant's receivers again that got none any more.
    #[serde(rename = "callbacks.reactivated")]
    CallbacksReactivated,
    /// Callbacks of a tenant are delivered anew.
    #[serde(rename = "callbacks.replayed")]
    CallbacksReplayed,
    /// An organization was registered, or registered again with other data.
    #[serde(rename = "organization.registered")]
    OrganizationRegistered,
    /// A user was registered, or registered again with other data.
    #[serde(rename = "user.registered")]
    UserRegistered,
    /// A customer of the legacy registration was registered, or registered again with other data.
    #[serde(rename = "registered_tenant.registered")]
    RegisteredTenantRegistered,
    /// A resource of the account surface was deleted.
    #[serde(rename = "resource.deleted")]
    ResourceDeleted,
    /// A person registered a passkey.
    #[serde(rename = "passkey.registered")]
    PasskeyRegistered,
    /// A passkey got another name.
    #[serde(rename = "passkey.renamed")]
    PasskeyRenamed,
    /// A passkey was revoked.
    #[serde(rename = "passkey.revoked")]
    PasskeyRevoked,
    /// A login was refused because its passkey seems to be a copy.
    #[serde(rename = "passkey.clone_suspected")]
    PasskeyCloneSuspected,
    /// A device of a person was paired.
    #[serde(rename = "device.paired")]
    DevicePaired,
    /// A device of a person got another name.
    #[serde(rename = "device.renamed")]
    DeviceRenamed,
    /// A device of a person is paired no more.
    #[serde(rename = "device.removed")]
    DeviceRemoved,
    /// A link to the console was made.
    #[serde(rename = "console.link_provisioned")]
    ConsoleLinkProvisioned,
    /// A link to the console was opened: a session began.
    #[serde(rename = "console.session_opened")]
    ConsoleSessionOpened,
    /// A session of the console was ended before its time.
    #[serde(rename = "console.session_ended")]
    ConsoleSessionEnded,
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
    /// Id of the request that made the change, as in the `x-request-id` header of its answer and in the log. Of
    /// `callbacks.disabled`, which no request makes, an id of its own.
    pub request_id: String,
    /// The API key that the change was made with, or that minted the token that it was made with. Null if it was made
    /// with neither.
    #[serde(default)]
    pub key_id: Option<ApiKeyId>,
    /// The principal of IAM that signed the operator's call, as an ARN. Null if the registry asked for the operator's
    /// key alone, and of changes that are not the operator's.
    #[serde(default)]
    pub principal: Option<String>,
    /// Who made the change in a session of the console, as the session's link says. Null of all other changes.
    #[serde(default)]
    pub label: Option<ConsoleLabel>,
    /// Names of the fields that an update wrote, or that a repeated registration changed. Empty for all other actions.
    pub fields: Vec<String>,
    /// What the change was made to, if that is not the tenant itself: the id of an API key, a signing key, an
    /// organization, a token (`jti`) or a resource, or the digest of a person, as in the log; or the id of a console
    /// session. Null if it is the tenant itself.
    #[serde(default)]
    pub subject: Option<String>,
    /// What decides how grave the change was, by name; never a secret. `tenant.updated`: `{old, new}` of each field.
    /// `tenant.suspended`: `reason`. Rotations of secrets and API keys: `previous_valid_until`, null without an
    /// overlap. `tenant.signing_key_rotated`: `drop_previous`, `force`. `api_key.provisioned`: `name`, `kind`,
    /// `expires_at`, `allowed_origins`, `origins_apply_to_tokens`. `tokens.revoked`: `whose`. `token.revoked`:
    /// `scope`, `minted_by`. Registrations: `is_new`. `callbacks.disabled`: `flow`, and `cause`: `gone` for a 410,
    /// `no_success` for five days without a success. `callbacks.reactivated`: `flow`, null for all.
    /// `callbacks.replayed`: `count`, and `state`, `since` and `until`, null where they were not said.
    /// `resource.deleted`: `kind`, and the acting `end_user` as a digest, null for the account. `passkey.…`:
    /// `passkey`, the SHA-256 of the bytes of its id in hexadecimal. `device.…`: `device_id`, and of `device.paired`
    /// `replaced`, the ids of those without a session that made room. `console.…`: `label`, for whom the link was
    /// made. `replayed` is true if a stored response with a
    /// secret in it went out again, and nothing was changed.
    #[serde(default)]
    pub details: Map<String, Value>,
}

impl AuditEvent {
    /// The event with one more detail.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        // What is written here can always be written as JSON.
        self.details.insert(name.to_owned(), serde_json::to_value(value).unwrap_or_default());
        self
    }
}

/// Context of a change: who makes it, when, for which request, and under which idempotency key. Every store method that
/// changes something takes one, so that there is no change without its audit event.
#[derive(Debug)]
pub struct ChangeContext {
    pub actor: Actor,
    /// The API key behind the change, if it is a tenant's.
    pub key_id: Option<ApiKeyId>,
    /// Time at which the change was requested.
    pub at: Timestamp,
    pub request_id: String,
    /// Time at which the platform stops this invocation, after which no part of it runs any more. It is the lease on
    /// what the change began and has not finished.
    pub deadline: Timestamp,
    /// The idempotency key, if one was sent.
    pub idempotency_key: Option<IdempotencyKey>,
    /// The principal of IAM that signed the operator's call, as an ARN.
    pub principal: Option<String>,
    /// Whose session of the console it is, if it is one.
    pub label: Option<ConsoleLabel>,
}

impl ChangeContext {
    /// The event that says that this change was made to the tenant.
    pub fn event(&self, action: Action, fields: Vec<String>) -> AuditEvent {
        AuditEvent {
            action,
            actor: self.actor,
            at: self.at,
            request_id: self.request_id.clone(),
            key_id: self.key_id.clone(),
            principal: self.principal.clone(),
            label: self.label.clone(),
            fields,
            subject: None,
            details: Map::new(),
        }
    }

    /// The event that says that this change was made to something of the tenant's.
    pub fn event_about(&self, action: Action, subject: &impl ToString) -> AuditEvent {
        AuditEvent { subject: Some(subject.to_string()), ..self.event(action, Vec::new()) }
    }
}

impl Tenant {
    /// Its settings by the names of their fields, for the audit: none is a secret.
    pub fn settings(&self) -> Map<String, Value> {
        #[derive(Serialize)]
        struct Settings<'a> {
            tenant_name: &'a TenantName,
            rate_limit_per_min: RatePerMinute,
            #[serde(flatten)]
            configuration: &'a Configuration,
        }
        let Self { summary, configuration, .. } = self;
        let (tenant_name, rate_limit_per_min) = (&summary.name, summary.rate_limit_per_min);
        match serde_json::to_value(Settings { tenant_name, rate_limit_per_min, configuration }) {
            Ok(Value::Object(settings)) => settings,
            // They are an object and can always be written.
            _ => Map::new(),
        }
    }
}

#[cfg(test)]
mod tests;
