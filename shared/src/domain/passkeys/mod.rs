//! Passkeys: what a browser is asked for, and what its answer has to be (Web Authentication Level 3, W3C
//! Recommendation).
//!
//! Everything here is strict reading and comparison. The signature, and a second opinion on all rules, is a library's.

pub(super) mod algorithm;
mod attestation;
mod authenticator_data;
pub(super) mod cause;
mod cbor;
mod client_data;
mod cose;
mod credential;
pub(super) mod ids;
mod library;
pub(super) mod options;
mod passkey;
mod provider;
pub(super) mod records;
pub(super) mod signals;
pub(super) mod transports;
pub(super) mod verification;

pub use algorithm::PasskeyAlgorithm;
pub use cause::PasskeyCause;
pub use ids::{Aaguid, Challenge, CredentialDigest, CredentialId, UserHandle};
pub use options::{CreationOptions, CredentialDescriptor, Hint, RelyingParty, RequestOptions, UserEntity};
pub use passkey::{Ceremony, CeremonyKind, Passkey};
pub use records::{CounterChange, ExpectedResponse, NewPasskey, StoredPasskey, VerifiedLogin};
pub use signals::{AllAcceptedCredentials, CurrentUserDetails, UnknownCredential};
pub use transports::Transports;
pub use verification::{challenge_of, credential_id_of, verify_login, verify_registration};

#[cfg(test)]
mod tests;
