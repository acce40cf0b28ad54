//! Tokens, by the RFCs: the keys to verify them with, whether one is valid now, and taking one back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::common::{Empty, TenantQuery};
use crate::api::operation::{BodyRule, Input, Operation, Output, Route, Surface};
use crate::auth::{Anyone, InspectsTokens, KeyHolder, PresentedToken};
use crate::domain::{Claims, Issuer, PublishedKey, TenantId};
use crate::store::Read;

/// The public keys that a tenant's tokens are verified with (RFC 7517 §5).
#[derive(Debug, Clone, Copy)]
pub struct Jwks;

impl Operation for Jwks {
    const ROUTE: Route = Route::get("jwks", "/t/{tenant_id}/.well-known/jwks.json")
        .about("The public keys of a tenant's tokens (RFC 7517)");
    const SURFACE: Surface = Surface::Tokens;
    type Caller = Anyone;
    type Query = TenantQuery;
    type Body = Empty;
    type Output = KeySet;
}

/// Where to find what there is about a tenant's tokens (RFC 8414).
#[derive(Debug, Clone, Copy)]
pub struct OauthAuthorizationServer;

impl Operation for OauthAuthorizationServer {
    const ROUTE: Route =
        Route::get("oauth-authorization-server", "/t/{tenant_id}/.well-known/oauth-authorization-server")
            // The RFC (§3.1) puts the well-known part in front; its readers look there.
            .also_at(&["/.well-known/oauth-authorization-server/t/{tenant_id}"])
            .about("Issuer, key set and endpoints of a tenant's tokens (RFC 8414)");
    const SURFACE: Surface = Surface::Tokens;
    type Caller = Anyone;
    type Query = TenantQuery;
    type Body = Empty;
    type Output = ServerMetadata;
}

/// Whether a token is valid now (RFC 7662).
#[derive(Debug, Clone, Copy)]
pub struct Introspect;

impl Operation for Introspect {
    const ROUTE: Route = Route::post("introspect", "/api/v1/auth/introspect", BodyRule::Form)
        .about("Whether a token is valid now, and its claims (RFC 7662)")
        .example(r#"{"token": "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.c2lnbmF0dXJl"}"#);
    const SURFACE: Surface = Surface::Tokens;
    type Caller = KeyHolder<InspectsTokens>;
    type Query = Empty;
    type Body = TokenInput;
    type Output = Introspection;

    fn prefetch(_: &Empty, body: &TokenInput) -> Vec<Read> {
        body.token.reads()
    }
}

/// Takes one token back (RFC 7009).
#[derive(Debug, Clone, Copy)]
pub struct RevokeToken;

impl Operation for RevokeToken {
    const ROUTE: Route = Route::post("revoke-token", "/api/v1/auth/revoke", BodyRule::Form)
        .about("Take one token back, until it expires (RFC 7009)")
        .example(r#"{"token": "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.c2lnbmF0dXJl"}"#);
    const SURFACE: Surface = Surface::Tokens;
    type Caller = KeyHolder<InspectsTokens>;
    type Query = Empty;
    type Body = TokenInput;
    type Output = Revoked;

    fn prefetch(_: &Empty, body: &TokenInput) -> Vec<Read> {
        body.token.reads()
    }
}

/// A token. Unknown parameters are ignored, as both RFCs ask for.
#[derive(Deserialize, JsonSchema)]
pub struct TokenInput {
    /// The token.
    pub token: PresentedToken,
    /// What the caller takes it for. It is looked at for what it is.
    #[serde(default)]
    pub token_type_hint: Option<String>,
}

impl Input for TokenInput {}

impl std::fmt::Debug for TokenInput {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("TokenInput")
    }
}

/// Public keys (RFC 7517 §5).
#[derive(Debug, Serialize, JsonSchema)]
pub struct KeySet {
    /// The one in force, and those whose tokens can still be valid.
    pub keys: Vec<Jwk>,
}

/// A public key (RFC 7517 §4, RFC 7518 §6.2.1).
#[derive(Debug, Serialize, JsonSchema)]
pub struct Jwk {
    pub kty: &'static str,
    pub crv: &'static str,
    pub x: String,
    pub y: String,
    pub kid: String,
    pub alg: &'static str,
    #[serde(rename = "use")]
    pub purpose: &'static str,
}

impl From<Vec<PublishedKey>> for KeySet {
    fn from(keys: Vec<PublishedKey>) -> Self {
        let jwk = |published: PublishedKey| Jwk {
            kty: "EC",
            crv: "P-256",
            x: published.key.x,
            y: published.key.y,
            kid: published.kid,
            alg: "ES256",
            purpose: "sig",
        };
        Self { keys: keys.into_iter().map(jwk).collect() }
    }
}

impl Output for KeySet {
    // A key is in the set with the first token that it signs: a verifier that meets an unknown one has to fetch the set again, past
    // whatever it has kept.
    fn cache_control(&self) -> &'static str {
        "public, max-age=300"
    }
}

/// What RFC 8414 §2 says of an issuer. No `token_endpoint`: tokens are issued to backends with an API key, by no grant that the RFCs define.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ServerMetadata {
    pub issuer: String,
    pub jwks_uri: String,
    pub response_types_supported: [&'static str; 0],
    pub grant_types_supported: [&'static str; 0],
    pub introspection_endpoint: String,
    pub introspection_endpoint_auth_methods_supported: [&'static str; 2],
    pub revocation_endpoint: String,
    pub revocation_endpoint_auth_methods_supported: [&'static str; 1],
}

impl ServerMetadata {
    /// That of a tenant's issuer at the service's address.
    pub fn new(base_url: &str, tenant_id: &TenantId) -> Self {
        let issuer = Issuer::new(base_url, tenant_id);
        Self {
            issuer: issuer.as_str().to_owned(),
            jwks_uri: format!("{}/.well-known/jwks.json", issuer.as_str()),
            response_types_supported: [],
            grant_types_supported: [],
            introspection_endpoint: format!("{base_url}{}", Introspect::ROUTE.path),
            introspection_endpoint_auth_methods_supported: ["client_secret_basic", "Bearer"],
            revocation_endpoint: format!("{base_url}{}", RevokeToken::ROUTE.path),
            // It takes a bearer too, but this list has no name for that.
            revocation_endpoint_auth_methods_supported: ["client_secret_basic"],
        }
    }
}

impl Output for ServerMetadata {}

/// What is to be said of a token (RFC 7662 §2.2): its claims if it is valid now, and nothing at all if it isn't.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Introspection {
    pub active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<&'static str>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub claims: Option<Claims>,
}

impl From<Option<Claims>> for Introspection {
    fn from(claims: Option<Claims>) -> Self {
        Self { active: claims.is_some(), token_type: claims.is_some().then_some("Bearer"), claims }
    }
}

impl Output for Introspection {}

/// The token is not valid any more, if it ever was. RFC 7009 §2.2 answers the same in both cases.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Revoked {}

impl Output for Revoked {}
