//! Inspection of a tenant's set-up: from what the system has seen, what works, what does not, and what to change.
//!
//! Facts go in and checks come out. A check is made of what was accepted and of what was refused: a refusal is noted
//! once the caller was proven to be the tenant, and so names a mistake of the tenant's and nobody else's.

pub(super) mod check;
pub(super) mod facts;
pub(super) mod inspection;
mod keys;
mod lines;
pub(super) mod refusal;
mod registration;
mod services;
mod signing;
#[cfg(test)]
mod tests;

pub use check::{Check, CheckState, Seen};
pub use facts::{SetupDefaults, SetupFacts};
pub use inspection::Setup;
pub use lines::ADDRESS;
pub use refusal::{Refusal, RefusalCause};
