//! A device's session as it is stored.

use crate::domain::{DeviceEpochs, DeviceId, KeyHash, RelayPerson, Tenant, Thumbprint, Timestamp};
use crate::store::dynamodb::{Item, Key, at};

/// The session of a device, as it is stored.
#[derive(Debug)]
pub struct DeviceSession {
    pub device_id: DeviceId,
    pub person: RelayPerson,
    pub(super) hash: KeyHash,
    pub(super) previous: Option<KeyHash>,
    pub(super) thumbprint: Thumbprint,
    pub expires_at: Timestamp,
    pub(super) last_used_at: Timestamp,
    pub(in crate::store) epochs: DeviceEpochs,
    /// What else of its tenant's was read with it.
    pub(super) beside: Vec<Item>,
}

impl DeviceSession {
    /// Whether a token is of this session, and the session not over: neither expired nor ended by a revocation of all
    /// of the tenant's tokens.
    pub fn is_of(&self, token: &KeyHash, tenant: &Tenant, now: Timestamp) -> bool {
        let is_known = token.is(&self.hash) || self.previous.as_ref().is_some_and(|previous| token.is(previous));
        is_known && self.expires_at > now && self.epochs.tenant == tenant.epoch
    }

    /// What was read with it at a place; `None` if there is nothing, or that was not asked for.
    pub(in crate::store) fn beside(&self, place: &Key) -> Option<&Item> {
        at(&self.beside, place)
    }

    /// The key that it is bound to.
    pub fn thumbprint(&self) -> &Thumbprint {
        &self.thumbprint
    }
}
