//! Operations of a tenant on its own callbacks: it sees what became of them, tests its receiver, and has them delivered
//! anew. A tenant that is named would be one to lie about: it is the signer.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::common::Empty;
use crate::api::operation::{BodyRule, Input, Operation, Route, Surface};
use crate::api::registry::callbacks::{CallbacksPage, CallbacksToReplay, PingSent, ReplayedCallbacks};
use crate::auth::SignedTenant;
use crate::domain::{CallbackFilter, CallbackState, Cursor, EventId, EventType, PageLimit, Timestamp};

/// Lists the signer's callbacks.
#[derive(Debug, Clone, Copy)]
pub struct RelayFetchCallbacks;

impl Operation for RelayFetchCallbacks {
    const ROUTE: Route = Route::get("relay-fetch-callbacks", "/api/v1/relay/fetch/callbacks")
        .about("List the tenant's own callbacks, newest first");
    const SURFACE: Surface = Surface::Relay;
    type Caller = SignedTenant;
    type Query = OwnCallbacksQuery;
    type Body = Empty;
    type Output = CallbacksPage;
}

/// Tests the signer's receiver.
#[derive(Debug, Clone, Copy)]
pub struct RelayTestCallbacks;

impl Operation for RelayTestCallbacks {
    // With a body, because a call without one can be sent again as it was.
    const ROUTE: Route = Route::post("relay-test-callbacks", "/api/v1/relay/test/callbacks", BodyRule::Required)
        .about("Test the tenant's own receiver: have it sent a callback of the type ping")
        .example("{}")
        .answering(202);
    const SURFACE: Surface = Surface::Relay;
    type Caller = SignedTenant;
    type Query = Empty;
    type Body = PingInput;
    type Output = PingSent;
}

/// Delivers the signer's callbacks anew.
#[derive(Debug, Clone, Copy)]
pub struct RelayReplayCallbacks;

impl Operation for RelayReplayCallbacks {
    const ROUTE: Route = Route::post("relay-replay-callbacks", "/api/v1/relay/replay/callbacks", BodyRule::Required)
        .about("Have the tenant's own callbacks delivered anew, with the same event ids and bodies")
        .example(r#"{"state": "failed", "since": "2026-06-21T10:00:00.000Z"}"#);
    const SURFACE: Surface = Surface::Relay;
    type Caller = SignedTenant;
    type Query = Empty;
    type Body = OwnCallbacksToReplay;
    type Output = ReplayedCallbacks;
}

/// Query of the list of the callbacks of the caller's own tenant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnCallbacksQuery {
    /// State of the callbacks in the list. Absent: all.
    pub state: Option<CallbackState>,
    /// Type of the events in the list. Absent: all.
    #[serde(rename = "type")]
    pub event_type: Option<EventType>,
    /// Maximum number of callbacks on the page, 1 to 100 (default 20).
    #[serde(default)]
    pub limit: PageLimit,
    /// Cursor of the page: the `next_cursor` of the previous page. Absent for the first page.
    pub cursor: Option<Cursor>,
}

impl Input for OwnCallbacksQuery {}

impl OwnCallbacksQuery {
    /// What the list is of.
    pub fn filter(&self) -> CallbackFilter {
        CallbackFilter { state: self.state, event_type: self.event_type }
    }
}

/// Body of a test: it has no fields yet, and has to be there.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct PingInput {}

impl Input for PingInput {}

/// Which callbacks are delivered anew: `event_ids` alone, or `state` and `since`, with or without `until`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct OwnCallbacksToReplay {
    /// Ids of 1 to 100 events.
    #[schemars(length(min = 1, max = 100))]
    pub event_ids: Option<Vec<EventId>>,
    /// State of the callbacks.
    pub state: Option<CallbackState>,
    /// Time from which on their events were made.
    pub since: Option<Timestamp>,
    /// Time before which their events were made. Absent: now.
    pub until: Option<Timestamp>,
    /// The `next_cursor` of the same replay's previous answer, to go on after it. With `state` only.
    pub cursor: Option<Cursor>,
}

impl Input for OwnCallbacksToReplay {}

impl From<OwnCallbacksToReplay> for CallbacksToReplay {
    fn from(own: OwnCallbacksToReplay) -> Self {
        let OwnCallbacksToReplay { event_ids, state, since, until, cursor } = own;
        Self { event_ids, state, since, until, cursor }
    }
}
