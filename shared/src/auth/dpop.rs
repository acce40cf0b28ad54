//! What all callers with a session that is bound to a key have in common (DPoP, RFC 9449).

use url::Url;

use super::Request;
use super::headers::scheme;
use crate::app::App;
use crate::domain::{
    CredentialFault, DpopCall, DpopCause, DpopProof, Freshness, Presented, Problem, UnverifiedDpopProof,
};
use crate::error::{Error, Result};

/// Refuses pages of other origins than these addresses, and what a browser fetches before anybody has asked for it:
/// what a link leads to is redeemed by a tap, never by a preview.
pub(super) fn refuse_foreign_pages(request: &Request, addresses: &[&str]) -> Result<()> {
    if let Some(origin) = request.header("origin") {
        let own = |address: &str| Url::parse(address).map(|url| url.origin().ascii_serialization());
        if !addresses.iter().any(|address| own(address).ok().as_deref() == Some(origin)) {
            return Err(Error::OriginNotAllowed("only the service's own pages may call this"));
        }
    }
    match request.header("sec-purpose") {
        Some(_) => Err(Error::Malformed(Problem::new("must not be a prefetch"))),
        None => Ok(()),
    }
}

/// The token of `Authorization: DPoP` (RFC 9449 §7.1).
pub(super) fn session_token(request: &Request) -> Option<&str> {
    scheme(request.header("authorization")?, "dpop")
}

/// The proof in the header `DPoP`, judged as far as it can be without a store. It may be for any of these addresses of
/// ours.
pub(super) fn proof(
    app: &App,
    request: &Request,
    addresses: &[&str],
    presented: Presented<'_>,
    freshness: Freshness,
) -> Result<DpopProof> {
    let text = request.header("dpop").ok_or(CredentialFault::Missing("a proof of a key in DPoP"))?;
    let (method, path, now, nonces) = (request.method.as_str(), request.path.as_str(), app.now(), app.nonce_key()?);
    let mut refusal = DpopCause::HtuWrong;
    for base_url in addresses {
        let call = DpopCall { method, base_url, path, presented, freshness, now };
        match UnverifiedDpopProof::parse(text)?.verify(&call, nonces) {
            Ok(proof) => return Ok(proof),
            Err(cause) => refusal = cause,
        }
        if refusal != DpopCause::HtuWrong {
            break;
        }
    }
    Err(refusal.into())
}
