//! Secrets Manager. It stores; which version is valid is decided in the table.
//!
//! A tenant has two secrets: one with what it signs its calls with, one with what its tokens are signed with. IAM knows
//! secrets and no versions, so only apart can a function be given the one without the other.

use std::fmt;
use std::sync::Arc;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::delete_secret::DeleteSecretError;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use aws_sdk_secretsmanager::operation::put_secret_value::PutSecretValueError;
use aws_sdk_secretsmanager::types::Tag;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::dynamodb::{ATTEMPTS, failed, pause};
use super::memory::Memory;
use crate::domain::{OperatorKeys, PrivateJwk, SecretVersion, SigningKey, SigningPointer, TenantId, TenantSecret};
use crate::error::{Error, Result};

/// For whoever looks at a secret in the console. `AWSCURRENT` stays on the first version for ever.
const DESCRIPTION: &str = "The valid version is the one that the tenant's item names, not AWSCURRENT.";

/// The tenants' secrets and the operator's.
#[derive(Clone)]
pub struct Secrets {
    pub client: Client,
    /// Name or ARN of the secret with the operator's keys.
    pub admin_secret: String,
    /// What the names of tenants' secrets start with, before `/tenants/<tenant id>` and `/signing-keys/<tenant id>`.
    pub prefix: String,
    /// The deployment's stage. New secrets are tagged with it, as the stack's resources are: so the budget sees them.
    pub stage: String,
    /// The signing keys that this process has read.
    pub signing_keys: VersionCache<SigningKey>,
    /// The tenants' secrets that this process has read.
    pub tenant_secrets: VersionCache<TenantSecret>,
}

/// What was read of secrets, by version: a version never changes, and which one is in force is asked for at each call.
/// Behind an `Arc`, so that it is wiped where it was when it is dropped.
pub type VersionCache<T> = Memory<Uuid, Arc<T>>;

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secrets")
    }
}

/// Which of a tenant's secrets. Their names are in the template too, whose statements tell them apart.
#[derive(Debug, Clone, Copy)]
pub enum SecretKind {
    TenantSecret,
    SigningKey,
}

impl SecretKind {
    const ALL: [Self; 2] = [Self::TenantSecret, Self::SigningKey];

    /// The part of the name before the tenant's id.
    fn folder(self) -> &'static str {
        match self {
            Self::TenantSecret => "tenants",
            Self::SigningKey => "signing-keys",
        }
    }
}

/// One version of the secret that tokens are signed with, as it is stored: JSON that says which of the two secrets it
/// is, so that one is never read as the other.
#[derive(Serialize, Deserialize)]
struct StoredSigningKeys {
    signing_key: PrivateJwk,
    /// One that was made with it, and stood by when it began to sign. Which of the two signs, if one does, says the
    /// tenant's item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    standby_key: Option<PrivateJwk>,
}

impl StoredSigningKeys {
    /// The one with that key id.
    fn named(&self, kid: &str) -> Option<&PrivateJwk> {
        [Some(&self.signing_key), self.standby_key.as_ref()].into_iter().flatten().find(|key| key.kid() == kid)
    }
}

/// One version of the secret that signed calls are verified with.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct StoredTenantSecret {
    tenant_secret: String,
}

/// What a new version holds, and with it whose of a tenant's secrets it is.
#[derive(Debug, Clone, Copy)]
pub enum NewVersion<'a> {
    TenantSecret(&'a TenantSecret),
    /// A key, and one that is to stand by if that is made together with it.
    SigningKeys(&'a SigningKey, Option<&'a SigningKey>),
}

impl NewVersion<'_> {
    fn kind(self) -> SecretKind {
        match self {
            Self::TenantSecret(_) => SecretKind::TenantSecret,
            Self::SigningKeys(..) => SecretKind::SigningKey,
        }
    }

    fn stored(self) -> Result<String> {
        let stored = match self {
            Self::TenantSecret(secret) => {
                serde_json::to_string(&StoredTenantSecret { tenant_secret: secret.expose().to_owned() })
            }
            Self::SigningKeys(key, standby) => serde_json::to_string(&StoredSigningKeys {
                signing_key: key.to_jwk()?,
                standby_key: standby.map(SigningKey::to_jwk).transpose()?,
            }),
        };
        stored.map_err(Error::internal)
    }
}

impl Secrets {
    /// The operator's keys in force. Read each time: such calls are rare, and a key that was taken away is refused as
    /// soon as Secrets Manager has heard of it.
    ///
    /// # Errors
    /// If Secrets Manager fails, or the secret is not the JSON that it must be.
    pub async fn operator_keys(&self) -> Result<OperatorKeys> {
        let request = self.client.get_secret_value().secret_id(&self.admin_secret);
        let answer = request.send().await.map_err(failed)?;
        let text = Zeroizing::new(answer.secret_string.unwrap_or_default());
        // The parser's error may quote the text, so it is not passed on.
        serde_json::from_str(&text).map_err(|_| Error::internal("the admin secret is not the JSON that it must be"))
    }

    /// The key that signs a tenant's tokens: the one that `pointer` names.
    ///
    /// # Errors
    /// If Secrets Manager fails, or the version is not the JSON that it must be, or holds other keys only.
    pub async fn signing_key(&self, id: &TenantId, pointer: &SigningPointer) -> Result<Arc<SigningKey>> {
        let version = pointer.version.id;
        // One key of a version is remembered, the one that was asked for last. Of the two that a tenant begins with the
        // other signs later, and the first then never again.
        if let Some(key) = self.signing_keys.get(&version).filter(|key| key.kid() == pointer.kid) {
            return Ok(key);
        }
        let stored: StoredSigningKeys = self.version(SecretKind::SigningKey, id, version).await?;
        let another = || Error::internal("the signing key is not the one that the tenant's item names");
        let named = stored.named(&pointer.kid).ok_or_else(another)?;
        let key = Arc::new(SigningKey::from_jwk(named).ok_or_else(unreadable)?);
        self.signing_keys.keep(version, Arc::clone(&key));
        Ok(key)
    }

    /// The secret that a tenant signs its calls with.
    ///
    /// # Errors
    /// If Secrets Manager fails, or the version is not the JSON that it must be.
    pub async fn tenant_secret(&self, id: &TenantId, version: Uuid) -> Result<Arc<TenantSecret>> {
        if let Some(secret) = self.tenant_secrets.get(&version) {
            return Ok(secret);
        }
        let stored: StoredTenantSecret = self.version(SecretKind::TenantSecret, id, version).await?;
        let secret = Arc::new(TenantSecret::restore(&stored.tenant_secret).ok_or_else(unreadable)?);
        self.tenant_secrets.keep(version, Arc::clone(&secret));
        Ok(secret)
    }

    /// Reads a version of a tenant's secret.
    async fn version<T: DeserializeOwned>(&self, kind: SecretKind, id: &TenantId, version: Uuid) -> Result<T> {
        let request = self.client.get_secret_value().secret_id(self.name(kind, id)).version_id(version);
        let mut attempt = 0;
        let answer = loop {
            let error = match request.clone().send().await {
                Ok(answer) => break answer,
                Err(error) => error,
            };
            attempt += 1;
            // A version that was stored a moment ago may not be known everywhere yet.
            if !error.as_service_error().is_some_and(GetSecretValueError::is_resource_not_found_exception) {
                return Err(failed(error));
            }
            if attempt == ATTEMPTS {
                return Err(Error::unavailable(error));
            }
            pause(attempt).await;
        };
        is_of_version(answer.version_id(), version)?;
        let text = Zeroizing::new(answer.secret_string.unwrap_or_default());
        // The parser's error may quote the text, so it is not passed on.
        serde_json::from_str(&text).map_err(|_| unreadable())
    }

    /// Creates one of the tenant's secrets with its first version. Doing it again with the same version and content
    /// changes nothing.
    ///
    /// # Errors
    /// If Secrets Manager fails, or stored it as another version than it was told.
    pub async fn create(&self, id: &TenantId, version: Uuid, content: NewVersion<'_>) -> Result<()> {
        let request = self.client.create_secret().name(self.name(content.kind(), id)).client_request_token(version);
        let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
        let tags = vec![tag("latchkey:tenant", id.as_str()), tag("latchkey-stage", &self.stage)];
        let request = request.secret_string(content.stored()?).description(DESCRIPTION).set_tags(Some(tags));
        let answer = request.send().await.map_err(failed)?;
        is_of_version(answer.version_id(), version)
    }

    /// Adds a version under its label and leaves every other label but that where it is. Doing it again with the same
    /// version and content changes nothing.
    ///
    /// # Errors
    /// If Secrets Manager fails, stored it as another version than it was told, has no such secret of the tenant, or
    /// has too many young versions of it: it keeps 100, and none that is younger than a day is discarded.
    pub async fn add(&self, id: &TenantId, version: &SecretVersion, content: NewVersion<'_>) -> Result<()> {
        let name = self.name(content.kind(), id);
        let request = self.client.put_secret_value().secret_id(name).client_request_token(version.id);
        let request = request.version_stages(version.label.to_string()).secret_string(content.stored()?);
        let mut attempt = 0;
        loop {
            let error = match request.clone().send().await {
                Ok(answer) => return is_of_version(answer.version_id(), version.id),
                Err(error) => error,
            };
            attempt += 1;
            match error.as_service_error() {
                Some(PutSecretValueError::LimitExceededException(_)) => return Err(Error::RotatedTooOften),
                // A secret that was created a moment ago may not be known everywhere yet.
                Some(PutSecretValueError::ResourceNotFoundException(_)) if attempt < ATTEMPTS => pause(attempt).await,
                _ => return Err(failed(error)),
            }
        }
    }

    /// Deletes both secrets of a tenant that never became one, at once. Deleting what is not there succeeds, and one
    /// that fails is not in the way of the other.
    ///
    /// # Errors
    /// If Secrets Manager fails at either.
    pub async fn delete(&self, id: &TenantId) -> Result<()> {
        let mut outcome = Ok(());
        for kind in SecretKind::ALL {
            outcome = outcome.and(self.delete_one(kind, id).await);
        }
        outcome
    }

    async fn delete_one(&self, kind: SecretKind, id: &TenantId) -> Result<()> {
        let request = self.client.delete_secret().secret_id(self.name(kind, id)).force_delete_without_recovery(true);
        match request.send().await {
            Err(error) if error.as_service_error().is_some_and(DeleteSecretError::is_resource_not_found_exception) => {
                Ok(())
            }
            answer => answer.map(|_| ()).map_err(failed),
        }
    }

    fn name(&self, kind: SecretKind, id: &TenantId) -> String {
        format!("{}/{}/{id}", self.prefix, kind.folder())
    }
}

/// Checks that an answer is about the version that was named. Not every stand-in for AWS heeds the name, and a tenant
/// whose item names a version that was never stored would be told of a secret that never works.
fn is_of_version(answered: Option<&str>, version: Uuid) -> Result<()> {
    if answered.is_some_and(|answered| Uuid::try_parse(answered).is_ok_and(|answered| answered == version)) {
        Ok(())
    } else {
        Err(Error::unavailable("the secret store answered for another version than was named"))
    }
}

fn unreadable() -> Error {
    Error::internal("a tenant's secret is not the JSON that it must be")
}
