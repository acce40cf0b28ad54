//! Whoever calls the account surface: a backend with an account key, or whoever holds a scoped token.

use std::fmt;

use super::key_holder::{self, Found};
use super::token::{self, reads_for};
use super::{Attempt, Caller, CredentialLocation, Needs, Request, SecurityScheme};
use crate::app::App;
use crate::domain::{
    ApiKey, ApiKeySecret, ExternalId, Issuer, KeyKind, Problem, Scope, TenantId, UnverifiedToken, Viewpoint,
};
use crate::error::{Error, RequestPart, Result};
use crate::store::{Read, Resources};

/// The two headers in which an API key's request may name the end user.
const END_USER_HEADERS: [(&str, &str); 2] =
    [("external_user_id", "external_user_id"), ("x-end-user-id", "X-End-User-ID")];

/// The proof of who calls, and as whom it sees: what the handler reads and writes goes through [`Viewer::rows`], and so through
/// this view.
pub struct Viewer {
    tenant_id: TenantId,
    viewpoint: Viewpoint,
    /// The key that the call was made with; none, if it was a token.
    key: Option<ApiKey>,
}

/// The account key, as the OpenAPI document describes it.
pub(super) const KEY: SecurityScheme = SecurityScheme {
    name: "AccountKey",
    location: CredentialLocation::Header("X-API-KEY"),
    description: "An account key of the tenant. For backends: never in a page or an app. The end user of the call is named in \
                  the header `external_user_id` or `X-End-User-ID`, or in the body; without one it sees the whole account.",
};

impl fmt::Debug for Viewer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Viewer({})", self.tenant_id)
    }
}

impl Caller for Viewer {
    const SCHEMES: &'static [SecurityScheme] = &[
        KEY,
        SecurityScheme {
            name: "ScopedToken",
            location: CredentialLocation::Bearer,
            description: "A token from `/api/v1/auth/token`. For pages and apps: it sees what its end user may see.",
        },
    ];

    type Found = Found;
    type ChangeContext = ();

    async fn authenticate(app: &App, request: &Request, needs: &Needs) -> Result<(Self, Found)> {
        let (viewer, found) = match (request.header("x-api-key"), key_holder::bearer(request)) {
            (Some(_), Some(_)) => return Err(Error::Unauthenticated("an API key and a token")),
            (Some(key), None) => Self::by_key(app, request, needs, key).await?,
            (None, Some(token)) => Self::by_token(app, request, needs, token).await?,
            (None, None) => return Err(Error::Unauthenticated("neither API key nor token")),
        };
        let required = found.tenant.require_end_user.unwrap_or(app.require_end_user());
        if required && needs.is_readable && viewer.viewpoint == Viewpoint::Account {
            return Err(Error::EndUserRequired);
        }
        Ok((viewer, found))
    }

    fn change(&self, _: &Attempt<'_>) -> Result<()> {
        Ok(())
    }

    fn tenant_id(&self) -> Option<&str> {
        Some(self.tenant_id.as_str())
    }
}

impl Viewer {
    async fn by_key(app: &App, request: &Request, needs: &Needs, key: &str) -> Result<(Self, Found)> {
        let malformed = "API key has not the shape of one, or its checksum is wrong";
        let presented = ApiKeySecret::parse(key).ok_or(Error::Unauthenticated(malformed))?;
        // What is wrong with the names is for those to know who have a key.
        let named = named_end_user(request, needs);
        let viewpoint = Viewpoint::from(named.as_ref().ok().cloned().flatten());
        let claims = presented.claims();
        // Nothing is read for an end user who is in doubt.
        let reads = needs.reads.iter().filter(|_| named.is_ok()).cloned();
        let reads: Vec<_> = reads.chain([Read::ApiKey(claims.id.clone())]).collect();
        let prefetched = app.prefetch(&claims.tenant_id, &viewpoint, &reads).await?;
        let kinds = [KeyKind::Account];
        let (key, found) = key_holder::accept(app, request, &presented, &kinds, prefetched).await?;
        named?;
        Ok((Self { tenant_id: key.claims.tenant_id.clone(), viewpoint, key: Some(key) }, found))
    }

    async fn by_token(app: &App, request: &Request, needs: &Needs, token: &str) -> Result<(Self, Found)> {
        let malformed = |_| Error::Unauthenticated("bearer is no token of ours");
        let claimed = UnverifiedToken::parse(token).map_err(malformed)?.claims().clone();
        let is_another = match named_end_user(request, needs) {
            Ok(named) => named.is_some() && named != claimed.external_user_id,
            Err(_) => true,
        };
        let viewpoint = Viewpoint::from(claimed.external_user_id);
        // Nothing is read for an end user who is in doubt.
        let reads = needs.reads.iter().filter(|_| !is_another).cloned();
        let reads: Vec<_> = reads.chain(reads_for(token)).collect();
        let prefetched = app.prefetch(&claimed.tenant_id, &viewpoint, &reads).await?;
        let tenant = prefetched.tenant_state()?.ok_or(Error::Unauthenticated("token of an unknown tenant"))?;
        let found = Found { tenant, prefetched };
        let issuer = Issuer::new(&request.base_url, &claimed.tenant_id);
        let claims = token::verified_claims(token, &issuer, &found, app.now())?
            .ok_or(Error::Unauthenticated("token is not valid"))?;
        if !token::is_unrevoked(&claims, &found.tenant, &found.prefetched)? {
            return Err(Error::Unauthenticated("token was revoked"));
        }
        // From here on the caller is known, and learns why.
        if !found.tenant.is_active {
            return Err(Error::TenantSuspended(None));
        }
        if !matches!(claims.scope, Scope::EndUser | Scope::Account) {
            return Err(Error::InsufficientScope);
        }
        if is_another {
            return Err(Error::AnotherEndUser);
        }
        Ok((Self { tenant_id: claimed.tenant_id, viewpoint, key: None }, found))
    }

    /// The rows that the caller sees and writes.
    pub fn resources<'a>(&'a self, app: &'a App, found: &'a Found) -> Resources<'a> {
        app.resources(&self.tenant_id, &self.viewpoint, &found.prefetched)
    }

    /// The end user for whom the call is.
    pub fn external_user_id(&self) -> Option<&ExternalId> {
        self.viewpoint.external_user_id()
    }

    /// The key that the call was made with, if it was.
    pub(super) fn key(&self) -> Option<&ApiKey> {
        self.key.as_ref()
    }
}

/// The end user that headers and body name.
fn named_end_user(request: &Request, needs: &Needs) -> Result<Option<ExternalId>> {
    let mut named = needs.end_user.clone();
    for (header, name) in END_USER_HEADERS {
        let Some(value) = request.header(header) else { continue };
        let id = in_header(value).map_err(|problem| Error::invalid(name, problem).in_part(RequestPart::Header))?;
        if named.as_ref().is_some_and(|named| *named != id) {
            return Err(Error::EndUsersDiffer);
        }
        named = Some(id);
    }
    Ok(named)
}

/// An id in a header: of what HTTP hands on as it was. How other characters than ASCII are encoded there is nobody's rule, and a
/// comma stands between the values of a header that was sent twice; either would make it another end user's id.
fn in_header(value: &str) -> Result<ExternalId, Problem> {
    if !value.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b',') {
        let rule = "must be ASCII without commas in a header: name other end users in the body or by a token";
        return Err(Problem::new(rule));
    }
    ExternalId::parse(value)
}
