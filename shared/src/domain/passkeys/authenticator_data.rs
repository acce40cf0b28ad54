//! The authenticator data: what the authenticator says, and signs (§6.1).

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64URL_NOPAD;

use super::cause::{PasskeyCause, first_broken};
use super::cbor::CborMap;
use super::cose::CoseKey;
use super::ids::{Aaguid, CredentialId};
use crate::domain::tenants::rp_id::RpId;

/// The flags that have a meaning here. The two reserved ones may get one, and are ignored until then.
const USER_PRESENT: u8 = 1;
const USER_VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKUP_STATE: u8 = 1 << 4;
const ATTESTED_CREDENTIAL: u8 = 1 << 6;
const EXTENSIONS: u8 = 1 << 7;

/// What all authenticator data begins with.
#[derive(Debug)]
pub struct AuthenticatorData {
    rp_id_hash: [u8; 32],
    flags: u8,
    pub counter: u32,
}

/// A passkey that was just made (§6.5.1).
#[derive(Debug)]
pub struct AttestedCredential {
    pub aaguid: Aaguid,
    pub credential_id: CredentialId,
    pub key: CoseKey,
}

impl AuthenticatorData {
    /// Reads the authenticator data of a registration, to its last byte.
    pub fn of_registration(bytes: &[u8]) -> Result<(Self, AttestedCredential), PasskeyCause> {
        let (data, rest) = Self::begin(bytes)?;
        if !data.has(ATTESTED_CREDENTIAL) {
            return Err(PasskeyCause::NoAttestedCredential);
        }
        let (attested, rest) = AttestedCredential::read(rest)?;
        data.end(rest)?;
        Ok((data, attested))
    }

    /// Reads the authenticator data of a login, to its last byte.
    pub fn of_login(bytes: &[u8]) -> Result<Self, PasskeyCause> {
        let (data, rest) = Self::begin(bytes)?;
        if data.has(ATTESTED_CREDENTIAL) {
            return Err(PasskeyCause::UnexpectedAttestedCredential);
        }
        data.end(rest)?;
        Ok(data)
    }

    fn begin(bytes: &[u8]) -> Result<(Self, &[u8]), PasskeyCause> {
        let (rp_id_hash, rest) = take::<32>(bytes)?;
        let ([flags], rest) = take::<1>(rest)?;
        let (counter, rest) = take::<4>(rest)?;
        Ok((Self { rp_id_hash, flags, counter: u32::from_be_bytes(counter) }, rest))
    }

    /// Checks that nothing follows but extensions, where a flag says so: one map with texts for names (§9.5). None
    /// were asked for, but some authenticators have some to tell.
    fn end(&self, bytes: &[u8]) -> Result<(), PasskeyCause> {
        let rest = if self.has(EXTENSIONS) {
            let extensions = CborMap::read(bytes).filter(|(map, _)| map.is_named_throughout());
            extensions.ok_or(PasskeyCause::MalformedExtensions)?.1
        } else {
            bytes
        };
        if rest.is_empty() { Ok(()) } else { Err(PasskeyCause::TrailingBytes) }
    }

    /// Holds it against its ceremony. `verified` says whether the person has to be verified.
    pub fn check(&self, rp_id: &RpId, verified: bool) -> Result<(), PasskeyCause> {
        let is_expected_rp_id = digest(&SHA256, rp_id.as_str().as_bytes()).as_ref() == self.rp_id_hash;
        first_broken([
            (is_expected_rp_id, PasskeyCause::WrongRpIdHash),
            (self.has(USER_PRESENT), PasskeyCause::UserNotPresent),
            (self.user_verified() || !verified, PasskeyCause::UserNotVerified),
            (self.backup_eligible() || !self.backup_state(), PasskeyCause::BackupStateWithoutEligibility),
        ])
    }

    /// Whether the authenticator verified the person, by a PIN or a finger.
    pub fn user_verified(&self) -> bool {
        self.has(USER_VERIFIED)
    }

    /// Whether the passkey may be synced.
    pub fn backup_eligible(&self) -> bool {
        self.has(BACKUP_ELIGIBLE)
    }

    /// Whether the passkey is synced.
    pub fn backup_state(&self) -> bool {
        self.has(BACKUP_STATE)
    }

    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

impl AttestedCredential {
    fn read(bytes: &[u8]) -> Result<(Self, &[u8]), PasskeyCause> {
        let (aaguid, rest) = take::<16>(bytes)?;
        let (length, rest) = take::<2>(rest)?;
        let length = usize::from(u16::from_be_bytes(length));
        if !(1..=CredentialId::LONGEST).contains(&length) {
            return Err(PasskeyCause::CredentialIdLength);
        }
        let (id, rest) = rest.split_at_checked(length).ok_or(PasskeyCause::AuthenticatorDataTooShort)?;
        let credential_id =
            CredentialId::parse(&BASE64URL_NOPAD.encode(id)).map_err(|_| PasskeyCause::CredentialIdLength)?;
        let (key, rest) = CoseKey::read(rest)?;
        Ok((Self { aaguid: Aaguid::of(aaguid), credential_id, key }, rest))
    }
}

/// The first `N` bytes, and the others.
fn take<const N: usize>(bytes: &[u8]) -> Result<([u8; N], &[u8]), PasskeyCause> {
    bytes.split_first_chunk().map(|(first, rest)| (*first, rest)).ok_or(PasskeyCause::AuthenticatorDataTooShort)
}
