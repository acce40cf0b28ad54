//! Judging a proof (RFC 9449 §4.3).

use std::fmt;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64URL_NOPAD;
use url::Url;

use super::cause::DpopCause;
use super::claims::DpopClaims;
use super::header::{self, Thumbprint};
use super::nonce::{ACCEPTED, LEEWAY, NonceKey};
use crate::domain::credentials::signing_key::PublicKey;
use crate::domain::time::clock::Timestamp;

/// The longest proof that is accepted, in bytes: three times what libraries send.
const LONGEST_PROOF: usize = 2048;

/// How old `iat` may be where no nonce says when the proof was made.
const PAST: Duration = Duration::from_mins(1);
/// How far ahead of us `iat` may be then.
const FUTURE: Duration = Duration::from_secs(30);

/// The credential beside which a proof is presented.
#[derive(Clone, Copy)]
pub enum Presented<'a> {
    /// None. A proof that was made for a token is then for another call.
    Nothing,
    /// One that is not bound to a key, such as a pairing proof. The proof may say that it goes with it.
    Unbound(&'a str),
    /// A device session, which is bound to a key. The proof has to say that it goes with it.
    Bound(&'a str),
}

impl fmt::Debug for Presented<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Nothing => "Nothing",
            Self::Unbound(_) => "Unbound",
            Self::Bound(_) => "Bound",
        })
    }
}

/// What has to show that a proof was made for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// A nonce of ours, and `iat` is not looked at. A proof that somebody had made in advance does not last.
    Nonce,
    /// A nonce, or else `iat`, at most 60 s old and 30 s ahead. For calls whose credential is used up by them: a proof
    /// in advance is of no use there, and a phone whose clock is right needs one call and not two.
    NonceOrClock,
}

/// The call for which a proof has to be.
#[derive(Debug, Clone, Copy)]
pub struct DpopCall<'a> {
    pub method: &'a str,
    /// The service's public address, and not the host that was called.
    pub base_url: &'a str,
    /// Path of the call, beginning with a slash.
    pub path: &'a str,
    pub presented: Presented<'a>,
    pub freshness: Freshness,
    pub now: Timestamp,
}

/// A proof of the right form. Nothing in it may be trusted before [`UnverifiedDpopProof::verify`].
pub struct UnverifiedDpopProof {
    message: String,
    signature: String,
    key: PublicKey,
    claims: DpopClaims,
}

impl fmt::Debug for UnverifiedDpopProof {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("UnverifiedDpopProof")
    }
}

impl UnverifiedDpopProof {
    /// Reads the header `DPoP`.
    ///
    /// # Errors
    /// If it does not have the form of a proof.
    pub fn parse(proof: &str) -> Result<Self, DpopCause> {
        if proof.len() > LONGEST_PROOF {
            return Err(DpopCause::TooLong);
        }
        let (message, signature) = proof.rsplit_once('.').ok_or(DpopCause::NotThreeParts)?;
        let (header, claims) = message.split_once('.').ok_or(DpopCause::NotThreeParts)?;
        if claims.contains('.') {
            return Err(DpopCause::NotThreeParts);
        }
        let decode = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| DpopCause::NotBase64url);
        let (header, claims, _) = (decode(header)?, decode(claims)?, decode(signature)?);
        let key = header::read(str::from_utf8(&header).map_err(|_| DpopCause::HeaderMalformed)?)?;
        let claims = DpopClaims::read(str::from_utf8(&claims).map_err(|_| DpopCause::ClaimsMalformed)?)?;
        Ok(Self { message: message.to_owned(), signature: signature.to_owned(), key, claims })
    }

    /// Judges all that takes no store: signature, call, token, and whether the proof is of now.
    ///
    /// # Errors
    /// If the proof is for another call, or of another time, or its key did not sign it.
    pub fn verify(self, call: &DpopCall<'_>, nonces: &NonceKey) -> Result<DpopProof, DpopCause> {
        let claims = &self.claims;
        if !self.key.verify(self.message.as_bytes(), &self.signature) {
            return Err(DpopCause::SignatureWrong);
        }
        if claims.htm != call.method {
            return Err(DpopCause::HtmWrong);
        }
        if !is_address(&claims.htu, call) {
            return Err(DpopCause::HtuWrong);
        }
        check_token(claims.ath, call.presented)?;
        let until = accepted_until(claims, call, nonces)?;
        let thumbprint = Thumbprint::of(&self.key);
        let replay_key = ReplayKey::of(&thumbprint, &claims.jti);
        Ok(DpopProof { key: self.key, thumbprint, replay_key, until: until.plus(LEEWAY) })
    }
}

/// Whether it is the address of the call: the same origin, and the same path, character by character. Slashes and
/// escapes are not normalized any further than a URL parser does, so that no two paths of ours have the same proof.
fn is_address(htu: &Url, call: &DpopCall<'_>) -> bool {
    let base = Url::parse(call.base_url);
    base.is_ok_and(|base| htu.as_str() == format!("{}{}", base.as_str().trim_end_matches('/'), call.path))
}

/// Whether the proof goes with what is presented.
fn check_token(ath: Option<[u8; 32]>, presented: Presented<'_>) -> Result<(), DpopCause> {
    match (ath, presented) {
        (None, Presented::Nothing | Presented::Unbound(_)) => Ok(()),
        (None, Presented::Bound(_)) => Err(DpopCause::AthMissing),
        (Some(_), Presented::Nothing) => Err(DpopCause::AthUnexpected),
        (Some(ath), Presented::Unbound(token) | Presented::Bound(token)) => {
            let is_same = digest(&SHA256, token.as_bytes()).as_ref() == ath;
            if is_same { Ok(()) } else { Err(DpopCause::AthWrong) }
        }
    }
}

/// Until when this proof is accepted, if it is now.
fn accepted_until(claims: &DpopClaims, call: &DpopCall<'_>, nonces: &NonceKey) -> Result<Timestamp, DpopCause> {
    let DpopCall { now, .. } = *call;
    match (&claims.nonce, call.freshness) {
        // A wrong nonce is refused even if the clock is right: a client that sends one has to learn the new one.
        (Some(nonce), _) => {
            let issued_at = nonces.issued_at(nonce).ok_or(DpopCause::NonceUnknown)?;
            let until = issued_at.plus(ACCEPTED);
            if until < now || issued_at > now.plus(LEEWAY) { Err(DpopCause::NonceStale) } else { Ok(until) }
        }
        (None, Freshness::Nonce) => Err(DpopCause::NonceMissing),
        (None, Freshness::NonceOrClock) => {
            let until = claims.iat.plus(PAST);
            if until < now {
                return Err(DpopCause::IatPast);
            }
            if claims.iat > now.plus(FUTURE) { Err(DpopCause::IatFuture) } else { Ok(until) }
        }
    }
}

/// A proof of this call, made for now and signed by its key. Whether the session is that key's, and whether the proof
/// was used before, only the store knows.
#[derive(Debug)]
pub struct DpopProof {
    key: PublicKey,
    thumbprint: Thumbprint,
    replay_key: ReplayKey,
    until: Timestamp,
}

impl DpopProof {
    /// The key that signed it.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The thumbprint of that key. That the proof is used for the first time is not known yet.
    pub fn thumbprint(&self) -> &Thumbprint {
        &self.thumbprint
    }

    /// The name under which the store has to remember the proof.
    pub fn replay_key(&self) -> &ReplayKey {
        &self.replay_key
    }

    /// How long the store has to remember it: no machine of ours accepts the proof any more after that.
    pub fn remember_until(&self) -> Timestamp {
        self.until
    }

    /// Checks that the proof's key is that of the session.
    ///
    /// # Errors
    /// If it is another key.
    pub fn check_bound_to(&self, session: &Thumbprint) -> Result<(), DpopCause> {
        if self.thumbprint == *session { Ok(()) } else { Err(DpopCause::KeyWrong) }
    }
}

/// The name of a proof in the table: SHA-256 of thumbprint and `jti`, in base64url. A digest, because a `jti` has any
/// characters. With the key in it, nobody can use up the `jti` of another device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayKey(String);

impl ReplayKey {
    fn of(thumbprint: &Thumbprint, jti: &str) -> Self {
        // The thumbprint has a fixed length, so no two pairs have the same text.
        Self(BASE64URL_NOPAD.encode(digest(&SHA256, format!("{thumbprint}{jti}").as_bytes()).as_ref()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ReplayKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
