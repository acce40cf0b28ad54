//! Reading tokens: every rule is set here, and what no rule allows is refused.
//!
//! The rules of all that is signed with a tenant's key are in [`super::jws`].

use std::fmt;

use super::claims::{Claims, Issuer, Scope, TYPE, end_user_subject};
use super::jws::{Jws, Refused, Times};
use super::lifetime::TokenLifetime;
use crate::domain::credentials::signing_key::PublishedKey;
use crate::domain::ids::tenant_id::TenantId;
use crate::domain::time::clock::Timestamp;

/// The longest token that is accepted, in bytes.
pub const LONGEST_TOKEN: usize = 8192;

/// A token of the right form. Its claims tell which items are needed to verify it, and nothing else in them may be
/// trusted before [`UnverifiedToken::verify`].
pub struct UnverifiedToken(Jws<Claims>);

impl fmt::Debug for UnverifiedToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("UnverifiedToken")
    }
}

impl UnverifiedToken {
    /// Parses a token and checks its form.
    ///
    /// # Errors
    /// If it is not exactly the form of our tokens.
    pub fn parse(token: &str) -> Result<Self, Refused> {
        if token.len() > LONGEST_TOKEN {
            return Err(Refused("too long"));
        }
        let token = Jws::parse(token, TYPE)?;
        // Before any item is read that the claims name: none of our tokens speaks for two parties.
        check_subject(&token.claims)?;
        Ok(Self(token))
    }

    /// The claims, of which only the form has been checked.
    pub fn claims(&self) -> &Claims {
        &self.0.claims
    }

    /// The same, without the token. Only for who has verified it.
    pub fn into_claims(self) -> Claims {
        self.0.claims
    }

    /// The claims of a token that `issuer` signed with one of `keys`, and that is valid now by its own claims. Whether
    /// it was revoked is checked elsewhere.
    ///
    /// # Errors
    /// If the token is not such a one.
    pub fn verify(&self, issuer: &Issuer, keys: &[PublishedKey], now: Timestamp) -> Result<&Claims, Refused> {
        let key = self.signed_by(&issuer.tenant_id, keys)?;
        let claims = &self.0.claims;
        if claims.iss != issuer.as_str() {
            return Err(Refused("another issuer"));
        }
        if claims.client_id != claims.key_id {
            return Err(Refused("two minting keys"));
        }
        let times = Times { iat: claims.iat, nbf: claims.nbf, exp: claims.exp };
        times.check(|lifetime| TokenLifetime::new(lifetime).is_ok(), key, now)?;
        Ok(claims)
    }

    /// The claims of a token that the tenant signed with one of `keys`, whether it is valid now or not, for revoking
    /// it. A token that is not valid at this address, on this machine or at this moment may be valid elsewhere or
    /// later.
    ///
    /// # Errors
    /// If it was not signed by the tenant.
    pub fn authentic(&self, tenant_id: &TenantId, keys: &[PublishedKey]) -> Result<&Claims, Refused> {
        self.signed_by(tenant_id, keys)?;
        Ok(&self.0.claims)
    }

    /// The key that signed the token, if it is a key of that tenant.
    fn signed_by<'k>(&self, tenant_id: &TenantId, keys: &'k [PublishedKey]) -> Result<&'k PublishedKey, Refused> {
        let key = self.0.signed_by(keys)?;
        let claims = &self.0.claims;
        if claims.aud != tenant_id.as_str() || claims.tenant_id != *tenant_id {
            return Err(Refused("another audience"));
        }
        Ok(key)
    }
}

/// Checks that exactly the claims of the scope are present.
fn check_subject(claims: &Claims) -> Result<(), Refused> {
    let (organization, user) = (claims.org_id.is_some(), [claims.role_id.is_some(), claims.properties.is_some()]);
    let epochs = &claims.epochs;
    let speaks_for_account = user == [false; 2]
        && claims.data.is_none()
        && !organization
        && claims.org_external_id.is_none()
        && (epochs.organization.is_none() && epochs.user.is_none())
        && epochs.external_user.is_some() == claims.external_user_id.is_some();
    let fits = match claims.scope {
        Scope::ProjectUser => {
            organization
                && user == [true; 2]
                && claims.data.is_none()
                && crate::domain::ids::external_id::parse_uuid(&claims.sub).is_ok()
                && (epochs.organization.is_some() && epochs.user.is_some() && epochs.external_user.is_none())
        }
        Scope::RegisteredTenant => {
            user == [false; 2]
                && claims.data.is_some()
                && !claims.sub.is_empty()
                && (organization || claims.org_external_id.is_none())
                && (epochs.organization.is_some() == organization && epochs.user.is_none())
                && epochs.external_user.is_some() == claims.external_user_id.is_some()
        }
        Scope::EndUser => {
            let subject = claims.external_user_id.as_ref().map(end_user_subject);
            speaks_for_account && subject.as_ref() == Some(&claims.sub)
        }
        Scope::Account => {
            speaks_for_account && claims.external_user_id.is_none() && claims.sub == claims.key_id.as_str()
        }
    };
    if fits { Ok(()) } else { Err(Refused("claims do not fit the scope")) }
}

#[cfg(test)]
mod tests;
