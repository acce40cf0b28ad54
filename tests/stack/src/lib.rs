//! A local AWS for development and tests: DynamoDB, Secrets Manager, Lambda and an HTTP API, all on loopback, made from
//! `template.yaml` and running the very functions that are deployed.
//!
//! ```no_run
//! # async fn example() -> Result<(), stack::Error> {
//! use stack::{Match, Effect, Fault, Stack};
//!
//! let stack = Stack::builder()
//!     .template("template.yaml")
//!     .program("target/debug/functions")
//!     .start()
//!     .await?;
//! // Requests go to `stack.url()` with `stack.admin_key()`.
//! stack.faults().inject(Fault::new(Match::any().operation("UpdateItem"), Effect::NoAnswer).once());
//! assert!(stack.calls().is_empty());
//! stack.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! It is faithful where a mistake would show only after a deployment: a function may do in AWS what its policies in the
//! template say and no more, its environment is what Lambda and the template give it, and its routes are the
//! template's. Of two transactions at once on one item, one is refused. What is written is handed over by the table's
//! stream, to the functions and in the way that the template says. It throttles requests as the template says only if
//! asked to ([`StackBuilder::throttled`]), and it knows no scheduler: whoever runs it invokes scheduled functions.

mod aws;
mod builder;
mod callers;
mod calls;
mod conflicts;
mod data;
mod dynamodb;
mod error;
mod faults;
mod gateway;
mod http;
mod iam;
mod lambda;
mod offline;
mod output;
mod pretty;
pub mod profilers;
pub mod secrets_manager;
pub mod speed;
mod stack;
mod streams;
mod system;
pub mod template;
#[cfg(test)]
mod tests;

pub use builder::StackBuilder;
pub use callers::Caller;
pub use calls::{AwsCall, Cause, REDACTED, Service};
pub use error::{Error, Result};
pub use faults::{CrashMode, Effect, Fault, Faults, Held, Injected, Match};
pub use iam::Statement;
pub use lambda::{Invocation, InvokeError, InvokeResult};
pub use offline::Offline;
pub use output::OutputLine;
pub use pretty::pretty;
pub use stack::{Stack, scheduled_event};
pub use streams::Streams;
