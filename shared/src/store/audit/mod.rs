//! Audit events: writing, reading and sealing them. Nothing here changes or deletes one, and the functions' roles could
//! not.

mod seals;

pub use seals::Sealed;

use std::collections::HashMap;

use super::dynamodb::{Commit, Condition, Item, PK, Reader, SK, Transaction, Write, text};
use super::idempotency::Replay;
use super::keys::{self, AUDIT, AUDIT_SHARD, LISTING_ORDER};
use super::pages::{page, read_page};
use super::tenants::Tenants;
use crate::domain::{AuditEvent, Cursor, CursorPage, PageLimit, Problem, TenantId, Timestamp};
use crate::error::{Error, Result};

/// The attribute with the event itself, as JSON. A text, because it is the text that is sealed.
const EVENT: &str = "event";

/// Writes an audit event.
pub(super) fn put_event(transaction: &mut Transaction, id: &TenantId, event: &AuditEvent) -> Result<Write> {
    let mut item = keys::audit(id, event);
    item.insert(EVENT.to_owned(), text(serde_json::to_string(event).map_err(Error::internal)?));
    item.insert(AUDIT_SHARD.to_owned(), text(keys::audit_shard(&event.request_id)));
    let position = keys::list_position(event.at, format_args!("{id}#{}", event.request_id));
    item.insert(LISTING_ORDER.to_owned(), text(position));
    Ok(transaction.put(item, Condition::is_new()))
}

impl Tenants<'_> {
    /// Records that a stored response went out again, if there is a secret in it: whoever has it now is as much to be
    /// known as who had it first.
    ///
    /// # Errors
    /// If it can't be recorded. The secret must not go out then.
    pub(super) async fn note_replay(self, id: &TenantId, event: AuditEvent, replay: &Replay) -> Result<()> {
        if replay.secret.is_none() {
            return Ok(());
        }
        let mut transaction = Transaction::new();
        put_event(&mut transaction, id, &event.with("replayed", true))?;
        match self.table.commit(transaction).await? {
            Commit::Done => Ok(()),
            Commit::Refused(_) => Err(Error::unavailable("a request has an audit event already")),
        }
    }

    /// A tenant's audit events, newest first; only those at or after `since`, if it is given.
    ///
    /// # Errors
    /// If there is no such tenant, or the cursor is of another list.
    pub async fn audit_events(
        self,
        id: &TenantId,
        since: Option<Timestamp>,
        cursor: Option<&Cursor>,
        limit: PageLimit,
    ) -> Result<CursorPage<AuditEvent>> {
        let partition = keys::audit_partition(id);
        let from = keys::audit_from(since.unwrap_or(Timestamp::from_millis(0)));
        let name = format!("audit-events/{id}/{from}");
        let start = cursor.map(|cursor| -> Result<Item> {
            let refused = |problem| Error::invalid("cursor", problem);
            let position = cursor.position(&name).map_err(refused)?;
            // DynamoDB refuses a start outside of the range that is asked for.
            if !position.starts_with(AUDIT) || position < from.as_str() {
                return Err(refused(Problem::new("must be the next_cursor of an earlier answer")));
            }
            Ok(HashMap::from([(PK.to_owned(), text(&partition)), (SK.to_owned(), text(position))]))
        });
        let query = self
            .table
            .client
            .query()
            .table_name(&self.table.name)
            .consistent_read(true)
            .key_condition_expression("pk = :partition AND sk >= :from")
            .expression_attribute_values(":partition", text(&partition))
            .expression_attribute_values(":from", text(from))
            .scan_index_forward(false)
            .set_exclusive_start_key(start.transpose()?);
        let page_read = read_page(query, limit).await?;
        let events = page(&page_read, limit, &name, SK, |item| {
            let reader = Reader::of(item);
            serde_json::from_str(reader.text("event")?).map(Some).map_err(|_| reader.unreadable("event"))
        })?;
        self.of_tenant(id, events).await
    }
}
