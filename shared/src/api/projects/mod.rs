//! The projects surface: a tenant's backend registers organizations and users, and gets a token for a user at each
//! login.

pub mod register_tenant;
pub mod revoke_tokens;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::api::common::{ApiKeyField, Empty, PageQuery};
use crate::api::operation::{BodyRule, Input, Operation, Output, Route, Surface};
use crate::api::registry::inspection::{OrganizationsPage, UsersPage};
use crate::auth::{KeyHolder, MintsTokens, Registers};
use crate::domain::{
    ExternalId, Handle, OrganizationFields, PartyName, Person, Properties, Reference, SignedToken, TenantId,
    TokenLifetime, UserFields, UuidText,
};
use crate::error::{Error, Result};
use crate::store::Read;

/// Registers an organization.
#[derive(Debug, Clone, Copy)]
pub struct RegisterOrganization;

impl Operation for RegisterOrganization {
    const ROUTE: Route =
        Route::post("register-organization", "/v1/api/projects/register-organization", BodyRule::Required)
            .about("Register an organization, or update it; call it once for each customer")
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
        .about("Register a user of an organization, or update it; call it once for each user account")
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
        .about("Issue a short-lived token for a user; call it at each login")
        .example(
            r#"{
                "userId": "9b2e4f17-30ad-4e86-a5c9-7d18f6b0e233",
                "organizationId": "5f0c2d94-71be-4c1a-8d3f-b2a6e90c7415",
                "expiration": "30m"
            }"#,
        );
    const SURFACE: Surface = Surface::Projects;
    const IS_REMEMBERED: bool = false;
    const READS_SECRETS: bool = true;
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
        .about("List the registered organizations, newest first");
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
        Route::get("project-users", "/v1/api/projects/users").about("List the registered users, newest first");
    const SURFACE: Surface = Surface::Projects;
    type Caller = KeyHolder<Registers>;
    type Query = PageQuery;
    type Body = Empty;
    type Output = UsersPage;
}

// Unknown fields are ignored on this surface: its clients were written for another service, and send that service's
// fields. Near misses of known ones are refused: see `Input::FIELDS`.

/// Request body for registering an organization. Unknown fields are ignored.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationInput {
    /// Name of the organization, 1 to 120 characters.
    pub name: PartyName,
    /// UUID of the project that the API key belongs to.
    pub project_id: UuidText,
    /// Id of the organization in the caller's own system, 1 to 256 characters. Registering the same external id again
    /// updates that organization. Absent or null leaves the registered one as it is.
    #[serde(default)]
    pub external_id: Option<ExternalId>,
    /// Properties that the tokens of all of its users carry: a JSON object of at most 4096 bytes and 32 levels. Absent
    /// or null leaves the registered ones as they are; a new organization then has none.
    #[serde(default)]
    pub properties: Option<Properties>,
    /// UUID of the organization. It chooses the UUID of a new organization or names a registered one. Absent or null:
    /// the organization is found by its external id, or gets a generated UUID.
    #[serde(default)]
    pub organization_id: Option<UuidText>,
    /// API key, if it is not sent in a header.
    #[serde(default)]
    pub api_key: ApiKeyField,
}

impl Input for OrganizationInput {
    const FIELDS: &'static [&'static str] =
        &["name", "projectId", "externalId", "properties", "organizationId", "apiKey"];

    fn api_key(&self) -> Option<&Zeroizing<String>> {
        self.api_key.get()
    }
}

impl OrganizationInput {
    /// The fields to register, in the project of this tenant.
    ///
    /// # Errors
    /// If the project is another's.
    pub fn fields(self, tenant_id: &TenantId) -> Result<OrganizationFields> {
        check_project(self.project_id, tenant_id)?;
        let id = self.organization_id.map(UuidText::get);
        Ok(OrganizationFields { id, external_id: self.external_id, name: self.name, properties: self.properties })
    }
}

/// Request body for registering a user. Unknown fields are ignored.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserInput {
    /// Name of the user, 1 to 120 characters.
    pub name: PartyName,
    /// Properties that the user's tokens carry: a JSON object of at most 4096 bytes and 32 levels. They override
    /// properties of the same name of the organization.
    pub properties: Properties,
    /// UUID of the project that the API key belongs to.
    pub project_id: UuidText,
    /// UUID of the user's role. Tokens carry it as `role_id`; Latchkey does not interpret it.
    pub user_role_id: UuidText,
    /// UUID or external id of the user's organization. A text that is a UUID is first tried as a UUID.
    pub project_organization_id: Reference,
    /// UUID of the user. It chooses the UUID of a new user or names a registered one. Absent or null: the user is found
    /// by its external id, or gets a generated UUID.
    #[serde(default)]
    pub user_id: Option<UuidText>,
    /// Id of the user in the caller's own system, 1 to 256 characters. Registering the same external id again updates
    /// that user. Absent or null leaves the registered one as it is.
    #[serde(default)]
    pub external_id: Option<ExternalId>,
    /// API key, if it is not sent in a header.
    #[serde(default)]
    pub api_key: ApiKeyField,
}

impl Input for UserInput {
    const FIELDS: &'static [&'static str] =
        &["name", "properties", "projectId", "userRoleId", "projectOrganizationId", "userId", "externalId", "apiKey"];

    fn api_key(&self) -> Option<&Zeroizing<String>> {
        self.api_key.get()
    }
}

impl UserInput {
    /// The fields to register, in the project of this tenant.
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

/// Request body for issuing a user's token. Unknown fields are ignored.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserTokenInput {
    /// UUID or external id of the user. A text that is a UUID is first tried as a UUID.
    pub user_id: Reference,
    /// UUID or external id of the user's organization. If it is given, a user of another organization is refused with
    /// 404. If it is absent, the service may have to look the organization up, which makes the answer slower.
    #[serde(default)]
    pub organization_id: Option<Reference>,
    /// Lifetime of the token, 60 to 86400 seconds (default 3600): a number of seconds, or a text with a unit such as
    /// `"90s"`, `"30m"`, `"1h"` or `"1d"`.
    #[serde(default)]
    pub expiration: TokenLifetime,
    /// API key, if it is not sent in a header.
    #[serde(default)]
    pub api_key: ApiKeyField,
}

impl Input for UserTokenInput {
    const FIELDS: &'static [&'static str] = &["userId", "organizationId", "expiration", "apiKey"];

    fn api_key(&self) -> Option<&Zeroizing<String>> {
        self.api_key.get()
    }
}

/// Organization after its registration.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegisteredOrganization {
    /// UUID of the organization.
    pub project_organization_id: Uuid,
    /// External id of the organization; null if it has none.
    pub external_id: Option<ExternalId>,
}

impl Output for RegisteredOrganization {
    fn person(&self) -> Option<Person<'_>> {
        Some(Person::Organization(self.project_organization_id))
    }
}

/// User after its registration.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegisteredUser {
    /// Message for people about the outcome.
    pub message: &'static str,
    /// UUID of the user.
    pub user_id: Uuid,
}

impl Output for RegisteredUser {
    fn person(&self) -> Option<Person<'_>> {
        Some(Person::User(self.user_id))
    }
}

/// Token issued for a user.
#[derive(Debug, Serialize, JsonSchema)]
pub struct IssuedToken {
    /// Signed JWT (ES256, `typ` `at+jwt`) that speaks for the user.
    pub token: SignedToken,
}

impl Output for IssuedToken {}

#[cfg(test)]
mod tests;
