//! Tokens: what they claim, how they are signed and verified.

pub(super) mod claims;
pub(super) mod jws;
pub(super) mod lifetime;
pub(super) mod pairing_proof;
pub(super) mod verification;

pub use claims::{Claims, Epochs, Issuer, PropertiesTooLarge, RegisteredData, Scope, TokenRequest};
pub use jws::{Refused, SignedToken};
pub use lifetime::TokenLifetime;
pub use pairing_proof::{PairingClaims, UnverifiedPairingProof};
pub use verification::{LONGEST_TOKEN, UnverifiedToken};
