//! A tenant's people behind the relay: whom passkeys and devices belong to.

pub(super) mod linked_id;
pub(super) mod person;

pub use linked_id::LinkedUserId;
pub use person::{PersonRef, RelayPerson};
