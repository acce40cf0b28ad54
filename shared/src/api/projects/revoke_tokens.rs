//! Logging a user out: its tokens are revoked by its tenant's backend.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::api::common::{ApiKeyField, Empty};
use crate::api::operation::{BodyRule, Input, Operation, Output, Route, Surface};
use crate::auth::{KeyHolder, Registers};
use crate::domain::{ExternalId, Person, Problem, Reference, Timestamp};
use crate::error::{Error, Result};
use crate::store::{Party, Read};

/// Revokes the tokens of one of the tenant's parties.
#[derive(Debug, Clone, Copy)]
pub struct ProjectRevokeTokens;

impl Operation for ProjectRevokeTokens {
    const ROUTE: Route = Route::post("project-revoke-tokens", "/v1/api/projects/revoke-tokens", BodyRule::Required)
        .about("Revoke the tokens of a user, an organization or an end user: log them out")
        .example(r#"{"userId": "9b2e4f17-30ad-4e86-a5c9-7d18f6b0e233"}"#);
    const SURFACE: Surface = Surface::Projects;
    type Caller = KeyHolder<Registers>;
    type Query = Empty;
    type Body = PartyInput;
    type Output = PartyRevoked;

    fn prefetch(_: &Empty, body: &PartyInput) -> Vec<Read> {
        let organizations = body.organization_id.iter().flat_map(Read::organization);
        body.user_id.iter().flat_map(Read::user).chain(organizations).collect()
    }
}

/// Request body that selects the party whose tokens are revoked. Exactly one of the first three is required. Unknown
/// fields are ignored.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PartyInput {
    /// UUID or external id of a registered user. A text that is a UUID is first tried as a UUID.
    #[serde(default)]
    pub user_id: Option<Reference>,
    /// UUID or external id of a registered organization: revokes the tokens of all its users.
    #[serde(default)]
    pub organization_id: Option<Reference>,
    /// The tenant's own id of an end user, who need not be registered: revokes all tokens that speak for that end user,
    /// scoped ones too.
    #[serde(default)]
    pub external_user_id: Option<ExternalId>,
    /// API key, if it is not sent in a header.
    #[serde(default)]
    pub api_key: ApiKeyField,
}

impl Input for PartyInput {
    const FIELDS: &'static [&'static str] = &["userId", "organizationId", "externalUserId", "apiKey"];

    fn api_key(&self) -> Option<&Zeroizing<String>> {
        self.api_key.get()
    }

    fn person(&self) -> Option<Person<'_>> {
        self.external_user_id.as_ref().map(Person::EndUser)
    }
}

impl PartyInput {
    /// The party whose tokens are to be revoked.
    ///
    /// # Errors
    /// If not exactly one is named.
    pub fn party(self) -> Result<Party> {
        match (self.user_id, self.organization_id, self.external_user_id) {
            (Some(user), None, None) => Ok(Party::User(user)),
            (None, Some(organization), None) => Ok(Party::Organization(organization)),
            (None, None, Some(id)) => Ok(Party::ExternalUser(id)),
            _ => {
                let rule = Problem::new("or organizationId or externalUserId is required: exactly one of them");
                Err(Error::invalid("userId", rule))
            }
        }
    }
}

/// Revocation of a party's tokens.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PartyRevoked {
    /// Time of the revocation. Tokens issued after it are not affected.
    pub revoked_before: Timestamp,
    /// Whether anything is kept of the party: a registration, rows, passkeys or devices. An end user who had tokens
    /// only leaves nothing; if it is false otherwise, look for a typo in the id.
    pub known: bool,
}

impl Output for PartyRevoked {}
