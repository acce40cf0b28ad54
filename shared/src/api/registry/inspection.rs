//! Inspection of a tenant's set-up: what it has registered, when, and the day on which it last asked for a token.

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
        .about("List the organizations that a tenant has registered, newest first");
    type Caller = Operator;
    type Query = TenantPageQuery;
    type Body = Empty;
    type Output = OrganizationsPage;
}

/// Lists a tenant's users.
#[derive(Debug, Clone, Copy)]
pub struct FetchUsers;

impl Operation for FetchUsers {
    const ROUTE: Route = Route::get("fetch-users", "/api/v1/fetch/users")
        .about("List the users that a tenant has registered, newest first");
    type Caller = Operator;
    type Query = TenantPageQuery;
    type Body = Empty;
    type Output = UsersPage;
}

/// Lists the customers that a tenant has registered with the legacy registration.
#[derive(Debug, Clone, Copy)]
pub struct FetchRegisteredTenants;

impl Operation for FetchRegisteredTenants {
    const ROUTE: Route = Route::get("fetch-registered-tenants", "/api/v1/fetch/registered-tenants")
        .about("List the customers that a tenant has registered through `register-tenant`, newest first");
    type Caller = Operator;
    type Query = TenantPageQuery;
    type Body = Empty;
    type Output = RegisteredTenantsPage;
}

/// Organization in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OrganizationRow {
    /// UUID of the organization.
    pub id: Uuid,
    /// External id of the organization; null if it has none.
    pub external_id: Option<ExternalId>,
    /// Name of the organization.
    pub name: String,
    /// Time at which the organization was registered.
    pub created_at: Timestamp,
    /// Time at which a later registration last changed the organization; null if never.
    pub updated_at: Option<Timestamp>,
    /// Time at which the tokens of the organization's users were last revoked; null if never.
    pub tokens_revoked_before: Option<Timestamp>,
    /// Last day (UTC) on which a token was issued for a user of the organization; null if never.
    pub last_token_on: Option<Day>,
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
            last_token_on: organization.last_token_on,
        }
    }
}

/// User in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UserRow {
    /// UUID of the user.
    pub id: Uuid,
    /// External id of the user; null if it has none.
    pub external_id: Option<ExternalId>,
    /// UUID of the user's organization.
    pub organization_id: Uuid,
    /// UUID of the user's role, as it was registered.
    pub role_id: Uuid,
    /// Name of the user.
    pub name: String,
    /// Time at which the user was registered.
    pub created_at: Timestamp,
    /// Time at which a later registration last changed the user; null if never.
    pub updated_at: Option<Timestamp>,
    /// Time at which the user's tokens were last revoked; null if never.
    pub tokens_revoked_before: Option<Timestamp>,
    /// Last day (UTC) on which a token was issued for the user; null if never.
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

/// Customer of the legacy registration in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RegisteredTenantRow {
    /// External id of the customer; null if it goes by its display name.
    pub key: Option<ExternalId>,
    /// Name of the customer, as it was registered.
    pub display_name: String,
    /// Time at which the customer was registered.
    pub created_at: Timestamp,
    /// Time at which a later registration last changed the customer; null if never.
    pub updated_at: Option<Timestamp>,
    /// Last day (UTC) on which a token was issued for the customer; null if never.
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

/// One page of a tenant's organizations.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OrganizationsPage {
    /// Organizations of the page, newest first.
    pub organizations: Vec<OrganizationRow>,
    /// Cursor of the next page; null on the last page.
    pub next_cursor: Option<Cursor>,
    /// Maximum number of organizations on a page, as requested.
    pub limit: PageLimit,
}

impl OrganizationsPage {
    /// The answer for a page of at most `limit` organizations.
    pub fn new(page: CursorPage<Organization>, limit: PageLimit) -> Self {
        Self { organizations: page.rows.into_iter().map(Into::into).collect(), next_cursor: page.next, limit }
    }
}

impl Output for OrganizationsPage {}

/// One page of a tenant's users.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UsersPage {
    /// Users of the page, newest first.
    pub users: Vec<UserRow>,
    /// Cursor of the next page; null on the last page.
    pub next_cursor: Option<Cursor>,
    /// Maximum number of users on a page, as requested.
    pub limit: PageLimit,
}

impl UsersPage {
    /// The answer for a page of at most `limit` users.
    pub fn new(page: CursorPage<User>, limit: PageLimit) -> Self {
        Self { users: page.rows.into_iter().map(Into::into).collect(), next_cursor: page.next, limit }
    }
}

impl Output for UsersPage {}

/// One page of the customers that a tenant has registered with the legacy registration.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RegisteredTenantsPage {
    /// Customers of the page, newest first.
    pub registered_tenants: Vec<RegisteredTenantRow>,
    /// Cursor of the next page; null on the last page.
    pub next_cursor: Option<Cursor>,
    /// Maximum number of customers on a page, as requested.
    pub limit: PageLimit,
}

impl RegisteredTenantsPage {
    /// The answer for a page of at most `limit` registered tenants.
    pub fn new(page: CursorPage<RegisteredTenant>, limit: PageLimit) -> Self {
        Self { registered_tenants: page.rows.into_iter().map(Into::into).collect(), next_cursor: page.next, limit }
    }
}

impl Output for RegisteredTenantsPage {}
