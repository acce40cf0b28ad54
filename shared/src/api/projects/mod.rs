//! The projects surface: a tenant's backend registers organizations and users, and fetches a token for a user at each login.

pub mod register_tenant;

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Deserializer;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::api::common::{Empty, PageQuery};
use crate::api::operation::{BodyRule, Input, Operation, Output, Route, Surface};
use crate::api::registry::inspection::{OrganizationsPage, UsersPage};
use crate::auth::{KeyHolder, MintsTokens, Registers};
use crate::domain::{
    ExternalId, Handle, OrganizationFields, PartyName, Properties, Reference, SignedToken, TenantId, TokenLifetime,
    UserFields, UuidText,
};
use crate::error::{Error, Result};
use crate::store::Read;

/// Registers an organization.
#[derive(Debug, Clone, Copy)]
pub struct RegisterOrganization;

impl Operation for RegisterOrganization {
    const ROUTE: Route =
        Route::post("register-organization", "/v1/api/projects/register-organization", BodyRule::Required)
            .about("Register an organization, or change it: once for each customer")
            .example(
                r#"{
                    "name": "Globex",
                    "projectId": "5d1f6c0e-8a43-4b7f-9c52-1e7a90d3b684",
                    "externalId": "globex",
                    "properties": {"plan": "pro"}
                }"#,
            );
    const SURFACE: Surface = Surface::Projects;
    type Caller = KeyHolder<Registers>;
    type Query = Empty;
    type Body = OrganizationInput;
    type Output = RegisteredOrganization;

    fn prefetch(_: &Empty, body: &OrganizationInput) -> Vec<Read> {
        let id = body.organization_id.map(UuidText::get);
        Handle::of(id, body.external_id.as_ref()).map(Read::Organization).collect()
    }
}

/// Registers a user of an organization.
#[derive(Debug, Clone, Copy)]
pub struct RegisterUser;

impl Operation for RegisterUser {
    const ROUTE: Route = Route::post("register-user", "/v1/api/projects/register-user", BodyRule::Required)
        .about("Register a user of an organization, or change it: once for each account")
        .example(
            r#"{
                "name": "Grace Hopper",
                "projectId": "5d1f6c0e-8a43-4b7f-9c52-1e7a90d3b684",
                "userRoleId": "0b7d7d1c-64a1-4a6c-9d3f-6f0d5e6f7a80",
                "projectOrganizationId": "5f0c2d94-71be-4c1a-8d3f-b2a6e90c7415",
                "externalId": "grace",
                "properties": {"region": "eu"}
            }"#,
        );
    const SURFACE: Surface = Surface::Projects;
    type Caller = KeyHolder<Registers>;
    type Query = Empty;
    type Body = UserInput;
    type Output = RegisteredUser;

    fn prefetch(_: &Empty, body: &UserInput) -> Vec<Read> {
        let id = body.user_id.map(UuidText::get);
        let users = Handle::of(id, body.external_id.as_ref()).map(Read::User);
        users.chain(Read::organization(&body.project_organization_id)).collect()
    }
}

/// Issues a token for a user.
#[derive(Debug, Clone, Copy)]
pub struct UserToken;

impl Operation for UserToken {
    const ROUTE: Route = Route::post("user-token", "/v1/api/projects/user-token", BodyRule::Required)
        .about("Short-lived token for a user: at each login")
        .example(
            r#"{
                "userId": "9b2e4f17-30ad-4e86-a5c9-7d18f6b0e233",
                "organizationId": "5f0c2d94-71be-4c1a-8d3f-b2a6e90c7415",
                "expiration": "30m"
            }"#,
        );
    const SURFACE: Surface = Surface::Projects;
    type Caller = KeyHolder<MintsTokens>;
    type Query = Empty;
    type Body = UserTokenInput;
    type Output = IssuedToken;

    fn prefetch(_: &Empty, body: &UserTokenInput) -> Vec<Read> {
        let organization = body.organization_id.iter().flat_map(Read::organization);
        Read::user(&body.user_id).chain(organization).collect()
    }
}

/// Lists the tenant's own organizations.
#[derive(Debug, Clone, Copy)]
pub struct ProjectOrganizations;

impl Operation for ProjectOrganizations {
    const ROUTE: Route = Route::get("project-organizations", "/v1/api/projects/organizations")
        .about("The organizations that are registered, newest first");
    const SURFACE: Surface = Surface::Projects;
    type Caller = KeyHolder<Registers>;
    type Query = PageQuery;
    type Body = Empty;
    type Output = OrganizationsPage;
}

/// Lists the tenant's own users.
#[derive(Debug, Clone, Copy)]
pub struct ProjectUsers;

impl Operation for ProjectUsers {
    const ROUTE: Route =
        Route::get("project-users", "/v1/api/projects/users").about("The users that are registered, newest first");
    const SURFACE: Surface = Surface::Projects;
    type Caller = KeyHolder<Registers>;
    type Query = PageQuery;
    type Body = Empty;
    type Output = UsersPage;
}

/// An API key in a body. It authenticates the caller, and nothing else is made of it.
#[derive(Default)]
pub struct ApiKeyField(Option<Zeroizing<String>>);

impl ApiKeyField {
    /// The text of the key.
    pub fn get(&self) -> Option<&Zeroizing<String>> {
        self.0.as_ref()
    }
}

impl fmt::Debug for ApiKeyField {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApiKeyField")
    }
}

impl<'de> Deserialize<'de> for ApiKeyField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self)
    }
}

impl JsonSchema for ApiKeyField {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ApiKeyField".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "null"], "format": "password" })
    }
}

// Unknown fields are no errors on this surface: its clients were written for another service, and send what that takes.

/// An organization.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationInput {
    pub name: PartyName,
    /// The project that the API key is of.
    pub project_id: UuidText,
    /// The tenant's own id of it. Registering the same one again changes that organization.
    #[serde(default)]
    pub external_id: Option<ExternalId>,
    /// What the tokens of all of its users carry.
    #[serde(default)]
    pub properties: Option<Properties>,
    /// Its uuid, if it is to have a certain one, or has it already.
    #[serde(default)]
    pub organization_id: Option<UuidText>,
    /// The API key, if it is not in a header.
    #[serde(default)]
    pub api_key: ApiKeyField,
}

impl Input for OrganizationInput {
    fn api_key(&self) -> Option<&Zeroizing<String>> {
        self.api_key.get()
    }
}

impl OrganizationInput {
    /// What is to be registered in this tenant's project.
    ///
    /// # Errors
    /// If the project is another's.
    pub fn fields(self, tenant_id: &TenantId) -> Result<OrganizationFields> {
        check_project(self.project_id, tenant_id)?;
        let id = self.organization_id.map(UuidText::get);
        Ok(OrganizationFields { id, external_id: self.external_id, name: self.name, properties: self.properties })
    }
}

/// A user.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserInput {
    pub name: PartyName,
    /// What its tokens carry; where the organization has a field of the same name, this one counts.
    pub properties: Properties,
    /// The project that the API key is of.
    pub project_id: UuidText,
    /// Its role: it is in its tokens, for whoever reads them.
    pub user_role_id: UuidText,
    /// Its organization, by uuid or external id.
    pub project_organization_id: Reference,
    /// Its uuid, if it is to have a certain one, or has it already.
    #[serde(default)]
    pub user_id: Option<UuidText>,
    /// The tenant's own id of it. Registering the same one again changes that user.
    #[serde(default)]
    pub external_id: Option<ExternalId>,
    /// The API key, if it is not in a header.
    #[serde(default)]
    pub api_key: ApiKeyField,
}

impl Input for UserInput {
    fn api_key(&self) -> Option<&Zeroizing<String>> {
        self.api_key.get()
    }
}

impl UserInput {
    /// What is to be registered in this tenant's project.
    ///
    /// # Errors
    /// If the project is another's.
    pub fn fields(self, tenant_id: &TenantId) -> Result<UserFields> {
        check_project(self.project_id, tenant_id)?;
        Ok(UserFields {
            id: self.user_id.map(UuidText::get),
            external_id: self.external_id,
            organization: self.project_organization_id,
            role_id: self.user_role_id.get(),
            name: self.name,
            properties: self.properties,
        })
    }
}

fn check_project(id: UuidText, tenant_id: &TenantId) -> Result<()> {
    if tenant_id.project_id() == Some(id.get()) { Ok(()) } else { Err(Error::ProjectNotFound) }
}

/// Whose token.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserTokenInput {
    /// The user, by uuid or external id.
    pub user_id: Reference,
    /// Its organization, by uuid or external id. Without it, the first answer that a process gives for the user takes one call
    /// to the table more.
    #[serde(default)]
    pub organization_id: Option<Reference>,
    /// For how long the token is valid.
    #[serde(default)]
    pub expiration: TokenLifetime,
    /// The API key, if it is not in a header.
    #[serde(default)]
    pub api_key: ApiKeyField,
}

impl Input for UserTokenInput {
    fn api_key(&self) -> Option<&Zeroizing<String>> {
        self.api_key.get()
    }
}

/// An organization that was registered.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegisteredOrganization {
    /// Its uuid.
    pub project_organization_id: Uuid,
    /// The tenant's own id of it.
    pub external_id: Option<ExternalId>,
}

impl Output for RegisteredOrganization {}

/// A user that was registered.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegisteredUser {
    pub message: &'static str,
    /// Its uuid.
    pub user_id: Uuid,
}

impl Output for RegisteredUser {}

/// A token.
#[derive(Debug, Serialize, JsonSchema)]
pub struct IssuedToken {
    pub token: SignedToken,
}

impl Output for IssuedToken {}
