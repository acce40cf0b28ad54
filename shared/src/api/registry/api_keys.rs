//! The registry's part about API keys, signing keys and the revocation of tokens.

use schemars::JsonSchema;
use serde::Deserialize;

use super::api_key_outputs::{
    ApiKeysPage, ProvisionedApiKey, RevokedApiKey, RotatedApiKey, SigningKeyView, TokensRevoked,
};
use super::tenants::Rotation;
use crate::api::common::{Empty, TenantQuery};
use crate::api::operation::{BodyRule, Input, Operation, Route};
use crate::auth::Operator;
use crate::domain::{
    ApiKeyId, Cursor, ExternalId, KeyKind, KeyLifetime, KeyName, Origins, PageLimit, Problem, TenantId, Timestamp,
    UuidText, string_enum,
};
use crate::error::{Error, Result};
use crate::store::{NewApiKey, RevokedTokens};

/// Gives a tenant an API key and shows it, once.
#[derive(Debug, Clone, Copy)]
pub struct ProvisionApiKey;

impl Operation for ProvisionApiKey {
    const ROUTE: Route = Route::post("provision-api-key", "/api/v1/provision/api-key", BodyRule::Required)
        .answering(201)
        .about("New API key for a tenant, shown once")
        .example(r#"{"name": "Backend", "kind": "embed"}"#);
    type Caller = Operator;
    type Query = TenantQuery;
    type Body = ApiKeyInput;
    type Output = ProvisionedApiKey;
}

/// Lists a tenant's API keys.
#[derive(Debug, Clone, Copy)]
pub struct FetchApiKeys;

impl Operation for FetchApiKeys {
    const ROUTE: Route = Route::get("fetch-api-keys", "/api/v1/fetch/api-keys")
        .about("A tenant's API keys and their state, newest first; never the keys");
    type Caller = Operator;
    type Query = ApiKeysQuery;
    type Body = Empty;
    type Output = ApiKeysPage;
}

/// Gives an API key a new secret.
#[derive(Debug, Clone, Copy)]
pub struct RotateApiKey;

impl Operation for RotateApiKey {
    const ROUTE: Route = Route::post("rotate-api-key", "/api/v1/rotate/api-key", BodyRule::Optional)
        .about("New secret for an API key, shown once; the old one is dead at once, or after an overlap")
        .example(r#"{"overlap_seconds": 3600}"#);
    type Caller = Operator;
    type Query = OneApiKey;
    type Body = Rotation;
    type Output = RotatedApiKey;
}

/// Refuses an API key and all tokens that it minted, from now on.
#[derive(Debug, Clone, Copy)]
pub struct RevokeApiKey;

impl Operation for RevokeApiKey {
    const ROUTE: Route = Route::post("revoke-api-key", "/api/v1/revoke/api-key", BodyRule::Optional)
        .about("Refuse an API key and every token that it minted, from the next call on");
    type Caller = Operator;
    type Query = OneApiKey;
    type Body = Empty;
    type Output = RevokedApiKey;
}

/// Gives a tenant a new key to sign tokens with.
#[derive(Debug, Clone, Copy)]
pub struct RotateSigningKey;

impl Operation for RotateSigningKey {
    const ROUTE: Route = Route::post("rotate-signing-key", "/api/v1/rotate/signing-key", BodyRule::Optional)
        .about("New key to sign tokens with; tokens of the old one stay valid until they expire")
        .example(r#"{"drop_previous": false}"#);
    type Caller = Operator;
    type Query = TenantQuery;
    type Body = SigningKeyRotation;
    type Output = SigningKeyView;
}

/// Revokes tokens that were issued until now.
#[derive(Debug, Clone, Copy)]
pub struct RevokeTokens;

impl Operation for RevokeTokens {
    const ROUTE: Route = Route::post("revoke-tokens", "/api/v1/revoke/tokens", BodyRule::Required)
        .about("Revoke the tokens of a user, an organization, an end user, an API key, or all")
        .example(r#"{"external_user_id": "user_789"}"#);
    type Caller = Operator;
    type Query = TenantQuery;
    type Body = TokensToRevoke;
    type Output = TokensRevoked;
}

/// Which API key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneApiKey {
    /// The tenant's id.
    pub tenant_id: TenantId,
    /// The key's id.
    pub key_id: ApiKeyId,
}

impl Input for OneApiKey {
    fn tenant_id(&self) -> Option<&str> {
        Some(self.tenant_id.as_str())
    }
}

/// Which tenant's keys, and which page of them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKeysQuery {
    /// The tenant's id.
    pub tenant_id: TenantId,
    /// Rows on the page; as many as there can be, unless it says otherwise.
    #[serde(default = "all")]
    pub limit: PageLimit,
    /// The `next_cursor` of the page before.
    pub cursor: Option<Cursor>,
}

fn all() -> PageLimit {
    PageLimit::MOST
}

impl Input for ApiKeysQuery {
    fn tenant_id(&self) -> Option<&str> {
        Some(self.tenant_id.as_str())
    }
}

/// What a key is to be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyInput {
    /// What the operator calls it.
    pub name: KeyName,
    /// What it may be used for.
    #[serde(deserialize_with = "string_enum")]
    pub kind: KeyKind,
    /// For how many seconds it is valid; left out or null, until it is revoked.
    #[serde(default)]
    pub expires_in: Option<KeyLifetime>,
    /// Web origins from which browsers may send it; empty = any.
    #[serde(default)]
    pub allowed_origins: Origins,
}

impl Input for ApiKeyInput {}

impl ApiKeyInput {
    /// The key that is to be, made at that time.
    pub fn at(self, now: Timestamp) -> NewApiKey {
        let lifetime = |seconds: KeyLifetime| std::time::Duration::from_secs(seconds.get().into());
        NewApiKey {
            name: self.name,
            kind: self.kind,
            expires_at: self.expires_in.map(|seconds| now.plus(lifetime(seconds))),
            allowed_origins: self.allowed_origins,
        }
    }
}

/// How to replace the signing key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SigningKeyRotation {
    /// Whether the old keys are dropped from the key set: if one has leaked. Tokens signed with them are then refused.
    #[serde(default)]
    pub drop_previous: bool,
}

impl Input for SigningKeyRotation {}

/// Whose tokens. Exactly one of the fields.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokensToRevoke {
    /// A user's.
    pub user_id: Option<UuidText>,
    /// Those of all users of an organization.
    pub organization_id: Option<UuidText>,
    /// Those that speak for an end user, by the tenant's own id of it.
    pub external_user_id: Option<ExternalId>,
    /// Those that an API key minted.
    pub key_id: Option<ApiKeyId>,
    /// All of the tenant's, if true.
    pub all: Option<bool>,
}

impl Input for TokensToRevoke {}

impl TokensToRevoke {
    /// Whose.
    ///
    /// # Errors
    /// If it isn't exactly one.
    pub fn whose(self) -> Result<RevokedTokens> {
        let everyone = self.all.map(|all| if all { Ok(RevokedTokens::All) } else { Err(()) });
        if everyone == Some(Err(())) {
            return Err(Error::invalid("all", Problem::new("must be true, or left out")));
        }
        let named = [
            self.user_id.map(|id| RevokedTokens::User(id.get())),
            self.organization_id.map(|id| RevokedTokens::Organization(id.get())),
            self.external_user_id.map(RevokedTokens::ExternalUser),
            self.key_id.map(RevokedTokens::Key),
            everyone.and(Some(RevokedTokens::All)),
        ];
        let mut named = named.into_iter().flatten();
        match (named.next(), named.next()) {
            (Some(whose), None) => Ok(whose),
            _ => Err(Error::invalid(
                "user_id",
                Problem::new("or organization_id, external_user_id, key_id or all: exactly one must be there"),
            )),
        }
    }
}
