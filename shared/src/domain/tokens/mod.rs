//! Tokens: what they claim, how they are signed and verified.

pub(super) mod claims;
pub(super) mod lifetime;
pub(super) mod verification;

pub use claims::{Claims, Epochs, Issuer, PropertiesTooLarge, RegisteredData, Scope, SignedToken, TokenRequest};
pub use lifetime::TokenLifetime;
pub use verification::{LONGEST_TOKEN, Refused, UnverifiedToken};
