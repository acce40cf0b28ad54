//! Preparing a pairing, for a tenant that signed the call.

use super::SignedTenant;
use super::device::REDEEMED_AT;
use crate::app::App;
use crate::domain::{Issuer, LinkedUserId, PairingClaims, PairingUrl, QrCode, SignedToken};
use crate::error::{Error, Result};
use crate::store::{Devices, PairingRequest};

/// What pairs a device, once: the proof for apps, the address for phones' browsers.
#[derive(Debug)]
pub struct Prepared {
    pub proof: SignedToken,
    pub url: PairingUrl,
    pub qr_code: QrCode,
    pub linked_id: LinkedUserId,
}

impl SignedTenant {
    /// The devices of the tenant's people.
    pub fn devices<'a>(&'a self, app: &'a App) -> Devices<'a> {
        app.devices(self.id())
    }

    /// Prepares a pairing of one of the tenant's people.
    ///
    /// # Errors
    /// If a store fails, or the service's address is too long for a code that cameras read.
    pub async fn prepare_pairing(&self, app: &App, request: PairingRequest<'_>) -> Result<Prepared> {
        let (tenant, handle, pairing) = self.devices(app).prepare(request, self.change()).await?;
        let url = PairingUrl::new(self.base_url(), &handle);
        let url = url.ok_or_else(|| Error::internal("the service's address is too long for a pairing"))?;
        let qr_code = QrCode::of(url.expose()).ok_or_else(|| Error::internal("an address that no code holds"))?;
        let key = app.signing_key(self.id(), &tenant.signing).await?;
        let audience = format!("{}{REDEEMED_AT}", self.base_url());
        let issuer = Issuer::new(self.base_url(), self.id());
        let proof = PairingClaims::new(&issuer, &audience, pairing.id, self.change().at).sign(&key)?;
        Ok(Prepared { proof, url, qr_code, linked_id: pairing.person.linked_id })
    }
}
