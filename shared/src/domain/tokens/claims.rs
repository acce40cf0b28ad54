//! Tokens: their claims, and how they are signed.
//!
//! A token is a JWT (RFC 7519) of the access-token profile (RFC 9068: `typ` is `at+jwt`, `client_id` is there), signed
//! with the tenant's own key. Reading one is in [`super::verification`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::jws::{self, SignedToken};
use super::lifetime::TokenLifetime;
use crate::domain::credentials::api_key::ApiKey;
use crate::domain::credentials::api_key_secret::ApiKeyId;
use crate::domain::credentials::signing_key::SigningKey;
use crate::domain::directory::parties::{Organization, RegisteredKey, User};
use crate::domain::directory::properties::Properties;
use crate::domain::ids::external_id::ExternalId;
use crate::domain::ids::tenant_id::{TenantId, random_uuid};
use crate::domain::time::clock::Timestamp;
use crate::domain::values::random::{Random, RandomnessUnavailable};
use crate::domain::values::serde_rules::{not_null, not_null_object, object, string_enum};

/// The `typ` of the header (RFC 9068 §2.1): no other JWT can be taken for one of these.
pub const TYPE: &str = "at+jwt";

/// Scope of a token: the kind of party that it speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// A user of one of the tenant's organizations.
    ProjectUser,
    /// A customer of the tenant, from the legacy registration.
    RegisteredTenant,
    /// One end user of the account, by external id.
    EndUser,
    /// The whole account, as an account key does.
    Account,
}

impl Scope {
    /// Its name, as tokens and the log have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ProjectUser => "project_user",
            Self::RegisteredTenant => "registered_tenant",
            Self::EndUser => "end_user",
            Self::Account => "account",
        }
    }
}

/// Revocation counters at the time when the token was issued: how often the tokens of each party had been revoked. A
/// token is active only as long as each counter is still the party's current one.
// Numbers and not times: "issued before" would have to compare clocks of two machines, and a token that was issued on
// the one that is ahead would outlive its revocation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Epochs {
    /// Counter of the tenant: revocations of all of its tokens.
    pub tenant: u64,
    /// Counter of the API key with which the token was issued.
    pub key: u64,
    /// Counter of the organization. Present only if the token has an organization.
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    pub organization: Option<u64>,
    /// Counter of the user. Present only if the scope is `project_user`.
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    pub user: Option<u64>,
    /// Counter of the end user. Present only if the token has an `external_user_id`.
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    pub external_user: Option<u64>,
}

/// Claims of a token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// Issuer of the token: `<base URL>/t/<tenant id>`.
    pub iss: String,
    /// Audience of the token: the id of the tenant.
    pub aud: String,
    /// Subject of the token: of a user its UUID; of a customer of the legacy registration `key:` and its key, or
    /// `name:` and its display name; of an end user `external:` and its external id; of the account the id of the API
    /// key.
    pub sub: String,
    /// Unix time in seconds at which the token was issued.
    pub iat: u64,
    /// Unix time in seconds from which the token is no longer valid.
    pub exp: u64,
    /// Unix time in seconds before which the token is not valid. Tokens of this service do not have it; if it is
    /// present, it is checked.
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    pub nbf: Option<u64>,
    /// Unique id of the token, a UUID.
    pub jti: Uuid,
    /// Id of the tenant whose token it is.
    pub tenant_id: TenantId,
    /// Id of the API key with which the token was issued.
    pub key_id: ApiKeyId,
    /// Id of the API key with which the token was issued, under the name that RFC 9068 requires.
    pub client_id: ApiKeyId,
    /// Scope of the token: the kind of party that it speaks for.
    #[serde(deserialize_with = "string_enum")]
    pub scope: Scope,
    /// UUID of the organization, for a user and for a customer that has one.
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    pub org_id: Option<Uuid>,
    /// The tenant's own id of that organization, as it was registered when the token was issued; absent if it has none.
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    pub org_external_id: Option<ExternalId>,
    /// UUID of the user's role, as it was registered, for a user.
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    pub role_id: Option<Uuid>,
    /// Properties of the organization and the user, for a user. Where both have a property of the same name, it is the
    /// user's.
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    pub properties: Option<Properties>,
    /// External id of the end user that the token speaks for, if it speaks for one. Of a user: the tenant's own id of
    /// it, as it was registered when the token was issued; absent if it has none.
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    pub external_user_id: Option<ExternalId>,
    /// Registered data of a customer of the legacy registration.
    #[serde(default, deserialize_with = "not_null_object", skip_serializing_if = "Option::is_none")]
    pub data: Option<RegisteredData>,
    /// Revocation counters with which the current ones are compared.
    #[serde(deserialize_with = "object")]
    pub epochs: Epochs,
}

impl Claims {
    /// The end user whose revocations end the token, by the tenant's own id. A user of a project is not meant: its own
    /// revocations do.
    pub fn end_user(&self) -> Option<&ExternalId> {
        self.external_user_id.as_ref().filter(|_| self.scope != Scope::ProjectUser)
    }

    /// The time from which the token is no longer valid.
    pub fn expires_at(&self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(self.exp).unwrap_or(i64::MAX).saturating_mul(1000))
    }
}

/// Data of a customer from the legacy registration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RegisteredData {
    /// UUID of the organization that the registration named, or else of the project.
    pub parent_org_id: Uuid,
    /// Name of the customer, as it was registered.
    pub display_name: String,
    /// Contents of the registration: `prefilters`, and of `schemaPreFilter`, `tenantEditingPermissions`,
    /// `connectionOverride` and `customMetadata` those that were sent.
    pub payload: Properties,
}

/// The party that a token is to speak for, and what the token is to carry of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Subject {
    ProjectUser {
        id: Uuid,
        external_id: Option<ExternalId>,
        organization_id: Uuid,
        organization_external_id: Option<ExternalId>,
        role_id: Uuid,
        properties: Properties,
    },
    RegisteredTenant {
        key: RegisteredKey,
        user: Option<ExternalId>,
        organization_id: Option<Uuid>,
        organization_external_id: Option<ExternalId>,
        data: RegisteredData,
    },
    EndUser(ExternalId),
    Account,
}

/// The `sub` of an end user's token: never one of our UUIDs, nor the key of a registered tenant.
pub fn end_user_subject(id: &ExternalId) -> String {
    format!("external:{id}")
}

/// The contents of a token would exceed the limits of [`Properties`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PropertiesTooLarge;

/// A request for a token: which party it is to speak for, and for how long. The API key that issues it is in the
/// caller's proof.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenRequest {
    pub(super) subject: Subject,
    /// The counters of the parties that the subject names.
    pub(super) epochs: Epochs,
    pub(super) lifetime: TokenLifetime,
    /// Time at which the request was made.
    pub(super) at: Timestamp,
}

impl TokenRequest {
    /// A token for a user of an organization.
    ///
    /// # Errors
    /// If the properties of both have become too large for one token.
    pub fn for_user(
        user: &User,
        organization: &Organization,
        lifetime: TokenLifetime,
        at: Timestamp,
    ) -> Result<Self, PropertiesTooLarge> {
        let properties = organization.properties.overlaid_with(&user.properties).ok_or(PropertiesTooLarge)?;
        let (organization_id, role_id) = (organization.id, user.role_id);
        let epochs = Epochs {
            organization: Some(organization.record.epoch),
            user: Some(user.record.epoch),
            ..Epochs::default()
        };
        let (external_id, organization_external_id) = (user.external_id.clone(), organization.external_id.clone());
        let id = user.id;
        let subject =
            Subject::ProjectUser { id, external_id, organization_id, organization_external_id, role_id, properties };
        Ok(Self { subject, epochs, lifetime, at })
    }

    /// A token for a registered tenant. `user` is the end user that it speaks for, with that user's epoch.
    pub fn for_registered_tenant(
        key: RegisteredKey,
        user: Option<(ExternalId, u64)>,
        organization: Option<&Organization>,
        data: RegisteredData,
        lifetime: TokenLifetime,
        at: Timestamp,
    ) -> Self {
        let epochs = Epochs {
            external_user: user.as_ref().map(|(_, epoch)| *epoch),
            organization: organization.map(|organization| organization.record.epoch),
            ..Epochs::default()
        };
        let organization_id = organization.map(|organization| organization.id);
        let organization_external_id = organization.and_then(|organization| organization.external_id.clone());
        let user = user.map(|(user, _)| user);
        let subject = Subject::RegisteredTenant { key, user, organization_id, organization_external_id, data };
        Self { subject, epochs, lifetime, at }
    }

    /// A token for an end user of the account, with that user's epoch.
    pub fn for_end_user(id: ExternalId, epoch: u64, lifetime: TokenLifetime, at: Timestamp) -> Self {
        let epochs = Epochs { external_user: Some(epoch), ..Epochs::default() };
        Self { subject: Subject::EndUser(id), epochs, lifetime, at }
    }

    /// A token for the whole account.
    pub fn for_account(lifetime: TokenLifetime, at: Timestamp) -> Self {
        Self { subject: Subject::Account, epochs: Epochs::default(), lifetime, at }
    }

    /// The claims of the token, if `key` mints it. `tenant_epoch` is the epoch of the key's tenant.
    ///
    /// # Errors
    /// If no randomness is available.
    pub fn claims(
        self,
        issuer: &Issuer,
        key: &ApiKey,
        tenant_epoch: u64,
        random: &dyn Random,
    ) -> Result<Claims, RandomnessUnavailable> {
        let (tenant_id, key_id) = (&issuer.tenant_id, &key.claims.id);
        let iat = self.at.as_seconds();
        let mut claims = Claims {
            iss: issuer.url.clone(),
            aud: tenant_id.to_string(),
            sub: String::new(),
            iat,
            exp: iat + self.lifetime.get(),
            nbf: None,
            jti: random_uuid(random)?,
            tenant_id: tenant_id.clone(),
            key_id: key_id.clone(),
            client_id: key_id.clone(),
            scope: Scope::ProjectUser,
            org_id: None,
            org_external_id: None,
            role_id: None,
            properties: None,
            external_user_id: None,
            data: None,
            epochs: Epochs { tenant: tenant_epoch, key: key.epoch, ..self.epochs },
        };
        match self.subject {
            Subject::ProjectUser {
                id,
                external_id,
                organization_id,
                organization_external_id,
                role_id,
                properties,
            } => {
                claims.sub = id.to_string();
                claims.external_user_id = external_id;
                claims.org_id = Some(organization_id);
                claims.org_external_id = organization_external_id;
                claims.role_id = Some(role_id);
                claims.properties = Some(properties);
            }
            Subject::RegisteredTenant { key, user, organization_id, organization_external_id, data } => {
                claims.scope = Scope::RegisteredTenant;
                claims.sub = key.subject();
                claims.org_id = organization_id;
                claims.org_external_id = organization_external_id;
                claims.external_user_id = user;
                claims.data = Some(data);
            }
            Subject::EndUser(user) => {
                claims.scope = Scope::EndUser;
                claims.sub = end_user_subject(&user);
                claims.external_user_id = Some(user);
            }
            Subject::Account => {
                claims.scope = Scope::Account;
                claims.sub = key_id.to_string();
            }
        }
        Ok(claims)
    }
}

/// The issuer of a tenant's tokens: `<address>/t/<tenant id>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    pub tenant_id: TenantId,
    url: String,
}

impl Issuer {
    /// The issuer of a tenant at the service's address, which has no slash at its end.
    pub fn new(base_url: &str, tenant_id: &TenantId) -> Self {
        Self { tenant_id: tenant_id.clone(), url: format!("{base_url}/t/{tenant_id}") }
    }

    /// The `iss` claim.
    pub fn as_str(&self) -> &str {
        &self.url
    }
}

impl Claims {
    /// The token with these claims.
    ///
    /// # Errors
    /// If no randomness is available.
    pub fn sign(&self, key: &SigningKey) -> Result<SignedToken, RandomnessUnavailable> {
        jws::sign(TYPE, self, key)
    }
}

#[cfg(test)]
mod tests;
