//! People in the console: with a session, or with the code of the link that opens one.
//!
//! A session opens nothing without a proof of the key that it is bound to (DPoP, RFC 9449), and each proof once. Checks
//! come in this order: origin, shape, proof, session, state, first use. Before the session is known to be right,
//! nothing is written.
//!
//! | Whose session | Opens | Ends with |
//! |---|---|---|
//! | the operator's | the registry ([`Operator`](super::Operator)) | the hour; the key that its link was made with |
//! | a tenant's | that tenant's console | the hour; the revocation of all of the tenant's tokens |
//!
//! Whoever has it can end it earlier. The suspension of its tenant stops it.

use std::fmt;

use super::dpop::{proof, refuse_foreign_pages, session_token};
use super::headers::{missing, scheme};
use super::{Caller, CredentialLocation, InputSummary, Request, SecurityScheme, device, idempotency};
use crate::app::App;
use crate::domain::{
    Actor, ChangeContext, ConsoleCode, ConsoleParty, ConsoleSession, ConsoleToken, CredentialForm, DpopProof,
    Freshness, IdempotencyScope, KeyHash, Presented, RevealedConsoleSecret, Tenant, TenantId,
};
use crate::error::{Error, Result};
use crate::store::{FoundConsoleSession, FoundLink};

/// Where a session is that a signature of IAM has taken the header of.
const BESIDE_SIGNATURE: &str = "x-forwarded-authorization";

/// How the document describes a session.
pub(super) const SCHEME: SecurityScheme = SecurityScheme {
    name: "ConsoleSession",
    location: CredentialLocation::Dpop,
    description: "Session of the console (`cs_…`) as `Authorization: DPoP`, and in the header `DPoP` a proof of the \
                  key that it is bound to (RFC 9449): ES256, with `ath` and the `nonce` of the last answer's \
                  `DPoP-Nonce`.",
};

/// The proof that a call carries no more than a key: what it opens, it names by the code of a link.
pub struct ConsoleGuest {
    proof: DpopProof,
    change: ChangeContext,
}

impl fmt::Debug for ConsoleGuest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ConsoleGuest")
    }
}

impl Caller for ConsoleGuest {
    const SCHEMES: &'static [SecurityScheme] = &[SecurityScheme {
        name: "ConsoleKeyProof",
        location: CredentialLocation::Header("DPoP"),
        description: "DPoP proof (RFC 9449) of the key that the session will be bound to. The link's code is in the \
                      body.",
    }];

    async fn authenticate(app: &App, request: &Request, _: &InputSummary) -> Result<Self> {
        refuse_foreign_pages(request, &addresses(request))?;
        // The link is used up by the call, so that a proof made in advance is of no use: a clock that is right will do.
        let proof = proof(app, request, &addresses(request), Presented::Nothing, Freshness::NonceOrClock)?;
        Ok(Self { proof, change: request.change(Actor::OperatorConsole, None) })
    }
}

impl ConsoleGuest {
    /// Opens the console of a link, for the key of the proof.
    ///
    /// # Errors
    /// If there is no such link any more, or its tenant is suspended.
    pub async fn open(self, app: &App, code: &ConsoleCode) -> Result<(RevealedConsoleSecret, ConsolePerson)> {
        let found = app.console().link(code).await?;
        let opens = |found: &FoundLink| found.link.opens_with(&code.hash(), epoch(found.tenant.as_ref()), app.now());
        let found = found.filter(opens).ok_or(Error::ConsoleLinkNotFound)?;
        found.tenant.as_ref().map_or(Ok(()), device::refuse_suspended)?;
        let label = Some(found.link.label.clone());
        let change = ChangeContext { actor: actor(&found.link.party), label, ..self.change };
        let (token, session) = app.console().open(&found, code, &self.proof, &change).await?;
        Ok((token.reveal(), ConsolePerson { session, tenant: found.tenant, change }))
    }
}

/// The proof that the call carried a session of the console and was made with the key that it is bound to, for the
/// first time.
pub struct ConsolePerson {
    session: ConsoleSession,
    tenant: Option<Tenant>,
    change: ChangeContext,
}

impl fmt::Debug for ConsolePerson {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ConsolePerson({})", self.session.id)
    }
}

impl Caller for ConsolePerson {
    const SCHEMES: &'static [SecurityScheme] = &[SCHEME];

    async fn authenticate(app: &App, request: &Request, input: &InputSummary) -> Result<Self> {
        Self::of(app, request, input, |_| true).await
    }

    fn tenant_id(&self) -> Option<&TenantId> {
        self.session.party.tenant()
    }
}

impl ConsolePerson {
    /// Checks a session of a party that is wanted. Another one is refused by what its token says, before anything is
    /// read: a function of the registry may read no tenant's session, and none of a tenant's console the operator's.
    pub(super) async fn of(
        app: &App,
        request: &Request,
        input: &InputSummary,
        is_wanted: fn(&ConsoleParty) -> bool,
    ) -> Result<Self> {
        let token = token(request)?;
        if !is_wanted(token.party()) {
            return Err(Error::Unauthenticated("console session is another party's"));
        }
        let proof = proof(app, request, &addresses(request), Presented::Bound(token.expose()), Freshness::Nonce)?;
        let found = app.console().session(&token).await?;
        let is_its =
            |found: &FoundConsoleSession| found.session.is_of(&token.hash(), epoch(found.tenant.as_ref()), app.now());
        let FoundConsoleSession { session, tenant } = found
            .filter(is_its)
            .ok_or(Error::Unauthenticated("console session is another, has expired or was ended"))?;
        request.trace.console(session.party.tenant(), &session.id);
        proof.check_bound_to(&session.thumbprint)?;
        app.console().accept(&session, &proof).await?;
        let scope = match session.party.tenant() {
            None => IdempotencyScope::Operator,
            Some(tenant) => IdempotencyScope::Console { tenant: tenant.clone(), session: session.id.clone() },
        };
        let idempotency_key = idempotency::key(request, input, scope, token.expose().as_bytes())?;
        let change = request.change(actor(&session.party), None);
        let change = ChangeContext { idempotency_key, label: Some(session.label.clone()), ..change };
        Ok(Self { session, tenant, change })
    }

    /// # Errors
    /// If it is a tenant's that is suspended. Its people can end their session all the same, and do nothing else.
    pub fn refuse_suspended(&self) -> Result<()> {
        self.tenant.as_ref().map_or(Ok(()), device::refuse_suspended)
    }

    pub fn session(&self) -> &ConsoleSession {
        &self.session
    }

    /// The tenant whose console it is; `None` if it is the operator's.
    pub fn tenant(&self) -> Option<&Tenant> {
        self.tenant.as_ref()
    }

    /// Ends the session: from the answer on it opens nothing.
    ///
    /// # Errors
    /// If it was ended at the same moment.
    pub async fn end(self, app: &App) -> Result<()> {
        app.console().end(&self.session, &self.change).await
    }

    /// What the operator's change is made in, and the key behind the session. Only the operator's session has it.
    pub(super) fn into_operator(self) -> Result<(ChangeContext, KeyHash)> {
        match (self.session.party, self.session.made_with) {
            (ConsoleParty::Operator, Some(key)) => Ok((self.change, key)),
            _ => Err(Error::internal("an operator's console session without the key that it came of")),
        }
    }
}

/// The proof that a call is of a tenant's console: of its people, as far as the link's maker has chosen them.
pub struct ConsoleTenant {
    tenant: Tenant,
    change: ChangeContext,
}

impl fmt::Debug for ConsoleTenant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ConsoleTenant({})", self.tenant.summary.id)
    }
}

impl Caller for ConsoleTenant {
    const SCHEMES: &'static [SecurityScheme] = &[SCHEME];

    async fn authenticate(app: &App, request: &Request, input: &InputSummary) -> Result<Self> {
        let is_tenants = |party: &ConsoleParty| party.tenant().is_some();
        let person = ConsolePerson::of(app, request, input, is_tenants).await?;
        person.refuse_suspended()?;
        let ConsolePerson { tenant, change, .. } = person;
        let tenant = tenant.ok_or_else(|| Error::internal("a tenant's console session without its tenant"))?;
        Ok(Self { tenant, change })
    }

    fn tenant_id(&self) -> Option<&TenantId> {
        Some(self.id())
    }
}

impl ConsoleTenant {
    /// The tenant whose console it is, and the only one that its calls are about.
    pub fn id(&self) -> &TenantId {
        &self.tenant.summary.id
    }

    /// The context of the change that the request asks for.
    pub fn change(&self) -> &ChangeContext {
        &self.change
    }
}

/// The addresses of which the console's pages can be: a tenant's are at the service's address, the operator's at that
/// of the registry, which is the one that was called.
fn addresses(request: &Request) -> [&str; 2] {
    [&request.base_url, &request.called_url]
}

/// The session's token as it was sent. Where the gateway asks for a signature of IAM, that has `Authorization`, and the
/// session is where `cargo console` has put it. It is judged as ever, with its proof.
pub(super) fn sent_token(request: &Request) -> Option<&str> {
    let beside_signature = || scheme(request.principal.as_ref().and(request.header(BESIDE_SIGNATURE))?, "dpop");
    session_token(request).or_else(beside_signature)
}

/// The session's token, and that no page of another origin sends it.
fn token(request: &Request) -> Result<ConsoleToken> {
    refuse_foreign_pages(request, &addresses(request))?;
    let text = sent_token(request).ok_or_else(|| missing(request, "a console session as Authorization: DPoP"))?;
    Ok(ConsoleToken::parse(text).ok_or_else(|| CredentialForm::ConsoleSession.fault(text))?)
}

/// How often all tokens of a tenant were revoked. The operator has none.
fn epoch(tenant: Option<&Tenant>) -> u64 {
    tenant.map_or(0, |tenant| tenant.epoch)
}

fn actor(party: &ConsoleParty) -> Actor {
    match party {
        ConsoleParty::Operator => Actor::OperatorConsole,
        ConsoleParty::Tenant(_) => Actor::TenantConsole,
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the runtime of a test is its own")]
mod tests;
