//! Tokens: what they claim, and how they are written.
//!
//! A token is a JWT (RFC 7519) of the access-token profile (RFC 9068: `typ` is `at+jwt`, `client_id` is there), signed with the
//! tenant's own key. Reading one is in [`super::verification`].

use std::fmt;

use jsonwebtoken::{Header, encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::lifetime::TokenLifetime;
use crate::domain::credentials::api_key::ApiKey;
use crate::domain::credentials::api_key_secret::ApiKeyId;
use crate::domain::credentials::signing_key::{ALGORITHM, SigningKey};
use crate::domain::directory::parties::{Organization, RegisteredKey, User};
use crate::domain::directory::properties::Properties;
use crate::domain::ids::external_id::ExternalId;
use crate::domain::ids::tenant_id::{TenantId, random_uuid};
use crate::domain::time::clock::Timestamp;
use crate::domain::values::random::{Random, RandomnessUnavailable};
use crate::domain::values::serde_rules::{not_null, not_null_object, object, string_enum};

/// The `typ` of the header (RFC 9068 §2.1): no other JWT can be taken for one of these.
pub const TYPE: &str = "at+jwt";

/// Who a token speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// A user of one of the tenant's organizations.
    ProjectUser,
    /// A customer of the tenant, the older way: by what it registered itself as.
    RegisteredTenant,
    /// One end user of the account, by the tenant's own id.
    EndUser,
    /// The whole account, as an API key does.
    Account,
}

/// How often the tokens of each party have been revoked, when this token was issued. A token is active as long as each of
/// these numbers is still the party's.
///
/// Numbers and not times: "issued before" would have to compare clocks of two machines, and a token that was issued on the
/// one that is ahead would outlive its revocation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Epochs {
    pub tenant: u64,
    /// Of the API key that the token was minted with.
    pub key: u64,
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    pub organization: Option<u64>,
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    pub user: Option<u64>,
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    pub external_user: Option<u64>,
}

/// The claims of a token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// The tenant's issuer.
    pub iss: String,
    /// The tenant's id: who the token is for.
    pub aud: String,
    /// The user's uuid; of a registered tenant `key:` and its key, or `name:` and its display name; of an end user `external:`
    /// and its id; of the account the id of the API key.
    pub sub: String,
    /// When it was issued, in Unix seconds.
    pub iat: u64,
    /// From when on it is not valid, in Unix seconds.
    pub exp: u64,
    /// From when on it is valid, in Unix seconds. We set none; one that is there counts.
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    pub nbf: Option<u64>,
    /// Unique.
    pub jti: Uuid,
    /// The tenant's id.
    pub tenant_id: TenantId,
    /// The API key that the token was minted with.
    pub key_id: ApiKeyId,
    /// The same, under the name that RFC 9068 requires.
    pub client_id: ApiKeyId,
    /// Who it speaks for.
    #[serde(deserialize_with = "string_enum")]
    pub scope: Scope,
    /// The organization, of a user and of a registered tenant that has one.
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    pub org_id: Option<Uuid>,
    /// The user's role, as it was registered.
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    pub role_id: Option<Uuid>,
    /// The organization's properties and the user's; where both have a field, the user's.
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    pub properties: Option<Properties>,
    /// The end user, by the tenant's own id.
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    pub external_user_id: Option<ExternalId>,
    /// What a registered tenant registered.
    #[serde(default, deserialize_with = "not_null_object", skip_serializing_if = "Option::is_none")]
    pub data: Option<RegisteredData>,
    /// What a revocation is compared with.
    #[serde(deserialize_with = "object")]
    pub epochs: Epochs,
}

impl Claims {
    /// From when on it is not valid.
    pub fn expires_at(&self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(self.exp).unwrap_or(i64::MAX).saturating_mul(1000))
    }
}

/// The part of a token of the older kind that its readers look at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RegisteredData {
    /// The organization that was named, or the project.
    pub parent_org_id: Uuid,
    pub display_name: String,
    /// `prefilters`, and what else was registered.
    pub payload: Properties,
}

/// Who a token is to speak for, and what it is to carry of them.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Subject {
    ProjectUser {
        id: Uuid,
        organization_id: Uuid,
        role_id: Uuid,
        properties: Properties,
    },
    RegisteredTenant {
        key: RegisteredKey,
        user: Option<ExternalId>,
        organization_id: Option<Uuid>,
        data: RegisteredData,
    },
    EndUser(ExternalId),
    Account,
}

/// The `sub` of an end user's token: never a uuid of ours, nor the key of a registered tenant.
pub fn end_user_subject(id: &ExternalId) -> String {
    format!("external:{id}")
}

/// What a token would carry is over the limits of [`Properties`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PropertiesTooLarge;

/// A request for a token: who it is to speak for, for how long. Which API key mints it is the caller's proof.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenRequest {
    pub(super) subject: Subject,
    /// Of the parties that the subject names.
    pub(super) epochs: Epochs,
    pub(super) lifetime: TokenLifetime,
    /// When it was made.
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
        let subject = Subject::ProjectUser { id: user.id, organization_id, role_id, properties };
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
        let subject = Subject::RegisteredTenant { key, user: user.map(|(user, _)| user), organization_id, data };
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
    /// If there is no randomness to be had.
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
            role_id: None,
            properties: None,
            external_user_id: None,
            data: None,
            epochs: Epochs { tenant: tenant_epoch, key: key.epoch, ..self.epochs },
        };
        match self.subject {
            Subject::ProjectUser { id, organization_id, role_id, properties } => {
                claims.sub = id.to_string();
                claims.org_id = Some(organization_id);
                claims.role_id = Some(role_id);
                claims.properties = Some(properties);
            }
            Subject::RegisteredTenant { key, user, organization_id, data } => {
                claims.scope = Scope::RegisteredTenant;
                claims.sub = key.subject();
                claims.org_id = organization_id;
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

/// Who issues a tenant's tokens: `<address>/t/<tenant id>`.
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

/// A signed token, on its way into one answer. Not a string, so that it cannot be printed by accident: whoever has it is the
/// user.
#[derive(Serialize)]
#[serde(transparent)]
pub struct SignedToken(String);

impl SignedToken {
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SignedToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SignedToken")
    }
}

impl JsonSchema for SignedToken {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SignedToken".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[\\w-]+\\.[\\w-]+\\.[\\w-]+$" })
    }
}

impl Claims {
    /// The token with these claims: JWS compact serialization (RFC 7515 §3.1).
    ///
    /// # Errors
    /// If there is no randomness to be had.
    pub fn sign(&self, key: &SigningKey) -> Result<SignedToken, RandomnessUnavailable> {
        let header = Header { typ: Some(TYPE.to_owned()), kid: Some(key.kid().to_owned()), ..Header::new(ALGORITHM) };
        // There is nothing in the claims that could not be written: what fails is the draw for the signature.
        encode(&header, self, key.encoding()).map(SignedToken).map_err(|_| RandomnessUnavailable)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::ids::external_id::parse_uuid;

    proptest! {
        /// Whatever an id looks like: nobody can be registered under a name with which a token would speak for another.
        #[test]
        fn the_subject_of_an_end_user_is_nobody_elses(
            id in prop_oneof!["\\PC{1,40}", "(external|key|name):[a-z]{1,3}", "key_[0-9a-f]{16}"],
            other in prop_oneof!["\\PC{1,40}", "(external|key|name):[a-z]{1,3}", "key_[0-9a-f]{16}"],
        ) {
            let [id, other] = [id, other].map(|id| ExternalId::parse(&id).unwrap());
            let subject = end_user_subject(&id);
            prop_assert!(parse_uuid(&subject).is_err() && ApiKeyId::parse(&subject).is_err());
            prop_assert_eq!(end_user_subject(&other) == subject, id == other);
            for key in [&id, &other] {
                prop_assert_ne!(RegisteredKey::Key(key.clone()).subject(), subject.as_str());
            }
        }
    }
}
