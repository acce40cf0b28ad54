//! Preparing a pairing, and redeeming it.

use super::record::DeviceSession;
use super::{Devices, SESSION, items};
use crate::domain::{
    Action, ChangeContext, DeviceEpochs, DeviceName, DeviceSessionToken, DpopCause, DpopProof, ExternalId,
    Introduction, LogoUrl, PairedDevice, PairingClaims, PairingHandle, PersonRef, Platform, PreparedPairing,
    RelayPerson, Tenant, Timestamp,
};
use crate::error::{Error, Result};
use crate::store::dynamodb::{ATTEMPTS, Commit, Condition, Transaction, at};
use crate::store::keys;
use crate::store::people::{self, StoredPerson};

/// What a tenant prepares.
#[derive(Debug)]
pub struct PairingRequest<'a> {
    pub backend_user_id: &'a ExternalId,
    pub introduction: Introduction,
    pub logo_url: Option<LogoUrl>,
}

/// Where a pairing leads, as it is now.
#[derive(Debug)]
pub struct PairingHost {
    pub tenant: Tenant,
    stored: StoredPerson,
    epochs: DeviceEpochs,
}

/// What a phone says of itself.
#[derive(Debug)]
pub struct NewDevice {
    pub name: DeviceName,
    pub platform: Option<Platform>,
}

/// A device that was paired.
#[derive(Debug)]
pub struct Paired {
    pub device: PairedDevice,
    pub token: DeviceSessionToken,
}

impl Devices<'_> {
    /// Prepares a pairing. A person that was never named is made. Two calls.
    ///
    /// # Errors
    /// If the table fails, or there is no randomness to be had.
    pub async fn prepare(
        &self,
        request: PairingRequest<'_>,
        change: &ChangeContext,
    ) -> Result<(Tenant, PairingHandle, PreparedPairing)> {
        let PairingRequest { backend_user_id, introduction, logo_url } = request;
        let of = PersonRef::Backend(backend_user_id.clone());
        let random = self.tenants.random;
        for _ in 0..ATTEMPTS {
            let revocations = items::revocations_key(self.tenant, backend_user_id);
            let places = vec![people::key(self.tenant, &of), revocations.clone()];
            let (tenant, found) = self.tenants.read(self.tenant, places).await?;
            // The guard has just seen it.
            let tenant = tenant.ok_or_else(|| Error::internal("a tenant that signed a call is not there"))?;
            let known = people::find(self.tenant, &of, &found)?.map(|stored| stored.person);
            let is_new = known.is_none();
            let person = known.map_or_else(|| RelayPerson::new(backend_user_id.clone(), random), Ok)?;
            let handle = PairingHandle::generate(random)?;
            let pairing = PreparedPairing {
                id: handle.pairing_id(),
                tenant_id: self.tenant.clone(),
                person: person.clone(),
                introduction: introduction.clone(),
                logo_url: logo_url.clone(),
                expires_at: change.at.plus(PairingClaims::LIFETIME),
                epochs: DeviceEpochs { tenant: tenant.epoch, person: items::revocations(at(&found, &revocations))? },
            };
            let mut transaction = Transaction::new();
            transaction.put(items::pairing(&pairing), Condition::none());
            if is_new {
                people::put(&mut transaction, self.tenant, &person, change.at);
            }
            if matches!(self.table.commit(transaction).await?, Commit::Done) {
                return Ok((tenant, handle, pairing));
            }
            // Somebody else has made the person in the meantime.
        }
        Err(Error::StaleUpdate)
    }

    /// Where a pairing leads. One call.
    ///
    /// # Errors
    /// If the tokens of its tenant or its person were revoked since it was prepared; if the table fails or an item
    /// can't be read.
    pub async fn host(&self, pairing: &PreparedPairing) -> Result<PairingHost> {
        let person = keys::person(self.tenant, &pairing.person.linked_id);
        let revocations = items::revocations_key(self.tenant, &pairing.person.backend_user_id);
        let (tenant, found) = self.tenants.read(self.tenant, vec![person, revocations.clone()]).await?;
        let gone = || Error::internal("a tenant or a person that has a pairing is not there");
        let of = PersonRef::Linked(pairing.person.linked_id.clone());
        let stored = match people::find(self.tenant, &of, &found) {
            Ok(Some(stored)) => stored,
            Ok(None) | Err(Error::PersonNotFound) => return Err(gone()),
            Err(error) => return Err(error),
        };
        let revocations = at(&found, &revocations);
        let tenant = tenant.ok_or_else(gone)?;
        let epochs = DeviceEpochs { tenant: tenant.epoch, person: items::revocations(revocations)? };
        if pairing.epochs != epochs {
            return Err(Error::PairingNotFound);
        }
        Ok(PairingHost { tenant, stored, epochs })
    }

    /// Pairs a device: uses up the pairing and the proof of the device's key. Devices whose session is over make room.
    /// One call.
    ///
    /// # Errors
    /// If the pairing or the proof was used before, the person has as many devices as it may have, or another phone was
    /// paired with the person at the same moment.
    pub async fn redeem(
        &self,
        pairing: &PreparedPairing,
        host: &PairingHost,
        new: NewDevice,
        proof: &DpopProof,
        change: &ChangeContext,
    ) -> Result<Paired> {
        let PairingHost { tenant, stored, epochs } = host;
        let token = DeviceSessionToken::generate(self.tenant, &pairing.person.linked_id, self.tenants.random)?;
        let token = token.ok_or_else(|| Error::internal("a pairing of a tenant that is none of ours"))?;
        let device = paired(&token, pairing, new, *epochs, change.at);
        let session = DeviceSession {
            device_id: device.id.clone(),
            person: pairing.person.clone(),
            hash: token.hash(),
            previous: None,
            thumbprint: proof.thumbprint().clone(),
            expires_at: device.session_expires_at,
            last_used_at: change.at,
            epochs: *epochs,
        };
        let is_over = |device: &&PairedDevice| !device.is_live(*epochs, change.at);
        let replaced: Vec<_> = stored.devices.iter().filter(is_over).cloned().collect();
        let person = &pairing.person;
        let mut transaction = Transaction::new();
        let redeemed = transaction.delete(keys::pairing(&pairing.id), Condition::exists());
        transaction.put(items::used_proof(self.tenant, proof), Condition::is_new());
        transaction.put(items::device(self.tenant, &session), Condition::is_new());
        let room = people::devices::add(&mut transaction, self.tenant, person, &device, &replaced);
        let ids: Vec<_> = replaced.iter().map(|old| &old.id).collect();
        let event = self.event(change, Action::DevicePaired, person, &device).with("replaced", ids);
        self.record(&mut transaction, &event)?;
        self.owe(&mut transaction, tenant, person, &device, (change.at, None))?;
        let mut made_room = Vec::new();
        for old in &replaced {
            made_room.push(transaction.delete(items::device_key(self.tenant, &old.id), Condition::exists()));
            self.owe(&mut transaction, tenant, person, old, (change.at, Some(change.at)))?;
        }
        match self.table.commit(transaction).await? {
            Commit::Done => Ok(Paired { device, token }),
            Commit::Refused(refused) if refused.failed(redeemed) => Err(Error::PairingNotFound),
            Commit::Refused(refused) if refused.is_due_to(&room) => Err(Error::QuotaExceeded),
            // Another phone has the room that they made.
            Commit::Refused(refused) if made_room.iter().any(|old| refused.failed(*old)) => Err(Error::StaleUpdate),
            Commit::Refused(_) => Err(DpopCause::JtiSeen.into()),
        }
    }
}

/// The device that comes of a pairing.
fn paired(
    token: &DeviceSessionToken,
    pairing: &PreparedPairing,
    new: NewDevice,
    epochs: DeviceEpochs,
    at: Timestamp,
) -> PairedDevice {
    PairedDevice {
        id: token.claims().device_id.clone(),
        name: new.name,
        platform: new.platform,
        introduction: pairing.introduction.clone(),
        created_at: at,
        last_used_at: at,
        session_expires_at: at.plus(SESSION),
        epochs,
    }
}
