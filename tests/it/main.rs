//! Latchkey's integration tests: the real functions, on a local AWS of their own for each test.
//!
//! One program, because each further one would be linked with everything again. Where to look:
//!
//! - `endpoints/<function>.rs`: what an endpoint does, in its documented cases;
//! - `registry::tenant_management`, `account::data_isolation`: the public texts that those surfaces implement,
//!   statement by statement;
//! - `registry::idempotency`: one effect for a request, however often it comes;
//! - `registry::setup_mistakes`: mistakes of a set-up that are planted, and that its inspection names;
//! - `projects::registration_races`: registrations of the same thing at the same time;
//! - `tokens::revocation`: what makes a token inactive, what leaves it alone, and that it shows at once;
//! - `account::histories`: random histories of many tenants and end users, against a model of who sees what;
//! - `account::pages`: how much a list reads, however many rows there are;
//! - `account::races`: changes of the same row at the same time, and totals that stay exact;
//! - `account::sizes`: the largest of everything, and pages full of them;
//! - `callbacks::histories`: random histories of changes and deliveries, over several processes, with faults;
//! - `callbacks::races`: changes at the same moment, all of them told;
//! - `callbacks::scale`: thousands of tenants, some with dead receivers;
//! - `callbacks::units`: what a sweep and an event consume;
//! - `passkeys`: events, races and the relying party of passkeys, across their endpoints;
//! - `qr_logins::histories`: random histories of QR logins, over several processes, with faults;
//! - `relay::histories`: random histories of signed calls and what changes them, over several processes, with faults;
//! - `relay::limits`: how many signed calls are accepted, and what is noted of those who send more or send one twice;
//! - `relay::races`: as many calls as the limit says, exactly, with 64 callers at once;
//! - `relay::suspension`: what a suspension by strikes owes, and that nothing keeps it from being made;
//! - `relay::time`: signed calls as minutes turn and overlaps end, and where clocks differ;
//! - `aws_calls`: how many calls to AWS each request costs;
//! - `first_call`: connections to AWS before the first request, and who AWS is trusted to be;
//! - `security`: what every endpoint refuses, by a loop over the registry, and what never leaves a process;
//! - `simulation`: many processes on one AWS, whose every step is taken in the order that a seed says;
//! - `support/witness`: whose data a request may make a function ask AWS for, which each of these tests checks;
//! - `faults`: crashes at every call to AWS, and stores that are gone;
//! - `contract`: that template, registry, generated files, events and tests agree.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test that meets what it does not expect has failed, and its clock and runtime are its own"
)]

mod account;
mod aws_calls;
mod callbacks;
mod contract;
mod endpoints;
mod faults;
mod first_call;
mod passkeys;
mod projects;
mod qr_logins;
mod registry;
mod relay;
mod security;
mod simulation;
mod support;
mod tokens;
