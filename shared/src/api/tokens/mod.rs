//! The tokens surface, as the RFCs define it: public keys, issuer metadata, introspection and revocation.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use zeroize::Zeroizing;

use crate::api::common::{ApiKeyField, Empty};
use crate::api::operation::{BodyRule, Input, Operation, Output, Route, Surface};
use crate::auth::{Anyone, InspectsTokens, KeyHolder, PresentedToken};
use crate::domain::{Claims, Issuer, PublishedKey, TenantId};
use crate::error::{Error, Result};
use crate::store::Read;

/// Publishes the keys that verify a tenant's tokens (RFC 7517 §5).
#[derive(Debug, Clone, Copy)]
pub struct Jwks;

impl Operation for Jwks {
    const ROUTE: Route = Route::get("jwks", "/t/{tenant_id}/.well-known/jwks.json")
        .about("Get the public keys that verify a tenant's tokens (RFC 7517)");
    const SURFACE: Surface = Surface::Tokens;
    type Caller = Anyone;
    type Query = IssuerPath;
    type Body = Empty;
    type Output = KeySet;
}

/// Publishes the metadata of a tenant's issuer (RFC 8414).
#[derive(Debug, Clone, Copy)]
pub struct OauthAuthorizationServer;

impl Operation for OauthAuthorizationServer {
    const ROUTE: Route =
        Route::get("oauth-authorization-server", "/t/{tenant_id}/.well-known/oauth-authorization-server")
            // The RFC (§3.1) puts the well-known part in front; its readers look there.
            // Other readers know the path of OpenID Connect only, and of the metadata want issuer and key set.
            .also_at(&[
                "/.well-known/oauth-authorization-server/t/{tenant_id}",
                "/t/{tenant_id}/.well-known/openid-configuration",
            ])
            .about("Get the issuer, key set and endpoints of a tenant's tokens (RFC 8414)");
    const SURFACE: Surface = Surface::Tokens;
    type Caller = Anyone;
    type Query = IssuerPath;
    type Body = Empty;
    type Output = ServerMetadata;
}

/// Tells whether a token is valid now (RFC 7662).
#[derive(Debug, Clone, Copy)]
pub struct Introspect;

impl Operation for Introspect {
    const ROUTE: Route = Route::post("introspect", "/api/v1/auth/introspect", BodyRule::Form)
        .about("Check whether a token is valid now, and get its claims (RFC 7662)")
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

/// Revokes one token (RFC 7009).
#[derive(Debug, Clone, Copy)]
pub struct RevokeToken;

impl Operation for RevokeToken {
    const ROUTE: Route = Route::post("revoke-token", "/api/v1/auth/revoke", BodyRule::Form)
        .about("Revoke one token (RFC 7009)")
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

/// Path of what is published about a tenant's tokens.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IssuerPath {
    /// Id of the tenant: `tnt_` and 32 hexadecimal digits. A malformed id is treated as an unknown id.
    #[serde(deserialize_with = "id_in_path")]
    #[schemars(with = "TenantId")]
    tenant_id: Option<TenantId>,
}

fn id_in_path<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<TenantId>, D::Error> {
    Ok(TenantId::parse(&String::deserialize(deserializer)?).ok())
}

impl IssuerPath {
    /// The tenant whose tokens they are.
    ///
    /// # Errors
    /// If the id is none that a tenant could have: then it is unknown.
    pub fn tenant(&self) -> Result<&TenantId> {
        self.tenant_id.as_ref().ok_or(Error::TenantNotFound)
    }
}

impl Input for IssuerPath {
    fn tenant_id(&self) -> Option<&str> {
        self.tenant_id.as_ref().map(TenantId::as_str)
    }
}

/// Request body that presents a token. Unknown parameters are ignored, as RFC 7662 and RFC 7009 require.
#[derive(Deserialize, JsonSchema)]
pub struct TokenInput {
    /// Token to introspect or to revoke, as it was issued.
    pub token: PresentedToken,
    /// Hint about the type of the token (RFC 7009 §2.1). It is accepted and ignored.
    #[serde(default)]
    pub token_type_hint: Option<String>,
    /// Id of the API key, which may be left out. One that is there is that of the key, wherever the key is sent.
    #[serde(default)]
    pub client_id: Option<String>,
    /// API key, if it is not sent in a header: `client_secret_post` of RFC 6749 §2.3.1.
    #[serde(default)]
    pub client_secret: ApiKeyField,
}

impl Input for TokenInput {
    fn api_key(&self) -> Option<&Zeroizing<String>> {
        self.client_secret.get()
    }

    fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }
}

impl std::fmt::Debug for TokenInput {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("TokenInput")
    }
}

/// JSON Web Key Set (RFC 7517 §5) of a tenant.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KeySet {
    /// Public keys: the one that signs new tokens, the standby key that will sign them after it, and those whose tokens
    /// can still be valid.
    pub keys: Vec<Jwk>,
}

/// JSON Web Key: a public key on an elliptic curve (RFC 7517 §4, RFC 7518 §6.2.1).
#[derive(Debug, Serialize, JsonSchema)]
pub struct Jwk {
    /// Key type: always `EC`.
    pub kty: &'static str,
    /// Elliptic curve: always `P-256`.
    pub crv: &'static str,
    /// The x coordinate of the public key: 32 bytes in base64url.
    pub x: String,
    /// The y coordinate of the public key: 32 bytes in base64url.
    pub y: String,
    /// Key id: the `kid` in the header of the tokens that the key signed.
    pub kid: String,
    /// Signature algorithm: always `ES256`.
    pub alg: &'static str,
    /// Use of the key: always `sig`, for signatures.
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
    // A key is in the set for fifteen minutes before it signs, of which this is a part.
    fn cache_control(&self) -> &'static str {
        "public, max-age=300"
    }
}

/// Authorization server metadata of a tenant (RFC 8414 §2). It has no `token_endpoint`, since tokens are issued to
/// backends with an API key and not by a grant that the RFCs define.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ServerMetadata {
    /// Issuer of the tenant's tokens, which is their `iss` claim.
    pub issuer: String,
    /// URL of the tenant's key set.
    pub jwks_uri: String,
    /// Supported OAuth response types: always empty.
    #[schemars(extend("items" = { "type": "string" }))]
    pub response_types_supported: [&'static str; 0],
    /// Supported OAuth grant types: always empty.
    #[schemars(extend("items" = { "type": "string" }))]
    pub grant_types_supported: [&'static str; 0],
    /// URL of the introspection endpoint (RFC 7662).
    pub introspection_endpoint: String,
    /// Ways to authenticate at the introspection endpoint with an API key: HTTP Basic with the key's id as the user and
    /// the key as the password, the same two as `client_id` and `client_secret` in the body, or a bearer credential.
    pub introspection_endpoint_auth_methods_supported: [&'static str; 3],
    /// URL of the revocation endpoint (RFC 7009).
    pub revocation_endpoint: String,
    /// Ways to authenticate at the revocation endpoint with an API key. A bearer credential is accepted as well, for
    /// which this list has no name.
    pub revocation_endpoint_auth_methods_supported: [&'static str; 2],
}

impl ServerMetadata {
    /// The metadata of a tenant's issuer at the service's address.
    pub fn new(base_url: &str, tenant_id: &TenantId) -> Self {
        let issuer = Issuer::new(base_url, tenant_id);
        Self {
            issuer: issuer.as_str().to_owned(),
            jwks_uri: format!("{}/.well-known/jwks.json", issuer.as_str()),
            response_types_supported: [],
            grant_types_supported: [],
            introspection_endpoint: format!("{base_url}{}", Introspect::ROUTE.path),
            introspection_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post", "Bearer"],
            revocation_endpoint: format!("{base_url}{}", RevokeToken::ROUTE.path),
            // It accepts a bearer credential too, but the registry of names for this list has none for that.
            revocation_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
        }
    }
}

impl Output for ServerMetadata {}

/// Introspection of a token (RFC 7662 §2.2). The claims are present only if the token is valid now; otherwise `active`
/// is the only field.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Introspection {
    /// Whether the token is valid now: signed by this tenant, not expired and not revoked.
    pub active: bool,
    /// Type of the token: `Bearer`. Absent if the token is not valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<&'static str>,
    /// The claims of the token; none if it is not valid.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub claims: Option<Claims>,
}

impl From<Option<Claims>> for Introspection {
    fn from(claims: Option<Claims>) -> Self {
        Self { active: claims.is_some(), token_type: claims.is_some().then_some("Bearer"), claims }
    }
}

impl Output for Introspection {}

/// Empty result of a revocation. It is the same for a token that was already invalid (RFC 7009 §2.2).
#[derive(Debug, Serialize, JsonSchema)]
pub struct Revoked {}

impl Output for Revoked {}
