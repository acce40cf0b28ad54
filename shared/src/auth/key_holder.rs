//! A tenant's backend, by an API key.

use std::fmt;
use std::marker::PhantomData;

use data_encoding::BASE64;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::token::Order;
use super::{Attempt, Caller, CredentialLocation, LARGEST_BODY, Needs, Request, SecurityScheme};
use crate::app::App;
use crate::domain::{ApiKey, ApiKeySecret, Issuer, KeyKind, KeyState, SignedToken, TenantId, Viewpoint};
use crate::error::{Error, Result};
use crate::store::{Prefetched, Read, TenantState};

/// What a key is used for: which kinds will do, and where it may be.
pub trait Purpose: Send + Sync + 'static {
    /// The kinds of keys that may.
    const KINDS: &'static [KeyKind];
    /// Whether the key may be the body's field `apiKey`.
    const IN_BODY: bool;
    /// Whether it may be the password of HTTP Basic, with the key's id as user: `client_secret_basic` of RFC 6749 §2.3.1, which
    /// is all that many clients of that kind can do.
    const AS_PASSWORD: bool;
}

/// Minting tokens of the projects surface.
#[derive(Debug, Clone, Copy)]
pub struct MintsTokens;

impl Purpose for MintsTokens {
    const KINDS: &'static [KeyKind] = &[KeyKind::Embed, KeyKind::Admin];
    const IN_BODY: bool = true;
    const AS_PASSWORD: bool = false;
}

/// Registering and listing organizations and users.
#[derive(Debug, Clone, Copy)]
pub struct Registers;

impl Purpose for Registers {
    const KINDS: &'static [KeyKind] = &[KeyKind::Admin];
    const IN_BODY: bool = true;
    const AS_PASSWORD: bool = false;
}

/// Asking about tokens, and revoking one.
#[derive(Debug, Clone, Copy)]
pub struct InspectsTokens;

impl Purpose for InspectsTokens {
    const KINDS: &'static [KeyKind] = &KeyKind::ALL;
    const IN_BODY: bool = false;
    const AS_PASSWORD: bool = true;
}

/// The proof that the request carried an API key that is in force and may be used for `P`, of a tenant that may act.
pub struct KeyHolder<P> {
    key: ApiKey,
    purpose: PhantomData<P>,
}

impl<P> KeyHolder<P> {
    /// Whose key it is. Everything that the request reads and writes is in this tenant's partitions.
    pub fn tenant_id(&self) -> &TenantId {
        &self.key.claims.tenant_id
    }

    /// Who issues its tokens.
    pub fn issuer(&self, base_url: &str) -> Issuer {
        Issuer::new(base_url, self.tenant_id())
    }
}

impl KeyHolder<MintsTokens> {
    /// Issues a token.
    ///
    /// # Errors
    /// If it would be longer than what is looked at, or the secret store fails.
    pub async fn mint(&self, app: &App, tenant: &TenantState, base_url: &str, order: Order) -> Result<SignedToken> {
        order.mint(app, tenant, base_url, &self.key).await
    }
}

impl<P> fmt::Debug for KeyHolder<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeyHolder({})", self.key.claims.id)
    }
}

/// What was read with the credential.
#[derive(Debug)]
pub struct Found {
    /// The tenant's state.
    pub tenant: TenantState,
    /// What the operation reads.
    pub prefetched: Prefetched,
}

impl<P: Purpose> Caller for KeyHolder<P> {
    const SCHEMES: &'static [SecurityScheme] = &[
        SecurityScheme {
            name: "ApiKey",
            location: CredentialLocation::Bearer,
            description: "An API key of the tenant. For backends: never in a page or an app.",
        },
        SecurityScheme {
            name: "ApiKeyHeader",
            location: CredentialLocation::Header("X-API-KEY"),
            description: "The same key in a header of its own.",
        },
    ];

    type Found = Found;
    type ChangeContext = ();

    async fn authenticate(app: &App, request: &Request, needs: &Needs) -> Result<(Self, Found)> {
        let presented = presented::<P>(request)?;
        let claims = presented.claims();
        let reads: Vec<_> = needs.reads.iter().cloned().chain([Read::ApiKey(claims.id.clone())]).collect();
        let prefetched = app.prefetch(&claims.tenant_id, &Viewpoint::Account, &reads).await?;
        let (key, found) = accept(app, request, &presented, P::KINDS, prefetched).await?;
        Ok((Self { key, purpose: PhantomData }, found))
    }

    fn change(&self, _: &Attempt<'_>) -> Result<()> {
        Ok(())
    }

    fn tenant_id(&self) -> Option<&str> {
        Some(self.key.claims.tenant_id.as_str())
    }
}

/// The key that was presented, if it is in force and of one of these kinds, of a tenant that may act. `prefetched` has the key.
pub(super) async fn accept(
    app: &App,
    request: &Request,
    presented: &ApiKeySecret,
    kinds: &[KeyKind],
    prefetched: Prefetched,
) -> Result<(ApiKey, Found)> {
    let claims = presented.claims();
    let tenant = prefetched.tenant_state()?.ok_or(Error::Unauthenticated("API key of an unknown tenant"))?;
    let (key, hashes) = prefetched.api_key(&claims.id)?.ok_or(Error::Unauthenticated("unknown API key"))?;
    let now = app.now();
    if !hashes.accept(presented, now) || key.claims != *claims {
        return Err(Error::Unauthenticated("wrong API key"));
    }
    match key.state(now) {
        KeyState::Active => {}
        KeyState::Expired => return Err(Error::Unauthenticated("API key has expired")),
        KeyState::Revoked => return Err(Error::Unauthenticated("API key was revoked")),
    }
    // From here on the caller is known, and learns why.
    if !tenant.is_active {
        return Err(Error::TenantSuspended(None));
    }
    if !kinds.contains(&key.claims.kind) {
        return Err(Error::KeyKindNotAllowed);
    }
    if !key.allows(request.header("origin")) {
        return Err(Error::OriginNotAllowed);
    }
    app.note_use(&key).await;
    Ok((key, Found { tenant, prefetched }))
}

/// The key in the request: as bearer, in a header of its own, and where its purpose allows it as password or in the body.
/// Garbage is refused here, before any store is asked.
fn presented<P: Purpose>(request: &Request) -> Result<ApiKeySecret> {
    #[derive(Deserialize)]
    struct Body {
        #[serde(rename = "apiKey")]
        api_key: Zeroizing<String>,
    }
    let basic = request.header("authorization").and_then(|value| scheme(value, "basic"));
    let password = basic.filter(|_| P::AS_PASSWORD).and_then(password);
    let bearer = bearer(request);
    let header = request.header("x-api-key");
    // A body that can't be read has no key; what is wrong with it is for those to know who have one.
    let body = Some(&request.body).filter(|body| P::IN_BODY && body.len() <= LARGEST_BODY);
    let body: Option<Body> = body.and_then(|body| serde_json::from_slice(body).ok());
    let body = body.as_ref().map(|body| body.api_key.as_str());
    let mut keys = [bearer, password.as_ref().map(|(_, key)| key.as_str()), header, body].into_iter().flatten();
    let key = keys.next().ok_or(Error::Unauthenticated("no API key"))?;
    if keys.any(|other| other != key) {
        return Err(Error::Unauthenticated("two different API keys"));
    }
    let malformed = "API key has not the shape of one, or its checksum is wrong";
    let key = ApiKeySecret::parse(key).ok_or(Error::Unauthenticated(malformed))?;
    match &password {
        Some((user, _)) if user != key.claims().id.as_str() => Err(Error::Unauthenticated("the id of another API key")),
        _ => Ok(key),
    }
}

/// The bearer credential. HTTP Basic may be a proxy's, and is then no credential at all; whatever else is there was meant to be
/// one.
pub(super) fn bearer(request: &Request) -> Option<&str> {
    let authorization = request.header("authorization").filter(|value| scheme(value, "basic").is_none())?;
    Some(scheme(authorization, "bearer").unwrap_or_default())
}

/// The credential of an `Authorization` header, if it has that scheme. Its name is taken in any case (RFC 9110 §11.1).
fn scheme<'a>(value: &'a str, expected: &str) -> Option<&'a str> {
    let (scheme, credential) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case(expected).then_some(credential.trim_start_matches(' '))
}

/// User and password of HTTP Basic (RFC 7617 §2).
fn password(credential: &str) -> Option<(String, Zeroizing<String>)> {
    let decoded = Zeroizing::new(BASE64.decode(credential.as_bytes()).ok()?);
    let (user, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((user.to_owned(), Zeroizing::new(password.to_owned())))
}
