//! The operator, by the admin key in `X-Admin-Key`.

use super::{Attempt, Caller, CredentialLocation, Needs, Request, SecurityScheme};
use crate::app::App;
use crate::domain::{ChangeContext, IdempotencyKey, KeySlot, OperatorKey, Problem};
use crate::error::{Error, Result};

/// The header that carries the key.
const HEADER: &str = "x-admin-key";

/// The proof that the request carried an admin key in force.
#[derive(Debug)]
pub struct Operator {
    key: OperatorKey,
    slot: KeySlot,
}

impl Caller for Operator {
    const SCHEMES: &'static [SecurityScheme] = &[SecurityScheme {
        name: "AdminKey",
        location: CredentialLocation::Header("X-Admin-Key"),
        description: "The operator's key, from the deployment's admin-key secret. Never for a browser or a device.",
    }];

    type Found = ();
    type ChangeContext = ChangeContext;

    async fn authenticate(app: &App, request: &Request, _: &Needs) -> Result<(Self, ())> {
        let value = request.header(HEADER).ok_or(Error::Unauthenticated("no X-Admin-Key header"))?;
        // Shape first: a guess of another shape must not cost a call to the secret store.
        let key =
            OperatorKey::parse(value).ok_or(Error::Unauthenticated("X-Admin-Key has not the shape of an admin key"))?;
        let slot = app.operator_keys().await?.verify(&key).ok_or(Error::Unauthenticated("wrong admin key"))?;
        Ok((Self { key, slot }, ()))
    }

    fn change(&self, attempt: &Attempt<'_>) -> Result<ChangeContext> {
        // The key is the operator's own, and what is sealed under it can be opened with the admin key only.
        let read = |key| IdempotencyKey::new(key, "operator", attempt.request, self.key.expose());
        let malformed = || Error::invalid("Idempotency-Key", Problem::new("must be 1 to 255 visible ASCII characters"));
        let idempotency_key = attempt.idempotency_key.map(|key| read(key).ok_or_else(malformed)).transpose()?;
        Ok(ChangeContext {
            actor: self.slot.into(),
            at: attempt.at,
            request_id: attempt.request_id.to_owned(),
            deadline: attempt.deadline,
            idempotency_key,
        })
    }
}
