//! What holds for every endpoint, by a loop over the registry, and what never leaves a process.

mod api_keys;
mod isolation;
mod permissions;
mod redaction;
mod refusals;
mod tokens;
mod witness;
