//! Signed calls and their limit.

pub(super) mod quota;
pub(super) mod signed_call;

pub use quota::{LimitOf, Minute, Quota, TenantQuota};
pub use signed_call::{Nonce, SignatureHeaders, SignedCall, SignedParts, SigningVersion};
