//! The older way to a token: a customer is registered and gets its token in one call, with no organization and no user.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::ApiKeyField;
use crate::api::common::Empty;
use crate::api::operation::{BodyRule, Input, Operation, Output, Route, Surface};
use crate::auth::{KeyHolder, MintsTokens};
use crate::domain::{
    ExternalId, Handle, PartyName, Properties, RegisteredKey, RegisteredTenantFields, SignedToken, TokenLifetime,
    UuidText,
};
use crate::error::{Error, Result};
use crate::store::Read;

/// Registers a tenant of the older kind and issues a token for it.
#[derive(Debug, Clone, Copy)]
pub struct RegisterTenant;

impl Operation for RegisterTenant {
    const ROUTE: Route = Route::post("register-tenant", "/v1/api/tenant/register-tenant", BodyRule::Required)
        .also_at(&["/register-tenant"])
        .about("The older way: register or refresh a customer and get its token in one call")
        .example(
            r#"{"displayName": "Initech", "key": "initech", "prefilters": {"region": "eu"}, "expiration": "30m"}"#,
        );
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

impl Input for RegisterTenantInput {
    fn api_key(&self) -> Option<&Zeroizing<String>> {
        self.api_key.get()
    }
}

impl RegisterTenantInput {
    /// What it is registered under.
    fn key(&self) -> RegisteredKey {
        self.key.clone().map_or_else(|| RegisteredKey::Name(self.display_name.clone()), RegisteredKey::Key)
    }

    /// What the login says of the registered tenant.
    ///
    /// # Errors
    /// If what its token would carry is over 4 KB.
    pub fn fields(&self) -> Result<RegisteredTenantFields> {
        Ok(RegisteredTenantFields {
            key: self.key(),
            name: self.display_name.clone(),
            payload: self.payload()?,
            user: self.user.clone(),
            organization_id: self.organization_id.map(UuidText::get),
            lifetime: self.expiration,
        })
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
