//! Latchkey's integration tests: the real binaries, on a local AWS of their own for each test.
//!
//! One program, because each further one would be linked with everything again. Where to look:
//!
//! - `endpoints/<function>.rs`: what an endpoint does, in its documented cases;
//! - `registration_races`: registrations of the same thing at the same time;
//! - `revocation`: what makes a token inactive, what leaves it alone, and that it shows at once;
//! - `security`: what every endpoint refuses, by a loop over the registry, and what never leaves a process;
//! - `support/witness`: whose data a request may make a function ask AWS for, which each of these tests checks;
//! - `faults`: crashes at every call to AWS, and stores that are gone;
//! - `contract`: that template, registry, generated files, events and tests agree;
//! - `tenant_management`: the public text that the registry implements, request by request.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test that meets what it does not expect has failed, and its clock and runtime are its own"
)]

mod aws_calls;
mod contract;
mod endpoints;
mod faults;
mod idempotency;
mod registration_races;
mod revocation;
mod security;
mod support;
mod tenant_management;
