//! Operations of the registry on callbacks: the operator sees what became of them, tests a receiver, delivers them
//! anew, and lets them through again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::common::{Empty, TenantQuery};
use crate::api::operation::{BodyRule, Input, Operation, Output, Route};
use crate::auth::Operator;
use crate::domain::{
    CallbackDetails, CallbackFilter, CallbackState, CallbackSummary, Cursor, CursorPage, EventId, EventType, Flow,
    PageLimit, Problem, ReplayScope, SkippedCallback, TenantId, Timestamp,
};
use crate::error::{Error, Result};
use crate::store::{Pinged, Replayed, Resumed};

/// How many events a replay names at most.
const MOST_EVENTS: usize = 100;

/// Lists a tenant's callbacks.
#[derive(Debug, Clone, Copy)]
pub struct FetchCallbacks;

impl Operation for FetchCallbacks {
    const ROUTE: Route =
        Route::get("fetch-callbacks", "/api/v1/fetch/callbacks").about("List a tenant's callbacks, newest first");
    type Caller = Operator;
    type Query = CallbacksQuery;
    type Body = Empty;
    type Output = CallbacksPage;
}

/// Shows one of a tenant's callbacks.
#[derive(Debug, Clone, Copy)]
pub struct FetchCallback;

impl Operation for FetchCallback {
    const ROUTE: Route = Route::get("fetch-callback", "/api/v1/fetch/callback")
        .about("Get one of a tenant's callbacks, with its body and its last ten attempts");
    type Caller = Operator;
    type Query = CallbackQuery;
    type Body = Empty;
    type Output = CallbackDetails;
}

/// Delivers a tenant's callbacks anew.
#[derive(Debug, Clone, Copy)]
pub struct ReplayCallbacks;

impl Operation for ReplayCallbacks {
    const ROUTE: Route = Route::post("replay-callbacks", "/api/v1/replay/callbacks", BodyRule::Required)
        .about("Deliver a tenant's callbacks anew, with the same event ids and bodies")
        .example(r#"{"state": "failed", "since": "2026-06-21T10:00:00.000Z"}"#);
    type Caller = Operator;
    type Query = TenantQuery;
    type Body = CallbacksToReplay;
    type Output = ReplayedCallbacks;
}

/// Tests a tenant's receiver.
#[derive(Debug, Clone, Copy)]
pub struct TestCallback;

impl Operation for TestCallback {
    const ROUTE: Route = Route::post("test-callback", "/api/v1/test/callback", BodyRule::Optional)
        .about("Test a tenant's receiver: send it a callback of the type ping")
        .answering(202);
    type Caller = Operator;
    type Query = TenantQuery;
    type Body = Empty;
    type Output = PingSent;
}

/// Lets callbacks through to a tenant's receivers again.
#[derive(Debug, Clone, Copy)]
pub struct ReactivateCallbacks;

impl Operation for ReactivateCallbacks {
    const ROUTE: Route = Route::post("reactivate-callbacks", "/api/v1/reactivate/callbacks", BodyRule::Optional)
        .about("Let callbacks through to a tenant's receivers again, and make due what waited for it")
        .example(r#"{"flow": "tenant"}"#);
    type Caller = Operator;
    type Query = TenantQuery;
    type Body = Reactivation;
    type Output = ReactivatedCallbacks;
}

/// Query of the list of a tenant's callbacks.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallbacksQuery {
    /// Id of the tenant: `tnt_` and 32 hexadecimal digits.
    pub tenant_id: TenantId,
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

impl Input for CallbacksQuery {
    fn tenant_id(&self) -> Option<&str> {
        Some(self.tenant_id.as_str())
    }
}

impl CallbacksQuery {
    /// What the list is of.
    pub fn filter(&self) -> CallbackFilter {
        CallbackFilter { state: self.state, event_type: self.event_type }
    }
}

/// Query parameters that name one of a tenant's callbacks.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallbackQuery {
    /// Id of the tenant: `tnt_` and 32 hexadecimal digits.
    pub tenant_id: TenantId,
    /// Id of the event: `evt_` and 32 hexadecimal digits.
    pub event_id: EventId,
}

impl Input for CallbackQuery {
    fn tenant_id(&self) -> Option<&str> {
        Some(self.tenant_id.as_str())
    }
}

/// Which callbacks are delivered anew: `event_ids` alone, or `state` and `since`, with or without `until`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallbacksToReplay {
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

impl Input for CallbacksToReplay {}

impl CallbacksToReplay {
    /// Which callbacks are delivered anew, and after which it goes on.
    ///
    /// # Errors
    /// If it is neither of the two forms, or a mixture of them.
    pub fn scope(self) -> Result<(ReplayScope, Option<Cursor>)> {
        let refused = |field, problem| Err(Error::invalid(field, Problem::new(problem)));
        match self {
            Self { event_ids: Some(events), state: None, since: None, until: None, cursor: None } => {
                if (1..=MOST_EVENTS).contains(&events.len()) {
                    Ok((ReplayScope::Events(events), None))
                } else {
                    refused("event_ids", "must be 1 to 100 event ids")
                }
            }
            Self { event_ids: Some(_), .. } => refused("event_ids", "must be alone, without any other field"),
            Self { state: Some(_), since: Some(since), until: Some(until), .. } if until <= since => {
                refused("until", "must be after since")
            }
            Self { state: Some(state), since: Some(since), until, cursor, .. } => {
                Ok((ReplayScope::State { state, since, until }, cursor))
            }
            Self { state: None, since: None, until: None, cursor: None, .. } => {
                refused("event_ids", "or state with since is required")
            }
            Self { state: None, .. } => refused("state", "is required"),
            Self { since: None, .. } => refused("since", "is required"),
        }
    }
}

/// Which receivers get callbacks again.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reactivation {
    /// Flow of the callbacks. Absent or null: all flows.
    #[serde(default)]
    pub flow: Option<Flow>,
}

impl Input for Reactivation {}

/// One page of a tenant's callbacks.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CallbacksPage {
    /// Callbacks of the page, newest first.
    pub callbacks: Vec<CallbackSummary>,
    /// Cursor of the next page; null on the last page.
    pub next_cursor: Option<Cursor>,
    /// Maximum number of callbacks on a page, as requested.
    pub limit: PageLimit,
}

impl CallbacksPage {
    /// The answer for a page of at most `limit` rows.
    pub fn new(page: CursorPage<CallbackSummary>, limit: PageLimit) -> Self {
        Self { callbacks: page.rows, next_cursor: page.next, limit }
    }
}

impl Output for CallbacksPage {}

impl Output for CallbackDetails {}

/// Outcome of a replay.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReplayedCallbacks {
    /// How many callbacks are delivered anew.
    pub replayed: usize,
    /// Callbacks that were asked for and are left as they are.
    pub skipped: Vec<SkippedCallback>,
    /// Cursor of what is left: the same body with it as `cursor` goes on. Null if nothing is left.
    pub next_cursor: Option<Cursor>,
}

impl From<Replayed> for ReplayedCallbacks {
    fn from(replayed: Replayed) -> Self {
        Self { replayed: replayed.events.len(), skipped: replayed.skipped, next_cursor: replayed.next }
    }
}

impl Output for ReplayedCallbacks {
    fn message(&self) -> &'static str {
        "Callbacks due"
    }
}

/// Event that tests a receiver.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PingSent {
    /// Id of the event, which its callback has too.
    pub event_id: EventId,
}

impl From<Pinged> for PingSent {
    fn from(pinged: Pinged) -> Self {
        Self { event_id: pinged.event_id }
    }
}

impl Output for PingSent {
    fn message(&self) -> &'static str {
        "Ping due"
    }
}

/// Outcome of a reactivation.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReactivatedCallbacks {
    /// How many callbacks waited, and are due now.
    pub resumed: u32,
}

impl From<Resumed> for ReactivatedCallbacks {
    fn from(resumed: Resumed) -> Self {
        Self { resumed: resumed.resumed }
    }
}

impl Output for ReactivatedCallbacks {
    fn message(&self) -> &'static str {
        "Callbacks reactivated"
    }
}
