//! The console surface: what people do in a browser, with a session that a link has opened.
//!
//! A session of the operator's console opens the registry. That of a tenant's opens the operations here: each is about
//! the session's own tenant, and takes no id of one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::common::{Empty, PageQuery};
use crate::api::operation::{BodyRule, Input, Operation, Output, Route, Surface};
use crate::api::registry::api_key_outputs::{ApiKeysPage, ProvisionedApiKey, RevokedApiKey, RotatedApiKey};
use crate::api::registry::api_keys::ApiKeyInput;
use crate::api::registry::callbacks::{CallbacksPage, CallbacksToReplay, PingSent, ReplayedCallbacks};
use crate::api::registry::inspection::{OrganizationsPage, RegisteredTenantsPage, UsersPage};
use crate::api::registry::setup::SetupView;
use crate::api::registry::tenant_outputs::{FetchedTenant, RotatedSecret};
use crate::api::registry::tenants::Rotation;
use crate::api::relay::callbacks::OwnCallbacksQuery;
use crate::auth::{ConsoleGuest, ConsolePerson, ConsoleTenant};
use crate::domain::{
    ApiKeyId, CallbackDetails, ConsoleCode, ConsoleId, ConsoleLabel, EventId, PartyKind, RevealedConsoleSecret,
    SESSION_LIFETIME, TenantId, TenantName, Timestamp,
};

/// The function of the paths of a session.
const SESSION: &str = "console-session";
/// The function of the paths of API keys.
const API_KEYS: &str = "console-api-keys";

/// Defines an operation of the console that takes a session.
macro_rules! console_operation {
    ($(#[$doc:meta])* $name:ident: $caller:ty, $route:expr, $query:ty, $body:ty => $output:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        impl Operation for $name {
            const ROUTE: Route = $route;
            const SURFACE: Surface = Surface::Console;
            type Caller = $caller;
            type Query = $query;
            type Body = $body;
            type Output = $output;
        }
    };
}

/// Opens the console of a link.
#[derive(Debug, Clone, Copy)]
pub struct OpenConsoleSession;

impl Operation for OpenConsoleSession {
    const ROUTE: Route = Route::post("open-console-session", "/api/v1/console/session", BodyRule::Required)
        .of(SESSION)
        .answering(201)
        .about("Open a console link, which works once: get a session of one hour, bound to the key of the proof")
        .example(crate::api::examples::CONSOLE_CODE_BODY);
    const SURFACE: Surface = Surface::Console;
    // The answer is a token, and a link opens once whatever is sent.
    const IS_REMEMBERED: bool = false;
    type Caller = ConsoleGuest;
    type Query = Empty;
    type Body = CodeBody;
    type Output = OpenedSession;
}

console_operation! {
    /// Shows a session.
    GetConsoleSession: ConsolePerson,
    Route::get("get-console-session", "/api/v1/console/session")
        .of(SESSION)
        .about("Get the session's label, whose console it opens, and until when"),
    Empty, Empty => SessionView
}

console_operation! {
    /// Ends a session.
    EndConsoleSession: ConsolePerson,
    Route::delete("end-console-session", "/api/v1/console/session")
        .of(SESSION)
        .about("End the session: it opens nothing from the answer on"),
    Empty, Empty => EndedSession
}

console_operation! {
    /// Shows the session's tenant.
    ConsoleTenantView: ConsoleTenant,
    Route::get("console-tenant", "/api/v1/console/tenant")
        .about("Get the tenant's configuration and state, without its secret"),
    Empty, Empty => FetchedTenant
}

console_operation! {
    /// Lists the tenant's API keys.
    ListConsoleApiKeys: ConsoleTenant,
    Route::get("list-console-api-keys", "/api/v1/console/api-keys")
        .of(API_KEYS)
        .about("List the tenant's API keys and their state, newest first, without the keys themselves"),
    PageQuery, Empty => ApiKeysPage
}

console_operation! {
    /// Gives the tenant an API key and shows it, once.
    CreateConsoleApiKey: ConsoleTenant,
    Route::post("create-console-api-key", "/api/v1/console/api-keys", BodyRule::Required)
        .of(API_KEYS)
        .answering(201)
        .about("Issue an API key for the tenant, shown once")
        .example(r#"{"name": "Backend", "kind": "embed"}"#),
    Empty, ApiKeyInput => ProvisionedApiKey
}

console_operation! {
    /// Gives an API key of the tenant a new secret.
    ConsoleRotateApiKey: ConsoleTenant,
    Route::post("console-rotate-api-key", "/api/v1/console/rotate-api-key", BodyRule::Optional)
        .about("Replace an API key of the tenant, shown once; the old one stays valid for an optional overlap")
        .example(r#"{"overlap_seconds": 3600}"#),
    KeyQuery, Rotation => RotatedApiKey
}

console_operation! {
    /// Revokes an API key of the tenant and all tokens minted with it.
    ConsoleRevokeApiKey: ConsoleTenant,
    Route::post("console-revoke-api-key", "/api/v1/console/revoke-api-key", BodyRule::Optional)
        .about("Revoke an API key of the tenant and every token minted with it, from the next call on"),
    KeyQuery, Empty => RevokedApiKey
}

console_operation! {
    /// Gives the tenant a new secret.
    ConsoleRotateTenantSecret: ConsoleTenant,
    Route::post("console-rotate-tenant-secret", "/api/v1/console/rotate-tenant-secret", BodyRule::Optional)
        .about("Replace the tenant's secret, shown once; the old one stays valid for an optional overlap")
        .example(r#"{"overlap_seconds": 86400}"#),
    Empty, Rotation => RotatedSecret
}

console_operation! {
    /// Lists the tenant's organizations.
    ConsoleOrganizations: ConsoleTenant,
    Route::get("console-organizations", "/api/v1/console/organizations")
        .about("List the organizations that the tenant has registered, newest first"),
    PageQuery, Empty => OrganizationsPage
}

console_operation! {
    /// Lists the tenant's users.
    ConsoleUsers: ConsoleTenant,
    Route::get("console-users", "/api/v1/console/users")
        .about("List the users that the tenant has registered, newest first"),
    PageQuery, Empty => UsersPage
}

console_operation! {
    /// Lists the customers that the tenant has registered with the legacy registration.
    ConsoleRegisteredTenants: ConsoleTenant,
    Route::get("console-registered-tenants", "/api/v1/console/registered-tenants")
        .about("List the customers that the tenant has registered through `register-tenant`, newest first"),
    PageQuery, Empty => RegisteredTenantsPage
}

console_operation! {
    /// Lists the tenant's callbacks.
    ConsoleCallbacks: ConsoleTenant,
    Route::get("console-callbacks", "/api/v1/console/callbacks").about("List the tenant's callbacks, newest first"),
    OwnCallbacksQuery, Empty => CallbacksPage
}

console_operation! {
    /// Shows one of the tenant's callbacks.
    ConsoleCallback: ConsoleTenant,
    Route::get("console-callback", "/api/v1/console/callback")
        .about("Get one of the tenant's callbacks, with its body and its last ten attempts"),
    EventQuery, Empty => CallbackDetails
}

console_operation! {
    /// Tests the tenant's receiver.
    ConsoleTestCallback: ConsoleTenant,
    Route::post("console-test-callback", "/api/v1/console/test-callback", BodyRule::Optional)
        .about("Test the tenant's receiver: send it a callback of the type ping")
        .answering(202),
    Empty, Empty => PingSent
}

console_operation! {
    /// Delivers the tenant's callbacks anew.
    ConsoleReplayCallbacks: ConsoleTenant,
    Route::post("console-replay-callbacks", "/api/v1/console/replay-callbacks", BodyRule::Required)
        .about("Deliver the tenant's callbacks anew, with the same event ids and bodies")
        .example(r#"{"state": "failed", "since": "2026-06-21T10:00:00.000Z"}"#),
    Empty, CallbacksToReplay => ReplayedCallbacks
}

console_operation! {
    /// Inspects the tenant's set-up.
    ConsoleSetup: ConsoleTenant,
    Route::get("console-setup", "/api/v1/console/setup")
        .about("Inspect the tenant's set-up: what works, what does not, and what to change"),
    Empty, Empty => SetupView
}

/// Request body with the code of a link.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeBody {
    /// Code of the link: what follows `#` in its address.
    pub code: ConsoleCode,
}

impl Input for CodeBody {}

/// Query parameters that name an API key of the session's tenant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyQuery {
    /// Id of the API key: `key_` and 16 hexadecimal digits.
    pub key_id: ApiKeyId,
}

impl Input for KeyQuery {}

/// Query parameters that name a callback of the session's tenant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventQuery {
    /// Id of the event: `evt_` and 32 hexadecimal digits.
    pub event_id: EventId,
}

impl Input for EventQuery {}

/// Session of the console.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SessionView {
    /// Id of the session, and of the link that has opened it.
    pub console_id: ConsoleId,
    /// Name of whoever was to open the link, which is in the session's audit events.
    pub label: ConsoleLabel,
    /// Whose console it opens.
    pub party: PartyKind,
    /// Id of the tenant; null if it is the operator's.
    pub tenant_id: Option<TenantId>,
    /// Name of the tenant; null if it is the operator's.
    pub tenant_name: Option<TenantName>,
    /// Time at which the session ends.
    pub expires_at: Timestamp,
    /// Address under which tenants call the service, which may be another than the console's; null if the deployment
    /// does not say it.
    pub api_url: Option<String>,
}

impl SessionView {
    /// The session of a person, of a service that tenants call under that address.
    pub fn new(person: &ConsolePerson, api_url: Option<&str>) -> Self {
        let session = person.session();
        Self {
            console_id: session.id.clone(),
            label: session.label.clone(),
            party: (&session.party).into(),
            tenant_id: session.party.tenant().cloned(),
            tenant_name: person.tenant().map(|tenant| tenant.summary.name.clone()),
            expires_at: session.expires_at,
            api_url: api_url.map(str::to_owned),
        }
    }
}

impl Output for SessionView {
    fn tenant_id(&self) -> Option<&str> {
        self.tenant_id.as_ref().map(TenantId::as_str)
    }
}

/// Session that was opened, with its token.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OpenedSession {
    /// Token of the session, shown once: `Authorization: DPoP` with each call.
    pub session_token: RevealedConsoleSecret,
    /// Seconds until the session ends.
    pub expires_in: u64,
    #[serde(flatten)]
    pub session: SessionView,
}

impl OpenedSession {
    /// The answer with the session's token.
    pub fn new(session_token: RevealedConsoleSecret, session: SessionView) -> Self {
        Self { session_token, expires_in: SESSION_LIFETIME.as_secs(), session }
    }
}

impl Output for OpenedSession {
    fn message(&self) -> &'static str {
        "Console session opened."
    }

    fn tenant_id(&self) -> Option<&str> {
        self.session.tenant_id()
    }
}

/// Session that was ended: no data.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EndedSession(());

impl EndedSession {
    pub const DONE: Self = Self(());
}

impl Output for EndedSession {
    fn message(&self) -> &'static str {
        "Console session ended."
    }
}
