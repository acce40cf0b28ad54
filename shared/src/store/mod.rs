//! The only module that knows DynamoDB and Secrets Manager.
//!
//! What a store promises: absence is `None` or an error of its own and never an empty value; a condition that failed becomes
//! the outcome that it means; everything that AWS fails at becomes [`Error::Unavailable`](crate::error::Error), and
//! nothing is let through then.

mod api_keys;
mod deleted_sessions;
mod documents;
mod entries;
mod executions;
mod expression;
mod idempotency;
mod item;
mod keys;
mod lists;
mod organization_cache;
mod prefetch;
mod projects;
mod provision;
mod reconcile;
mod relay;
mod relay_items;
mod resources;
mod rotate;
mod row_keys;
mod row_lists;
mod secrets;
mod sessions;
mod signing;
mod strikes;
mod table;
mod tenant_items;
mod tenants;
mod tokens;
mod workspaces;

pub use api_keys::{IssuedApiKey, IssuedKeySummary, NewApiKey};
pub use lists::Start;
pub use organization_cache::OrganizationHints;
pub use prefetch::{Prefetched, Read, TenantState};
pub use projects::{Directory, Registration, handles};
pub use provision::Provisioned;
pub use reconcile::Reconciled;
pub use relay::{Accepted, Relay, RelayMemory, Verdict};
pub use relay_items::{RelayState, Signed};
pub use resources::{Resource, Resources, Stored};
pub use rotate::{Rotated, SecretRotation};
pub use row_keys::{List, ResourceKind};
pub use secrets::{Secrets, VersionCache};
pub use signing::RotatedSigningKey;
pub use table::Table;
pub use tenants::Tenants;
pub use tokens::RevokedTokens;
