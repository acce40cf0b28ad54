//! In which organization users were found, for requests that don't say: a guess, so that the organization is read
//! together with the user and not after it. It decides nothing. What the user's item says counts, and a wrong guess
//! costs one more read.

use uuid::Uuid;

use crate::domain::{Handle, TenantId};
use crate::store::memory::Memory;
use crate::store::prefetch::Read;

/// Guesses by tenant and name of the user.
#[derive(Debug, Clone, Default)]
pub struct OrganizationHints(Memory<(TenantId, Handle), Uuid>);

impl OrganizationHints {
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
        self.0.get(&(tenant.clone(), user.clone()))
    }

    /// Remembers in which organization a user was found.
    pub fn remember(&self, tenant: &TenantId, user: Handle, organization: Uuid) {
        self.0.keep((tenant.clone(), user), organization);
    }
}
