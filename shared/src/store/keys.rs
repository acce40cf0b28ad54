//! The whole key layout of the table.
//!
//! | Item | `pk` | `sk` | What it holds |
//! |---|---|---|---|
//! | hot item | `TENANT#<tenant id>` | `STATE` | status, name, limit, strikes, which secret is in force |
//! | configuration | `TENANT#<tenant id>` | `CONFIG` | what no relay call needs |
//! | audit event | `TENANT#<tenant id>` | `AUDIT#<Unix ms>#<request id>` | one successful change |
//! | outcome | `OUTCOME#<caller>#<digest>` | `OUTCOME` | what is remembered under an idempotency key |
//!
//! | Index | Partition key | Sort key | Who is in it |
//! |---|---|---|---|
//! | `tenants` | `listing` = `tenants` | `listing_order` = `<created, Unix ms>#<tenant id>` | tenants that were provisioned |
//! | `tenants-by-status` | `tenant_status` | `listing_order` | the same, and those that never got so far |
//!
//! Indexes are for lists and for the reconciler. They are read with eventual consistency (DynamoDB has no other for them),
//! so nothing is decided from them: every decision reads, or conditions on, the item itself.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::domain::{AuditEvent, IdempotencyKey, TenantId, Timestamp};

pub const PK: &str = "pk";
pub const SK: &str = "sk";
/// The index of all tenants.
pub const TENANTS: &str = "tenants";
/// The index of tenants by status.
pub const TENANTS_BY_STATUS: &str = "tenants-by-status";
/// Partition key attribute of [`TENANTS`], and its only value.
pub const LISTING: (&str, &str) = ("listing", "tenants");
/// Sort key attribute of both indexes.
pub const LISTING_ORDER: &str = "listing_order";
/// Partition key attribute of [`TENANTS_BY_STATUS`].
pub const TENANT_STATUS: &str = "tenant_status";
/// What sort keys of audit events start with.
pub const AUDIT: &str = "AUDIT#";

/// Sort key of hot items.
pub const STATE: &str = "STATE";
/// Sort key of configuration items.
pub const CONFIGURATION: &str = "CONFIG";

const TENANT: &str = "TENANT#";

pub type Key = HashMap<String, AttributeValue>;

fn key(partition: String, sort: String) -> Key {
    HashMap::from([(PK.to_owned(), AttributeValue::S(partition)), (SK.to_owned(), AttributeValue::S(sort))])
}

/// The partition of a tenant.
pub fn tenant_partition(id: &TenantId) -> String {
    format!("{TENANT}{id}")
}

/// The tenant that a partition key belongs to.
pub fn tenant_of(partition: &str) -> Option<TenantId> {
    partition.strip_prefix(TENANT).and_then(|id| TenantId::parse(id).ok())
}

/// Whether an item is of this tenant's partition.
pub fn is_of_tenant(item: &Key, id: &TenantId) -> bool {
    item.get(PK).and_then(|value| value.as_s().ok()).is_some_and(|partition| *partition == tenant_partition(id))
}

/// Whether an item has this sort key.
pub fn has_sort_key(item: &Key, sort_key: &str) -> bool {
    item.get(SK).and_then(|value| value.as_s().ok()).is_some_and(|found| found == sort_key)
}

/// The tenant's hot item.
pub fn state(id: &TenantId) -> Key {
    key(tenant_partition(id), STATE.to_owned())
}

/// The tenant's configuration.
pub fn configuration(id: &TenantId) -> Key {
    key(tenant_partition(id), CONFIGURATION.to_owned())
}

/// An audit event of the tenant. One request makes one change, so its id tells two events of one millisecond apart.
pub fn audit(id: &TenantId, event: &AuditEvent) -> Key {
    key(tenant_partition(id), format!("{}#{}", audit_from(event.at), event.request_id))
}

/// Where the sort keys of events at or after `moment` begin.
pub fn audit_from(moment: Timestamp) -> String {
    format!("{AUDIT}{:015}", moment.as_millis())
}

/// What is remembered under an idempotency key.
pub fn outcome(idempotency_key: &IdempotencyKey) -> Key {
    let (scope, digest) = (idempotency_key.scope(), idempotency_key.digest());
    key(format!("OUTCOME#{scope}#{digest}"), "OUTCOME".to_owned())
}

/// Sort key of the lists: by creation, then by id, so that it is unique. 15 digits reach to the year 33658.
pub fn listing_order(created_at: Timestamp, id: &TenantId) -> String {
    format!("{:015}#{id}", created_at.as_millis())
}

/// The tenant at a position of a list. `None` if that is no position.
pub fn tenant_at(position: &str) -> Option<TenantId> {
    let (created, id) = position.split_once('#')?;
    let shaped = created.len() == 15 && created.bytes().all(|byte| byte.is_ascii_digit());
    shaped.then(|| TenantId::parse(id).ok()).flatten()
}
