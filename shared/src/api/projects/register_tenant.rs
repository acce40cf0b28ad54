//! The legacy registration: a customer is registered and gets its token in one call, without organization and user.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::api::common::{ApiKeyField, Empty};
use crate::api::operation::{BodyRule, Input, Operation, Output, Route, Surface};
use crate::auth::{KeyHolder, MintsTokens};
use crate::domain::{
    ExactJson, ExternalId, Handle, PartyName, Properties, RegisteredKey, RegisteredTenantFields, SignedToken,
    TokenLifetime, UuidText,
};
use crate::error::{Error, Result};
use crate::store::Read;

/// Registers a customer in the legacy way and issues a token for it.
#[derive(Debug, Clone, Copy)]
pub struct RegisterTenant;

impl Operation for RegisterTenant {
    const ROUTE: Route = Route::post("register-tenant", "/v1/api/tenant/register-tenant", BodyRule::Required)
        .also_at(&["/register-tenant"])
        .about("Register or update a customer and issue its token in one call (legacy)")
        .example(
            r#"{"displayName": "Initech", "key": "initech", "prefilters": {"region": "eu"}, "expiration": "30m"}"#,
        );
    const SURFACE: Surface = Surface::Projects;
    const IS_REMEMBERED: bool = false;
    const READS_SECRETS: bool = true;
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

/// Request body of the legacy registration: a customer and the contents of its token. Unknown fields are ignored. All
/// contents together take at most 4096 bytes as JSON.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegisterTenantInput {
    /// Name of the customer, 1 to 120 characters. It identifies the customer if `key` is absent.
    pub display_name: PartyName,
    /// Row filters that the token carries, in the format of the service that reads the token: a JSON object of at most
    /// 4096 bytes and 32 levels.
    pub prefilters: Properties,
    /// Id of the customer in the caller's own system. If it is the external id of a registered organization, the token
    /// is that of the organization's user whose external id is `user`. Absent or null: the customer goes by its display
    /// name.
    #[serde(default)]
    pub key: Option<ExternalId>,
    /// External id of the end user that the token speaks for. Absent or null: the token speaks for the customer as a
    /// whole.
    #[serde(default)]
    pub user: Option<ExternalId>,
    /// Schema filter that the token carries, any JSON value, in the format of the service that reads the token.
    #[serde(default)]
    #[schemars(with = "Option<Value>")]
    pub schema_pre_filter: Option<ExactJson>,
    /// Editing permissions that the token carries.
    #[serde(default)]
    pub tenant_editing_permissions: Option<EditingPermissions>,
    /// Data source that the token names in place of the project's own.
    #[serde(default)]
    pub connection_override: Option<ConnectionOverride>,
    /// Further data that the token carries: a JSON object of at most 4096 bytes.
    #[serde(default)]
    pub custom_metadata: Option<Properties>,
    /// UUID of the registered organization that the customer belongs to. Absent or null: it belongs to the project.
    #[serde(default)]
    pub organization_id: Option<UuidText>,
    /// Lifetime of the token, 60 to 86400 seconds (default 3600): a number of seconds, or a text with a unit such as
    /// `"90s"`, `"30m"`, `"1h"` or `"1d"`.
    #[serde(default)]
    pub expiration: TokenLifetime,
    /// API key, if it is not sent in a header.
    #[serde(default)]
    pub api_key: ApiKeyField,
}

impl Input for RegisterTenantInput {
    const FIELDS: &'static [&'static str] = &[
        "displayName",
        "prefilters",
        "key",
        "user",
        "schemaPreFilter",
        "tenantEditingPermissions",
        "connectionOverride",
        "customMetadata",
        "organizationId",
        "expiration",
        "apiKey",
    ];

    fn api_key(&self) -> Option<&Zeroizing<String>> {
        self.api_key.get()
    }
}

impl RegisterTenantInput {
    /// The key that it is registered under.
    fn key(&self) -> RegisteredKey {
        self.key.clone().map_or_else(|| RegisteredKey::Name(self.display_name.clone()), RegisteredKey::Key)
    }

    /// What this login says about the registered tenant.
    ///
    /// # Errors
    /// If the payload of its token is over 4 KB.
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

    /// The payload of its token: each part under the name under which it was sent.
    ///
    /// # Errors
    /// If that is over 4 KB.
    fn payload(&self) -> Result<Properties> {
        let json = |value: serde_json::Result<Value>| value.ok();
        let permissions = self.tenant_editing_permissions.as_ref();
        let payload = Properties::of([
            ("prefilters", json(serde_json::to_value(&self.prefilters))),
            ("schemaPreFilter", self.schema_pre_filter.clone().map(ExactJson::into_value)),
            ("tenantEditingPermissions", permissions.and_then(|all| json(serde_json::to_value(all)))),
            ("connectionOverride", self.connection_override.as_ref().and_then(|to| json(serde_json::to_value(to)))),
            ("customMetadata", self.custom_metadata.as_ref().and_then(|data| json(serde_json::to_value(data)))),
        ]);
        payload.map_err(|problem| Error::invalid("prefilters", problem))
    }
}

/// Editing permissions of a customer. The token carries them unchanged; the service that reads the token enforces them,
/// and decides about each permission that is absent or null.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EditingPermissions {
    /// Whether the customer may add charts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add_chart: Option<bool>,
    /// Whether the customer may add filters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add_filter: Option<bool>,
    /// Whether the customer may create charts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create_chart: Option<bool>,
    /// Whether the customer may create charts with SQL.
    #[serde(rename = "createChartSQL", skip_serializing_if = "Option::is_none")]
    pub create_chart_sql: Option<bool>,
    /// Whether the customer may edit charts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edit_charts: Option<bool>,
    /// Whether the customer may remove charts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remove_chart: Option<bool>,
    /// Whether tabs are disabled for the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disable_tabs: Option<bool>,
    /// Whether the customer may use AI charts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ai_charts: Option<bool>,
    /// Whether the customer may edit the marketplace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edit_marketplace: Option<bool>,
    /// Whether the customer has read access only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    /// Whether the customer may use AI insights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ai_insight: Option<bool>,
    /// Whether the customer may drill down into data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drill_down: Option<bool>,
    /// Whether the customer may edit the dashboard's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edit_dashboard_name: Option<bool>,
}

/// Data source to use in place of the project's own.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConnectionOverride {
    /// UUID of the connection to the data source.
    pub connection_id: UuidText,
}

/// Token issued by the legacy registration.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RegisteredTenantToken {
    /// Message for people about the outcome.
    pub message: &'static str,
    /// Signed JWT (ES256, `typ` `at+jwt`) that speaks for the customer.
    pub token: SignedToken,
}

impl Output for RegisteredTenantToken {}
