//! Sealing audit events: the scheduled step.

use std::collections::HashMap;
use std::time::Duration;

use super::EVENT;
use crate::domain::{Clock, Seal, SealedEvent, Timestamp};
use crate::error::{Error, Result};
use crate::store::dynamodb::{Inserted, Item, Key, NewItem, Reader, Table, failed, found, primary_key, text};
use crate::store::keys::{self, AUDIT_EVENTS, AUDIT_SHARD, AUDIT_SHARDS, LISTING_ORDER, SEALS};

/// The attribute with a seal, as JSON.
const SEAL: &str = "seal";

/// How old an event is before it is sealed. Events become visible in another order than their times say: a change is
/// committed up to a function's timeout after it was asked for, and the index is behind the table. One that came later
/// than this would stay without a seal, which the check of the chain reports.
const SETTLED: Duration = Duration::from_mins(5);

/// How long a run goes on: less than the function's timeout, so that it can say what it left.
const RUN: Duration = Duration::from_secs(45);

/// How many events a seal has at most, so that its item is far from DynamoDB's 400 KB: about 200 bytes each.
const MOST: usize = 500;

/// What a run did.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// How many events it sealed.
    pub sealed: usize,
    /// Number and digest of the newest seal: in the log they are where nobody who can write to the table can change
    /// them.
    pub newest: Option<(u64, String)>,
    /// Why it could not do all of its work.
    pub failures: Vec<String>,
}

impl Table {
    /// Seals the audit events of all tenants that are not sealed yet. Safe beside itself: the number of a seal is taken
    /// once.
    ///
    /// # Errors
    /// If the table fails.
    pub async fn seal_audit_events(&self, clock: &dyn Clock) -> Result<Sealed> {
        let started = clock.now();
        let mut done = Sealed::default();
        let mut newest = self.newest_seal().await?;
        loop {
            if started.plus(RUN) <= clock.now() {
                done.failures.push("out of time".to_owned());
                break;
            }
            let from = newest.as_ref().map_or_else(String::new, |seal| seal.through.clone());
            let found = self.settled_events(&from, started).await?;
            let Some(through) = found.last().map(|(position, _)| position.clone()) else { break };
            let is_last = found.len() < MOST;
            let events = self.with_digests(found.into_iter().map(|(_, key)| key).collect()).await?;
            let count = events.len();
            let seal = Seal::after(newest.as_ref(), through, events, clock.now());
            // Another run has made this seal: it does the work.
            if !self.add_seal(&seal).await? {
                break;
            }
            done.sealed += count;
            newest = Some(seal);
            if is_last {
                break;
            }
        }
        done.newest = newest.map(|seal| (seal.number, seal.digest));
        Ok(done)
    }

    async fn newest_seal(&self) -> Result<Option<Seal>> {
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .consistent_read(true)
            .key_condition_expression("pk = :seals")
            .expression_attribute_values(":seals", text(SEALS))
            .scan_index_forward(false)
            .limit(1);
        let items = found(query.send().await.map_err(failed)?.items);
        items.first().map(seal).transpose()
    }

    /// Positions and keys of the events after `from` that are settled, oldest first, as many as one seal has.
    async fn settled_events(&self, from: &str, now: Timestamp) -> Result<Vec<(String, Key)>> {
        let until = keys::list_position(now.minus(SETTLED), "");
        let mut events = Vec::new();
        for shard in 0..AUDIT_SHARDS {
            // DynamoDB compares a key with both ends included only: the event at `from` itself is left out below.
            let query = self
                .client
                .query()
                .table_name(&self.name)
                .index_name(AUDIT_EVENTS)
                .key_condition_expression(format!(
                    "{AUDIT_SHARD} = :shard AND {LISTING_ORDER} BETWEEN :from AND :until"
                ))
                .expression_attribute_values(":shard", text(keys::audit_shard_number(shard)))
                .expression_attribute_values(":from", text(if from.is_empty() { "0" } else { from }))
                .expression_attribute_values(":until", text(&until))
                .limit(i32::try_from(MOST + 1).map_err(Error::internal)?);
            for item in found(query.send().await.map_err(failed)?.items) {
                let position = Reader::of(&item).text(LISTING_ORDER)?.to_owned();
                events.push((position, primary_key(&item)));
            }
        }
        events.retain(|(position, _)| position != from);
        events.sort_by(|(one, _), (other, _)| one.cmp(other));
        events.truncate(MOST);
        Ok(events)
    }

    /// The events at these places. One that the index has and the table has not is an error: nothing deletes events.
    async fn with_digests(&self, places: Vec<Key>) -> Result<Vec<SealedEvent>> {
        let items = self.get_all(&places).await?;
        let items: HashMap<_, _> = items.iter().map(|item| (primary_key(item), item)).collect();
        let sealed = |of: &Key| {
            let Key { partition: pk, sort: sk } = of;
            let item = items.get(of);
            let item = item.ok_or_else(|| Error::unavailable(format!("the audit event {pk} {sk} is gone")))?;
            Ok(SealedEvent::new(pk, sk, Reader::of(item).text(EVENT)?))
        };
        places.iter().map(sealed).collect()
    }

    /// Adds a seal to the chain; `false` if there is one of its number.
    async fn add_seal(&self, seal: &Seal) -> Result<bool> {
        let mut item = NewItem::from(keys::seal(seal.number));
        item.insert(SEAL.to_owned(), text(serde_json::to_string(seal).map_err(Error::internal)?));
        Ok(matches!(self.insert(item).await?, Inserted::Done))
    }
}

fn seal(item: &Item) -> Result<Seal> {
    let reader = Reader::of(item);
    serde_json::from_str(reader.text(SEAL)?).map_err(|_| reader.unreadable(SEAL))
}
