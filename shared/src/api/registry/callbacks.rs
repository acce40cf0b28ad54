//! Operations of the registry on callbacks: the operator sees what became of them, and lets them through again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::common::{Empty, TenantQuery};
use crate::api::operation::{BodyRule, Input, Operation, Output, Route};
use crate::auth::Operator;
use crate::domain::{CallbackSummary, Cursor, CursorPage, Flow, PageLimit, TenantId};
use crate::store::Resumed;

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
