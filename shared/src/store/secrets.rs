//! Secrets Manager. It stores; which version is valid is decided in the table.

use std::fmt;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::delete_secret::DeleteSecretError;
use aws_sdk_secretsmanager::operation::put_secret_value::PutSecretValueError;
use aws_sdk_secretsmanager::types::Tag;
use serde::Serialize;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::table::{ATTEMPTS, failed, pause};
use crate::domain::{AdminKeys, SecretVersion, TenantId, TenantSecret};
use crate::error::{Error, Result};

/// For whoever looks at a secret in the console. `AWSCURRENT` stays on the first version for ever.
const DESCRIPTION: &str = "The valid version is the one that the tenant's item names, not AWSCURRENT.";

/// The tenants' secrets and the operator's.
#[derive(Clone)]
pub struct Secrets {
    pub client: Client,
    /// Name or ARN of the secret with the admin keys.
    pub admin_secret: String,
    /// What the names of tenants' secrets start with.
    pub prefix: String,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secrets")
    }
}

/// One version of a tenant's secret, as it is stored: JSON, so that more than one key fits into the one secret that a tenant
/// costs.
#[derive(Serialize)]
struct Stored<'a> {
    tenant_secret: &'a str,
}

impl Secrets {
    /// The admin keys in force. Read each time: admin calls are rare, and a key that was taken away is refused as soon as
    /// Secrets Manager has heard of it.
    ///
    /// # Errors
    /// If Secrets Manager fails, or the secret is not the JSON that it must be.
    pub async fn admin_keys(&self) -> Result<AdminKeys> {
        let request = self.client.get_secret_value().secret_id(&self.admin_secret);
        let answer = request.send().await.map_err(failed)?;
        let text = Zeroizing::new(answer.secret_string.unwrap_or_default());
        // The parser's error may quote the text, so it is not passed on.
        serde_json::from_str(&text).map_err(|_| Error::internal("the admin secret is not the JSON that it must be"))
    }

    /// Creates the tenant's secret with its first version. Doing it again with the same version and secret changes nothing.
    pub async fn create(&self, id: &TenantId, version: Uuid, secret: &TenantSecret) -> Result<()> {
        let request = self.client.create_secret().name(self.name(id)).client_request_token(version);
        let tag = Tag::builder().key("latchkey:tenant").value(id.as_str()).build();
        request.secret_string(stored(secret)?).description(DESCRIPTION).tags(tag).send().await.map_err(failed)?;
        Ok(())
    }

    /// Adds a version under its label and leaves every other label but that where it is. Doing it again with the same version
    /// and secret changes nothing.
    ///
    /// # Errors
    /// If Secrets Manager fails, has no secret of the tenant, or has too many young versions of it: it keeps 100, and none
    /// that is younger than a day is discarded.
    pub async fn add(&self, id: &TenantId, version: &SecretVersion, secret: &TenantSecret) -> Result<()> {
        let request = self.client.put_secret_value().secret_id(self.name(id)).client_request_token(version.id);
        let request = request.version_stages(version.label.to_string()).secret_string(stored(secret)?);
        let mut attempt = 0;
        loop {
            let Err(error) = request.clone().send().await else { return Ok(()) };
            attempt += 1;
            match error.as_service_error() {
                Some(PutSecretValueError::LimitExceededException(_)) => return Err(Error::RotatedTooOften),
                // A secret that was created a moment ago may not be known everywhere yet.
                Some(PutSecretValueError::ResourceNotFoundException(_)) if attempt < ATTEMPTS => pause(attempt).await,
                _ => return Err(failed(error)),
            }
        }
    }

    /// Deletes the secret of a tenant that never became one, at once. Deleting what is not there succeeds.
    pub async fn delete(&self, id: &TenantId) -> Result<()> {
        let request = self.client.delete_secret().secret_id(self.name(id)).force_delete_without_recovery(true);
        match request.send().await {
            Err(error) if error.as_service_error().is_some_and(DeleteSecretError::is_resource_not_found_exception) => {
                Ok(())
            }
            answer => answer.map(|_| ()).map_err(failed),
        }
    }

    fn name(&self, id: &TenantId) -> String {
        format!("{}/{id}", self.prefix)
    }
}

fn stored(secret: &TenantSecret) -> Result<String> {
    serde_json::to_string(&Stored { tenant_secret: secret.expose() }).map_err(Error::internal)
}
