//! Scoped tokens.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::EndUser;
use crate::api::common::Empty;
use crate::api::operation::{BodyRule, Input, Operation, Output, Route, Surface};
use crate::auth::AccountKey;
use crate::domain::{ExternalId, Minutes, Scope, SignedToken};
use crate::store::Read;

/// Issues a token for an end user, or for the whole account.
#[derive(Debug, Clone, Copy)]
pub struct AuthToken;

impl Operation for AuthToken {
    const ROUTE: Route = Route::post("auth-token", "/api/v1/auth/token", BodyRule::Optional)
        .about("Issue a short-lived token for an end user of the account, or for the whole account")
        .example(r#"{"external_user_id": "user_456", "expires_in_minutes": 30}"#);
    const SURFACE: Surface = Surface::Account;
    const IS_REMEMBERED: bool = false;
    const READS_SECRETS: bool = true;
    // Without a body, the token is for the whole account.
    const NULL_IS_NO_BODY: bool = false;
    type Caller = AccountKey;
    type Query = Empty;
    type Body = ScopedTokenInput;
    type Output = ScopedToken;

    fn prefetch(_: &Empty, _: &ScopedTokenInput) -> Vec<Read> {
        vec![Read::EndUser]
    }
}

/// Request body for issuing a scoped token.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScopedTokenInput {
    /// External id of the end user that the token speaks for. It may be given here or in a header. Without it, the
    /// token sees the whole account and must not reach a page or an app.
    #[serde(default)]
    pub external_user_id: EndUser,
    /// Lifetime of the token in minutes, 5 to 1440 (default 60).
    #[serde(default)]
    pub expires_in_minutes: Minutes,
}

impl Input for ScopedTokenInput {
    fn end_user(&self) -> Option<&ExternalId> {
        self.external_user_id.id()
    }
}

/// Scoped token and its lifetime.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ScopedToken {
    /// Signed JWT (ES256, `typ` `at+jwt`) to send as `Authorization: Bearer`.
    access_token: SignedToken,
    /// Type of the token: always `bearer`.
    token_type: &'static str,
    /// Lifetime of the token in seconds.
    expires_in: u64,
    /// Reach of the token: `end_user`, or `account` if the request named no end user.
    scope: Scope,
}

impl ScopedToken {
    pub fn new(access_token: SignedToken, lifetime: Minutes, scope: Scope) -> Self {
        Self { access_token, token_type: "bearer", expires_in: u64::from(lifetime.get()) * 60, scope }
    }
}

impl Output for ScopedToken {}
