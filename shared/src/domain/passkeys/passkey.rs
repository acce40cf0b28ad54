//! What is kept of a passkey, and of a ceremony while it lasts.

use serde_json::{Value, json};

use super::ids::{Aaguid, Challenge};
use super::provider::provider_name;
use super::records::StoredPasskey;
use super::signals::{CurrentUserDetails, UnknownCredential};
use super::transports::Transports;
use crate::domain::people::person::{PersonRef, RelayPerson};
use crate::domain::tenants::rp_id::RpId;
use crate::domain::tenants::webauthn_origin::WebauthnOrigin;
use crate::domain::time::clock::Timestamp;
use crate::domain::values::text::{AccountName, PasskeyName};

/// A passkey of one of a tenant's people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passkey {
    /// What a login depends on.
    pub stored: StoredPasskey,
    /// Its owner.
    pub person: RelayPerson,
    /// The relying party for which it was made: it works for no other.
    pub rp_id: RpId,
    /// The name that tells the person's passkeys apart.
    pub name: PasskeyName,
    /// The name of the account, as the authenticator has it.
    pub username: AccountName,
    /// The name of the person, as the authenticator has it.
    pub display_name: AccountName,
    pub aaguid: Aaguid,
    pub transports: Transports,
    /// Whether it was synced to other devices when it was used last.
    pub backup_state: bool,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    /// Since when it opens nothing any more.
    pub revoked_at: Option<Timestamp>,
    /// Counts its changes: the `sequence` of its events.
    pub revision: u64,
}

impl Passkey {
    /// Who makes passkeys of its authenticator's model, if we know.
    pub fn provider_name(&self) -> Option<&'static str> {
        provider_name(&self.aaguid)
    }

    /// Its complete state, as its events tell of it.
    pub fn state(&self) -> Value {
        let mut state = json!({
            "backend_user_id": self.person.backend_user_id,
            "relay_user_linked_id": self.person.linked_id,
            "credential_id": self.stored.credential_id,
            "name": self.name,
            "aaguid": self.aaguid,
            "transports": self.transports,
            "backup_eligible": self.stored.backup_eligible,
            "backup_state": self.backup_state,
            "created_at": self.created_at,
            "last_used_at": self.last_used_at,
            "rp_id": self.rp_id,
            "revoked_at": self.revoked_at,
        });
        if let (Some(state), Some(name)) = (state.as_object_mut(), self.provider_name()) {
            state.insert("provider_name".to_owned(), name.into());
        }
        state
    }

    /// What makes the browser hide it.
    pub fn unknown_credential(&self) -> UnknownCredential {
        UnknownCredential { rp_id: self.rp_id.clone(), credential_id: self.stored.credential_id.clone() }
    }

    /// What makes the browser show its names.
    pub fn current_user_details(&self) -> CurrentUserDetails {
        CurrentUserDetails {
            rp_id: self.rp_id.clone(),
            user_id: self.person.user_handle.clone(),
            name: self.username.to_string(),
            display_name: self.display_name.to_string(),
        }
    }
}

/// What a ceremony is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CeremonyKind {
    /// A passkey of this person is made. The names are those that the authenticator shows.
    Registration { person: RelayPerson, username: AccountName, display_name: AccountName },
    /// This person logs in, or anybody who has a passkey.
    Login(Option<PersonRef>),
}

/// A ceremony that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ceremony {
    pub challenge: Challenge,
    pub kind: CeremonyKind,
    pub rp_id: RpId,
    /// The origin at which it began.
    pub origin: WebauthnOrigin,
    /// The moment from which no answer is accepted any more.
    pub expires_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::external_id::ExternalId;
    use crate::domain::passkeys::algorithm::PasskeyAlgorithm;
    use crate::domain::passkeys::ids::CredentialId;
    use crate::domain::values::random::SystemRandomness;

    fn passkey(aaguid: &str) -> Passkey {
        let person = RelayPerson::new(ExternalId::parse("ada").unwrap(), &SystemRandomness::new()).unwrap();
        Passkey {
            stored: StoredPasskey {
                credential_id: CredentialId::parse("AQID").unwrap(),
                public_key: vec![1],
                algorithm: PasskeyAlgorithm::Es256,
                counter: 7,
                backup_eligible: true,
                user_handle: person.user_handle.clone(),
            },
            person,
            rp_id: RpId::from_stored("example.com"),
            name: PasskeyName::parse("Phone").unwrap(),
            username: AccountName::parse("ada@example.com").unwrap(),
            display_name: AccountName::parse("Ada").unwrap(),
            aaguid: Aaguid::parse(aaguid).unwrap(),
            transports: Transports::of(["internal"]),
            backup_state: false,
            created_at: Timestamp::from_millis(0),
            last_used_at: None,
            revoked_at: Some(Timestamp::from_millis(1)),
            revision: 3,
        }
    }

    #[test]
    fn its_state_is_what_a_list_shows_and_whose_it_is_and_neither_key_nor_counter() {
        let passkey = passkey("fbfc3007-154e-4ecc-8c0b-6e020557d7bd");
        let expected = json!({
            "backend_user_id": "ada", "relay_user_linked_id": passkey.person.linked_id, "credential_id": "AQID",
            "name": "Phone", "aaguid": "fbfc3007-154e-4ecc-8c0b-6e020557d7bd", "provider_name": "Apple Passwords",
            "transports": ["internal"], "backup_eligible": true, "backup_state": false,
            "created_at": "1970-01-01T00:00:00.000Z", "last_used_at": null, "rp_id": "example.com",
            "revoked_at": "1970-01-01T00:00:00.001Z",
        });
        assert_eq!(passkey.state(), expected);
    }

    #[test]
    fn a_provider_that_is_not_known_is_not_there() {
        let state = passkey("00000000-0000-0000-0000-000000000000").state();
        assert!(state.is_object() && state.get("provider_name").is_none());
    }

    #[test]
    fn browsers_are_told_of_its_id_and_of_its_names() {
        let passkey = passkey("00000000-0000-0000-0000-000000000000");
        let unknown = serde_json::to_value(passkey.unknown_credential()).unwrap();
        assert_eq!(unknown, json!({ "rpId": "example.com", "credentialId": "AQID" }));
        let details = serde_json::to_value(passkey.current_user_details()).unwrap();
        let expected = json!({
            "rpId": "example.com", "userId": passkey.person.user_handle, "name": "ada@example.com",
            "displayName": "Ada",
        });
        assert_eq!(details, expected);
    }
}
