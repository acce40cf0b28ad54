//! Reading tokens: every rule is set here, and what no rule allows is refused.
//!
//! A JWT library's defaults are no policy (RFC 8725): those of `jsonwebtoken` take any `typ`, a minute of leeway, a
//! `nbf` in the future, a member that is null for one that is absent. So the library verifies signatures, and the rules
//! are here: the algorithm is the key's and never the token's, a header has the three members that ours have and no
//! other, each claim has its one type and is there once, and the clock is a parameter. Refused alternative: the
//! library's `Validation`, which has a clock of its own and would read the claims twice more.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;

use super::claims::{Claims, Issuer, Scope, TYPE, end_user_subject};
use super::lifetime::TokenLifetime;
use crate::domain::credentials::signing_key::{ALGORITHM_NAME, PublishedKey};
use crate::domain::ids::tenant_id::TenantId;
use crate::domain::time::clock::Timestamp;

/// The longest token that is accepted, in bytes.
pub const LONGEST_TOKEN: usize = 8192;

/// The largest difference, in seconds, by which the clock of the issuing machine may be ahead. There is no leeway at
/// the end of a token's validity.
const LEEWAY: u64 = 5;

/// The time after its replacement, in seconds, in which a key may still have signed: a request was under way, on a
/// machine with another clock.
const RETIRING: u64 = 60;

/// Bytes of an ES256 signature.
const SIGNATURE: usize = 64;

/// The reason for which a token is not accepted. For tests and logs: the caller who presents the token learns only that
/// it is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused(pub &'static str);

/// The header: exactly these members. So there is no `crit` to ignore, and no `jwk`, `jku` or `x5u` to follow.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

/// A token of the right form. Its claims tell which items are needed to verify it, and nothing else in them may be
/// trusted before [`UnverifiedToken::verify`].
pub struct UnverifiedToken {
    message: String,
    signature: String,
    kid: String,
    claims: Claims,
}

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
        let (message, signature) = token.rsplit_once('.').ok_or(Refused("not three parts"))?;
        let (header, claims) = message.split_once('.').ok_or(Refused("not three parts"))?;
        let decode = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| Refused("not base64url"));
        let (header, claims) = (decode(header)?, decode(claims)?);
        if decode(signature)?.len() != SIGNATURE {
            return Err(Refused("signature of another length"));
        }
        let header: Header = object(&header).ok_or(Refused("header has other members"))?;
        if header.alg != ALGORITHM_NAME {
            return Err(Refused("another algorithm"));
        }
        if header.typ != TYPE {
            return Err(Refused("another type"));
        }
        let claims = object(&claims).ok_or(Refused("claims are not those of a token"))?;
        // Before any item is read that the claims name: none of our tokens speaks for two parties.
        check_subject(&claims)?;
        Ok(Self { message: message.to_owned(), signature: signature.to_owned(), kid: header.kid, claims })
    }

    /// The claims, of which only the form has been checked.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The claims of a token that `issuer` signed with one of `keys`, and that is valid now by its own claims. Whether
    /// it was revoked is checked elsewhere.
    ///
    /// # Errors
    /// If the token is not such a one.
    pub fn verify(&self, issuer: &Issuer, keys: &[PublishedKey], now: Timestamp) -> Result<&Claims, Refused> {
        let key = self.signed_by(&issuer.tenant_id, keys)?;
        let claims = &self.claims;
        if claims.iss != issuer.as_str() {
            return Err(Refused("another issuer"));
        }
        if claims.client_id != claims.key_id {
            return Err(Refused("two minting keys"));
        }
        check_times(claims, key, now.as_seconds())?;
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
        Ok(&self.claims)
    }

    /// The key that signed the token, if it is a key of that tenant.
    fn signed_by<'k>(&self, tenant_id: &TenantId, keys: &'k [PublishedKey]) -> Result<&'k PublishedKey, Refused> {
        let key = keys.iter().find(|key| key.kid == self.kid).ok_or(Refused("unknown key"))?;
        if !key.key.verify(self.message.as_bytes(), &self.signature) {
            return Err(Refused("wrong signature"));
        }
        if self.claims.aud != tenant_id.as_str() || self.claims.tenant_id != *tenant_id {
            return Err(Refused("another audience"));
        }
        Ok(key)
    }
}

fn check_times(claims: &Claims, key: &PublishedKey, now: u64) -> Result<(), Refused> {
    let latest_start = now.saturating_add(LEEWAY);
    if claims.iat > latest_start {
        return Err(Refused("issued in the future"));
    }
    if claims.nbf.is_some_and(|nbf| nbf > latest_start) {
        return Err(Refused("not valid yet"));
    }
    if claims.exp <= now {
        return Err(Refused("expired"));
    }
    if claims.exp.checked_sub(claims.iat).is_none_or(|lifetime| TokenLifetime::new(lifetime).is_err()) {
        return Err(Refused("lifetime out of bounds"));
    }
    // A replaced key signs no more: whoever got hold of it cannot make new tokens.
    if key.retired_at.is_some_and(|retired| claims.iat > retired.as_seconds().saturating_add(RETIRING)) {
        return Err(Refused("issued after its key was retired"));
    }
    Ok(())
}

/// Checks that exactly the claims of the scope are present.
fn check_subject(claims: &Claims) -> Result<(), Refused> {
    let (organization, user) = (claims.org_id.is_some(), [claims.role_id.is_some(), claims.properties.is_some()]);
    let epochs = &claims.epochs;
    let speaks_for_account = user == [false; 2]
        && claims.data.is_none()
        && !organization
        && (epochs.organization.is_none() && epochs.user.is_none())
        && epochs.external_user.is_some() == claims.external_user_id.is_some();
    let fits = match claims.scope {
        Scope::ProjectUser => {
            organization
                && user == [true; 2]
                && claims.data.is_none()
                && claims.external_user_id.is_none()
                && crate::domain::ids::external_id::parse_uuid(&claims.sub).is_ok()
                && (epochs.organization.is_some() && epochs.user.is_some() && epochs.external_user.is_none())
        }
        Scope::RegisteredTenant => {
            user == [false; 2]
                && claims.data.is_some()
                && !claims.sub.is_empty()
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

/// A JSON object and nothing else: a derived decoder would take an array too.
fn object<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Option<T> {
    let starts_as_object = bytes.first() == Some(&b'{');
    serde_json::from_slice(bytes).ok().filter(|_| starts_as_object)
}

#[cfg(test)]
mod tests;
