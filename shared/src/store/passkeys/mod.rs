//! Passkeys of a tenant's people, and the ceremonies by which they are made and used.
//!
//! A ceremony is one item, found by its challenge, and taken once: by the transaction of what it leads to, or alone if
//! it leads to nothing. So no response counts twice, and none is tried until it fits. Whether it has expired is decided
//! by comparing times.
//!
//! | Call | Reads | Writes |
//! |---|---|---|
//! | begin a registration or login | configuration and person, together | ceremony, and a person that registers first |
//! | end one | configuration, ceremony and passkey, together | all that it changes, in one transaction |
//! | rename | configuration and passkey, together | all that it changes, in one transaction |
//! | revoke | configuration, passkey and person, together | the same |
//! | list | the person, then its passkeys together | |

pub(super) mod items;
mod log_in;
mod manage;
mod register;

pub use log_in::LoggedIn;
pub use manage::{PasskeyList, RevokedPasskey};
pub use register::RegistrationRequest;

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::audit::put_event;
use super::callbacks::owe;
use super::dynamodb::{Commit, Condition, Item, Key, Table, Transaction};
use super::people::StoredPerson;
use super::tenants::Tenants;
use crate::domain::{
    Action, Ceremony, CeremonyKind, Challenge, ChangeContext, Configuration, CredentialDescriptor, EventType,
    ExpectedResponse, NewEvent, Passkey, PasskeyCause, Person, PersonRef, RpId, Tenant, TenantId, UserHandle,
    WebauthnOrigin,
};
use crate::error::{Error, Result};

/// How long a ceremony may take: as long as the browser waits.
const CEREMONY: Duration = Duration::from_mins(5);

/// The passkeys of one tenant's people.
#[derive(Clone, Copy)]
pub struct Passkeys<'a> {
    pub(crate) table: &'a Table,
    pub(crate) tenants: Tenants<'a>,
    pub(crate) tenant: &'a TenantId,
    pub(crate) change: &'a ChangeContext,
    /// Whether the tenant has passkeys if its configuration doesn't say.
    pub(crate) is_default: bool,
}

impl fmt::Debug for Passkeys<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Passkeys({})", self.tenant)
    }
}

/// What a browser answered, as the tenant's backend passes it on.
#[derive(Debug, Clone, Copy)]
pub struct BrowserAnswer<'a> {
    /// What `PublicKeyCredential.toJSON()` gave.
    pub credential: &'a Value,
    /// The origin of the page.
    pub origin: &'a WebauthnOrigin,
    /// The person, if the call names one.
    pub of: Option<&'a PersonRef>,
}

impl Passkeys<'_> {
    /// The tenant, and in the same call the items at `keys`.
    async fn read(&self, keys: Vec<Key>) -> Result<(Tenant, Vec<Item>)> {
        let (tenant, items) = self.tenants.read(self.tenant, keys).await?;
        // The guard has just seen it.
        let tenant = tenant.ok_or_else(|| Error::internal("a tenant that signed a call is not there"))?;
        Ok((tenant, items))
    }

    /// The relying party for which a page of that origin may run ceremonies now.
    ///
    /// # Errors
    /// If the tenant has no passkeys, or none at that origin.
    fn party(&self, configuration: &Configuration, origin: &WebauthnOrigin) -> Result<RpId> {
        let Some(rp_id) = &configuration.webauthn_rp_id else {
            return Err(Error::PasskeysDisabled("passkeys are off: the tenant has no webauthn_rp_id"));
        };
        match (configuration.passkeys_enabled, self.is_default) {
            (Some(false), _) => return Err(Error::PasskeysDisabled("passkeys are off: passkeys_enabled is false")),
            (None, false) => {
                let sentence =
                    "passkeys are off: passkeys_enabled is null, and the deployment's PasskeysEnabled is off";
                return Err(Error::PasskeysDisabled(sentence));
            }
            (Some(true), _) | (None, true) => {}
        }
        let allowed = configuration.webauthn_origins.as_slice();
        if allowed.contains(origin) { Ok(rp_id.clone()) } else { Err(Error::OriginNotAllowed(misfit(origin, allowed))) }
    }

    /// A ceremony that begins now.
    fn ceremony(&self, kind: CeremonyKind, rp_id: RpId, origin: &WebauthnOrigin) -> Result<Ceremony> {
        let challenge = Challenge::generate(self.tenants.random)?;
        let expires_at = self.change.at.plus(CEREMONY);
        Ok(Ceremony { challenge, kind, rp_id, origin: origin.clone(), expires_at })
    }

    /// What a response is held against, if the ceremony is still open to one from that page.
    fn expected<'a>(
        &self,
        ceremony: &'a Ceremony,
        tenant: &Tenant,
        answer: &BrowserAnswer<'_>,
        user_handle: Option<&'a UserHandle>,
    ) -> Result<ExpectedResponse<'a>> {
        if self.change.at >= ceremony.expires_at {
            return Err(PasskeyCause::UnknownCeremony.into());
        }
        let rp_id = self.party(&tenant.configuration, answer.origin)?;
        if rp_id != ceremony.rp_id {
            return Err(PasskeyCause::WrongRpIdHash.into());
        }
        if *answer.origin != ceremony.origin {
            return Err(PasskeyCause::WrongOrigin.into());
        }
        let Ceremony { challenge, rp_id, origin, .. } = ceremony;
        Ok(ExpectedResponse { challenge, rp_id, origin, user_handle })
    }

    /// Ends a ceremony that leads to nothing.
    async fn take(&self, challenge: &Challenge) -> Result<()> {
        let mut transaction = Transaction::new();
        transaction.delete(items::ceremony_key(self.tenant, challenge), Condition::none());
        match self.table.commit(transaction).await? {
            Commit::Done => Ok(()),
            Commit::Refused(_) => Err(Error::internal("a deletion without a condition was refused")),
        }
    }

    /// Ends a ceremony with a refusal, and gives that back.
    async fn refuse<T>(&self, challenge: &Challenge, refusal: Error) -> Result<T> {
        self.take(challenge).await?;
        Err(refusal)
    }

    /// Owes the tenant an event about a passkey as it is after a change.
    fn owe(
        &self,
        transaction: &mut Transaction,
        tenant: &Tenant,
        event_type: EventType,
        passkey: &Passkey,
    ) -> Result<()> {
        let event = NewEvent {
            event_type,
            tenant_id: self.tenant,
            created_at: self.change.at,
            sequence: passkey.revision,
            data: passkey.state(),
        };
        owe(transaction, &tenant.configuration, self.tenants.random, event).map(|_| ())
    }

    /// Writes the audit event of a change to a passkey.
    fn record(&self, transaction: &mut Transaction, action: Action, passkey: &Passkey) -> Result<()> {
        let owner = Person::EndUser(&passkey.person.backend_user_id);
        let owner = self.tenants.trace_key.person(self.tenant, owner);
        let event = self.change.event_about(action, &owner);
        let event = event.with("passkey", passkey.stored.credential_id.digest().as_str());
        put_event(transaction, self.tenant, &event).map(|_| ())
    }
}

/// The passkeys of a person that work for a relying party, as browsers are told of them.
fn descriptors(person: Option<&StoredPerson>, rp_id: &RpId) -> Vec<CredentialDescriptor> {
    let entries = person.into_iter().flat_map(|person| person.of_party(rp_id));
    entries.map(|entry| CredentialDescriptor::new(entry.credential_id.clone(), entry.transports.clone())).collect()
}

/// Why an origin is none of those that are allowed, as far as that can be told: those who set up a page see the one
/// difference that they overlooked.
fn misfit(origin: &WebauthnOrigin, allowed: &[WebauthnOrigin]) -> &'static str {
    let parts = |origin: &WebauthnOrigin| {
        let (scheme, host) = origin.as_str().split_once("://").unwrap_or(("app", origin.as_str()));
        let (host, port) = host.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')).unwrap_or((host, ""));
        (scheme.to_owned(), host.to_owned(), port.to_owned())
    };
    let (scheme, host, port) = parts(origin);
    if host == "127.0.0.1" || host == "[::1]" {
        return "browser_origin is an IP address, which has no passkeys: open the page by a name, such as localhost";
    }
    let same_host = || allowed.iter().map(&parts).filter(|(_, other, _)| *other == host);
    if scheme == "app" {
        "browser_origin is an app that is not in webauthn_origins"
    } else if same_host().any(|(other, ..)| other == scheme) {
        "browser_origin has another port than the origin with its host in webauthn_origins"
    } else if same_host().any(|(_, _, other)| other == port) {
        "browser_origin has another scheme than the origin with its host in webauthn_origins"
    } else {
        "browser_origin is not in webauthn_origins"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_that_is_not_allowed_is_told_by_what_it_differs() {
        let origin = |text: &str| WebauthnOrigin::parse(text).unwrap();
        let allowed = ["https://example.com", "https://app.example.com:8443"].map(origin);
        let hash = "A".repeat(43);
        for (text, expected) in [
            ("https://example.com:8443", "another port"),
            ("https://app.example.com", "another port"),
            ("http://127.0.0.1:8080", "an IP address"),
            ("http://[::1]:8080", "an IP address"),
            ("https://login.example.com", "is not in webauthn_origins"),
            ("http://localhost:8080", "is not in webauthn_origins"),
            (&format!("android:apk-key-hash:{hash}"), "an app"),
        ] {
            let told = misfit(&origin(text), &allowed);
            assert!(told.contains(expected), "{text}: {told}");
        }
        let local = [origin("https://localhost:8080")];
        assert!(misfit(&origin("http://localhost:8080"), &local).contains("another scheme"));
    }
}
