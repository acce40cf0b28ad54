//! What the log says of a request: who calls with what, and what was minted. It is noted as it becomes known, so that a
//! refusal and a time-out say as much as an answer. Without it a leaked credential could be stopped and not traced.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use crate::domain::{
    ApiKeyId, Claims, ConsoleId, KeySlot, Person, PersonDigest, RefusalCause, RelayPerson, Scope, TenantId, TraceKey,
    Viewpoint, parse_uuid,
};

/// The notes about one request. A handle: all clones write into the same.
#[derive(Clone, Default)]
pub struct Trace(Arc<Mutex<Traced>>);

/// What was noted. Nothing in it is a secret, and nothing is what a caller merely claimed: a credential is noted once
/// it was found to be one of ours, also if it is dead. People are there as digests only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traced {
    /// The tenant of the credential.
    pub tenant_id: Option<TenantId>,
    /// The API key that was presented, or with which the token was minted.
    pub key_id: Option<ApiKeyId>,
    /// Which of two secrets of a key, of a tenant or of the operator was used.
    pub secret: Option<KeySlot>,
    /// The scope of the token that was presented, reported on or minted.
    pub scope: Option<Scope>,
    /// The id of that token.
    pub jti: Option<Uuid>,
    /// Whom that token speaks for, or else whom the call is about.
    pub subject: Option<PersonDigest>,
    /// The end user that a call of the account surface acts for, or that the token speaks for.
    pub end_user: Option<PersonDigest>,
    /// From where a call of the account surface sees.
    pub view: Option<&'static str>,
    /// The session of the console that was presented.
    pub console: Option<ConsoleId>,
    /// Why a proven caller is refused, where the refusal does not say it.
    pub refused: Option<RefusalCause>,
    /// How far a signer's clock is ahead, in milliseconds, if that is why.
    pub ahead_ms: Option<i64>,
}

impl fmt::Debug for Trace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Trace")
    }
}

impl Trace {
    /// What was noted, for the line at a request's end: nothing is left.
    pub fn taken(&self) -> Traced {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What was noted until now.
    pub fn noted(&self) -> Traced {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, note: impl FnOnce(&mut Traced)) {
        note(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Notes an API key that is, or was, one of ours.
    pub(super) fn key(&self, tenant: &TenantId, key: &ApiKeyId, secret: KeySlot) {
        self.note(|traced| {
            traced.tenant_id = Some(tenant.clone());
            traced.key_id = Some(key.clone());
            traced.secret = Some(secret);
        });
    }

    /// Notes whose signature was right.
    pub(super) fn signer(&self, tenant: &TenantId, secret: KeySlot) {
        self.note(|traced| {
            traced.tenant_id = Some(tenant.clone());
            traced.secret = Some(secret);
        });
    }

    /// Notes why a caller is refused that was found to be one of ours.
    pub(super) fn refused(&self, cause: RefusalCause) {
        self.note(|traced| traced.refused = Some(cause));
    }

    /// Notes how far a signer's clock is off.
    pub(super) fn clock_is_off(&self, cause: RefusalCause, ahead_ms: i64) {
        self.note(|traced| {
            traced.refused = Some(cause);
            traced.ahead_ms = Some(ahead_ms);
        });
    }

    /// Notes the operator's key.
    pub(super) fn operator(&self, secret: KeySlot) {
        self.note(|traced| traced.secret = Some(secret));
    }

    /// Notes a session of the console that is, or was, one of ours.
    pub(super) fn console(&self, tenant: Option<&TenantId>, session: &ConsoleId) {
        self.note(|traced| {
            traced.tenant_id = tenant.cloned();
            traced.console = Some(session.clone());
        });
    }

    /// Notes a token that we signed and that opened the call, or would have.
    pub(super) fn bearer(&self, key: &TraceKey, claims: &Claims) {
        self.note(|traced| {
            traced.tenant_id = Some(claims.tenant_id.clone());
            traced.key_id = Some(claims.key_id.clone());
        });
        self.token(key, claims);
    }

    /// Notes a token that was minted, or that the call is about.
    pub(super) fn token(&self, key: &TraceKey, claims: &Claims) {
        let digest = |person| key.person(&claims.tenant_id, person);
        let subject = person(claims).map(digest);
        let end_user = claims.end_user().map(|id| digest(Person::EndUser(id)));
        self.note(|traced| {
            traced.scope = Some(claims.scope);
            traced.jti = Some(claims.jti);
            traced.subject = subject;
            traced.end_user = end_user;
        });
    }

    /// Notes whose device called.
    pub(super) fn device(&self, key: &TraceKey, tenant: &TenantId, person: &RelayPerson) {
        self.note(|traced| traced.tenant_id = Some(tenant.clone()));
        self.subject(key, tenant, Person::EndUser(&person.backend_user_id));
    }

    /// Notes whom the call is about, where no token says so.
    pub(crate) fn subject(&self, key: &TraceKey, tenant: &TenantId, person: Person<'_>) {
        let subject = key.person(tenant, person);
        self.note(|traced| traced.subject = Some(subject));
    }

    /// Notes from where the call sees.
    pub(super) fn view(&self, key: &TraceKey, tenant: &TenantId, viewpoint: &Viewpoint) {
        let end_user = viewpoint.external_user_id().map(|id| key.person(tenant, Person::EndUser(id)));
        self.note(|traced| {
            traced.end_user = end_user;
            traced.view = Some(match viewpoint {
                Viewpoint::EndUser(_) => "end_user",
                Viewpoint::Account => "account",
            });
        });
    }
}

/// Whom a token speaks for: nobody, if it is the whole account.
fn person(claims: &Claims) -> Option<Person<'_>> {
    match claims.scope {
        Scope::ProjectUser => parse_uuid(&claims.sub).ok().map(Person::User),
        Scope::RegisteredTenant => Some(Person::RegisteredTenant(&claims.sub)),
        Scope::EndUser => claims.external_user_id.as_ref().map(Person::EndUser),
        Scope::Account => None,
    }
}

#[cfg(test)]
mod tests;
