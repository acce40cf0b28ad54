//! The only module that knows DynamoDB and Secrets Manager.
//!
//! What a store promises: absence is `None` or an error of its own and never an empty value; a condition that failed becomes
//! the outcome that it means; everything that AWS fails at becomes [`Error::Unavailable`](crate::error::Error), and
//! nothing is let through then.

mod expression;
mod item;
mod keys;
mod lists;
mod outcomes;
mod provision;
mod reconcile;
mod rotate;
mod secrets;
mod table;
mod tenant_items;
mod tenants;

pub use lists::Start;
pub use provision::Provisioned;
pub use reconcile::Reconciled;
pub use rotate::{Rotated, RotationFacts};
pub use secrets::Secrets;
pub use table::Table;
pub use tenants::Tenants;
