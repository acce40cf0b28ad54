//! The table: strong reads, conditional updates, deletions.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::fmt::Debug;
use std::ops::Bound;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::batch_get_item::{BatchGetItem, BatchGetItemOutput};
use aws_sdk_dynamodb::operation::batch_write_item::BatchWriteItemInput;
use aws_sdk_dynamodb::operation::get_item::GetItem;
use aws_sdk_dynamodb::operation::put_item::{PutItemError, PutItemInput};
use aws_sdk_dynamodb::operation::update_item::{UpdateItem, UpdateItemError, UpdateItemOutput};
use aws_sdk_dynamodb::types::{DeleteRequest, ReturnValuesOnConditionCheckFailure, WriteRequest};

use super::attributes::{Key, NewItem, key, primary_key, text};
use super::contention::{CONFLICT_ATTEMPTS, Jitter};
use super::direct::{Caller, Direct, Wanted};
use super::expression::{Condition, Update};
use super::item::{Item, found};
use crate::error::{Error, Result};

/// How often something is tried that others got in the way of.
pub const ATTEMPTS: u32 = 3;

/// How many keys DynamoDB reads in one call.
const MOST_KEYS: usize = 100;

/// How many items are read at most between the first and the last of those that are looked for. Small ones are some
/// twenty-five to a read unit.
const NEAR: i32 = 100;

/// How many items DynamoDB deletes in one call that is no transaction.
const MOST_DELETIONS: usize = 25;

/// The one table, and the clients that reach it.
#[derive(Debug, Clone)]
pub struct Table {
    /// What most requests ask.
    pub direct: Direct,
    /// Everything else.
    pub client: Client,
    pub name: String,
    pub jitter: Jitter,
}

/// How an update ended.
#[derive(Debug)]
pub enum Updated {
    /// It was made: the item as it is now.
    Done(Item),
    /// The condition failed: the item as it is; `None` if there is none.
    Refused(Option<Item>),
}

impl Updated {
    /// The item as it is now, if the update was made.
    pub fn done(self) -> Option<Item> {
        match self {
            Self::Done(item) => Some(item),
            Self::Refused(_) => None,
        }
    }
}

/// How the insertion of an item ended.
#[derive(Debug)]
pub enum Inserted {
    /// It was written.
    Done,
    /// There is one already.
    Exists(Item),
}

impl Table {
    /// Reads one item, strongly consistent.
    pub async fn get(&self, key: Key) -> Result<Option<Item>> {
        let request = Caller::<GetItem>::of(&self.name, &key)?;
        let answer = self.direct.get_item.find(&request, |found| found.item, |answer| answer.item.map(Item::from));
        answer.await.map_err(failed)
    }

    /// Reads items of several keys in one call, strongly consistent, in no order. All or nothing: what DynamoDB left
    /// out for lack of capacity is asked for again, and in the end the read fails rather than being incomplete. More
    /// than a hundred keys are more than one call.
    pub async fn get_all(&self, keys: &[Key]) -> Result<Vec<Item>> {
        let mut items = Vec::new();
        for keys in keys.chunks(MOST_KEYS) {
            items.append(&mut self.get_chunk(keys).await?);
        }
        Ok(items)
    }

    /// Reads what there is of these sort keys in a partition, strongly consistent, where not much else lies between
    /// them: one query, for what costs a read each otherwise, and a second call for those that lie far apart.
    pub async fn get_near(&self, partition: &str, sort_keys: &BTreeSet<String>) -> Result<Vec<Item>> {
        let (Some(first), Some(last)) = (sort_keys.first(), sort_keys.last()) else { return Ok(Vec::new()) };
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .consistent_read(true)
            .key_condition_expression("pk = :partition AND sk BETWEEN :first AND :last")
            .expression_attribute_values(":partition", text(partition))
            .expression_attribute_values(":first", text(first))
            .expression_attribute_values(":last", text(last))
            .limit(NEAR);
        let answer = query.send().await.map_err(failed)?;
        let mut items = found(answer.items);
        items.retain(|item| sort_keys.contains(&primary_key(item).sort));
        if let Some(end) = answer.last_evaluated_key.map(Item::from) {
            let beyond = sort_keys.range((Bound::Excluded(primary_key(&end).sort), Bound::Unbounded));
            let keys = beyond.map(|sort| key(partition.to_owned(), sort.clone()));
            items.extend(self.get_all(&keys.collect::<Vec<_>>()).await?);
        }
        Ok(items)
    }

    async fn get_chunk(&self, keys: &[Key]) -> Result<Vec<Item>> {
        let mut wanted = Cow::Borrowed(keys);
        let mut items = Vec::new();
        for attempt in 0..ATTEMPTS {
            pause(attempt).await;
            let request = Caller::<BatchGetItem>::of(&self.name, &wanted)?;
            let of_sdk = |answer: BatchGetItemOutput| {
                let items = found(answer.responses.unwrap_or_default().remove(&self.name));
                let left = answer.unprocessed_keys.unwrap_or_default().remove(&self.name);
                (items, left.map(|left| found(Some(left.keys))).unwrap_or_default())
            };
            let answer = self.direct.batch_get_item.find(&request, |found| (found.items, Vec::new()), of_sdk).await;
            let (mut found, left) = answer.map_err(failed)?;
            items.append(&mut found);
            if left.is_empty() {
                return Ok(items);
            }
            wanted = left.iter().map(primary_key).collect();
        }
        Err(Error::unavailable("keys stayed unprocessed"))
    }

    /// Updates one item, if the condition holds.
    ///
    /// # Errors
    /// If DynamoDB fails. The update may have been made then, and may be made twice if an answer was lost.
    pub async fn update(&self, update: Update, condition: Condition) -> Result<Updated> {
        let (key, expression, condition, values) = update.parts(condition);
        let update = (expression.as_str(), condition.as_deref(), &values);
        let request = Caller::<UpdateItem>::of(&self.name, &key, update, Wanted::Item)?;
        for attempt in 0..CONFLICT_ATTEMPTS {
            self.jitter.give_way(attempt).await;
            let of_sdk = |answer: UpdateItemOutput| answer.attributes.map(Item::from);
            let error = match self.direct.update_item.find(&request, |found| found.attributes, of_sdk).await {
                Ok(item) => return Ok(Updated::Done(item.unwrap_or_default())),
                Err(error) => error,
            };
            match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                    return Ok(Updated::Refused(refused.item().cloned().map(Item::from)));
                }
                // A transaction on the item was under way.
                Some(UpdateItemError::TransactionConflictException(_)) => {}
                _ => return Err(failed(error)),
            }
        }
        Err(Error::StaleUpdate)
    }

    /// Writes an item that isn't there yet.
    ///
    /// # Errors
    /// If DynamoDB fails. The item may have been written then, and stands in its own way if an answer was lost.
    pub async fn insert(&self, item: impl Into<NewItem>) -> Result<Inserted> {
        let request = PutItemInput::builder()
            .table_name(&self.name)
            .set_item(Some(item.into()))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(Error::internal)?;
        let request = self.direct.put_item.serialized(request).map_err(Error::internal)?;
        for attempt in 0..CONFLICT_ATTEMPTS {
            self.jitter.give_way(attempt).await;
            let Err(error) = self.direct.put_item.send(&request).await else { return Ok(Inserted::Done) };
            match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(refused)) => {
                    return Ok(Inserted::Exists(refused.item().cloned().unwrap_or_default().into()));
                }
                // A transaction on the item was under way.
                Some(PutItemError::TransactionConflictException(_)) => {}
                _ => return Err(failed(error)),
            }
        }
        Err(Error::StaleUpdate)
    }

    /// Updates one item, or makes it.
    pub async fn upsert(&self, update: Update) -> Result<()> {
        let (key, expression, values) = update.unconditional();
        let request = Caller::<UpdateItem>::of(&self.name, &key, (&expression, None, &values), Wanted::Nothing)?;
        for attempt in 0..CONFLICT_ATTEMPTS {
            self.jitter.give_way(attempt).await;
            let Err(error) = self.direct.update_item.send(&request).await else { return Ok(()) };
            if !error.as_service_error().is_some_and(UpdateItemError::is_transaction_conflict_exception) {
                return Err(failed(error));
            }
        }
        Err(Error::StaleUpdate)
    }

    /// Deletes items, whether they are there or not. What DynamoDB left over, for lack of capacity or because of a
    /// transaction, is asked for again.
    pub async fn delete_all(&self, keys: Vec<Key>) -> Result<()> {
        for keys in keys.chunks(MOST_DELETIONS) {
            let request = |key: &Key| {
                let delete =
                    DeleteRequest::builder().set_key(Some(key.clone().into())).build().map_err(Error::internal)?;
                Ok(WriteRequest::builder().delete_request(delete).build())
            };
            let mut left = keys.iter().map(request).collect::<Result<Vec<_>>>()?;
            for attempt in 0..CONFLICT_ATTEMPTS {
                self.jitter.give_way(attempt).await;
                let request = BatchWriteItemInput::builder().request_items(&self.name, left).build();
                let answer = self.direct.batch_write_item.call(request.map_err(Error::internal)?).await;
                let unprocessed = answer.map_err(failed)?.unprocessed_items.unwrap_or_default().remove(&self.name);
                left = unprocessed.unwrap_or_default();
                if left.is_empty() {
                    break;
                }
            }
            if !left.is_empty() {
                return Err(Error::unavailable("deletions stayed unprocessed"));
            }
        }
        Ok(())
    }
}

/// What a failed call to AWS means. Most failures pass; a request that AWS calls wrong, or one for what is not there,
/// will fail again, and trying again would hide it.
pub fn failed<E, R>(error: SdkError<E, R>) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    R: Debug + Send + Sync + 'static,
{
    const PERMANENT: [&str; 4] =
        ["ValidationException", "ResourceNotFoundException", "InvalidParameterException", "InvalidRequestException"];
    match error.code() {
        Some(code) if PERMANENT.contains(&code) => Error::internal(error),
        _ => Error::unavailable(error),
    }
}

/// Waits before an attempt that is not the first: long enough for what was in the way to be over.
pub async fn pause(attempt: u32) {
    if attempt > 0 {
        tokio::time::sleep(Duration::from_millis(30) * attempt).await;
    }
}
