//! Rules and types. No I/O, no async, no AWS, no HTTP: everything here is tested in microseconds.

mod audit;
mod clock;
mod idempotency;
mod ids;
mod limits;
mod origin;
mod page;
mod patch;
mod problem;
mod public_url;
mod random;
mod rp_id;
mod secret;
mod secret_pointer;
mod tenant;
mod text;

pub use audit::{Action, Actor, AuditEvent, Change};
pub use clock::{Clock, SystemClock, Timestamp};
pub use idempotency::{IdempotencyKey, REMEMBERED, SECRET_REMEMBERED};
pub use ids::{TenantId, random_uuid};
pub use limits::{Offset, OverlapSeconds, PageLimit, RatePerMinute};
pub use origin::Origin;
pub use page::{Cursor, Page};
pub use patch::Patch;
pub use problem::Problem;
pub use public_url::{CallbackUrl, LogoUrl};
pub use random::{Random, RandomnessUnavailable, SystemRandomness, draw};
pub use rp_id::RpId;
pub use secret::{AdminKey, AdminKeys, KeySlot, RevealedSecret, TenantSecret};
pub use secret_pointer::{PreviousSecret, SecretLabel, SecretPointer, SecretVersion};
pub use tenant::{
    Configuration, NewTenant, Origins, StatusFilter, Tenant, TenantPatch, TenantStatus, TenantSummary, Violation,
};
pub use text::{DisplayName, Reason, TenantName};
