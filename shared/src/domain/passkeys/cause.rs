//! Why a passkey's response is refused.

use std::fmt;

/// The enum, the list of its values and their names, from one table.
macro_rules! causes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Why a response of a browser is refused. The client is told only of faults of its page; the name goes into
        /// the log as `cause`. Sections are those of Web Authentication Level 3.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum PasskeyCause {
            $($(#[$doc])* $name,)*
        }

        impl PasskeyCause {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name in the log, which stays as it is.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

causes! {
    /// The credential is not the JSON of `PublicKeyCredential.toJSON()` (§5.1): a member is missing or of another
    /// type.
    MalformedCredential = "malformed_credential",
    /// A binary member is not unpadded base64url (RFC 4648 §5) in its only spelling.
    MalformedBase64url = "malformed_base64url",
    /// `type` of the credential is not `public-key`.
    WrongCredentialType = "wrong_credential_type",
    /// `id` and `rawId` differ.
    IdMismatch = "id_mismatch",
    /// The credential id is empty or longer than 1023 bytes.
    CredentialIdLength = "credential_id_length",
    /// The client data is no UTF-8 JSON object with a text for each of `type`, `challenge` and `origin`.
    MalformedClientData = "malformed_client_data",
    /// The client data has two members of one name.
    DoubleMember = "double_member",
    /// The client data is of the other ceremony, or of none.
    WrongType = "wrong_type",
    /// The challenge is not the ceremony's.
    WrongChallenge = "wrong_challenge",
    /// The origin is not the ceremony's.
    WrongOrigin = "wrong_origin",
    /// The page was in a frame of another origin, or `crossOrigin` is no boolean.
    CrossOrigin = "cross_origin",
    /// The client data names an origin at the top.
    TopOrigin = "top_origin",
    /// The attestation object is not the CBOR map of §6.5.4, or something follows it.
    MalformedAttestation = "malformed_attestation",
    /// The authenticator data is shorter than its own lengths say.
    AuthenticatorDataTooShort = "authenticator_data_too_short",
    /// Something follows the authenticator data.
    TrailingBytes = "trailing_bytes",
    /// The hash of the relying party id is not that of the ceremony's.
    WrongRpIdHash = "wrong_rp_id_hash",
    /// The authenticator did not see a person (flag UP).
    UserNotPresent = "user_not_present",
    /// The authenticator did not verify the person (flag UV).
    UserNotVerified = "user_not_verified",
    /// The passkey is backed up (flag BS), and may not be (flag BE).
    BackupStateWithoutEligibility = "backup_state_without_eligibility",
    /// The passkey was eligible for backup and is not any more (flag BE).
    BackupEligibilityLost = "backup_eligibility_lost",
    /// A registration without a new key (flag AT).
    NoAttestedCredential = "no_attested_credential",
    /// A login with a new key (flag AT).
    UnexpectedAttestedCredential = "unexpected_attested_credential",
    /// The extensions are not one CBOR map with texts for its names, or are not where flag ED says.
    MalformedExtensions = "malformed_extensions",
    /// The credential id in the authenticator data is not that of the credential.
    AttestedIdMismatch = "attested_id_mismatch",
    /// The key is not a COSE key (RFC 9052 §7) of its algorithm, or not on its curve.
    MalformedKey = "malformed_key",
    /// The key is longer than 4096 bytes.
    KeyTooLong = "key_too_long",
    /// The algorithm is not one of those that were offered.
    AlgorithmNotOffered = "algorithm_not_offered",
    /// The signature is not that of the stored key.
    WrongSignature = "wrong_signature",
    /// The response does not name its person, and the ceremony did not either.
    NoUserHandle = "no_user_handle",
    /// The response names another person than the owner of the passkey.
    WrongUserHandle = "wrong_user_handle",
    /// The passkey is not of the person that the ceremony named.
    AnotherPerson = "another_person",
    /// The counter is not greater than the stored one: there may be a copy of the passkey.
    CounterBack = "counter_back",
    /// The library refused a response that was in order by all rules above.
    Library = "library",
    /// There is no such ceremony: its challenge is unknown, used, expired, another tenant's or another kind's.
    UnknownCeremony = "unknown_ceremony",
    /// The tenant has no passkey with this id.
    UnknownCredential = "unknown_credential",
    /// The passkey is revoked.
    RevokedCredential = "revoked_credential",
    /// The tenant has a passkey with this id already.
    KnownCredential = "known_credential",
    /// Another login wrote the counter in the meantime.
    CounterRace = "counter_race",
}

impl fmt::Display for PasskeyCause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl std::error::Error for PasskeyCause {}

/// The first rule that does not hold.
pub(super) fn first_broken<const N: usize>(rules: [(bool, PasskeyCause); N]) -> Result<(), PasskeyCause> {
    rules.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, cause)| Err(cause))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_name_is_its_own_and_snake_case() {
        let names: HashSet<_> = PasskeyCause::ALL.iter().map(|cause| cause.as_str()).collect();
        assert_eq!(names.len(), PasskeyCause::ALL.len());
        for name in names {
            let is_shaped = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            assert!(name.bytes().all(is_shaped), "{name}");
        }
    }
}
