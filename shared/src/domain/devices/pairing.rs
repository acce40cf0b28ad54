//! What a tenant says when it prepares a pairing, and the device that comes of it.

use serde_json::{Value, json};

use super::contact::{MaskedEmail, MaskedPhone};
use super::device::{DeviceId, Platform};
use super::pairing_handle::PairingId;
use crate::domain::ids::external_id::ExternalId;
use crate::domain::ids::tenant_id::TenantId;
use crate::domain::people::RelayPerson;
use crate::domain::tenants::public_url::LogoUrl;
use crate::domain::time::clock::Timestamp;
use crate::domain::values::{DeviceName, DisplayName};

/// A person as the tenant introduces it: what the phone shows, for the person to recognize itself by. It is kept with
/// each device of its own, and goes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Introduction {
    /// What the tenant knows the person's connection by.
    pub user_socket_hash: ExternalId,
    pub display_name: DisplayName,
    pub email: Option<MaskedEmail>,
    pub phone: Option<MaskedPhone>,
}

/// A pairing that a tenant has prepared and nobody has redeemed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreparedPairing {
    pub id: PairingId,
    pub tenant_id: TenantId,
    pub person: RelayPerson,
    pub introduction: Introduction,
    /// The logo for this pairing, in place of the tenant's.
    pub logo_url: Option<LogoUrl>,
    pub expires_at: Timestamp,
    /// What was revoked by then. A pairing that is older than a revocation leads to no device, or it would undo it.
    pub epochs: DeviceEpochs,
}

impl PreparedPairing {
    /// Whether it may still be redeemed.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.expires_at > now
    }
}

/// How often the tokens of a device's tenant and of its person had been revoked when its pairing was prepared. Other
/// numbers now mean that they were revoked since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceEpochs {
    pub tenant: u64,
    pub person: u64,
}

/// A device of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairedDevice {
    pub id: DeviceId,
    pub name: DeviceName,
    pub platform: Option<Platform>,
    pub introduction: Introduction,
    pub created_at: Timestamp,
    /// When it last called, to the day.
    pub last_used_at: Timestamp,
    /// When its session ends unless it is renewed.
    pub session_expires_at: Timestamp,
    pub epochs: DeviceEpochs,
}

impl PairedDevice {
    /// Whether its session can still be used, by these numbers of now.
    pub fn is_live(&self, epochs: DeviceEpochs, now: Timestamp) -> bool {
        self.session_expires_at > now && self.epochs == epochs
    }

    /// Its complete state, as its events tell of it. `removed_at` is unset while it is paired.
    pub fn state(&self, person: &RelayPerson, removed_at: Option<Timestamp>) -> Value {
        let Introduction { user_socket_hash, display_name, email, phone } = &self.introduction;
        json!({
            "backend_user_id": person.backend_user_id,
            "relay_user_linked_id": person.linked_id,
            "user_socket_hash": user_socket_hash,
            "device_id": self.id,
            "name": self.name,
            "platform": self.platform,
            "display_name": display_name,
            "user_email": email,
            "user_phone": phone,
            "created_at": self.created_at,
            "removed_at": removed_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{PairingHandle, SystemRandomness};

    #[test]
    fn a_device_is_live_until_its_session_ends_or_tokens_are_revoked() {
        let at = Timestamp::from_millis;
        let epochs = DeviceEpochs { tenant: 1, person: 2 };
        let device = PairedDevice {
            id: DeviceId::parse("dev_0123456789abcdef").unwrap(),
            name: DeviceName::from_stored("Phone"),
            platform: None,
            introduction: Introduction {
                user_socket_hash: ExternalId::parse("socket").unwrap(),
                display_name: DisplayName::from_stored("Ada"),
                email: None,
                phone: None,
            },
            created_at: at(0),
            last_used_at: at(0),
            session_expires_at: at(100),
            epochs,
        };
        let random = SystemRandomness::new();
        let person = RelayPerson::new(ExternalId::parse("ada").unwrap(), &random).unwrap();
        let expected = json!({
            "backend_user_id": "ada", "relay_user_linked_id": person.linked_id, "user_socket_hash": "socket",
            "device_id": "dev_0123456789abcdef", "name": "Phone", "platform": null, "display_name": "Ada",
            "user_email": null, "user_phone": null, "created_at": at(0), "removed_at": at(7),
        });
        assert_eq!(device.state(&person, Some(at(7))), expected);
        assert!(device.is_live(epochs, at(99)) && !device.is_live(epochs, at(100)));
        assert!(!device.is_live(DeviceEpochs { tenant: 2, ..epochs }, at(0)));
        assert!(!device.is_live(DeviceEpochs { person: 3, ..epochs }, at(0)));
    }

    #[test]
    fn a_pairing_is_open_until_it_expires() {
        let at = Timestamp::from_millis;
        let random = SystemRandomness::new();
        let person = RelayPerson::new(ExternalId::parse("ada").unwrap(), &random).unwrap();
        let introduction = Introduction {
            user_socket_hash: ExternalId::parse("socket").unwrap(),
            display_name: DisplayName::from_stored("Ada"),
            email: None,
            phone: None,
        };
        let (id, tenant_id) = (PairingHandle::generate(&random).unwrap().pairing_id(), TenantId::of(&[0; 16]));
        let pairing = PreparedPairing {
            id,
            tenant_id,
            person,
            introduction,
            logo_url: None,
            expires_at: at(100),
            epochs: DeviceEpochs { tenant: 0, person: 0 },
        };
        assert!(pairing.is_open(at(99)) && !pairing.is_open(at(100)) && !pairing.is_open(at(101)));
    }
}
