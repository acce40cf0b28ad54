//! The contract: every endpoint with its inputs and outputs. It performs nothing.
//!
//! [`OPERATIONS`] is the one list of endpoints. The OpenAPI document, the local router and the tables of the README are made
//! from it; the template, the binaries, the events and the tests are compared with it.

pub mod account;
pub mod api_key_outputs;
pub mod api_keys;
mod generated;
mod openapi;
mod operation;
pub mod projects;
pub mod register_tenant;
pub mod relay;
pub mod setup;
pub mod tenant_outputs;
pub mod tenants;
pub mod tokens;

pub use generated::{GENERATED, Generated};
pub use openapi::document;
pub use operation::{BodyRule, Entry, Input, Method, Operation, Output, Route, Surface};

use account::documents::{CreateDocument, DeleteDocument, GetDocument, ListDocuments};
use account::sessions::{
    CreateAgentSession, CreateMessage, DeleteAgentSession, GetAgentSession, ListAgentSessions, ListMessages,
    UpdateAgentSession,
};
use account::token::AuthToken;
use account::tools::{ExecuteTool, GetToolExecution, ListToolExecutions, ReportToolExecution};
use account::workspaces::{
    CreateWorkspace, DeleteWorkspace, GetWorkspace, ListWorkspaceDocuments, ListWorkspaces, UpdateWorkspace,
};
use api_keys::{FetchApiKeys, ProvisionApiKey, RevokeApiKey, RevokeTokens, RotateApiKey, RotateSigningKey};
use projects::{ProjectOrganizations, ProjectUsers, RegisterOrganization, RegisterUser, UserToken};
use register_tenant::RegisterTenant;
use relay::RelayWhoami;
use setup::{FetchOrganizations, FetchRegisteredTenants, FetchUsers};
use tenants::{
    FetchAuditEvents, FetchTenant, FetchTenants, ProvisionTenant, ReactivateTenant, RotateTenantSecret, SuspendTenant,
    UpdateTenant,
};
use tokens::{Introspect, Jwks, OauthAuthorizationServer, RevokeToken};

/// Every endpoint, in the order of the documentation.
pub static OPERATIONS: [Entry; 50] = [
    Entry::of::<ProvisionTenant>(),
    Entry::of::<UpdateTenant>(),
    Entry::of::<RotateTenantSecret>(),
    Entry::of::<SuspendTenant>(),
    Entry::of::<ReactivateTenant>(),
    Entry::of::<FetchTenant>(),
    Entry::of::<FetchTenants>(),
    Entry::of::<ProvisionApiKey>(),
    Entry::of::<RotateApiKey>(),
    Entry::of::<RevokeApiKey>(),
    Entry::of::<FetchApiKeys>(),
    Entry::of::<RotateSigningKey>(),
    Entry::of::<RevokeTokens>(),
    Entry::of::<FetchOrganizations>(),
    Entry::of::<FetchUsers>(),
    Entry::of::<FetchRegisteredTenants>(),
    Entry::of::<FetchAuditEvents>(),
    Entry::of::<RegisterOrganization>(),
    Entry::of::<RegisterUser>(),
    Entry::of::<UserToken>(),
    Entry::of::<RegisterTenant>(),
    Entry::of::<ProjectOrganizations>(),
    Entry::of::<ProjectUsers>(),
    Entry::of::<Jwks>(),
    Entry::of::<OauthAuthorizationServer>(),
    Entry::of::<Introspect>(),
    Entry::of::<RevokeToken>(),
    Entry::of::<AuthToken>(),
    Entry::of::<CreateAgentSession>(),
    Entry::of::<ListAgentSessions>(),
    Entry::of::<GetAgentSession>(),
    Entry::of::<UpdateAgentSession>(),
    Entry::of::<DeleteAgentSession>(),
    Entry::of::<CreateMessage>(),
    Entry::of::<ListMessages>(),
    Entry::of::<ExecuteTool>(),
    Entry::of::<ListToolExecutions>(),
    Entry::of::<GetToolExecution>(),
    Entry::of::<ReportToolExecution>(),
    Entry::of::<CreateWorkspace>(),
    Entry::of::<ListWorkspaces>(),
    Entry::of::<GetWorkspace>(),
    Entry::of::<UpdateWorkspace>(),
    Entry::of::<DeleteWorkspace>(),
    Entry::of::<ListWorkspaceDocuments>(),
    Entry::of::<CreateDocument>(),
    Entry::of::<ListDocuments>(),
    Entry::of::<GetDocument>(),
    Entry::of::<DeleteDocument>(),
    Entry::of::<RelayWhoami>(),
];

/// Functions that no client calls: they are started by a schedule.
pub static SCHEDULED: [&str; 1] = ["reconcile"];
