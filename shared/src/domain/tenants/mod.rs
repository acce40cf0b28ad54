//! Tenants: their configuration, their state, and what was done to them.

pub(super) mod account_wide_use;
pub(super) mod audit;
pub(super) mod audit_seal;
pub(super) mod limits;
pub(super) mod origin;
pub(super) mod origins;
pub(super) mod public_url;
pub(super) mod rp_id;
pub(super) mod search;
pub(super) mod signed_use;
pub(super) mod status;
pub(super) mod tenant;
pub(super) mod webauthn_origin;

pub use account_wide_use::AccountWideUse;
pub use audit::{Action, Actor, AuditEvent, ChangeContext};
pub use audit_seal::{Seal, SealedEvent};
pub use limits::{Limits, RowQuotas};
pub use origin::Origin;
pub use origins::{Origins, WebauthnOrigins};
pub use public_url::{CallbackUrl, LogoUrl};
pub use rp_id::RpId;
pub use search::{TenantSearch, folded};
pub use signed_use::SignedUse;
pub use status::{StatusFilter, TenantStatus};
pub use tenant::{Configuration, FieldProblem, NewTenant, Tenant, TenantPatch, TenantSummary};
pub use webauthn_origin::WebauthnOrigin;
