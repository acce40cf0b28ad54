//! Scoped tokens.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::EndUser;
use crate::api::common::Empty;
use crate::api::operation::{BodyRule, Input, Operation, Output, Route, Surface};
use crate::auth::AccountKey;
use crate::domain::{ExternalId, Minutes, SignedToken};
use crate::store::Read;

/// Issues a token for an end user, or for the whole account.
#[derive(Debug, Clone, Copy)]
pub struct AuthToken;

impl Operation for AuthToken {
    const ROUTE: Route = Route::post("auth-token", "/api/v1/auth/token", BodyRule::Optional)
        .about("Short-lived token for an end user of the account, or for all of it")
        .example(r#"{"external_user_id": "user_456", "expires_in_minutes": 30}"#);
    const SURFACE: Surface = Surface::Account;
    type Caller = AccountKey;
    type Query = Empty;
    type Body = ScopedTokenInput;
    type Output = ScopedToken;

    fn prefetch(_: &Empty, _: &ScopedTokenInput) -> Vec<Read> {
        vec![Read::EndUser]
    }
}

/// For whom, and for how long.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScopedTokenInput {
    /// The end user that the token speaks for. Without one it speaks for the whole account: not for a page or an app.
    #[serde(default)]
    pub external_user_id: EndUser,
    #[serde(default)]
    pub expires_in_minutes: Minutes,
}

impl Input for ScopedTokenInput {
    fn end_user(&self) -> Option<&ExternalId> {
        self.external_user_id.id()
    }
}

/// A token.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ScopedToken {
    access_token: SignedToken,
    token_type: &'static str,
    /// For how many seconds it is valid.
    expires_in: u64,
}

impl ScopedToken {
    pub fn new(access_token: SignedToken, lifetime: Minutes) -> Self {
        Self { access_token, token_type: "bearer", expires_in: u64::from(lifetime.get()) * 60 }
    }
}

impl Output for ScopedToken {}
