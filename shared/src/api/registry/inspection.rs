//! Set-up inspection: what a tenant has registered, when, and on which day it last asked for a token.

use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use crate::api::common::{Empty, TenantPageQuery};
use crate::api::operation::{Operation, Output, Route};
use crate::auth::Operator;
use crate::domain::{Cursor, CursorPage, Day, ExternalId, Organization, PageLimit, RegisteredTenant, Timestamp, User};

/// Lists a tenant's organizations.
#[derive(Debug, Clone, Copy)]
pub struct FetchOrganizations;

impl Operation for FetchOrganizations {
    const ROUTE: Route = Route::get("fetch-organizations", "/api/v1/fetch/organizations")
        .about("The organizations that a tenant has registered, newest first");
    type Caller = Operator;
    type Query = TenantPageQuery;
    type Body = Empty;
    type Output = OrganizationsPage;
}

/// Lists a tenant's users.
#[derive(Debug, Clone, Copy)]
pub struct FetchUsers;

impl Operation for FetchUsers {
    const ROUTE: Route =
        Route::get("fetch-users", "/api/v1/fetch/users").about("The users that a tenant has registered, newest first");
    type Caller = Operator;
    type Query = TenantPageQuery;
    type Body = Empty;
    type Output = UsersPage;
}

/// Lists what a tenant registered the older way.
#[derive(Debug, Clone, Copy)]
pub struct FetchRegisteredTenants;

impl Operation for FetchRegisteredTenants {
    const ROUTE: Route = Route::get("fetch-registered-tenants", "/api/v1/fetch/registered-tenants")
        .about("What a tenant has registered through `register-tenant`, newest first");
    type Caller = Operator;
    type Query = TenantPageQuery;
    type Body = Empty;
    type Output = RegisteredTenantsPage;
}

/// An organization as lists show it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OrganizationRow {
    /// Its uuid.
    pub id: Uuid,
    /// The tenant's own id of it.
    pub external_id: Option<ExternalId>,
    pub name: String,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last registered again with something else; null = never.
    pub updated_at: Option<Timestamp>,
    /// When the tokens of its users were last revoked; null = never.
    pub tokens_revoked_before: Option<Timestamp>,
}

impl From<Organization> for OrganizationRow {
    fn from(organization: Organization) -> Self {
        Self {
            id: organization.id,
            external_id: organization.external_id,
            name: organization.name.to_string(),
            created_at: organization.record.created_at,
            updated_at: organization.record.updated_at,
            tokens_revoked_before: organization.record.tokens_revoked_at,
        }
    }
}

/// A user as lists show it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UserRow {
    /// Its uuid.
    pub id: Uuid,
    /// The tenant's own id of it.
    pub external_id: Option<ExternalId>,
    /// The uuid of its organization.
    pub organization_id: Uuid,
    /// Its role, as it was registered.
    pub role_id: Uuid,
    pub name: String,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last registered again with something else; null = never.
    pub updated_at: Option<Timestamp>,
    /// When its tokens were last revoked; null = never.
    pub tokens_revoked_before: Option<Timestamp>,
    /// The last day on which a token was issued for it; null = never.
    pub last_token_on: Option<Day>,
}

impl From<User> for UserRow {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            external_id: user.external_id,
            organization_id: user.organization_id,
            role_id: user.role_id,
            name: user.name.to_string(),
            created_at: user.record.created_at,
            updated_at: user.record.updated_at,
            tokens_revoked_before: user.record.tokens_revoked_at,
            last_token_on: user.last_token_on,
        }
    }
}

/// A registered tenant as the list shows it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RegisteredTenantRow {
    /// The tenant's own id of it; null if it goes by its display name.
    pub key: Option<ExternalId>,
    pub display_name: String,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last registered again with something else; null = never.
    pub updated_at: Option<Timestamp>,
    /// The last day on which a token was issued for it; null = never.
    pub last_token_on: Option<Day>,
}

impl From<RegisteredTenant> for RegisteredTenantRow {
    fn from(registered: RegisteredTenant) -> Self {
        Self {
            key: registered.key.key().cloned(),
            display_name: registered.name.to_string(),
            created_at: registered.created_at,
            updated_at: registered.updated_at,
            last_token_on: registered.last_token_on,
        }
    }
}

/// A page of organizations.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OrganizationsPage {
    /// The organizations, newest first.
    pub organizations: Vec<OrganizationRow>,
    /// For the next page; null on the last.
    pub next_cursor: Option<Cursor>,
    /// Rows that were asked for.
    pub limit: PageLimit,
}

impl OrganizationsPage {
    /// The answer.
    pub fn new(page: CursorPage<Organization>, limit: PageLimit) -> Self {
        Self { organizations: page.rows.into_iter().map(Into::into).collect(), next_cursor: page.next, limit }
    }
}

impl Output for OrganizationsPage {}

/// A page of users.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UsersPage {
    /// The users, newest first.
    pub users: Vec<UserRow>,
    /// For the next page; null on the last.
    pub next_cursor: Option<Cursor>,
    /// Rows that were asked for.
    pub limit: PageLimit,
}

impl UsersPage {
    /// The answer.
    pub fn new(page: CursorPage<User>, limit: PageLimit) -> Self {
        Self { users: page.rows.into_iter().map(Into::into).collect(), next_cursor: page.next, limit }
    }
}

impl Output for UsersPage {}

/// A page of registered tenants.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RegisteredTenantsPage {
    /// The registered tenants, newest first.
    pub registered_tenants: Vec<RegisteredTenantRow>,
    /// For the next page; null on the last.
    pub next_cursor: Option<Cursor>,
    /// Rows that were asked for.
    pub limit: PageLimit,
}

impl RegisteredTenantsPage {
    /// The answer.
    pub fn new(page: CursorPage<RegisteredTenant>, limit: PageLimit) -> Self {
        Self { registered_tenants: page.rows.into_iter().map(Into::into).collect(), next_cursor: page.next, limit }
    }
}

impl Output for RegisteredTenantsPage {}
