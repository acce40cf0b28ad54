//! The operator's surface as a whole; each of its endpoints is in `endpoints`.

mod conflicts;
mod idempotency;
mod setup_mistakes;
mod tenant_management;
mod tenant_search;
