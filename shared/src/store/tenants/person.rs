//! A person of a tenant, for the operator.

use super::{Tenants, items};
use crate::domain::{PairedDevice, Passkey, PersonRef, RelayPerson, TenantId};
use crate::error::{Error, Result};
use crate::store::keys;
use crate::store::people::{self, StoredPerson};

/// A person, with what the person logs in with.
#[derive(Debug)]
pub struct WholePerson {
    pub person: RelayPerson,
    /// Oldest first.
    pub devices: Vec<PairedDevice>,
    /// Those in use, and those that were revoked last; oldest first.
    pub passkeys: Vec<Passkey>,
}

impl Tenants<'_> {
    /// A person of a tenant, also of a suspended one. Two calls; one if there are no passkeys.
    ///
    /// # Errors
    /// If there is no such tenant, or it has no such person.
    pub async fn person(self, id: &TenantId, of: &PersonRef) -> Result<WholePerson> {
        let found = self.table.get_all(&[keys::state(id), people::key(id, of)]).await?;
        let (states, found): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|item| keys::has_sort_key(item, keys::STATE));
        states.first().map(items::summary).transpose()?.flatten().ok_or(Error::TenantNotFound)?;
        let stored = people::find(id, of, &found)?.ok_or(Error::PersonNotFound)?;
        let passkeys = self.table.passkeys_of(id, &stored).await?;
        let StoredPerson { person, devices, .. } = stored;
        Ok(WholePerson { person, devices, passkeys })
    }
}
