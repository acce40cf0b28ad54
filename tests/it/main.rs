//! Latchkey's integration tests: the real binaries, on a local AWS of their own for each test.
//!
//! One program, because each further one would be linked with everything again. Where to look:
//!
//! - `endpoints/<function>.rs`: what an endpoint does, in its documented cases;
//! - `data_isolation`: the public text that the account surface implements, statement by statement;
//! - `account_histories`: random histories of many tenants and end users, against a model of who sees what;
//! - `account_pages`: how much a list reads, however many rows there are;
//! - `account_races`: changes of the same row at the same time, and totals that stay exact;
//! - `account_sizes`: the largest of everything, and pages full of them;
//! - `registration_races`: registrations of the same thing at the same time;
//! - `relay_histories`: random histories of signed calls and what changes them, over several processes, with faults;
//! - `relay_limits`: how many signed calls are accepted, and what is noted of those who send more or send one twice;
//! - `relay_races`: as many calls as the limit says, exactly, with 64 callers at once;
//! - `relay_time`: signed calls as minutes turn and overlaps end, and where clocks differ;
//! - `revocation`: what makes a token inactive, what leaves it alone, and that it shows at once;
//! - `security`: what every endpoint refuses, by a loop over the registry, and what never leaves a process;
//! - `simulation`: many processes on one AWS, whose every step is taken in the order that a seed says;
//! - `support/witness`: whose data a request may make a function ask AWS for, which each of these tests checks;
//! - `faults`: crashes at every call to AWS, and stores that are gone;
//! - `contract`: that template, registry, generated files, events and tests agree;
//! - `tenant_management`: the public text that the registry implements, request by request.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test that meets what it does not expect has failed, and its clock and runtime are its own"
)]

mod account_histories;
mod account_pages;
mod account_races;
mod account_sizes;
mod aws_calls;
mod contract;
mod data_isolation;
mod endpoints;
mod faults;
mod idempotency;
mod registration_races;
mod relay_histories;
mod relay_limits;
mod relay_races;
mod relay_time;
mod revocation;
mod security;
mod simulation;
mod support;
mod tenant_management;
