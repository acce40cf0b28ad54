//! The contract: every endpoint with its inputs and outputs. Nothing is performed here.
//!
//! [`OPERATIONS`] is the one list of endpoints. The OpenAPI documents, the local router and the tables in `docs/api`
//! are made from it; the template, the binaries, the events and the tests are compared with it.

pub mod account;
pub mod common;
pub mod console;
pub mod device;
mod document;
pub mod examples;
mod input;
mod members;
mod operation;
pub mod pages;
pub mod projects;
pub mod registry;
pub mod relay;
pub mod tokens;

pub use document::{Audience, GENERATED, Generated, MissingMarker, PAGE_ROOTS, Page, document, is_foreign, is_page};
pub use members::{Members, NAMES_END_USER};
pub use operation::{BodyRule, Input, Method, Operation, OperationInfo, Output, Route, Surface, TextBody};

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
use console::{
    ConsoleCallback, ConsoleCallbacks, ConsoleOrganizations, ConsoleRegisteredTenants, ConsoleReplayCallbacks,
    ConsoleRevokeApiKey, ConsoleRotateApiKey, ConsoleRotateTenantSecret, ConsoleSetup, ConsoleTenantView,
    ConsoleTestCallback, ConsoleUsers, CreateConsoleApiKey, EndConsoleSession, GetConsoleSession, ListConsoleApiKeys,
    OpenConsoleSession,
};
use device::qr_login::{DeviceQrDecide, DeviceQrScan};
use device::{DevicePairing, DevicePairings, DeviceRefreshToken, DeviceRegisterToken, DeviceRename, DeviceUnpair};
use pages::{ConsentPage, ConsolePage, PageFile, PhonePage};
use projects::register_tenant::RegisterTenant;
use projects::revoke_tokens::ProjectRevokeTokens;
use projects::{ProjectOrganizations, ProjectUsers, RegisterOrganization, RegisterUser, UserToken};
use registry::api_keys::{FetchApiKeys, ProvisionApiKey, RevokeApiKey, RevokeTokens, RotateApiKey, RotateSigningKey};
use registry::callbacks::{FetchCallback, FetchCallbacks, ReactivateCallbacks, ReplayCallbacks, TestCallback};
use registry::console::ProvisionConsoleLink;
use registry::inspection::{FetchOrganizations, FetchRegisteredTenants, FetchUsers};
use registry::people::FetchPerson;
use registry::setup::FetchSetup;
use registry::tenants::{
    FetchAuditEvents, FetchTenant, FetchTenants, ProvisionTenant, ReactivateTenant, RotateTenantSecret, SuspendTenant,
    UpdateTenant,
};
use relay::RelayWhoami;
use relay::callbacks::{RelayFetchCallbacks, RelayReplayCallbacks, RelayTestCallbacks};
use relay::pairing::{RelayFetchPairings, RelayPreparePairing, RelayRevokeDevice};
use relay::passkeys::{
    WebauthnAuthenticateOptions, WebauthnAuthenticateVerify, WebauthnFetchPasskeys, WebauthnRegisterOptions,
    WebauthnRegisterVerify, WebauthnRenamePasskey, WebauthnRevokePasskey,
};
use relay::qr_login::{QrLoginInitiate, QrLoginPoll};
use tokens::{Introspect, Jwks, OauthAuthorizationServer, RevokeToken};

/// Every endpoint, in the order of the documentation.
pub static OPERATIONS: &[OperationInfo] = &[
    OperationInfo::of::<ProvisionTenant>(),
    OperationInfo::of::<UpdateTenant>(),
    OperationInfo::of::<RotateTenantSecret>(),
    OperationInfo::of::<SuspendTenant>(),
    OperationInfo::of::<ReactivateTenant>(),
    OperationInfo::of::<FetchTenant>(),
    OperationInfo::of::<FetchTenants>(),
    OperationInfo::of::<ProvisionApiKey>(),
    OperationInfo::of::<RotateApiKey>(),
    OperationInfo::of::<RevokeApiKey>(),
    OperationInfo::of::<FetchApiKeys>(),
    OperationInfo::of::<RotateSigningKey>(),
    OperationInfo::of::<RevokeTokens>(),
    OperationInfo::of::<FetchOrganizations>(),
    OperationInfo::of::<FetchUsers>(),
    OperationInfo::of::<FetchRegisteredTenants>(),
    OperationInfo::of::<FetchPerson>(),
    OperationInfo::of::<FetchSetup>(),
    OperationInfo::of::<FetchAuditEvents>(),
    OperationInfo::of::<FetchCallbacks>(),
    OperationInfo::of::<FetchCallback>(),
    OperationInfo::of::<ReplayCallbacks>(),
    OperationInfo::of::<TestCallback>(),
    OperationInfo::of::<ReactivateCallbacks>(),
    OperationInfo::of::<ProvisionConsoleLink>(),
    OperationInfo::of::<RegisterOrganization>(),
    OperationInfo::of::<RegisterUser>(),
    OperationInfo::of::<UserToken>(),
    OperationInfo::of::<RegisterTenant>(),
    OperationInfo::of::<ProjectRevokeTokens>(),
    OperationInfo::of::<ProjectOrganizations>(),
    OperationInfo::of::<ProjectUsers>(),
    OperationInfo::of::<Jwks>(),
    OperationInfo::of::<OauthAuthorizationServer>(),
    OperationInfo::of::<Introspect>(),
    OperationInfo::of::<RevokeToken>(),
    OperationInfo::of::<AuthToken>(),
    OperationInfo::of::<CreateAgentSession>(),
    OperationInfo::of::<ListAgentSessions>(),
    OperationInfo::of::<GetAgentSession>(),
    OperationInfo::of::<UpdateAgentSession>(),
    OperationInfo::of::<DeleteAgentSession>(),
    OperationInfo::of::<CreateMessage>(),
    OperationInfo::of::<ListMessages>(),
    OperationInfo::of::<ExecuteTool>(),
    OperationInfo::of::<ListToolExecutions>(),
    OperationInfo::of::<GetToolExecution>(),
    OperationInfo::of::<ReportToolExecution>(),
    OperationInfo::of::<CreateWorkspace>(),
    OperationInfo::of::<ListWorkspaces>(),
    OperationInfo::of::<GetWorkspace>(),
    OperationInfo::of::<UpdateWorkspace>(),
    OperationInfo::of::<DeleteWorkspace>(),
    OperationInfo::of::<ListWorkspaceDocuments>(),
    OperationInfo::of::<CreateDocument>(),
    OperationInfo::of::<ListDocuments>(),
    OperationInfo::of::<GetDocument>(),
    OperationInfo::of::<DeleteDocument>(),
    OperationInfo::of::<RelayWhoami>(),
    OperationInfo::of::<RelayFetchCallbacks>(),
    OperationInfo::of::<RelayTestCallbacks>(),
    OperationInfo::of::<RelayReplayCallbacks>(),
    OperationInfo::of::<WebauthnRegisterOptions>(),
    OperationInfo::of::<WebauthnRegisterVerify>(),
    OperationInfo::of::<WebauthnAuthenticateOptions>(),
    OperationInfo::of::<WebauthnAuthenticateVerify>(),
    OperationInfo::of::<WebauthnFetchPasskeys>(),
    OperationInfo::of::<WebauthnRenamePasskey>(),
    OperationInfo::of::<WebauthnRevokePasskey>(),
    OperationInfo::of::<RelayPreparePairing>(),
    OperationInfo::of::<RelayFetchPairings>(),
    OperationInfo::of::<RelayRevokeDevice>(),
    OperationInfo::of::<QrLoginInitiate>(),
    OperationInfo::of::<QrLoginPoll>(),
    OperationInfo::of::<DevicePairing>(),
    OperationInfo::of::<DeviceRegisterToken>(),
    OperationInfo::of::<DevicePairings>(),
    OperationInfo::of::<DeviceRefreshToken>(),
    OperationInfo::of::<DeviceRename>(),
    OperationInfo::of::<DeviceUnpair>(),
    OperationInfo::of::<DeviceQrScan>(),
    OperationInfo::of::<DeviceQrDecide>(),
    OperationInfo::of::<OpenConsoleSession>(),
    OperationInfo::of::<GetConsoleSession>(),
    OperationInfo::of::<ConsoleTenantView>(),
    OperationInfo::of::<ListConsoleApiKeys>(),
    OperationInfo::of::<CreateConsoleApiKey>(),
    OperationInfo::of::<ConsoleRotateApiKey>(),
    OperationInfo::of::<ConsoleRevokeApiKey>(),
    OperationInfo::of::<ConsoleRotateTenantSecret>(),
    OperationInfo::of::<ConsoleOrganizations>(),
    OperationInfo::of::<ConsoleUsers>(),
    OperationInfo::of::<ConsoleRegisteredTenants>(),
    OperationInfo::of::<ConsoleCallbacks>(),
    OperationInfo::of::<ConsoleCallback>(),
    OperationInfo::of::<ConsoleTestCallback>(),
    OperationInfo::of::<ConsoleReplayCallbacks>(),
    OperationInfo::of::<ConsoleSetup>(),
    OperationInfo::of::<EndConsoleSession>(),
    OperationInfo::of::<PhonePage>(),
    OperationInfo::of::<ConsentPage>(),
    OperationInfo::of::<ConsolePage>(),
    OperationInfo::of::<PageFile>(),
];

/// Functions that no client calls: they are started by a schedule or by the table's stream.
pub static SCHEDULED: &[&str] = &["deliver-callbacks", "reconcile", "seal-audit-events"];
