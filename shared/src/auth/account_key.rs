//! A backend with an account key, where a token won't do.

use super::key_holder::Found;
use super::token::Order;
use super::viewer::{KEY, Viewer};
use super::{Attempt, Caller, Needs, Request, SecurityScheme};
use crate::app::App;
use crate::domain::{ApiKey, Epochs, ExternalId, Minutes, SignedToken, Subject, Timestamp, TokenLifetime};
use crate::error::{Error, Result};
use crate::store::Resources;

/// The proof that the request carried an account key, whoever it is for.
#[derive(Debug)]
pub struct AccountKey {
    viewer: Viewer,
    key: ApiKey,
}

impl Caller for AccountKey {
    const SCHEMES: &'static [SecurityScheme] = &[KEY];

    type Found = Found;
    type ChangeContext = ();

    async fn authenticate(app: &App, request: &Request, needs: &Needs) -> Result<(Self, Found)> {
        let (viewer, found) = Viewer::authenticate(app, request, needs).await?;
        let key = viewer.key().cloned().ok_or(Error::InsufficientScope)?;
        Ok((Self { viewer, key }, found))
    }

    fn change(&self, _: &Attempt<'_>) -> Result<()> {
        Ok(())
    }

    fn tenant_id(&self) -> Option<&str> {
        self.viewer.tenant_id()
    }
}

impl AccountKey {
    /// The rows that the call sees and writes.
    pub fn resources<'a>(&'a self, app: &'a App, found: &'a Found) -> Resources<'a> {
        self.viewer.resources(app, found)
    }

    /// Issues a token that sees what this call sees. Only a key does: a token that could make tokens would outlive itself.
    ///
    /// # Errors
    /// If the secret store fails.
    pub async fn mint(
        &self,
        app: &App,
        found: &Found,
        base_url: &str,
        lifetime: Minutes,
        at: Timestamp,
    ) -> Result<SignedToken> {
        let (subject, external_user) = match self.viewer.external_user_id() {
            Some(id) => (Subject::EndUser(ExternalId::clone(id)), Some(found.prefetched.external_epoch(id)?)),
            None => (Subject::Account, None),
        };
        let epochs = Epochs { external_user, ..Epochs::default() };
        let order = Order { subject, epochs, lifetime: TokenLifetime::from(lifetime), at };
        order.mint(app, &found.tenant, base_url, &self.key).await
    }
}
