//! The registry surface: the operator registers, configures, suspends and lists tenants, and manages their keys and
//! tokens.

pub mod api_key_outputs;
pub mod api_keys;
pub mod callbacks;
pub mod console;
pub mod inspection;
pub mod people;
pub mod setup;
pub mod tenant_outputs;
pub mod tenants;
