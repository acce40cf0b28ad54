//! Operations of the registry on the console.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::operation::{BodyRule, Input, Operation, Output, Route};
use crate::auth::Operator;
use crate::domain::{ConsoleId, ConsoleLabel, RevealedConsoleSecret, TenantId, Timestamp};
use crate::store::IssuedConsoleLink;

/// Makes a link to the console.
#[derive(Debug, Clone, Copy)]
pub struct ProvisionConsoleLink;

impl Operation for ProvisionConsoleLink {
    const ROUTE: Route = Route::post("provision-console-link", "/api/v1/provision/console-link", BodyRule::Required)
        .answering(201)
        .about(
            "Make a link to a tenant's console, or without a tenant to the operator's: it opens once, within 5 minutes",
        )
        .example(r#"{"label": "Ada Lovelace"}"#);
    type Caller = Operator;
    type Query = ConsoleLinkQuery;
    type Body = ConsoleLinkInput;
    type Output = ProvisionedConsoleLink;
}

/// Query parameters that say whose console a link is to open.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsoleLinkQuery {
    /// Id of the tenant whose people are to open the link. Absent: it opens the operator's console, which takes the
    /// operator's key.
    pub tenant_id: Option<TenantId>,
}

impl Input for ConsoleLinkQuery {
    fn tenant_id(&self) -> Option<&str> {
        self.tenant_id.as_ref().map(TenantId::as_str)
    }
}

/// Request body for a link to the console.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsoleLinkInput {
    /// Name of whoever is to open it. It is in the audit events of the session.
    pub label: ConsoleLabel,
}

impl Input for ConsoleLinkInput {}

/// New link to the console.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ProvisionedConsoleLink {
    /// Id of the link, and of the session that it will open.
    pub console_id: ConsoleId,
    /// Address that opens it, shown once. Null if the address of the tenant's surfaces is not known to the deployment
    /// (its parameter `PublicUrl`), or in a repeated answer to the same `Idempotency-Key` that can no longer show it.
    pub link: Option<RevealedConsoleSecret>,
    /// The code in it: behind the service's address it is `/console#` and this. Null as `link` is in a repeated answer.
    pub code: Option<RevealedConsoleSecret>,
    /// Name of whoever is to open it.
    pub label: ConsoleLabel,
    /// Id of the tenant whose console it opens; null if it is the operator's.
    pub tenant_id: Option<TenantId>,
    /// Time from which it does not open any more.
    pub expires_at: Timestamp,
}

impl ProvisionedConsoleLink {
    /// The answer for a link whose console is at that address, if it is known.
    pub fn new(IssuedConsoleLink { code, summary }: IssuedConsoleLink, address: Option<&str>) -> Self {
        let code = code.map(crate::domain::ConsoleCode::reveal);
        Self {
            console_id: summary.id,
            link: code.as_ref().zip(address).map(|(code, address)| code.link(address)),
            code,
            label: summary.label,
            tenant_id: summary.tenant_id,
            expires_at: summary.expires_at,
        }
    }
}

impl Output for ProvisionedConsoleLink {
    fn message(&self) -> &'static str {
        match self.code {
            Some(_) => "Console link made. It opens once, within five minutes.",
            None => "Console link made. It was shown before and can't be shown again.",
        }
    }

    fn tenant_id(&self) -> Option<&str> {
        self.tenant_id.as_ref().map(TenantId::as_str)
    }
}
