//! Callers of the account surface: a backend with an account key, or the holder of a scoped token.

use std::fmt;

use super::headers::missing;
use super::tokens::{self, PresentedToken, reads_for};
use super::{Caller, CredentialLocation, InputSummary, Request, SecurityScheme, Trace, api_key, calls, idempotency};
use crate::app::App;
use crate::domain::{
    Actor, ApiKey, ApiKeySecret, ChangeContext, Claims, CredentialFault, CredentialForm, END_USER_HEADERS, ExternalId,
    IdempotencyScope, Issuer, KeyKind, Minutes, Problem, Quota, Scope, SignedToken, TenantId, Timestamp, TokenLifetime,
    TokenRequest, TraceKey, Viewpoint, is_misspelt_end_user_header,
};
use crate::error::{Error, RequestPart, Result};
use crate::store::{Prefetched, Read, Resources, TenantState};

/// The account key.
const KEY: SecurityScheme = SecurityScheme {
    name: "AccountKey",
    location: CredentialLocation::Header("X-API-KEY"),
    description: "Account key of the tenant (`ak_…`), for backends only: it must not reach a page or an app. The \
                  header `external_user_id` or `X-End-User-ID`, or the body, names the end user of the call; without \
                  one, the call sees the whole account.",
};

/// What is wanted where nothing was sent.
const WANTED: &str = "an account key in X-API-KEY, or a scoped token as Authorization: Bearer";

/// What a page is told that calls what only a backend may. Not that it takes a key: a page must not have one.
const KEY_ONLY: &str = "no token opens this endpoint: it is for the backend, which a page can ask";

/// What is told of a token that was not made for this surface.
const SCOPED_ONLY: &str = "this endpoint takes a scoped token, which the backend gets from /api/v1/auth/token";

/// A header's name in a refusal is cut here, in characters.
const LONGEST_SHOWN_NAME: usize = 64;

/// The proof of who calls, and of the viewpoint: the handler reads and writes through [`Viewer::resources`], and so
/// from this viewpoint.
pub struct Viewer {
    tenant: TenantState,
    viewpoint: Viewpoint,
    /// The account key of the call; `None` if a token opened it.
    key: Option<ApiKey>,
    /// The context of what the caller changes.
    change: ChangeContext,
    /// The service's address as clients see it.
    base_url: String,
    /// What is left of a limit of calls, if there is one.
    quota: Option<Quota>,
    /// The items that were read together with the credential.
    prefetched: Prefetched,
    trace: Trace,
}

impl fmt::Debug for Viewer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Viewer({})", self.prefetched.tenant_id())
    }
}

impl Caller for Viewer {
    const SCHEMES: &'static [SecurityScheme] = &[
        KEY,
        SecurityScheme {
            name: "ScopedToken",
            location: CredentialLocation::Bearer,
            description: "Scoped token of `/api/v1/auth/token`, for pages and apps: it sees what its end user may see.",
        },
    ];

    async fn authenticate(app: &App, request: &Request, input: &InputSummary) -> Result<Self> {
        let (mut viewer, credential) = match (request.header("x-api-key"), api_key::bearer(request)) {
            (Some(key), Some(token)) if key != token => return Err(CredentialFault::Several.into()),
            // Generated clients may send one key for all schemes of an operation.
            (Some(key), _) => (Self::by_key(app, request, input, key).await?, key),
            (None, Some(token)) => (Self::by_token(app, request, input, token).await?, token),
            (None, None) => return Err(missing(request, WANTED).into()),
        };
        if viewer.is_account_wide(input) {
            if viewer.tenant.require_end_user.unwrap_or(app.require_end_user()) {
                return Err(Error::EndUserRequired);
            }
            app.note_account_wide_call(viewer.prefetched.tenant_id(), &viewer.tenant.account_wide).await;
        }
        viewer.change.idempotency_key = idempotency::key(request, input, viewer.scope(), credential.as_bytes())?;
        Ok(viewer)
    }

    fn tenant_id(&self) -> Option<&TenantId> {
        Some(self.prefetched.tenant_id())
    }

    fn quota(&self) -> Option<Quota> {
        self.quota
    }
}

impl Viewer {
    async fn by_key(app: &App, request: &Request, input: &InputSummary, key: &str) -> Result<Self> {
        let presented = ApiKeySecret::parse(key).ok_or_else(|| CredentialForm::ApiKey.fault(key))?;
        // Only a caller with a valid key learns what is wrong with the names.
        let named = named_end_user(request, input);
        let viewpoint = Viewpoint::from(named.as_ref().ok().cloned().flatten());
        let claims = presented.claims();
        let reads = reads(input, named.is_err()).chain([Read::ApiKey(claims.id.clone())]).collect();
        let prefetched = app.prefetch(&claims.tenant_id, &viewpoint, reads).await?;
        let kinds = [KeyKind::Account];
        let (key, tenant) = api_key::accept(app, request, &presented, &kinds, &prefetched).await?;
        named?;
        request.trace.view(app.trace_key(), prefetched.tenant_id(), &viewpoint);
        let (user, id) = (viewpoint.external_user_id(), Some(&key.claims.id));
        let quota = calls::count(app, prefetched.tenant_id(), &tenant, user, id).await?;
        let (base_url, trace) = (request.base_url.clone(), request.trace.clone());
        let change = request.change(Actor::ApiKey, Some(&key.claims.id));
        Ok(Self { tenant, viewpoint, key: Some(key), change, base_url, quota, prefetched, trace })
    }

    async fn by_token(app: &App, request: &Request, input: &InputSummary, text: &str) -> Result<Self> {
        let token = PresentedToken::new(text);
        let claimed = token.parsed().ok_or_else(|| CredentialForm::Token.fault(text))?;
        let external_user_id = claimed.claims().end_user().cloned();
        let tenant_id = claimed.claims().tenant_id.clone();
        let named = named_end_user(request, input);
        let is_another = is_another(&named, external_user_id.as_ref());
        let viewpoint = Viewpoint::from(external_user_id);
        let reads = reads(input, is_another).chain(reads_for(claimed)).collect();
        let prefetched = app.prefetch(&tenant_id, &viewpoint, reads).await?;
        let (tenant, claims) = accept_token(request, app.trace_key(), &token, named, &prefetched, app.now())?;
        request.trace.view(app.trace_key(), &tenant_id, &viewpoint);
        // A token of the whole account is its key in another form, and nobody else's limit would bound it. Those of end
        // users don't count for the key: many pages have one key between them.
        let user = viewpoint.external_user_id();
        let quota = calls::count(app, &tenant_id, &tenant, user, user.is_none().then_some(&claims.key_id)).await?;
        let (base_url, trace) = (request.base_url.clone(), request.trace.clone());
        let change = request.change(Actor::Token, Some(&claims.key_id));
        Ok(Self { tenant, viewpoint, key: None, change, base_url, quota, prefetched, trace })
    }

    /// Whether the call is for the whole account. What could not be read may have named an end user.
    fn is_account_wide(&self, input: &InputSummary) -> bool {
        self.viewpoint == Viewpoint::Account && input.is_readable
    }

    /// Whose idempotency keys the caller's are.
    fn scope(&self) -> IdempotencyScope {
        IdempotencyScope::Caller {
            tenant: self.prefetched.tenant_id().clone(),
            api_key: self.key.as_ref().map(|key| key.claims.id.clone()),
            viewpoint: self.viewpoint.clone(),
        }
    }

    /// The resources that the caller sees and writes.
    pub fn resources<'a>(&'a self, app: &'a App) -> Resources<'a> {
        app.resources(&self.viewpoint, &self.tenant.limits, &self.prefetched, &self.change)
    }

    /// The end user that the call is for.
    pub fn external_user_id(&self) -> Option<&ExternalId> {
        self.viewpoint.external_user_id()
    }

    /// The service's address as clients see it, without a slash at its end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }
}

/// The proof that the request carried an account key, for operations that a token does not open.
#[derive(Debug)]
pub struct AccountKey {
    viewer: Viewer,
    key: ApiKey,
}

impl Caller for AccountKey {
    const SCHEMES: &'static [SecurityScheme] = &[KEY];

    async fn authenticate(app: &App, request: &Request, input: &InputSummary) -> Result<Self> {
        let viewer = Viewer::authenticate(app, request, input).await?;
        let key = viewer.key.clone().ok_or(Error::InsufficientScope(KEY_ONLY))?;
        Ok(Self { viewer, key })
    }

    fn tenant_id(&self) -> Option<&TenantId> {
        self.viewer.tenant_id()
    }

    fn quota(&self) -> Option<Quota> {
        self.viewer.quota
    }
}

impl AccountKey {
    /// The resources that the caller sees and writes.
    pub fn resources<'a>(&'a self, app: &'a App) -> Resources<'a> {
        self.viewer.resources(app)
    }

    /// Issues a token with the viewpoint of this call. Only a key can do so: a token that issued tokens would outlive
    /// itself.
    ///
    /// # Errors
    /// If the secret store fails.
    pub async fn mint(&self, app: &App, lifetime: Minutes, at: Timestamp) -> Result<SignedToken> {
        let Viewer { tenant, prefetched, base_url, .. } = &self.viewer;
        let lifetime = TokenLifetime::from(lifetime);
        let request = match self.viewer.external_user_id() {
            Some(id) => TokenRequest::for_end_user(id.clone(), prefetched.external_epoch(id)?, lifetime, at),
            None => TokenRequest::for_account(lifetime, at),
        };
        let issuer = Issuer::new(base_url, prefetched.tenant_id());
        let token = tokens::mint(app, &issuer, tenant, &self.key, request, &self.viewer.trace).await?;
        if self.scope() == Scope::Account {
            app.note_account_wide_token(prefetched.tenant_id(), &tenant.account_wide).await;
        }
        Ok(token)
    }

    /// The scope of the tokens that the call can issue.
    pub fn scope(&self) -> Scope {
        match self.viewer.viewpoint {
            Viewpoint::EndUser(_) => Scope::EndUser,
            Viewpoint::Account => Scope::Account,
        }
    }
}

/// What the operation needs: nothing is read while the end user is in doubt.
fn reads(input: &InputSummary, is_in_doubt: bool) -> impl Iterator<Item = Read> {
    input.reads.iter().filter(move |_| !is_in_doubt).cloned()
}

/// The tenant's state and the claims of the token, if the token opens the account surface to this request, which names
/// that end user. `prefetched` has the items of [`reads_for`].
fn accept_token<'a>(
    request: &Request,
    trace_key: &TraceKey,
    token: &'a PresentedToken,
    named: Result<Option<ExternalId>>,
    prefetched: &Prefetched,
    now: Timestamp,
) -> Result<(TenantState, &'a Claims)> {
    let tenant = prefetched.tenant_state()?.ok_or(Error::Unauthenticated("token of an unknown tenant"))?;
    let issuer = Issuer::new(&request.base_url, prefetched.tenant_id());
    let claims = tokens::verified_claims(token, &issuer, prefetched, now)?
        .ok_or(Error::Unauthenticated("token is not valid"))?;
    request.trace.bearer(trace_key, claims);
    if !tokens::is_unrevoked(claims, &tenant, prefetched)? {
        return Err(Error::Unauthenticated("token was revoked"));
    }
    // From here on the caller is known, and learns the reason.
    if !tenant.is_active {
        return Err(Error::TenantSuspended(None));
    }
    if !matches!(claims.scope, Scope::EndUser | Scope::Account) {
        return Err(Error::InsufficientScope(SCOPED_ONLY));
    }
    let is_another = is_another(&named, claims.external_user_id.as_ref());
    if let Err(misspelt @ Error::MisspeltHeader(_)) = named {
        return Err(misspelt);
    }
    let key = prefetched.api_key(&claims.key_id)?;
    if key.is_none_or(|(key, _)| !key.allows_tokens_from(request.header("origin"))) {
        return Err(Error::OriginNotAllowed(api_key::ELSEWHERE));
    }
    if is_another {
        return Err(Error::AnotherEndUser);
    }
    Ok((tenant, claims))
}

/// Whether a request names, or may mean, another end user than its token does.
fn is_another(named: &Result<Option<ExternalId>>, external_user_id: Option<&ExternalId>) -> bool {
    named.as_ref().map_or(true, |named| named.is_some() && named.as_ref() != external_user_id)
}

/// The end user that headers and body name.
fn named_end_user(request: &Request, input: &InputSummary) -> Result<Option<ExternalId>> {
    if let Some(name) = request.headers.keys().find(|name| is_misspelt_end_user_header(name.as_str())) {
        return Err(Error::MisspeltHeader(name.as_str().chars().take(LONGEST_SHOWN_NAME).collect()));
    }
    let mut named = input.end_user.clone();
    for header in END_USER_HEADERS {
        let Some(value) = request.header(header) else { continue };
        let id = in_header(value).map_err(|problem| Error::invalid(header, problem).in_part(RequestPart::Header))?;
        if named.as_ref().is_some_and(|named| *named != id) {
            return Err(Error::EndUsersDiffer);
        }
        named = Some(id);
    }
    Ok(named)
}

/// Reads an id in a header. Only ASCII without commas is accepted: HTTP does not define how other characters are
/// encoded, and a comma separates the values of a header that was sent twice. Either could make it another end user's
/// id.
fn in_header(value: &str) -> Result<ExternalId, Problem> {
    if !value.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b',') {
        let rule = "must be ASCII without commas in a header: name other end users in the body or by a token";
        return Err(Problem::new(rule));
    }
    ExternalId::parse(value)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the runtime of a test is its own")]
mod tests;
