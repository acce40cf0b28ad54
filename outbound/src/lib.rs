//! The one HTTP client that connects to where somebody else says: it delivers callbacks, to bases of tenants.
//!
//! A crate of its own, so that what dials strangers' addresses is one place and has tests of its own, and so that a
//! function that does not deliver cannot reach for it by accident: a test names those that may.
//!
//! What it does not do is the point: it follows no redirect, reads no proxy from the environment, keeps no connection
//! and no TLS session from one attempt to the next, and tells nobody what a receiver answered but for the status and
//! `Retry-After`. Complete clients do all of these unless told otherwise, and their hooks for a resolver are not asked
//! about addresses in a URL. So this is hyper's connection on a socket that is opened here.

#[cfg(all(feature = "loopback-callbacks", not(debug_assertions)))]
compile_error!("the feature loopback-callbacks is for `cargo dev`: what is deployed calls public hosts only");

mod client;
mod connect;
mod target;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the runtime of a test is its own")]
mod tests;

pub use client::{Client, Limits};
pub use connect::{Connect, Resolve, SystemResolver, Tcp};
pub use target::Target;
