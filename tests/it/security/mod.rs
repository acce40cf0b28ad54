//! What holds for every endpoint, by a loop over the registry, and what never leaves a process.

mod api_keys;
mod bodies;
mod call_limits;
mod console;
mod devices;
mod end_users;
mod idempotency_keys;
mod isolation;
mod operators;
mod permissions;
mod redaction;
pub mod refusals;
mod relay;
mod scoped_tokens;
mod tokens;
mod traces;
mod unread;
mod witness;
