//! Devices that change something: their proof is used up by the change.

use std::fmt;

use super::{Proven, prove};
use crate::app::App;
use crate::auth::{Caller, InputSummary, Request, SecurityScheme};
use crate::domain::{
    Actor, ChangeContext, DeviceId, DeviceName, PairedDevice, RevealedSessionToken, Tenant, TenantId, Timestamp,
};
use crate::error::{Error, Result};
use crate::store::ProvenCall;

/// The proof that the call carried the session of a device and was made with the key that it is bound to, of a tenant
/// that may act. That it is the first call by this proof is decided by the change itself, in one transaction with it:
/// so the only thing to be done with this is one change, which takes it.
///
/// With input that can't be decoded there will be no change. The proof is then used up at once, and whoever has not the
/// right to call is told that first.
pub struct ChangingDevice {
    pub(super) tenant_id: TenantId,
    pub(super) tenant: Tenant,
    pub(super) devices: Vec<PairedDevice>,
    pub(super) call: ProvenCall,
    pub(super) change: ChangeContext,
}

impl fmt::Debug for ChangingDevice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ChangingDevice({} {})", self.tenant_id, self.id())
    }
}

impl Caller for ChangingDevice {
    const SCHEMES: &'static [SecurityScheme] = super::Device::SCHEMES;

    async fn authenticate(app: &App, request: &Request, input: &InputSummary) -> Result<Self> {
        let Proven { tenant_id, tenant, devices, call, .. } = prove(app, request, &[]).await?;
        if !input.is_readable {
            app.devices(&tenant_id).accept(&call).await?;
        }
        Ok(Self { tenant_id, tenant, devices, call, change: request.change(Actor::Device, None) })
    }

    fn tenant_id(&self) -> Option<&TenantId> {
        Some(&self.tenant_id)
    }
}

impl ChangingDevice {
    /// The id of the device.
    pub fn id(&self) -> &DeviceId {
        &self.call.session.device_id
    }

    /// Gives the session another token, and says until when it is good. The token before works until this one is used.
    ///
    /// # Errors
    /// If the proof was used before, or the session was ended or renewed at the same moment.
    pub async fn renew(self, app: &App) -> Result<(RevealedSessionToken, Timestamp)> {
        let (token, until) = app.devices(&self.tenant_id).renew(&self.call, &self.change).await?;
        Ok((token.reveal(), until))
    }

    /// Gives the device another name, and answers with it as it is then.
    ///
    /// # Errors
    /// If the proof was used before, or the pairing was ended at the same moment.
    pub async fn rename(self, app: &App, name: DeviceName) -> Result<PairedDevice> {
        let device = self.device()?;
        app.devices(&self.tenant_id).rename(&self.call, device, name, &self.change).await
    }

    /// Ends the pairing.
    ///
    /// # Errors
    /// If the proof was used before, or the pairing was ended at the same moment.
    pub async fn unpair(self, app: &App) -> Result<PairedDevice> {
        let device = self.device()?;
        app.devices(&self.tenant_id).unpair(&self.call, &self.tenant, &device, &self.change).await?;
        Ok(device)
    }

    /// The device, as lists show it.
    pub(super) fn device(&self) -> Result<PairedDevice> {
        // Both were read by one call, which is no snapshot: the device may have been removed in between.
        let found = self.devices.iter().find(|device| device.id == *self.id()).cloned();
        found.ok_or(Error::Unauthenticated("device session was ended"))
    }
}
