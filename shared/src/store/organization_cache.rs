//! In which organization users were found, for requests that don't say: a guess, so that the organization is read together with
//! the user and not after it. It decides nothing. What the user's item says counts, and a wrong guess costs one more read.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use crate::domain::{Handle, TenantId};

/// Guesses by tenant and name of the user, for as long as the process lives: at most `MOST` of them, after which it starts
/// anew.
#[derive(Clone, Default)]
pub struct OrganizationHints(Arc<Mutex<HashMap<(TenantId, Handle), Uuid>>>);

impl fmt::Debug for OrganizationHints {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("OrganizationHints")
    }
}

impl OrganizationHints {
    const MOST: usize = 1000;

    /// The organization in which that user was found last.
    pub fn guess(&self, tenant: &TenantId, user: &Handle) -> Option<Uuid> {
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
