//! Callers of public operations.

use super::{Caller, InputSummary, Request, SecurityScheme};
use crate::app::App;
use crate::error::Result;

/// The caller of a public operation, who proves nothing.
#[derive(Debug)]
pub struct Anyone {
    base_url: String,
}

impl Anyone {
    /// The service's address as clients see it, without a slash at its end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }
}

impl Caller for Anyone {
    const SCHEMES: &'static [SecurityScheme] = &[];

    async fn authenticate(_: &App, request: &Request, _: &InputSummary) -> Result<Self> {
        Ok(Self { base_url: request.base_url.clone() })
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the runtime of a test is its own")]
mod tests {
    use super::*;
    use crate::auth::testing::{BASE_URL, app, input, request};

    #[tokio::test]
    async fn anyone_gets_in() {
        let anyone = Anyone::authenticate(&app(), &request(&[]), &input()).await.unwrap();
        assert_eq!((anyone.base_url(), anyone.tenant_id(), anyone.quota()), (BASE_URL, None, None));
    }
}
