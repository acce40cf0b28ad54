//! Proofs that a caller has a device's private key (DPoP, RFC 9449): how they are read and judged.
//!
//! A proof is a JWT that the device signs for one call. It names the call, the token that comes with it and a nonce of
//! ours, and carries the public key. The session has that key's thumbprint, so that a token that was stolen without the
//! key opens nothing.
//!
//! | Step | Type | What is known then |
//! |---|---|---|
//! | 1 | [`UnverifiedDpopProof`] | it has the form of a proof |
//! | 2 | [`DpopProof`] | its key signed it, for this call, now |
//! | 3 | [`DpopProof::check_bound_to`] | the key is that of the session |
//! | 4 | [`DpopProof::replay_key`] | the store knows whether it was used before |
//!
//! The first two need no store, so that a forged proof costs no call to AWS. Each refusal has a [`DpopCause`] of its
//! own, for the log.

pub(super) mod cause;
pub(super) mod claims;
pub(super) mod header;
pub(super) mod nonce;
pub(super) mod proof;

pub use cause::DpopCause;
pub use header::Thumbprint;
pub use nonce::{DpopNonce, NonceKey};
pub use proof::{DpopCall, DpopProof, Freshness, Presented, ReplayKey, UnverifiedDpopProof};
