//! Everything that is generated from the list of operations: the OpenAPI document, and parts of other files.

mod generated;
mod openapi;

pub use generated::{GENERATED, Generated};
pub use openapi::document;
