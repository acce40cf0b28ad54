//! The operator, by the admin key in `X-Admin-Key`.

use super::{Caller, Request, SecurityScheme};
use crate::app::App;
use crate::domain::{Actor, AdminKey, IdempotencyKey, KeySlot};
use crate::error::{Error, Result};

/// The header that carries the key.
const HEADER: &str = "x-admin-key";

/// The proof that the request carried an admin key in force.
#[derive(Debug)]
pub struct Operator {
    key: AdminKey,
    slot: KeySlot,
}

impl Caller for Operator {
    const SCHEME: SecurityScheme = SecurityScheme {
        name: "AdminKey",
        header: "X-Admin-Key",
        description: "The operator's key, from the deployment's admin-key secret. Never for a browser or a device.",
    };

    async fn authenticate(app: &App, request: &Request) -> Result<Self> {
        let value = request.header(HEADER).ok_or(Error::Unauthenticated("no X-Admin-Key header"))?;
        // Shape first: a guess of another shape must not cost a call to the secret store.
        let key =
            AdminKey::parse(value).ok_or(Error::Unauthenticated("X-Admin-Key has not the shape of an admin key"))?;
        let slot = app.admin_keys().await?.verify(&key).ok_or(Error::Unauthenticated("wrong admin key"))?;
        Ok(Self { key, slot })
    }

    fn actor(&self) -> Actor {
        self.slot.into()
    }

    fn idempotency_key(&self, key: &str, request: &[&[u8]]) -> Option<IdempotencyKey> {
        IdempotencyKey::new(key, "operator", request, self.key.expose())
    }
}
