//! The operator as a caller, by the operator's key in `X-Admin-Key`.

use super::{Caller, CredentialLocation, InputSummary, Request, SecurityScheme, api_key, idempotency};
use crate::app::App;
use crate::domain::{ChangeContext, CredentialFault, CredentialForm, IdempotencyScope, OperatorKey};
use crate::error::{Error, Result};

/// Why a key of the right shape is refused, in the log.
pub const WRONG_KEY: &str = "wrong admin key";

/// The header that carries the key.
const HEADER: &str = "x-admin-key";

/// The proof that the request carried an operator's key in force.
#[derive(Debug)]
pub struct Operator {
    change: ChangeContext,
}

impl Caller for Operator {
    const SCHEMES: &'static [SecurityScheme] = &[SecurityScheme {
        name: "AdminKey",
        location: CredentialLocation::Header("X-Admin-Key"),
        description: "Operator's key, from the deployment's secret. It must not reach a browser or a device.",
    }];

    async fn authenticate(app: &App, request: &Request, input: &InputSummary) -> Result<Self> {
        let value = request.header(HEADER).ok_or_else(|| missing(request))?;
        // Shape first: a guess of another shape must not cost a call to the secret store.
        let key = OperatorKey::parse(value).ok_or_else(|| CredentialForm::OperatorKey.fault(value))?;
        let slot = app.operator_keys().await?.verify(&key).ok_or(Error::Unauthenticated(WRONG_KEY))?;
        request.trace.operator(slot);
        // Only the operator's key opens what is sealed under the idempotency key.
        let idempotency_key = idempotency::key(request, input, IdempotencyScope::Operator, key.expose())?;
        let principal = request.principal.clone();
        Ok(Self { change: ChangeContext { idempotency_key, principal, ..request.change(slot.into(), None) } })
    }
}

impl Operator {
    /// The context of the change that the request asks for: who asks, when, under which idempotency key.
    pub fn change(&self) -> &ChangeContext {
        &self.change
    }
}

/// What is wrong with a call without the header: its key may stand in another.
fn missing(request: &Request) -> CredentialFault {
    let mut others = [api_key::bearer(request), request.header("x-api-key")].into_iter().flatten();
    let form = CredentialForm::OperatorKey;
    if others.any(|text| CredentialForm::of(text) == Some(form)) {
        return CredentialFault::WrongHeader(form.advice());
    }
    CredentialFault::Missing("the operator's key in X-Admin-Key")
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
}
