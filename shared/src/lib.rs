//! What all of Latchkey's functions are made of.
//!
//! Modules use those to their left and never those to their right:
//! `domain < error < config < store < app < auth < api < runtime`, and then the functions. A test reads the imports and
//! fails on a wrong one.
//!
//! | Module | What is in it | What it must not know |
//! |---|---|---|
//! | [`domain`] | rules and types | AWS, HTTP, async |
//! | [`error`] | every refusal and its code | why a client sent what it sent |
//! | [`config`] | the environment | anything else |
//! | [`store`] | DynamoDB and Secrets Manager | status codes, credentials |
//! | [`app`] | clients, clock, randomness | requests |
//! | [`auth`] | credentials in, proof out | inputs and outputs |
//! | [`api`] | the contract | how it is kept |
//! | [`runtime`] | HTTP in, HTTP out | rules |

#[cfg(all(feature = "loopback-callbacks", not(debug_assertions)))]
compile_error!("the feature loopback-callbacks is for `cargo dev`: what is deployed calls public hosts only");

// The variable is of another crate's build script, which says nothing if it is missing: decision 0039.
#[cfg(not(debug_assertions))]
const _: () = assert!(
    option_env!("AWS_LC_SYS_NO_JITTER_ENTROPY").is_some(),
    "build in the repository's folder: .cargo/config.toml is not in force, and a cold start would take longer"
);

pub mod api;
pub mod app;
pub mod auth;
pub mod config;
pub mod domain;
pub mod error;
pub mod runtime;
pub mod store;

pub use app::App;
pub use error::{Error, Result};
pub use runtime::{Call, Exit, Written, on, on_event, on_schedule, serve, serve_path};
