//! Issuing tokens, and checking whether one is valid now.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::Trace;
use crate::app::App;
use crate::domain::{
    ApiKey, Claims, ExternalId, Handle, Issuer, LONGEST_TOKEN, Scope, SignedToken, Timestamp, TokenRequest,
    UnverifiedToken, parse_uuid,
};
use crate::error::{Error, Result};
use crate::store::{Prefetched, Read, TenantState};

/// A token as a request carries it, parsed once. A text that does not have the form of one of our tokens is nobody's
/// token.
pub struct PresentedToken(Option<UnverifiedToken>);

impl PresentedToken {
    /// Parses the form; the signature and the state are not checked here.
    pub fn new(text: &str) -> Self {
        Self(UnverifiedToken::parse(text).ok())
    }

    /// The token, if it has the form of one.
    pub(super) fn parsed(&self) -> Option<&UnverifiedToken> {
        self.0.as_ref()
    }

    /// What it claims. Only for who has verified it.
    pub(super) fn into_claims(self) -> Option<Claims> {
        self.0.map(UnverifiedToken::into_claims)
    }

    /// The items needed to verify the token. Empty if it is malformed.
    pub fn reads(&self) -> Vec<Read> {
        self.parsed().map(reads_for).unwrap_or_default()
    }
}

impl fmt::Debug for PresentedToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PresentedToken")
    }
}

impl<'de> Deserialize<'de> for PresentedToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::new(&text))
    }
}

impl JsonSchema for PresentedToken {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PresentedToken".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// The items needed to verify a token: its issuer's keys, and the parties that it speaks for.
pub(super) fn reads_for(token: &UnverifiedToken) -> Vec<Read> {
    let claims = token.claims();
    let user = parse_uuid(&claims.sub).ok().filter(|_| claims.scope == Scope::ProjectUser);
    [
        Some(Read::SigningKeys),
        Some(Read::ApiKey(claims.key_id.clone())),
        Some(Read::Revocation(claims.jti)),
        claims.org_id.map(|id| Read::Organization(Handle::Uuid(id))),
        user.map(|id| Read::User(Handle::Uuid(id))),
        claims.end_user().cloned().map(Read::ExternalUser),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The claims of a token that `issuer` signed and that is valid now as far as it tells itself. `prefetched` has the
/// items of [`PresentedToken::reads`].
///
/// # Errors
/// If an item can't be read.
pub(super) fn verified_claims<'a>(
    token: &'a PresentedToken,
    issuer: &Issuer,
    prefetched: &Prefetched,
    now: Timestamp,
) -> Result<Option<&'a Claims>> {
    let Some(token) = token.parsed() else { return Ok(None) };
    let keys = prefetched.signing_keys(now)?;
    Ok(token.verify(issuer, &keys, now).ok())
}

/// Whether none of the parties that the token speaks for, or was issued with, has been revoked since.
///
/// # Errors
/// If an item can't be read.
pub(super) fn is_unrevoked(claims: &Claims, tenant: &TenantState, prefetched: &Prefetched) -> Result<bool> {
    let epochs = &claims.epochs;
    let minted = tenant.epoch == epochs.tenant
        && prefetched.epoch_in_force(&claims.key_id)? == Some(epochs.key)
        && !prefetched.is_revoked(claims.jti)?;
    Ok(minted
        && match claims.scope {
            Scope::ProjectUser => is_current_user(claims, prefetched)?,
            Scope::RegisteredTenant | Scope::EndUser | Scope::Account => is_current_customer(claims, prefetched)?,
        })
}

/// Whether neither the organization nor the end user was revoked, as far as the token has them.
fn is_current_customer(claims: &Claims, prefetched: &Prefetched) -> Result<bool> {
    let organization = match claims.org_id {
        Some(id) => prefetched
            .organization_standing(id)?
            .filter(|found| is_still(claims.org_external_id.as_ref(), found.external_id.as_ref())),
        None => None,
    };
    let organization = organization.map(|organization| organization.epoch);
    let external_user = claims.end_user().map(|id| prefetched.external_epoch(id)).transpose()?;
    Ok(claims.epochs.organization == organization && claims.epochs.external_user == external_user)
}

/// Whether the user is still one of that organization, and neither was revoked.
fn is_current_user(claims: &Claims, prefetched: &Prefetched) -> Result<bool> {
    let Some((user, organization)) = parse_uuid(&claims.sub).ok().zip(claims.org_id) else { return Ok(false) };
    let user = prefetched.user_standing(user)?;
    let organization = prefetched.organization_standing(organization)?;
    let Some((user, organization)) = user.zip(organization) else { return Ok(false) };
    Ok(user.organization_id == Some(organization.id)
        && is_still(claims.external_user_id.as_ref(), user.external_id.as_ref())
        && is_still(claims.org_external_id.as_ref(), organization.external_id.as_ref())
        && claims.epochs.user == Some(user.epoch)
        && claims.epochs.organization == Some(organization.epoch))
}

/// Whether the own id that a token carries is still its party's. One that was replaced is free, and may be another's by
/// now: the token would speak for that one to whoever goes by it.
fn is_still(carried: Option<&ExternalId>, registered: Option<&ExternalId>) -> bool {
    carried.is_none_or(|carried| registered == Some(carried))
}

/// Issues a token with `key`. Only for a caller that proved to have it.
///
/// # Errors
/// If the token would be longer than the service accepts, or the secret store fails.
pub(super) async fn mint(
    app: &App,
    issuer: &Issuer,
    tenant: &TenantState,
    key: &ApiKey,
    request: TokenRequest,
    trace: &Trace,
) -> Result<SignedToken> {
    let signing_key = app.signing_key(&issuer.tenant_id, &tenant.signing).await?;
    let claims = request.claims(issuer, key, tenant.epoch, app.random())?;
    let token = claims.sign(&signing_key)?;
    if token.expose().len() > LONGEST_TOKEN {
        return Err(Error::PropertiesTooLarge);
    }
    trace.token(app.trace_key(), &claims);
    app.note_minted(key).await;
    Ok(token)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the runtime of a test is its own")]
mod tests;
