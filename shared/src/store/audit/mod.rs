//! Audit events: writing and sealing them. Nothing here changes or deletes one, and the functions' roles could
//! not.

mod seals;

pub use seals::Sealed;

use super::dynamodb::{Condition, NewItem, Transaction, Write, text};
use super::keys::{self, AUDIT_SHARD, LISTING_ORDER};
use crate::domain::{AuditEvent, TenantId};
use crate::error::{Error, Result};

/// The attribute with the event itself, as JSON. A text, because it is the text that is sealed.
pub(super) const EVENT: &str = "event";

/// Writes an audit event of a tenant.
pub(super) fn put_event(transaction: &mut Transaction, id: &TenantId, event: &AuditEvent) -> Result<Write> {
    put_event_of(transaction, Some(id), event)
}

/// Writes an audit event of a tenant, or of none: the operator's own.
pub(super) fn put_event_of(transaction: &mut Transaction, of: Option<&TenantId>, event: &AuditEvent) -> Result<Write> {
    let mut item = NewItem::from(keys::audit(of, event));
    item.insert(EVENT.to_owned(), text(serde_json::to_string(event).map_err(Error::internal)?));
    item.insert(AUDIT_SHARD.to_owned(), text(keys::audit_shard(&event.request_id)));
    let owner = of.map_or("operator", TenantId::as_str);
    let position = keys::list_position(event.at, format_args!("{owner}#{}", event.request_id));
    item.insert(LISTING_ORDER.to_owned(), text(position));
    Ok(transaction.put(item, Condition::is_new()))
}
