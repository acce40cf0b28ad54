//! Ids: what each looks like, how it is made and how it is read.

pub(super) mod external_id;
pub(super) mod tenant_id;

pub use external_id::{ExternalId, Handle, Reference, UuidText, parse_uuid};
pub use tenant_id::{TenantId, random_uuid};
