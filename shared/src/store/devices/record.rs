//! A device's session as it is stored.

use crate::domain::{DeviceEpochs, DeviceId, KeyHash, RelayPerson, Tenant, Thumbprint, Timestamp};

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
}

impl DeviceSession {
    /// Whether a token is of this session, and the session not over: neither expired nor ended by a revocation of all
    /// of the tenant's tokens.
    pub fn is_of(&self, token: &KeyHash, tenant: &Tenant, now: Timestamp) -> bool {
        let is_known = token.is(&self.hash) || self.previous.as_ref().is_some_and(|previous| token.is(previous));
        is_known && self.expires_at > now && self.epochs.tenant == tenant.epoch
    }

    /// One that was never stored, for the tests of callers.
    #[cfg(test)]
    pub fn example(device_id: DeviceId, person: RelayPerson, token: KeyHash, thumbprint: Thumbprint) -> Self {
        let (at, epochs) = (Timestamp::from_millis(0), DeviceEpochs { tenant: 0, person: 0 });
        let (previous, expires_at, last_used_at) = (None, at, at);
        Self { device_id, person, hash: token, previous, thumbprint, expires_at, last_used_at, epochs }
    }

    /// The key that it is bound to.
    pub fn thumbprint(&self) -> &Thumbprint {
        &self.thumbprint
    }
}
