//! In which organization users were found, for requests that don't say: a guess, so that the organization is read
//! together with the user and not after it. It decides nothing. What the user's item says counts, and a wrong guess
//! costs one more read.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use crate::domain::{Handle, TenantId};
use crate::store::prefetch::Read;

/// Guesses by tenant and name of the user, for as long as the process lives: at most `MOST` of them, after which it
/// starts anew.
#[derive(Clone, Default)]
pub struct OrganizationHints(Arc<Mutex<HashMap<(TenantId, Handle), Uuid>>>);

impl fmt::Debug for OrganizationHints {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("OrganizationHints")
    }
}

impl OrganizationHints {
    const MOST: usize = 1000;

    /// The same reads, and if users are read and no organization, those in which the users were found last.
    pub fn expand(&self, tenant: &TenantId, mut reads: Vec<Read>) -> Vec<Read> {
        if reads.iter().any(|read| matches!(read, Read::Organization(_))) {
            return reads;
        }
        let guess = |read: &Read| match read {
            Read::User(user) => self.guess(tenant, user).map(|id| Read::Organization(Handle::Uuid(id))),
            _ => None,
        };
        let guesses: Vec<_> = reads.iter().filter_map(guess).collect();
        reads.extend(guesses);
        reads
    }

    /// The organization in which that user was found last.
    fn guess(&self, tenant: &TenantId, user: &Handle) -> Option<Uuid> {
        let hints = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hints.get(&(tenant.clone(), user.clone())).copied()
    }

    /// Remembers in which organization a user was found.
    pub fn remember(&self, tenant: &TenantId, user: Handle, organization: Uuid) {
        let mut hints = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if hints.len() >= Self::MOST {
            hints.clear();
        }
        hints.insert((tenant.clone(), user), organization);
    }
}
