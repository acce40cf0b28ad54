//! Customers of the legacy registration, which a login registers.

use super::{Directory, items};
use crate::domain::{
    Action, AuditEvent, ExternalId, Handle, Organization, Person, Problem, RegisteredData, RegisteredTenant,
    RegisteredTenantFields, Timestamp, TokenRequest, User,
};
use crate::error::{Error, Result};
use crate::store::dynamodb::{Condition, Update, text};
use crate::store::keys::{self, Kind, TENANT_LISTING};

/// What a login of a registered tenant registers, and the token that it asks for.
#[derive(Debug)]
pub struct Registration {
    before: Option<RegisteredTenant>,
    after: RegisteredTenant,
    request: TokenRequest,
}

impl Registration {
    /// The request for the token.
    pub fn token_request(&self) -> TokenRequest {
        self.request.clone()
    }
}

impl Directory<'_> {
    /// The user and the organization that a registered tenant has become, if it was migrated: `key` is then the
    /// external id of an organization, and `user` that of one of its users.
    ///
    /// # Errors
    /// If it was migrated, and no user is named or it is not one of that organization.
    pub fn migrated(self, key: Option<&ExternalId>, user: Option<&ExternalId>) -> Result<Option<(User, Organization)>> {
        let Some(key) = key else { return Ok(None) };
        let Some(organization) = self.prefetched.organization(&Handle::External(key.clone()))? else { return Ok(None) };
        let required = || Error::invalid("user", Problem::new("is required, because key is that of an organization"));
        let user = self.prefetched.user(&Handle::External(user.ok_or_else(required)?.clone()))?;
        let user = user.filter(|user| user.organization_id == organization.id);
        Ok(Some((user.ok_or(Error::UserNotFound)?, organization)))
    }

    /// A request for the token of a registered tenant, as it is with this login.
    ///
    /// # Errors
    /// If there is no organization such as is named.
    pub fn registration(self, fields: RegisteredTenantFields, at: Timestamp) -> Result<Registration> {
        let project = self.tenant().project_id().unwrap_or_default();
        let RegisteredTenantFields { key, name, payload, user, organization_id, lifetime } = fields;
        let before = self.prefetched.registered_tenant(&key)?;
        let after = RegisteredTenant::registered(before.as_ref(), key, name, payload, at);
        let named = organization_id.filter(|id| *id != project);
        let found = |id| self.prefetched.organization(&Handle::Uuid(id))?.ok_or(Error::OrganizationNotFound);
        let organization = named.map(found).transpose()?;
        let data = RegisteredData {
            parent_org_id: named.unwrap_or(project),
            display_name: after.name.to_string(),
            payload: after.payload.clone(),
        };
        let user = match user {
            Some(user) => Some((user.clone(), self.prefetched.external_epoch(&user)?)),
            None => None,
        };
        let key = after.key.clone();
        let request = TokenRequest::for_registered_tenant(key, user, organization.as_ref(), data, lifetime, at);
        Ok(Registration { before, after, request })
    }

    /// Registers a registered tenant, or registers it again with what is different. Nothing is written when nothing is,
    /// and a token was issued for it on the same day before.
    ///
    /// # Errors
    /// If the table fails.
    pub async fn register_tenant(self, Registration { before, after, .. }: &Registration) -> Result<()> {
        if before.as_ref() == Some(after) {
            return Ok(());
        }
        let kind = Kind::RegisteredTenant;
        let update = Update::of(keys::of_kind(self.tenant(), kind, after.key.digest()))
            .set_once(TENANT_LISTING, text(keys::partition_of_list(self.tenant(), kind)));
        let update = items::registered(update, after);
        let mut fields = Vec::new();
        if let Some(before) = before {
            let written = [("name", before.name == after.name), ("payload", before.payload == after.payload)];
            fields.extend(written.into_iter().filter(|(_, same)| !same).map(|(name, _)| name.to_owned()));
            // The day of the token alone is no change of what is registered.
            if fields.is_empty() {
                return self.table.upsert(update).await;
            }
        }
        let person = self.trace_key.person(self.tenant(), Person::RegisteredTenant(&after.key.subject()));
        let event = self.change.event_about(Action::RegisteredTenantRegistered, &person);
        let event = AuditEvent { fields, ..event }.with("is_new", before.is_none());
        self.commit_with(event, update, Condition::none()).await.map(|_| ())
    }
}
