//! Messages of deleted sessions: deleted by the reconciler, because there can be more than a request has time for.

use crate::domain::{Clock, Problem, Timestamp, parse_uuid};
use crate::error::{Error, Result};
use crate::store::account::keys::{self as account_keys, ItemPart, List, ResourceKind, TOMBSTONE};
use crate::store::dynamodb::{Item, Key, PK, Place, Reader, Table, failed, found, primary_key, text};
use crate::store::keys::{TENANT_STATUS, TENANTS_BY_STATUS};

/// How many sessions are asked for at once, and how many messages are deleted between two looks at the clock.
const AT_ONCE: i32 = 100;

impl Table {
    /// Marks of deleted sessions after `from`, oldest first, and from where there are more.
    pub(super) async fn tombstones(&self, from: Option<Place>) -> Result<(Vec<Item>, Option<Place>)> {
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(TENANTS_BY_STATUS)
            .key_condition_expression(format!("{TENANT_STATUS} = :status"))
            .expression_attribute_values(":status", text(TOMBSTONE))
            .limit(AT_ONCE)
            .set_exclusive_start_key(from);
        let answer = query.send().await.map_err(failed)?;
        Ok((found(answer.items), answer.last_evaluated_key))
    }

    /// Deletes the messages of a deleted session, and then its mark. `false` if there was no time for all of them.
    pub(super) async fn clear(&self, mark: &Item, clock: &dyn Clock, until: Timestamp) -> Result<bool> {
        let reader = Reader::of(mark);
        let (tenant, owner, session) = reader.parsed(PK, |partition| {
            account_keys::session_of(partition).ok_or_else(|| Problem::new("is not that of a session"))
        })?;
        let list = List::MessagesOf(session);
        loop {
            if until <= clock.now() {
                return Ok(false);
            }
            let query = self
                .client
                .query()
                .table_name(&self.name)
                .consistent_read(true)
                .key_condition_expression("pk = :partition")
                .expression_attribute_values(":partition", text(account_keys::partition_of_list(&tenant, &owner, list)))
                .projection_expression("pk, sk")
                .limit(AT_ONCE);
            let entries = found(query.send().await.map_err(failed)?.items);
            let entries: Vec<_> = entries.iter().map(primary_key).collect();
            if entries.is_empty() {
                let mark =
                    account_keys::part(&tenant, &owner, ResourceKind::AgentSession, session, ItemPart::Tombstone);
                return self.delete_all(vec![mark]).await.map(|()| true);
            }
            let message = |entry: &Key| -> Result<Key> {
                let id = parse_uuid(&entry.sort).map_err(Error::internal)?;
                Ok(account_keys::resource(&tenant, &owner, list, id))
            };
            // Messages first: as long as an entry is there, the next run finds its message.
            self.delete_all(entries.iter().map(message).collect::<Result<_>>()?).await?;
            self.delete_all(entries).await?;
        }
    }
}
