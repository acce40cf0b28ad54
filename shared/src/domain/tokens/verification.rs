//! Reading tokens: every rule is set here, and what no rule allows is refused.
//!
//! A JWT library's defaults are no policy (RFC 8725): those of `jsonwebtoken` take any `typ`, a minute of leeway, a `nbf` in the
//! future, a member that is null for one that is absent. So the library decodes and verifies signatures, and the rules are
//! here: the algorithm is the key's and never the token's, a header has the three members that ours have and no other, each
//! claim has its one type and is there once, and the clock is a parameter. Refused alternative: the library's `Validation`,
//! which has a clock of its own and would read the claims twice more.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::dangerous::insecure_decode_claims;
use jsonwebtoken::errors::ErrorKind;
use serde::Deserialize;

use super::claims::{Claims, Issuer, Scope, TYPE, end_user_subject};
use super::lifetime::TokenLifetime;
use crate::domain::credentials::signing_key::{ALGORITHM_NAME, PublishedKey};
use crate::domain::ids::tenant_id::TenantId;
use crate::domain::time::clock::Timestamp;
use crate::domain::values::serde_rules::object;

/// The longest token that is looked at, in bytes.
pub const LONGEST_TOKEN: usize = 8192;

/// How far ahead the clock of the machine that issued a token may be, in seconds. There is no leeway at the token's end.
const LEEWAY: u64 = 5;

/// How long after its replacement a key may have signed, in seconds: a request that was under way, on a machine whose clock is
/// another.
const RETIRING: u64 = 60;

/// Bytes of an ES256 signature.
const SIGNATURE: usize = 64;
/// What is wrong with a part that can't be decoded.
const NOT_BASE64URL: Refused = Refused("not base64url");

/// Why a token is not accepted. For tests and logs: whoever presents the token learns only that it isn't.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused(pub &'static str);

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

/// The header: exactly these members. So there is no `crit` to ignore, and no `jwk`, `jku` or `x5u` to follow.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

/// A token that has the form of one. Its claims say where to look for what decides about it, and nothing else is to be
/// believed of them before [`UnverifiedToken::verify`].
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
    /// Reads the form.
    ///
    /// # Errors
    /// If it is not exactly that of a token of ours.
    pub fn parse(token: &str) -> Result<Self, Refused> {
        if token.len() > LONGEST_TOKEN {
            return Err(Refused("too long"));
        }
        let (message, signature) = token.rsplit_once('.').ok_or(Refused("not three parts"))?;
        let (header, _) = message.split_once('.').ok_or(Refused("not three parts"))?;
        let decode = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| NOT_BASE64URL);
        let header = decode(header)?;
        if decode(signature)?.len() != SIGNATURE {
            return Err(Refused("signature of another length"));
        }
        let Object(header): Object<Header> =
            serde_json::from_slice(&header).map_err(|_| Refused("header has other members"))?;
        if header.alg != ALGORITHM_NAME {
            return Err(Refused("another algorithm"));
        }
        if header.typ != TYPE {
            return Err(Refused("another type"));
        }
        let Object(claims): Object<Claims> = insecure_decode_claims(token).map_err(|error| match error.kind() {
            ErrorKind::Base64(_) => NOT_BASE64URL,
            _ => Refused("claims are not those of a token"),
        })?;
        // Before anybody looks where the claims say: none of ours speaks for two.
        check_subject(&claims)?;
        Ok(Self { message: message.to_owned(), signature: signature.to_owned(), kid: header.kid, claims })
    }

    /// The claims, of which nothing is known but their form.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The claims of a token that `issuer` signed with one of `keys`, and that is valid now as far as it tells itself. Whether
    /// it was revoked is another question.
    ///
    /// # Errors
    /// If it isn't.
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

    /// The claims of a token that the tenant signed with one of `keys`, whether it is valid now or not: of one that is to be
    /// revoked. What is not valid at this address, on this machine or at this moment may be elsewhere or later.
    ///
    /// # Errors
    /// If it was not signed by the tenant.
    pub fn authentic(&self, tenant_id: &TenantId, keys: &[PublishedKey]) -> Result<&Claims, Refused> {
        self.signed_by(tenant_id, keys)?;
        Ok(&self.claims)
    }

    /// The key that signed it, if it is of that tenant.
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
    // A key that was replaced signs no more: whoever got hold of it can't make tokens of today.
    if key.retired_at.is_some_and(|retired| claims.iat > retired.as_seconds().saturating_add(RETIRING)) {
        return Err(Refused("issued after its key was retired"));
    }
    Ok(())
}

/// Exactly the claims that go with the scope.
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

/// A JSON object and nothing else.
#[derive(Deserialize)]
#[serde(transparent)]
struct Object<T: for<'a> Deserialize<'a>>(#[serde(deserialize_with = "object")] T);

#[cfg(test)]
mod tests;
