//! Callers with an API key: a tenant's backend.

use std::fmt;
use std::marker::PhantomData;

use data_encoding::BASE64;
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use super::headers::{missing, scheme};
use super::tokens::{self, PresentedToken};
use super::{Caller, CredentialLocation, InputSummary, Request, SecurityScheme, Trace, calls, idempotency};
use crate::app::App;
use crate::domain::{
    Actor, ApiKey, ApiKeySecret, ChangeContext, Claims, CredentialFault, CredentialForm, IdempotencyScope, Issuer,
    KeyKind, KeyState, Quota, RefusalCause, SignedToken, TenantId, Timestamp, TokenRequest, TraceKey, Viewpoint,
};
use crate::error::{Error, Result};
use crate::store::{Directory, Party, Prefetched, Read, Revocation, TenantState};

/// What a page is told whose origin the key does not allow.
pub(super) const ELSEWHERE: &str = "API key or token may not be used from this origin";

/// What is wanted where nothing was sent.
const WANTED: &str = "an API key as Authorization: Bearer, or in X-API-KEY";

/// The purpose for which an API key is used: it decides which kinds of keys are accepted, and where in the request.
pub trait Purpose: Send + Sync + 'static {
    /// The kinds of keys that are accepted.
    const KINDS: &'static [KeyKind];
    /// Whether the key may be in the body: as `apiKey`, or as `client_secret` with the key's id as `client_id`.
    const IN_BODY: bool;
    /// Whether it may be the password of HTTP Basic, with the key's id as user: `client_secret_basic` of RFC 6749
    /// §2.3.1, which is all that many clients of that kind can do.
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
    // `client_secret_post` of the same section, which is what other clients do unless they are told otherwise.
    const IN_BODY: bool = true;
    const AS_PASSWORD: bool = true;
}

/// The proof that the request carried an API key that is in force and may be used for `P`, of a tenant that may act.
pub struct KeyHolder<P> {
    key: ApiKey,
    tenant: TenantState,
    issuer: Issuer,
    /// What is left of the key's limit of calls, if there is one.
    quota: Option<Quota>,
    /// The context of what the caller changes.
    change: ChangeContext,
    /// The items that were read together with the key.
    prefetched: Prefetched,
    trace: Trace,
    purpose: PhantomData<P>,
}

impl<P> KeyHolder<P> {
    /// The tenant of the key. Everything that the request reads and writes is in this tenant's partitions.
    pub fn tenant_id(&self) -> &TenantId {
        &self.key.claims.tenant_id
    }

    /// The organizations, users and customers that the tenant has registered.
    pub fn directory<'a>(&'a self, app: &'a App) -> Directory<'a> {
        app.directory(&self.prefetched, &self.change)
    }
}

impl KeyHolder<MintsTokens> {
    /// Issues a token.
    ///
    /// # Errors
    /// If the token would be longer than the service accepts, or the secret store fails.
    pub async fn mint(&self, app: &App, request: TokenRequest) -> Result<SignedToken> {
        tokens::mint(app, &self.issuer, &self.tenant, &self.key, request, &self.trace).await
    }
}

impl KeyHolder<Registers> {
    /// Revokes the tokens of one of the tenant's parties that were issued until now.
    ///
    /// # Errors
    /// If there is no such user or organization.
    pub async fn revoke_tokens(&self, app: &App, party: &Party) -> Result<Revocation> {
        let whose = self.directory(app).revoked(party)?;
        app.tenants().revoke_tokens(self.tenant_id(), &whose, &self.change).await
    }
}

impl KeyHolder<InspectsTokens> {
    /// Notes that the key asked about an active token today.
    pub async fn note_introspection(&self, app: &App) {
        app.note_introspection(&self.key).await;
    }

    /// The claims of a token that the tenant signed and that is valid now; `None` for every other, whatever the reason.
    ///
    /// # Errors
    /// If an item can't be read.
    pub fn active_claims(&self, trace_key: &TraceKey, token: PresentedToken, now: Timestamp) -> Result<Option<Claims>> {
        let Some(claims) = tokens::verified_claims(&token, &self.issuer, &self.prefetched, now)? else {
            return Ok(None);
        };
        self.trace.token(trace_key, claims);
        let active = self.tenant.is_active && tokens::is_unrevoked(claims, &self.tenant, &self.prefetched)?;
        Ok(token.into_claims().filter(|_| active))
    }

    /// The claims of a token that the tenant signed, for revoking it: whether it is valid now doesn't matter, as long
    /// as it can come to be.
    ///
    /// # Errors
    /// If an item can't be read.
    pub fn revocable_claims(
        &self,
        trace_key: &TraceKey,
        token: &PresentedToken,
        now: Timestamp,
    ) -> Result<Option<Claims>> {
        let Some(token) = token.parsed() else { return Ok(None) };
        let keys = self.prefetched.signing_keys(now)?;
        let authentic = token.authentic(self.tenant_id(), &keys).ok();
        if let Some(claims) = authentic {
            self.trace.token(trace_key, claims);
        }
        Ok(authentic.filter(|claims| now < claims.expires_at()).cloned())
    }
}

impl<P> fmt::Debug for KeyHolder<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeyHolder({})", self.key.claims.id)
    }
}

/// The API key as a bearer credential.
const BEARER: SecurityScheme = SecurityScheme {
    name: "ApiKey",
    location: CredentialLocation::Bearer,
    description: "API key of the tenant, for backends only: it must not reach a page or an app.",
};

/// The API key in a header of its own.
const HEADER: SecurityScheme = SecurityScheme {
    name: "ApiKeyHeader",
    location: CredentialLocation::Header("X-API-KEY"),
    description: "API key of the tenant, as an alternative to the bearer credential.",
};

/// The API key as a password.
const PASSWORD: SecurityScheme = SecurityScheme {
    name: "ApiKeyPassword",
    location: CredentialLocation::Basic,
    description: "API key of the tenant as the password, and the key's id as the user: `client_secret_basic` of RFC \
                  6749 §2.3.1. Both may be percent-encoded, as the RFC has it.",
};

impl<P: Purpose> Caller for KeyHolder<P> {
    const SCHEMES: &'static [SecurityScheme] =
        if P::AS_PASSWORD { &[BEARER, HEADER, PASSWORD] } else { &[BEARER, HEADER] };

    async fn authenticate(app: &App, request: &Request, input: &InputSummary) -> Result<Self> {
        let presented = presented::<P>(request, input)?;
        let claims = presented.claims();
        let reads: Vec<_> = input.reads.iter().cloned().chain([Read::ApiKey(claims.id.clone())]).collect();
        let prefetched = app.prefetch(&claims.tenant_id, &Viewpoint::Account, reads).await?;
        let (key, tenant) = accept(app, request, &presented, P::KINDS, &prefetched).await?;
        let quota = calls::count(app, &key.claims.tenant_id, &tenant, None, Some(&key.claims.id)).await?;
        let issuer = Issuer::new(&request.base_url, &key.claims.tenant_id);
        let change = change(request, input, &presented)?;
        let trace = request.trace.clone();
        Ok(Self { key, tenant, issuer, change, quota, prefetched, trace, purpose: PhantomData })
    }

    fn tenant_id(&self) -> Option<&TenantId> {
        Some(&self.key.claims.tenant_id)
    }

    fn quota(&self) -> Option<Quota> {
        self.quota
    }
}

/// What the changes of a call are noted with. An idempotency key is that of the API key that sent it.
fn change(request: &Request, input: &InputSummary, presented: &ApiKeySecret) -> Result<ChangeContext> {
    let claims = presented.claims();
    let scope = IdempotencyScope::Caller {
        tenant: claims.tenant_id.clone(),
        api_key: Some(claims.id.clone()),
        viewpoint: Viewpoint::Account,
    };
    let idempotency_key = idempotency::key(request, input, scope, presented.expose().as_bytes())?;
    Ok(ChangeContext { idempotency_key, ..request.change(Actor::ApiKey, Some(&claims.id)) })
}

/// The key that was presented, with its tenant's state, if the key is in force and of one of these kinds, of a tenant
/// that may act. The key is in `prefetched`.
pub(super) async fn accept(
    app: &App,
    request: &Request,
    presented: &ApiKeySecret,
    kinds: &[KeyKind],
    prefetched: &Prefetched,
) -> Result<(ApiKey, TenantState)> {
    let claims = presented.claims();
    let tenant = prefetched.tenant_state()?.ok_or(Error::Unauthenticated("API key of an unknown tenant"))?;
    let (key, hashes) = prefetched.api_key(&claims.id)?.ok_or(Error::Unauthenticated("unknown API key"))?;
    let now = app.now();
    let slot =
        hashes.slot(presented).filter(|_| key.claims == *claims).ok_or(Error::Unauthenticated("wrong API key"))?;
    request.trace.key(&claims.tenant_id, &claims.id, slot);
    if !hashes.is_in_force(slot, now) {
        request.trace.refused(RefusalCause::KeyRotated);
        return Err(Error::Unauthenticated("API key was rotated, and this secret has ended"));
    }
    match key.state(now) {
        KeyState::Active => {}
        KeyState::Expired => {
            request.trace.refused(RefusalCause::KeyExpired);
            return Err(Error::Unauthenticated("API key has expired"));
        }
        KeyState::Revoked => {
            request.trace.refused(RefusalCause::KeyRevoked);
            return Err(Error::Unauthenticated("API key was revoked"));
        }
    }
    // From here on the caller is known, and learns the reason.
    if !tenant.is_active {
        return Err(Error::TenantSuspended(None));
    }
    if !kinds.contains(&key.claims.kind) {
        return Err(Error::KeyKindNotAllowed);
    }
    if !key.allows(request.header("origin")) {
        return Err(Error::OriginNotAllowed(ELSEWHERE));
    }
    app.note_use(&key).await;
    Ok((key, tenant))
}

/// The key in the request: as a bearer credential, in the header `X-API-KEY`, and where its purpose allows it as a
/// password or in the body. In several places it is the same one. A malformed key is refused here, before any store is
/// asked.
fn presented<P: Purpose>(request: &Request, input: &InputSummary) -> Result<ApiKeySecret> {
    let basic = request.header("authorization").and_then(|value| scheme(value, "basic"));
    let password = basic.filter(|_| P::AS_PASSWORD).and_then(password);
    let bearer = bearer(request);
    let header = request.header("x-api-key");
    let body = input.api_key.as_ref().filter(|_| P::IN_BODY).map(|key| key.as_str());
    let mut keys = [bearer, password.as_ref().map(|(_, key)| key.as_str()), header, body].into_iter().flatten();
    let key = keys.next().ok_or_else(|| missing(request, WANTED))?;
    if keys.any(|other| other != key) {
        return Err(CredentialFault::Several.into());
    }
    let key = ApiKeySecret::parse(key).ok_or_else(|| CredentialForm::ApiKey.fault(key))?;
    let user = password.as_ref().map(|(user, _)| user.as_str());
    let client_id = input.client_id.as_deref().filter(|_| P::IN_BODY);
    if [user, client_id].into_iter().flatten().any(|id| id != key.claims().id.as_str()) {
        return Err(CredentialFault::Several.into());
    }
    Ok(key)
}

/// The bearer credential. HTTP Basic may be meant for a proxy and is no credential here; any other scheme was meant to
/// be one, and is refused.
pub(super) fn bearer(request: &Request) -> Option<&str> {
    let authorization = request.header("authorization").filter(|value| scheme(value, "basic").is_none())?;
    Some(scheme(authorization, "bearer").unwrap_or_default())
}

/// User and password of HTTP Basic (RFC 7617 §2), without the percent-encoding that OAuth clients add to each (RFC
/// 6749 §2.3.1). Clients that add none are read the same way: neither an id nor a key has a `%`, and so what is sent
/// without encoding decodes to itself. The `+` of that encoding is left alone, because neither has a space.
fn password(credential: &str) -> Option<(String, Zeroizing<String>)> {
    let decoded = Zeroizing::new(BASE64.decode(credential.as_bytes()).ok()?);
    let (user, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    let plain = |text| Some(percent_decode_str(text).decode_utf8().ok()?.into_owned());
    Some((plain(user)?, Zeroizing::new(plain(password)?)))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the runtime of a test is its own")]
mod tests;
