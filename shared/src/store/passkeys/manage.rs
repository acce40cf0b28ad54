//! Listing, renaming and revoking passkeys.
//!
//! All of it also where passkeys are off: what people have registered stays theirs to see and to revoke.

use super::{Passkeys, items};
use crate::domain::{
    Action, AllAcceptedCredentials, CredentialId, EventType, Passkey, PasskeyName, PersonRef, RelayPerson, RpId,
    TenantId,
};
use crate::error::{Error, Result};
use crate::store::dynamodb::{CONFLICT_ATTEMPTS, Commit, Condition, Table, Transaction, millis, text};
use crate::store::keys::{self, Kind};
use crate::store::people::{self, StoredPerson};

/// The passkeys of a person.
#[derive(Debug, Default)]
pub struct PasskeyList {
    /// `None` if nothing is known of the person.
    pub person: Option<RelayPerson>,
    /// Oldest first.
    pub passkeys: Vec<Passkey>,
    /// What makes the browser hide all others; `None` if there is no relying party.
    pub accepted: Option<AllAcceptedCredentials>,
}

/// A passkey that opens nothing any more.
#[derive(Debug)]
pub struct RevokedPasskey {
    pub passkey: Passkey,
    /// What makes the browser hide all that the person does not have any more.
    pub accepted: AllAcceptedCredentials,
}

impl Table {
    /// The passkeys of a person, and those that were revoked last, oldest first. One call; none if there are none.
    pub async fn passkeys_of(&self, tenant: &TenantId, stored: &StoredPerson) -> Result<Vec<Passkey>> {
        let digests = stored.passkeys.keys().chain(stored.revoked.keys());
        let keys: Vec<_> = digests.map(|digest| keys::of_kind(tenant, Kind::Passkey, digest)).collect();
        let found = self.get_all(&keys).await?;
        let mut passkeys = found.iter().map(items::read_passkey).collect::<Result<Vec<_>>>()?;
        passkeys.sort_by_key(|passkey| passkey.created_at);
        Ok(passkeys)
    }
}

impl Passkeys<'_> {
    /// The passkeys of a person, and those that were revoked last. Two calls; one if there are none.
    ///
    /// # Errors
    /// If nobody has our id that was given.
    pub async fn list(&self, of: &PersonRef) -> Result<PasskeyList> {
        let (tenant, found) = self.read(vec![people::key(self.tenant, of)]).await?;
        let Some(stored) = people::find(self.tenant, of, &found)? else { return Ok(PasskeyList::default()) };
        let passkeys = self.table.passkeys_of(self.tenant, &stored).await?;
        let accepted = tenant.configuration.webauthn_rp_id.map(|rp_id| accepted(&stored, rp_id, None));
        Ok(PasskeyList { person: Some(stored.person), passkeys, accepted })
    }

    /// Gives a passkey of a person another name. Two calls.
    ///
    /// # Errors
    /// If the person has no such passkey, or it is revoked.
    pub async fn rename(&self, of: &PersonRef, id: &CredentialId, name: PasskeyName) -> Result<Passkey> {
        for attempt in 0..CONFLICT_ATTEMPTS {
            self.table.jitter.give_way(attempt).await;
            let (tenant, found) = self.read(vec![items::passkey_key(self.tenant, id)]).await?;
            let found = items::find_passkey(self.tenant, id, &found)?;
            let is_in_use = |passkey: &Passkey| of.names(&passkey.person) && passkey.revoked_at.is_none();
            let before = found.filter(is_in_use).ok_or(Error::PasskeyNotFound)?;
            if before.name == name {
                return Ok(before);
            }
            let after = Passkey { name: name.clone(), revision: before.revision + 1, ..before.clone() };
            let (update, unchanged) = items::changed(self.tenant, &before);
            let mut transaction = Transaction::new();
            transaction.update(update.set("passkey_name", text(&after.name)), unchanged);
            self.record(&mut transaction, Action::PasskeyRenamed, &after)?;
            self.owe(&mut transaction, &tenant, EventType::PasskeyRenamed, &after)?;
            if matches!(self.table.commit(transaction).await?, Commit::Done) {
                return Ok(after);
            }
        }
        Err(Error::StaleUpdate)
    }

    /// Revokes a passkey of a person: from the answer on, no login is accepted with it, because each one writes the
    /// item that is written here. Revoking twice changes nothing. Two calls.
    ///
    /// # Errors
    /// If the person has no such passkey.
    pub async fn revoke(&self, of: &PersonRef, id: &CredentialId) -> Result<RevokedPasskey> {
        for attempt in 0..CONFLICT_ATTEMPTS {
            self.table.jitter.give_way(attempt).await;
            let keys = vec![items::passkey_key(self.tenant, id), people::key(self.tenant, of)];
            let (tenant, found) = self.read(keys).await?;
            let passkey = items::find_passkey(self.tenant, id, &found)?;
            let person = people::find(self.tenant, of, &found).map_err(|error| match error {
                Error::PersonNotFound => Error::PasskeyNotFound,
                other => other,
            })?;
            let is_owned = |passkey: &Passkey| of.names(&passkey.person);
            let (before, person) = passkey.filter(is_owned).zip(person).ok_or(Error::PasskeyNotFound)?;
            let accepted = accepted(&person, before.rp_id.clone(), Some(id));
            if before.revoked_at.is_some() {
                return Ok(RevokedPasskey { passkey: before, accepted });
            }
            let after = Passkey { revoked_at: Some(self.change.at), revision: before.revision + 1, ..before.clone() };
            let (update, unchanged) = items::changed(self.tenant, &before);
            let mut transaction = Transaction::new();
            transaction.update(update.set("revoked_at", millis(self.change.at)), unchanged);
            people::revoke_passkey(&mut transaction, self.tenant, &person, &id.digest(), self.change.at);
            transaction.update(items::counted(self.tenant, id, -1), Condition::none());
            self.record(&mut transaction, Action::PasskeyRevoked, &after)?;
            self.owe(&mut transaction, &tenant, EventType::PasskeyRevoked, &after)?;
            if matches!(self.table.commit(transaction).await?, Commit::Done) {
                return Ok(RevokedPasskey { passkey: after, accepted });
            }
        }
        Err(Error::StaleUpdate)
    }
}

/// What makes the browser hide every passkey of a person but those that work for the relying party, without this one.
fn accepted(stored: &StoredPerson, rp_id: RpId, without: Option<&CredentialId>) -> AllAcceptedCredentials {
    let ids = stored.of_party(&rp_id).map(|entry| entry.credential_id.clone());
    let ids = ids.filter(|id| Some(id) != without).collect();
    AllAcceptedCredentials { user_id: stored.person.user_handle.clone(), all_accepted_credential_ids: ids, rp_id }
}
