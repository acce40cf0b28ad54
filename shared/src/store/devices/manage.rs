//! Listing, renaming and removing devices.

use super::session::ProvenCall;
use super::{Devices, items};
use crate::domain::{Action, ChangeContext, DeviceId, DeviceName, PairedDevice, PersonRef, RelayPerson, Tenant};
use crate::error::{Error, Result};
use crate::store::dynamodb::{CONFLICT_ATTEMPTS, Commit, Condition, Transaction, text};
use crate::store::people::{self, StoredPerson};

impl Devices<'_> {
    /// A person and its devices, oldest first; `None` if nothing is known of the person. One call.
    ///
    /// # Errors
    /// If nobody has our id that was given.
    pub async fn of_person(&self, of: &PersonRef) -> Result<Option<(RelayPerson, Vec<PairedDevice>)>> {
        let item = self.table.get(people::key(self.tenant, of)).await?;
        let stored = people::find(self.tenant, of, &Vec::from_iter(item))?;
        Ok(stored.map(|StoredPerson { person, devices, .. }| (person, devices)))
    }

    /// Removes a device of a person: from the answer on, its session opens nothing. Two calls.
    ///
    /// # Errors
    /// If the person has no such device.
    pub async fn remove(&self, of: &PersonRef, id: &DeviceId, change: &ChangeContext) -> Result<PairedDevice> {
        for attempt in 0..CONFLICT_ATTEMPTS {
            self.table.jitter.give_way(attempt).await;
            let (tenant, found) = self.tenants.read(self.tenant, vec![people::key(self.tenant, of)]).await?;
            let tenant = tenant.ok_or_else(|| Error::internal("a tenant whose device is removed is not there"))?;
            let stored = people::find(self.tenant, of, &found).map_err(|error| match error {
                Error::PersonNotFound => Error::DeviceNotFound,
                other => other,
            })?;
            let StoredPerson { person, devices, .. } = stored.ok_or(Error::DeviceNotFound)?;
            let device = devices.into_iter().find(|device| device.id == *id).ok_or(Error::DeviceNotFound)?;
            let mut transaction = Transaction::new();
            self.removal(&mut transaction, &tenant, &person, &device, change)?;
            if matches!(self.table.commit(transaction).await?, Commit::Done) {
                return Ok(device);
            }
            // It was removed in the meantime, which the next reading says.
        }
        Err(Error::StaleUpdate)
    }

    /// Accepts the call of a device by which it removes itself. One call.
    ///
    /// # Errors
    /// If the proof was used before, the session was ended, or the table fails.
    pub async fn unpair(
        &self,
        call: &ProvenCall,
        tenant: &Tenant,
        device: &PairedDevice,
        change: &ChangeContext,
    ) -> Result<()> {
        let (mut transaction, used) = self.accepting(call);
        self.removal(&mut transaction, tenant, &call.session.person, device, change)?;
        self.commit_accepting(transaction, used, "device session was ended").await
    }

    /// Accepts the call of a device by which it gets another name, and answers with it as it is then. The name that it
    /// has changes nothing. One call.
    ///
    /// # Errors
    /// If the proof was used before, the session was ended, or the table fails.
    pub async fn rename(
        &self,
        call: &ProvenCall,
        device: PairedDevice,
        name: DeviceName,
        change: &ChangeContext,
    ) -> Result<PairedDevice> {
        if device.name == name {
            return self.accept(call).await.map(|()| device);
        }
        let device = PairedDevice { name, ..device };
        let (mut transaction, used) = self.accepting(call);
        self.note(&mut transaction, call, vec![(people::devices::NAME, text(&device.name))]);
        self.record(&mut transaction, &self.event(change, Action::DeviceRenamed, &call.session.person, &device))?;
        self.commit_accepting(transaction, used, "device session was ended").await?;
        Ok(device)
    }

    /// Adds to a transaction all that the removal of a device is.
    fn removal(
        &self,
        transaction: &mut Transaction,
        tenant: &Tenant,
        person: &RelayPerson,
        device: &PairedDevice,
        change: &ChangeContext,
    ) -> Result<()> {
        transaction.delete(items::device_key(self.tenant, &device.id), Condition::exists());
        people::devices::remove(transaction, self.tenant, person, &device.id);
        self.record(transaction, &self.event(change, Action::DeviceRemoved, person, device))?;
        self.owe(transaction, tenant, person, device, (change.at, Some(change.at)))
    }
}
