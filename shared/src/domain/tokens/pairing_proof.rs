//! Pairing proofs: what a tenant hands to its app, with which a device becomes that of one person. Accepted once,
//! within five minutes.
//!
//! It is a JWT signed with the tenant's key, and no token: it has another `typ`, the one endpoint that takes it as its
//! audience, and none of the claims that a resource server asks for (`sub`, `scope`, `client_id`). Who the person is
//! stays in the table, under its `jti`: whoever carries the proof need not know.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::claims::Issuer;
use super::jws::{self, Jws, Refused, SignedToken, Times};
use crate::domain::credentials::signing_key::{PublishedKey, SigningKey};
use crate::domain::devices::pairing_handle::PairingId;
use crate::domain::ids::tenant_id::TenantId;
use crate::domain::time::clock::Timestamp;
use crate::domain::values::random::RandomnessUnavailable;

/// The `typ` of the header.
const TYPE: &str = "pairing+jwt";

/// The longest proof that is accepted, in bytes: twice what ours have at the longest address.
const LONGEST: usize = 2048;

/// Claims of a pairing proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairingClaims {
    iss: String,
    aud: String,
    iat: u64,
    exp: u64,
    /// The pairing, as the table names it.
    pub jti: PairingId,
    /// The tenant whose key signed the proof.
    pub tenant_id: TenantId,
}

impl PairingClaims {
    /// How long a pairing can be redeemed, by its proof or its handle.
    pub const LIFETIME: Duration = Duration::from_mins(5);

    /// The claims of a pairing's proof, made now. `audience` is the address of the endpoint that takes it.
    pub fn new(issuer: &Issuer, audience: &str, pairing: PairingId, now: Timestamp) -> Self {
        let iat = now.as_seconds();
        Self {
            iss: issuer.as_str().to_owned(),
            aud: audience.to_owned(),
            iat,
            exp: iat + Self::LIFETIME.as_secs(),
            jti: pairing,
            tenant_id: issuer.tenant_id.clone(),
        }
    }

    /// The proof with these claims.
    ///
    /// # Errors
    /// If no randomness is available.
    pub fn sign(&self, key: &SigningKey) -> Result<SignedToken, RandomnessUnavailable> {
        jws::sign(TYPE, self, key)
    }
}

/// A pairing proof of the right form. Its claims tell which keys are needed to verify it, and nothing else in them may
/// be trusted before [`UnverifiedPairingProof::verify`].
pub struct UnverifiedPairingProof(Jws<PairingClaims>);

impl fmt::Debug for UnverifiedPairingProof {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("UnverifiedPairingProof")
    }
}

impl UnverifiedPairingProof {
    /// Parses a proof and checks its form.
    ///
    /// # Errors
    /// If it is not exactly the form of our proofs.
    pub fn parse(proof: &str) -> Result<Self, Refused> {
        if proof.len() > LONGEST {
            return Err(Refused("too long"));
        }
        Jws::parse(proof, TYPE).map(Self)
    }

    /// The tenant whose proof it claims to be.
    pub fn tenant_id(&self) -> &TenantId {
        &self.0.claims.tenant_id
    }

    /// The claims of a proof that `issuer` signed with one of `keys` for this audience, and that is valid now. Whether
    /// it was used is checked elsewhere.
    ///
    /// # Errors
    /// If the proof is not such a one.
    pub fn verify(
        &self,
        issuer: &Issuer,
        audience: &str,
        keys: &[PublishedKey],
        now: Timestamp,
    ) -> Result<&PairingClaims, Refused> {
        let key = self.0.signed_by(keys)?;
        let claims = &self.0.claims;
        if claims.iss != issuer.as_str() || claims.tenant_id != issuer.tenant_id {
            return Err(Refused("another issuer"));
        }
        if claims.aud != audience {
            return Err(Refused("another audience"));
        }
        let times = Times { iat: claims.iat, nbf: None, exp: claims.exp };
        times.check(|lifetime| lifetime == PairingClaims::LIFETIME.as_secs(), key, now)?;
        Ok(claims)
    }
}

#[cfg(test)]
mod tests;
