//! The operator as a caller: by the operator's key in `X-Admin-Key`, or by a session of the console that is as good as
//! that key for as long as it is in force.

use super::console::{self, ConsolePerson};
use super::headers::missing;
use super::{Caller, CredentialLocation, InputSummary, Request, SecurityScheme, idempotency};
use crate::app::App;
use crate::domain::{
    Actor, ChangeContext, ConsoleParty, CredentialForm, IdempotencyScope, KeyHash, OperatorKey, TenantId,
};
use crate::error::{Error, Result};

/// Why a key of the right shape is refused, in the log.
pub const WRONG_KEY: &str = "wrong operator's key";

/// The header that carries the key.
const HEADER: &str = "x-admin-key";

/// The proof that the request carried an operator's key in force, or a session of the operator's console that came of
/// one.
#[derive(Debug)]
pub struct Operator {
    change: ChangeContext,
    /// The key, or that of which the session came.
    key: KeyHash,
    /// The registry's address, by which it was called.
    called_url: String,
}

impl Caller for Operator {
    const SCHEMES: &'static [SecurityScheme] = &[
        SecurityScheme {
            name: "AdminKey",
            location: CredentialLocation::Header("X-Admin-Key"),
            description: "Operator's key, from the deployment's secret. It must not reach a browser or a device.",
        },
        console::SCHEME,
    ];

    async fn authenticate(app: &App, request: &Request, input: &InputSummary) -> Result<Self> {
        let Some(value) = request.header(HEADER) else {
            return if console::sent_token(request).is_some() {
                by_session(app, request, input).await
            } else {
                Err(missing(request, "the operator's key in X-Admin-Key").into())
            };
        };
        // Shape first: a guess of another shape must not cost a call to the secret store.
        let key = OperatorKey::parse(value).ok_or_else(|| CredentialForm::OperatorKey.fault(value))?;
        let slot = app.operator_keys().await?.verify(&key).ok_or(Error::Unauthenticated(WRONG_KEY))?;
        request.trace.operator(slot);
        // Only the operator's key opens what is sealed under the idempotency key.
        let idempotency_key = idempotency::key(request, input, IdempotencyScope::Operator, key.expose())?;
        let principal = request.principal.clone();
        let change = ChangeContext { idempotency_key, principal, ..request.change(slot.into(), None) };
        Ok(Self { change, key: key.hash(), called_url: request.called_url.clone() })
    }
}

/// The operator in the console. The session ends with the key that its link was made with: whoever rotates a leaked key
/// away has ended what was opened with it.
async fn by_session(app: &App, request: &Request, input: &InputSummary) -> Result<Operator> {
    let is_operators = |party: &ConsoleParty| *party == ConsoleParty::Operator;
    let (change, key) = ConsolePerson::of(app, request, input, is_operators).await?.into_operator()?;
    let gone = Error::Unauthenticated("console session came of an operator's key that is not in force");
    request.trace.operator(app.operator_keys().await?.slot_of(&key).ok_or(gone)?);
    let change = ChangeContext { principal: request.principal.clone(), ..change };
    Ok(Operator { change, key, called_url: request.called_url.clone() })
}

impl Operator {
    /// The context of the change that the request asks for: who asks, when, under which idempotency key.
    pub fn change(&self) -> &ChangeContext {
        &self.change
    }

    /// Whose console a link may be for, and the key that it is made with: the operator's own takes the key itself, or a
    /// session could outlast itself.
    ///
    /// # Errors
    /// If a session asks for a link to the operator's console.
    pub fn console_link(&self, tenant: Option<TenantId>) -> Result<(ConsoleParty, KeyHash)> {
        match tenant {
            Some(id) => Ok((ConsoleParty::Tenant(id), self.key.clone())),
            None if self.change.actor == Actor::OperatorConsole => Err(Error::OperatorKeyRequired),
            None => Ok((ConsoleParty::Operator, self.key.clone())),
        }
    }

    /// Where that console is: the operator's on the API that was called, a tenant's at the service's address, if the
    /// deployment says it.
    pub fn console_address(&self, app: &App, party: &ConsoleParty) -> Option<String> {
        match party {
            ConsoleParty::Operator => Some(self.called_url.clone()),
            ConsoleParty::Tenant(_) => app.public_url().map(str::to_owned),
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the runtime of a test is its own")]
mod tests {
    use super::*;
    use crate::auth::testing::{app, input, request};

    /// A key of the operator's shape, where it is not looked for.
    const OPERATORS: &str = "Bearer aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    #[tokio::test]
    async fn what_is_no_key_is_refused_before_the_secret_is_read() {
        for (headers, expected) in [
            (&[][..], "credential_missing"),
            (&[("authorization", "Bearer x")], "credential_missing"),
            (&[("authorization", OPERATORS)], "key_on_the_wrong_header"),
            (&[("x-api-key", &OPERATORS["Bearer ".len()..])], "key_on_the_wrong_header"),
            (&[("x-admin-key", "short")], "key_malformed"),
            (&[("x-admin-key", "ak_x")], "key_on_the_wrong_header"),
        ] {
            match Operator::authenticate(&app(), &request(headers), &input()).await {
                Err(Error::CredentialFault(fault)) => assert_eq!(fault.as_str(), expected),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_session_makes_links_for_tenants_only_and_the_key_for_the_operator_too() {
        let operator = |actor| Operator {
            change: request(&[]).change(actor, None),
            key: KeyHash::parse(&"a".repeat(64)).unwrap(),
            called_url: "https://registry.example.com".to_owned(),
        };
        let id = TenantId::of(&[0; 16]);
        for actor in [Actor::Operator, Actor::OperatorConsole] {
            let (party, key) = operator(actor).console_link(Some(id.clone())).unwrap();
            assert_eq!((&party, key.to_text()), (&ConsoleParty::Tenant(id.clone()), "a".repeat(64)));
            assert_eq!(operator(actor).console_address(&app(), &party), None);
        }
        let with_key = operator(Actor::Operator);
        let (party, key) = with_key.console_link(None).unwrap();
        assert_eq!((&party, key.to_text()), (&ConsoleParty::Operator, "a".repeat(64)));
        assert_eq!(with_key.console_address(&app(), &party).as_deref(), Some("https://registry.example.com"));
        let refused = operator(Actor::OperatorConsole).console_link(None);
        assert!(matches!(refused, Err(Error::OperatorKeyRequired)), "{refused:?}");
    }
}
