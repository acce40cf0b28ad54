//! The older way to a token: a customer is registered and gets its token in one call, with no organization and no user.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::operation::{BodyRule, Input, Operation, Output, Route, Surface};
use super::projects::ApiKeyField;
use super::tenants::Empty;
use crate::auth::{KeyHolder, MintsTokens, Order};
use crate::domain::{
    ExternalId, Handle, Organization, PartyName, Problem, Properties, RegisteredData, RegisteredKey, RegisteredTenant,
    SignedToken, TenantId, Timestamp, TokenLifetime, User, UuidText,
};
use crate::error::{Error, Result};
use crate::store::{Prefetched, Read};

/// Registers a tenant of the older kind and issues a token for it.
#[derive(Debug, Clone, Copy)]
pub struct RegisterTenant;

impl Operation for RegisterTenant {
    const ROUTE: Route = Route::post("register-tenant", "/v1/api/tenant/register-tenant", BodyRule::Required)
        .also_at(&["/register-tenant"])
        .about("The older way: register or refresh a customer and get its token in one call");
    const SURFACE: Surface = Surface::Projects;
    type Caller = KeyHolder<MintsTokens>;
    type Query = Empty;
    type Body = RegisterTenantInput;
    type Output = RegisteredTenantToken;

    fn prefetch(_: &Empty, body: &RegisterTenantInput) -> Vec<Read> {
        let migrated = body.key.clone().map(|key| Read::Organization(Handle::External(key)));
        let user = body.user.clone().map(|user| Read::User(Handle::External(user)));
        let external_user = body.user.clone().map(Read::ExternalUser);
        let organization = body.organization_id.map(|id| Read::Organization(Handle::Uuid(id.get())));
        let registered = Read::RegisteredTenant(body.key());
        [migrated, user, external_user, organization, Some(registered)].into_iter().flatten().collect()
    }
}

/// A customer of the older kind, with what its token is to carry.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegisterTenantInput {
    pub display_name: PartyName,
    /// Which rows it may see, in the words of whoever reads the token.
    pub prefilters: Properties,
    /// The tenant's own id of it; left out, its display name.
    #[serde(default)]
    pub key: Option<ExternalId>,
    /// The end user, by the tenant's own id.
    #[serde(default)]
    pub user: Option<ExternalId>,
    #[serde(default)]
    pub schema_pre_filter: Option<Value>,
    #[serde(default)]
    pub tenant_editing_permissions: Option<EditingPermissions>,
    #[serde(default)]
    pub connection_override: Option<ConnectionOverride>,
    #[serde(default)]
    #[schemars(with = "Option<Properties>")]
    pub custom_metadata: Option<Map<String, Value>>,
    /// The organization that it belongs to; left out, the project.
    #[serde(default)]
    pub organization_id: Option<UuidText>,
    /// For how long the token is valid.
    #[serde(default)]
    pub expiration: TokenLifetime,
    /// The API key, if it is not in a header.
    #[serde(default)]
    pub api_key: ApiKeyField,
}

impl Input for RegisterTenantInput {}

impl RegisterTenantInput {
    /// What it is registered under.
    fn key(&self) -> RegisteredKey {
        self.key.clone().map_or_else(|| RegisteredKey::Name(self.display_name.clone()), RegisteredKey::Key)
    }

    /// The organization that the customer is now, if it was migrated.
    ///
    /// # Errors
    /// If the item can't be read.
    pub fn migrated(&self, seen: &Prefetched) -> Result<Option<Organization>> {
        let found = self.key.clone().map(|key| seen.organization(&Handle::External(key)));
        Ok(found.transpose()?.flatten())
    }

    /// The user of a migrated customer.
    ///
    /// # Errors
    /// If none is named, or it is not one of that organization.
    pub fn migrated_user(&self, seen: &Prefetched, organization: &Organization) -> Result<User> {
        let required = || Error::invalid("user", Problem::new("is required, because key is that of an organization"));
        let name = Handle::External(self.user.clone().ok_or_else(required)?);
        let user = seen.user(&name)?.filter(|user| user.organization_id == organization.id);
        user.ok_or(Error::UserNotFound)
    }

    /// What is registered, and what is to be.
    ///
    /// # Errors
    /// If it is too large for a token.
    pub fn registration(
        &self,
        seen: &Prefetched,
        at: Timestamp,
    ) -> Result<(Option<RegisteredTenant>, RegisteredTenant)> {
        let (key, payload) = (self.key(), self.payload()?);
        let before = seen.registered_tenant(&key)?;
        let after = RegisteredTenant::registered(before.as_ref(), key, self.display_name.clone(), payload, at);
        Ok((before, after))
    }

    /// The token of what is registered.
    ///
    /// # Errors
    /// If there is no organization such as is named.
    pub fn order(
        &self,
        tenant: &TenantId,
        seen: &Prefetched,
        after: &RegisteredTenant,
        at: Timestamp,
    ) -> Result<Order> {
        let project = tenant.project_id().unwrap_or_default();
        let named = self.organization_id.map(UuidText::get).filter(|id| *id != project);
        let found = |id| seen.organization(&Handle::Uuid(id))?.ok_or(Error::OrganizationNotFound);
        let organization = named.map(found).transpose()?;
        let data = RegisteredData {
            parent_org_id: named.unwrap_or(project),
            display_name: after.name.to_string(),
            payload: after.payload.clone(),
        };
        let user = match &self.user {
            Some(user) => Some((user.clone(), seen.external_epoch(user)?)),
            None => None,
        };
        let (key, lifetime) = (after.key.clone(), self.expiration);
        Ok(Order::for_registered(key, user, organization.as_ref(), data, lifetime, at))
    }

    /// What its token carries: each part under the name under which it was sent.
    ///
    /// # Errors
    /// If that is over 4 KB.
    fn payload(&self) -> Result<Properties> {
        let json = |value: serde_json::Result<Value>| value.ok();
        let permissions = self.tenant_editing_permissions.as_ref();
        let payload = Properties::of([
            ("prefilters", json(serde_json::to_value(&self.prefilters))),
            ("schemaPreFilter", self.schema_pre_filter.clone()),
            ("tenantEditingPermissions", permissions.and_then(|all| json(serde_json::to_value(all)))),
            ("connectionOverride", self.connection_override.as_ref().and_then(|to| json(serde_json::to_value(to)))),
            ("customMetadata", self.custom_metadata.clone().map(Value::Object)),
        ]);
        payload.map_err(|problem| Error::invalid("prefilters", problem))
    }
}

/// What a customer may change. What is not named, whoever reads the token decides.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EditingPermissions {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add_chart: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add_filter: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create_chart: Option<bool>,
    #[serde(rename = "createChartSQL", skip_serializing_if = "Option::is_none")]
    pub create_chart_sql: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edit_charts: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remove_chart: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disable_tabs: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ai_charts: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edit_marketplace: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ai_insight: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drill_down: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edit_dashboard_name: Option<bool>,
}

/// Another data source than the project's.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConnectionOverride {
    pub connection_id: UuidText,
}

/// A token of the older kind.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RegisteredTenantToken {
    pub message: &'static str,
    pub token: SignedToken,
}

impl Output for RegisteredTenantToken {}
