//! Everything that is generated from the list of operations: the OpenAPI documents, and parts of other files.

mod audience;
mod generated;
mod index;
mod openapi;
mod parameters;
mod plain;
mod refusals;
mod responses;
mod webhooks;

pub use audience::Audience;
pub use generated::{GENERATED, Generated, MissingMarker};
pub use index::{PAGE_ROOTS, Page, is_foreign, is_page};
pub use openapi::document;
