//! Operations of the registry on API keys, signing keys and the revocation of tokens.

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use super::api_key_outputs::{
    ApiKeysPage, ProvisionedApiKey, RevokedApiKey, RotatedApiKey, SigningKeyView, TokensRevoked,
};
use super::tenants::Rotation;
use crate::api::common::{Empty, TenantQuery};
use crate::api::operation::{BodyRule, Input, Operation, Route};
use crate::auth::Operator;
use crate::domain::{
    ApiKeyId, Cursor, ExternalId, KeyKind, KeyLifetime, KeyName, KeyRotation, Origins, PageLimit, Person, Problem,
    TenantId, Timestamp, UuidText, not_null, string_enum,
};
use crate::error::{Error, Result};
use crate::store::{NewApiKey, RevokedTokens};

/// Gives a tenant an API key and shows it, once.
#[derive(Debug, Clone, Copy)]
pub struct ProvisionApiKey;

impl Operation for ProvisionApiKey {
    const ROUTE: Route = Route::post("provision-api-key", "/api/v1/provision/api-key", BodyRule::Required)
        .answering(201)
        .about("Issue an API key for a tenant, shown once")
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
        .about("List a tenant's API keys and their state, newest first, without the keys themselves");
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
        .about("Replace an API key, shown once; the old one stays valid for an optional overlap")
        .example(r#"{"overlap_seconds": 3600}"#);
    type Caller = Operator;
    type Query = OneApiKey;
    type Body = Rotation;
    type Output = RotatedApiKey;
}

/// Revokes an API key and all tokens minted with it.
#[derive(Debug, Clone, Copy)]
pub struct RevokeApiKey;

impl Operation for RevokeApiKey {
    const ROUTE: Route = Route::post("revoke-api-key", "/api/v1/revoke/api-key", BodyRule::Optional)
        .about("Revoke an API key and every token minted with it, from the next call on");
    type Caller = Operator;
    type Query = OneApiKey;
    type Body = Empty;
    type Output = RevokedApiKey;
}

/// Gives a tenant another key to sign tokens with.
#[derive(Debug, Clone, Copy)]
pub struct RotateSigningKey;

impl Operation for RotateSigningKey {
    const ROUTE: Route = Route::post("rotate-signing-key", "/api/v1/rotate/signing-key", BodyRule::Optional)
        .about("Replace the key that signs tokens by the standby key; by default, tokens of the old one stay valid")
        .example(r#"{"drop_previous": false, "force": false}"#);
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
        .about("Revoke the tokens of a user, an organization, an end user, an API key or the whole tenant")
        .example(r#"{"external_user_id": "user_789"}"#);
    type Caller = Operator;
    type Query = TenantQuery;
    type Body = TokensToRevoke;
    type Output = TokensRevoked;
}

/// Query parameters that name an API key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneApiKey {
    /// Id of the tenant: `tnt_` and 32 hexadecimal digits.
    pub tenant_id: TenantId,
    /// Id of the API key: `key_` and 16 hexadecimal digits.
    pub key_id: ApiKeyId,
}

impl Input for OneApiKey {
    fn tenant_id(&self) -> Option<&str> {
        Some(self.tenant_id.as_str())
    }
}

/// Query parameters that name a tenant and one page of its API keys.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKeysQuery {
    /// Id of the tenant: `tnt_` and 32 hexadecimal digits.
    pub tenant_id: TenantId,
    /// Maximum number of API keys on the page, 1 to 100 (default 100).
    #[serde(default = "all")]
    pub limit: PageLimit,
    /// Cursor of the page: the `next_cursor` of the previous page. Absent for the first page.
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

/// Request body for issuing an API key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyInput {
    /// Name of the key, 1 to 120 characters. It need not be unique.
    pub name: KeyName,
    /// Kind of the key, which decides what it may be used for.
    #[serde(deserialize_with = "string_enum")]
    pub kind: KeyKind,
    /// Lifetime of the key in seconds, from a minute to ten years. Absent or null: it is valid until it is revoked.
    #[serde(default)]
    pub expires_in: Option<KeyLifetime>,
    /// Web origins from which browsers may send the key, at most 50. Empty or absent: any origin may.
    #[serde(default)]
    pub allowed_origins: Origins,
    /// Whether `allowed_origins` also applies to the scoped tokens that the key mints (default true).
    #[serde(default = "yes")]
    pub origins_apply_to_tokens: bool,
}

fn yes() -> bool {
    true
}

impl Input for ApiKeyInput {}

impl ApiKeyInput {
    /// The key to issue at that time.
    pub fn at(self, now: Timestamp) -> NewApiKey {
        let lifetime = |seconds: KeyLifetime| std::time::Duration::from_secs(seconds.get().into());
        NewApiKey {
            name: self.name,
            kind: self.kind,
            expires_at: self.expires_in.map(|seconds| now.plus(lifetime(seconds))),
            allowed_origins: self.allowed_origins,
            origins_apply_to_tokens: self.origins_apply_to_tokens,
        }
    }
}

/// Request body for rotating a signing key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SigningKeyRotation {
    /// Whether the old keys are removed from the key set at once, as is needed if one has leaked, and the standby key
    /// with them. A fresh key then signs at once. Tokens signed with the old ones are refused, and verifiers may refuse
    /// fresh ones until `caches_may_refuse_until`. Default: false, and tokens signed with the old key stay valid until
    /// they expire.
    #[serde(default)]
    pub drop_previous: bool,
    /// Whether the standby key signs even if it has been published for less than 15 minutes, so that verifiers may
    /// refuse fresh tokens until `caches_may_refuse_until`. A tenant without a standby key gets a fresh key that signs
    /// at once. Default: false, and the rotation is refused with 409 `standby_too_young`.
    #[serde(default)]
    pub force: bool,
}

impl From<SigningKeyRotation> for KeyRotation {
    fn from(SigningKeyRotation { drop_previous, force }: SigningKeyRotation) -> Self {
        Self { drop_previous, force }
    }
}

impl Input for SigningKeyRotation {}

/// Request body that selects the tokens to revoke. Exactly one field must be set.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokensToRevoke {
    /// UUID of a registered user: revokes the user's tokens.
    #[serde(default, deserialize_with = "user_uuid")]
    pub user_id: Option<UuidText>,
    /// UUID of a registered organization: revokes the tokens of all its users.
    pub organization_id: Option<UuidText>,
    /// External id of an end user: revokes the tokens that speak for that end user. Null is refused.
    #[serde(default, deserialize_with = "not_null")]
    #[schemars(with = "ExternalId")]
    pub external_user_id: Option<ExternalId>,
    /// Id of an API key: revokes the tokens minted with that key.
    pub key_id: Option<ApiKeyId>,
    /// Whether all tokens of the tenant are revoked. Must be true if it is set.
    pub all: Option<bool>,
}

/// A uuid, or the refusal that says where another id goes: on the projects surface either is taken.
fn user_uuid<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<UuidText>, D::Error> {
    let rule = "must be a uuid: your own id of the user goes in external_user_id";
    Option::deserialize(deserializer).map_err(|_| D::Error::custom(rule))
}

impl Input for TokensToRevoke {
    fn person(&self) -> Option<Person<'_>> {
        let user = self.user_id.map(|id| Person::User(id.get()));
        let organization = self.organization_id.map(|id| Person::Organization(id.get()));
        user.or(organization).or(self.external_user_id.as_ref().map(Person::EndUser))
    }
}

impl TokensToRevoke {
    /// The owner of the tokens to revoke.
    ///
    /// # Errors
    /// If not exactly one field is set.
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
                Problem::new("or organization_id, external_user_id, key_id or all is required: exactly one of them"),
            )),
        }
    }
}
