//! Answers about passkeys.

use schemars::JsonSchema;
use serde::Serialize;

use crate::api::operation::Output;
use crate::domain::{
    Aaguid, AllAcceptedCredentials, CredentialId, CurrentUserDetails, ExternalId, LinkedUserId, Passkey, PasskeyName,
    Person, RpId, Timestamp, Transports, UnknownCredential,
};
use crate::store::{LoggedIn, PasskeyList, RevokedPasskey};

/// Passkey of a person.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PasskeyView {
    /// Id of the passkey.
    pub credential_id: CredentialId,
    /// Name of the passkey.
    pub name: PasskeyName,
    /// Model of the authenticator, as it claims; all zeros if it does not say.
    pub aaguid: Aaguid,
    /// Name of whoever keeps passkeys of that model; absent if it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_name: Option<&'static str>,
    /// How the authenticator is reached, as the browser said.
    pub transports: Transports,
    /// Whether the passkey may be synced to other devices.
    pub backup_eligible: bool,
    /// Whether it was synced when it was used last.
    pub backup_state: bool,
    /// Time at which it was registered.
    pub created_at: Timestamp,
    /// Time of the last login with it; null if there was none.
    pub last_used_at: Option<Timestamp>,
    /// Relying party for which it was made. It works for no other.
    pub rp_id: RpId,
    /// Time at which it was revoked; null if it was not.
    pub revoked_at: Option<Timestamp>,
}

impl From<Passkey> for PasskeyView {
    fn from(passkey: Passkey) -> Self {
        Self {
            provider_name: passkey.provider_name(),
            credential_id: passkey.stored.credential_id,
            name: passkey.name,
            aaguid: passkey.aaguid,
            transports: passkey.transports,
            backup_eligible: passkey.stored.backup_eligible,
            backup_state: passkey.backup_state,
            created_at: passkey.created_at,
            last_used_at: passkey.last_used_at,
            rp_id: passkey.rp_id,
            revoked_at: passkey.revoked_at,
        }
    }
}

/// Passkey that was registered.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RegisteredPasskey {
    /// The tenant's own id of the person.
    pub backend_user_id: ExternalId,
    /// Latchkey's id of the person.
    pub relay_user_linked_id: LinkedUserId,
    /// The passkey.
    #[serde(flatten)]
    pub passkey: PasskeyView,
}

impl From<Passkey> for RegisteredPasskey {
    fn from(passkey: Passkey) -> Self {
        let person = passkey.person.clone();
        Self {
            backend_user_id: person.backend_user_id,
            relay_user_linked_id: person.linked_id,
            passkey: passkey.into(),
        }
    }
}

impl Output for RegisteredPasskey {
    fn message(&self) -> &'static str {
        "Passkey registered"
    }

    fn person(&self) -> Option<Person<'_>> {
        Some(Person::EndUser(&self.backend_user_id))
    }
}

/// Person who logged in.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LoggedInPerson {
    /// The tenant's own id of the person.
    pub backend_user_id: ExternalId,
    /// Latchkey's id of the person.
    pub relay_user_linked_id: LinkedUserId,
    /// Id of the passkey.
    pub credential_id: CredentialId,
    /// Whether the authenticator verified the person, by a PIN, a finger or a face. Always true today.
    pub user_verified: bool,
    /// Whether the passkey is synced to other devices now.
    pub backup_state: bool,
}

impl From<LoggedIn> for LoggedInPerson {
    fn from(LoggedIn { passkey, user_verified }: LoggedIn) -> Self {
        Self {
            backend_user_id: passkey.person.backend_user_id,
            relay_user_linked_id: passkey.person.linked_id,
            credential_id: passkey.stored.credential_id,
            user_verified,
            backup_state: passkey.backup_state,
        }
    }
}

impl Output for LoggedInPerson {
    fn message(&self) -> &'static str {
        "Logged in"
    }

    fn person(&self) -> Option<Person<'_>> {
        Some(Person::EndUser(&self.backend_user_id))
    }
}

/// Passkeys of a person.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PasskeysOfPerson {
    /// Latchkey's id of the person; null if the person was never named before.
    pub relay_user_linked_id: Option<LinkedUserId>,
    /// Passkeys in use, and the last 20 that were revoked, oldest first.
    pub passkeys: Vec<PasskeyView>,
    /// Arguments for the browser's Signal API.
    pub signals: ListSignals,
}

/// What a page may tell the browser about all passkeys of a person.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ListSignals {
    /// Argument of `PublicKeyCredential.signalAllAcceptedCredentials()`: the browser hides all others. Absent if
    /// nothing is known of the person, or the tenant has no relying party.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all_accepted_credentials: Option<AllAcceptedCredentials>,
}

impl From<PasskeyList> for PasskeysOfPerson {
    fn from(PasskeyList { person, passkeys, accepted }: PasskeyList) -> Self {
        Self {
            relay_user_linked_id: person.map(|person| person.linked_id),
            passkeys: passkeys.into_iter().map(PasskeyView::from).collect(),
            signals: ListSignals { all_accepted_credentials: accepted },
        }
    }
}

impl Output for PasskeysOfPerson {}

/// Passkey with another name.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RenamedPasskey {
    /// The passkey.
    #[serde(flatten)]
    pub passkey: PasskeyView,
    /// Arguments for the browser's Signal API.
    pub signals: RenameSignals,
}

/// What a page may tell the browser about a passkey that was renamed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RenameSignals {
    /// Argument of `PublicKeyCredential.signalCurrentUserDetails()`: the names that the person's device shows.
    pub current_user_details: CurrentUserDetails,
}

impl From<Passkey> for RenamedPasskey {
    fn from(passkey: Passkey) -> Self {
        let signals = RenameSignals { current_user_details: passkey.current_user_details() };
        Self { passkey: passkey.into(), signals }
    }
}

impl Output for RenamedPasskey {
    fn message(&self) -> &'static str {
        "Passkey renamed"
    }
}

/// Passkey that was revoked.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RevokedPasskeyView {
    /// The passkey.
    #[serde(flatten)]
    pub passkey: PasskeyView,
    /// Arguments for the browser's Signal API.
    pub signals: RevokeSignals,
}

/// What a page may tell the browser about a passkey that was revoked.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RevokeSignals {
    /// Argument of `PublicKeyCredential.signalUnknownCredential()`: the browser hides the passkey.
    pub unknown_credential: UnknownCredential,
    /// Argument of `PublicKeyCredential.signalAllAcceptedCredentials()`: the browser hides all but these.
    pub all_accepted_credentials: AllAcceptedCredentials,
}

impl From<RevokedPasskey> for RevokedPasskeyView {
    fn from(RevokedPasskey { passkey, accepted }: RevokedPasskey) -> Self {
        let unknown_credential = passkey.unknown_credential();
        let signals = RevokeSignals { unknown_credential, all_accepted_credentials: accepted };
        Self { passkey: passkey.into(), signals }
    }
}

impl Output for RevokedPasskeyView {
    fn message(&self) -> &'static str {
        "Passkey revoked"
    }
}
