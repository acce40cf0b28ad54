//! Devices of a tenant's people: how they are paired, and what their calls are checked with.
//!
//! | Call | Reads | Writes |
//! |---|---|---|
//! | prepare a pairing | tenant and person, together | pairing, and a person that is new |
//! | look at it | pairing; then tenant, person and its revocations, together | |
//! | redeem it | the same | all that it changes, in one transaction, which deletes the pairing |
//! | a device's call | tenant, device and person, together | that its proof is used, if tokens were not revoked since |
//! | one that renews, renames or removes it | the same | all that it changes, in the same transaction |
//! | remove, for the tenant | tenant and person, together | all that it changes, in one transaction |
//!
//! A pairing is deleted by the write of what it leads to, so that of two phones one is paired. Whether it has expired
//! is decided by comparing times.

pub(super) mod items;
mod manage;
mod pair;
mod record;
mod session;

pub use pair::{NewDevice, Paired, PairingHost, PairingRequest};
pub use record::DeviceSession;
pub use session::{FoundSession, ProvenCall};

use std::fmt;
use std::time::Duration;

use super::audit::put_event;
use super::callbacks::owe;
use super::dynamodb::{Table, Transaction};
use super::tenants::Tenants;
use crate::domain::{
    Action, AuditEvent, ChangeContext, EventType, NewEvent, PairedDevice, PairingId, Person, PreparedPairing,
    RelayPerson, Tenant, TenantId, Timestamp,
};
use crate::error::{Error, Result};

/// How long a session is good without being renewed.
pub const SESSION: Duration = Duration::from_hours(30 * 24);

/// The devices of one tenant's people.
#[derive(Clone, Copy)]
pub struct Devices<'a> {
    pub(crate) table: &'a Table,
    pub(crate) tenants: Tenants<'a>,
    pub(crate) tenant: &'a TenantId,
}

impl fmt::Debug for Devices<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Devices({})", self.tenant)
    }
}

impl Table {
    /// The pairing that is found by its handle or its proof; `None` if there is none, or it was redeemed. Whether it
    /// has expired is for the caller to say. One call.
    ///
    /// # Errors
    /// If the table fails or the item can't be read.
    pub async fn prepared_pairing(&self, id: &PairingId) -> Result<Option<PreparedPairing>> {
        self.get(super::keys::pairing(id)).await?.as_ref().map(items::read_pairing).transpose()
    }
}

impl Devices<'_> {
    /// Owes the tenant the event that a device was paired, or was removed at that time.
    fn owe(
        &self,
        transaction: &mut Transaction,
        tenant: &Tenant,
        person: &RelayPerson,
        device: &PairedDevice,
        (created_at, removed_at): (Timestamp, Option<Timestamp>),
    ) -> Result<()> {
        // A device is paired once and removed once.
        let (event_type, sequence) =
            if removed_at.is_some() { (EventType::PairingRemoved, 2) } else { (EventType::PairingCreated, 1) };
        let data = device.state(person, removed_at);
        let event = NewEvent { event_type, tenant_id: self.tenant, created_at, sequence, data };
        owe(transaction, &tenant.configuration, self.tenants.random, event).map(|_| ())
    }

    /// The audit event of a change to a person's devices.
    fn event(&self, change: &ChangeContext, action: Action, person: &RelayPerson, device: &PairedDevice) -> AuditEvent {
        let owner = self.tenants.trace_key.person(self.tenant, Person::EndUser(&person.backend_user_id));
        change.event_about(action, &owner).with("device_id", &device.id)
    }

    fn record(&self, transaction: &mut Transaction, event: &AuditEvent) -> Result<()> {
        put_event(transaction, self.tenant, event).map(|_| ())
    }
}

/// Who only calls has asked for no change that others could get in the way of.
fn stale(error: Error) -> Error {
    match error {
        Error::StaleUpdate => Error::unavailable("others kept getting in the way of a device's call"),
        other => other,
    }
}
