//! Whether a token is valid now.

use super::key_holder::Found;
use crate::app::App;
use crate::domain::{
    ApiKey, Claims, Epochs, ExternalId, Grant, Handle, Issuer, LONGEST_TOKEN, Organization, RegisteredData,
    RegisteredKey, Scope, SignedToken, Subject, TenantId, Timestamp, TokenLifetime, UnverifiedToken, User, parse_uuid,
};
use crate::error::{Error, Result};
use crate::store::{Prefetched, Read, TenantState};

/// What decides about a token: its issuer's keys, and whoever it speaks for. Nothing, if it has not the form of one.
pub fn reads_for(token: &str) -> Vec<Read> {
    let Ok(token) = UnverifiedToken::parse(token) else { return Vec::new() };
    let claims = token.claims();
    let user = parse_uuid(&claims.sub).ok().filter(|_| claims.scope == Scope::ProjectUser);
    [
        Some(Read::SigningKeys),
        Some(Read::ApiKey(claims.key_id.clone())),
        Some(Read::Revocation(claims.jti)),
        claims.org_id.map(|id| Read::Organization(Handle::Uuid(id))),
        user.map(|id| Read::User(Handle::Uuid(id))),
        claims.external_user_id.clone().map(Read::ExternalUser),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The claims of a token that `issuer` signed and that is valid now; `None` for every other, whatever the reason. `found` has
/// what [`reads_for`] reads.
///
/// # Errors
/// If an item can't be read.
pub fn active_claims(token: &str, issuer: &Issuer, found: &Found, now: Timestamp) -> Result<Option<Claims>> {
    let Some(claims) = verified_claims(token, issuer, found, now)? else { return Ok(None) };
    let active = found.tenant.is_active && is_unrevoked(&claims, &found.tenant, &found.prefetched)?;
    Ok(active.then_some(claims))
}

/// The claims of a token that `issuer` signed and that is valid now as far as it tells itself.
pub(super) fn verified_claims(token: &str, issuer: &Issuer, found: &Found, now: Timestamp) -> Result<Option<Claims>> {
    let keys = found.prefetched.signing_keys(now)?;
    Ok(UnverifiedToken::parse(token).and_then(|token| token.verify(issuer, &keys, now)).ok())
}

/// The claims of a token that the tenant signed, for taking it back: whether it is valid now doesn't matter, as long as it can
/// come to be.
///
/// # Errors
/// If an item can't be read.
pub fn revocable_claims(token: &str, tenant_id: &TenantId, found: &Found, now: Timestamp) -> Result<Option<Claims>> {
    let keys = found.prefetched.signing_keys(now)?;
    let authentic = UnverifiedToken::parse(token).and_then(|token| token.authentic(tenant_id, &keys));
    Ok(authentic.ok().filter(|claims| now < claims.expires_at()))
}

/// Whether nobody that the token speaks for, or was minted with, has been revoked since.
pub(super) fn is_unrevoked(claims: &Claims, tenant: &TenantState, prefetched: &Prefetched) -> Result<bool> {
    let epochs = &claims.epochs;
    let Some((key, _)) = prefetched.api_key(&claims.key_id)? else { return Ok(false) };
    let minted = tenant.epoch == epochs.tenant
        && key.revoked_at.is_none()
        && key.epoch == epochs.key
        && !prefetched.is_revoked(claims.jti);
    Ok(minted
        && match claims.scope {
            Scope::ProjectUser => is_current_user(claims, prefetched)?,
            Scope::RegisteredTenant | Scope::EndUser | Scope::Account => is_current_customer(claims, prefetched)?,
        })
}

/// Whether neither the organization nor the end user was revoked, as far as the token has them.
fn is_current_customer(claims: &Claims, prefetched: &Prefetched) -> Result<bool> {
    let organization = match claims.org_id {
        Some(id) => prefetched.organization(&Handle::Uuid(id))?.map(|organization| organization.record.epoch),
        None => None,
    };
    let external_user = claims.external_user_id.as_ref().map(|id| prefetched.external_epoch(id)).transpose()?;
    Ok(claims.epochs.organization == organization && claims.epochs.external_user == external_user)
}

/// Whether the user is still one of that organization, and neither was revoked.
fn is_current_user(claims: &Claims, prefetched: &Prefetched) -> Result<bool> {
    let Some((user, organization)) = parse_uuid(&claims.sub).ok().zip(claims.org_id) else { return Ok(false) };
    let user = prefetched.user(&Handle::Uuid(user))?;
    let organization = prefetched.organization(&Handle::Uuid(organization))?;
    let Some((user, organization)) = user.zip(organization) else { return Ok(false) };
    Ok(user.organization_id == organization.id
        && claims.epochs.user == Some(user.record.epoch)
        && claims.epochs.organization == Some(organization.record.epoch))
}

/// What a token is to be.
#[derive(Debug)]
pub struct Order {
    pub subject: Subject,
    /// Of those that the subject names.
    pub epochs: Epochs,
    pub lifetime: TokenLifetime,
    /// When it was asked for.
    pub at: Timestamp,
}

impl Order {
    /// A token for a user of an organization.
    ///
    /// # Errors
    /// If the properties of both have become too large for one.
    pub fn for_user(user: &User, organization: &Organization, lifetime: TokenLifetime, at: Timestamp) -> Result<Self> {
        let properties = organization.properties.overlaid_with(&user.properties).ok_or(Error::PropertiesTooLarge)?;
        let (organization_id, role_id) = (organization.id, user.role_id);
        let epochs = Epochs {
            organization: Some(organization.record.epoch),
            user: Some(user.record.epoch),
            ..Epochs::default()
        };
        let subject = Subject::ProjectUser { id: user.id, organization_id, role_id, properties };
        Ok(Self { subject, epochs, lifetime, at })
    }

    /// A token of the older kind. `user` is the end user that it speaks for, with how often that one's tokens were revoked.
    pub fn for_registered(
        key: RegisteredKey,
        user: Option<(ExternalId, u64)>,
        organization: Option<&Organization>,
        data: RegisteredData,
        lifetime: TokenLifetime,
        at: Timestamp,
    ) -> Self {
        let epochs = Epochs {
            external_user: user.as_ref().map(|(_, epoch)| *epoch),
            organization: organization.map(|organization| organization.record.epoch),
            ..Epochs::default()
        };
        let organization_id = organization.map(|organization| organization.id);
        let subject = Subject::RegisteredTenant { key, user: user.map(|(user, _)| user), organization_id, data };
        Self { subject, epochs, lifetime, at }
    }

    /// Issues the token with `key`. Only for a caller that proved to have it.
    pub(super) async fn mint(
        self,
        app: &App,
        tenant: &TenantState,
        base_url: &str,
        key: &ApiKey,
    ) -> Result<SignedToken> {
        let issuer = Issuer::new(base_url, &key.claims.tenant_id);
        let epochs = Epochs { tenant: tenant.epoch, key: key.epoch, ..self.epochs };
        let Self { subject, lifetime, at, .. } = self;
        let grant = Grant { issuer: &issuer, key_id: &key.claims.id, subject, epochs, lifetime, at };
        let token = app.sign(tenant, &grant).await?;
        if token.expose().len() > LONGEST_TOKEN { Err(Error::PropertiesTooLarge) } else { Ok(token) }
    }
}
