//! Transactions: writes that are made together or not at all.

use aws_sdk_dynamodb::operation::transact_write_items::{
    TransactWriteItems, TransactWriteItemsError, TransactWriteItemsInput,
};
use aws_sdk_dynamodb::types::{
    CancellationReason, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};

use super::attributes::{Key, NewItem};
use super::contention::CONFLICT_ATTEMPTS;
use super::direct::{Failure, Serialized};
use super::expression::{self, Condition, non_empty};
use super::item::Item;
use super::table::{Table, failed};
use crate::domain::random_uuid;
use crate::error::{Error, Result};

/// Writes that are made together or not at all. Adding one gives a handle on it, with which the outcome says whether
/// its condition failed. Handles and not positions: a write that is put in front later changes nothing for those behind
/// it.
#[derive(Debug, Default)]
pub struct Transaction(Vec<Part>);

#[derive(Debug)]
enum Part {
    Put(NewItem, Condition),
    Update(expression::Update, Condition),
    Delete(Key, Condition),
    Check(Key, Condition),
}

/// A write of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Write(usize);

impl Transaction {
    /// A transaction without a write.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether it has no write.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes a whole item.
    pub fn put(&mut self, item: impl Into<NewItem>, condition: Condition) -> Write {
        self.add(Part::Put(item.into(), condition))
    }

    /// Updates an item, or makes it.
    pub fn update(&mut self, update: expression::Update, condition: Condition) -> Write {
        self.add(Part::Update(update, condition))
    }

    /// Deletes an item, if there is one.
    pub fn delete(&mut self, key: Key, condition: Condition) -> Write {
        self.add(Part::Delete(key, condition))
    }

    /// Asks for a condition on an item that the transaction doesn't write.
    pub fn check(&mut self, key: Key, condition: Condition) -> Write {
        self.add(Part::Check(key, condition))
    }

    fn add(&mut self, part: Part) -> Write {
        self.0.push(part);
        Write(self.0.len() - 1)
    }
}

impl Part {
    fn into_request(self, table: &str) -> Result<TransactWriteItem> {
        let request = TransactWriteItem::builder();
        let all_old = ReturnValuesOnConditionCheckFailure::AllOld;
        Ok(match self {
            Self::Put(item, condition) => {
                let (condition, values) = condition.parts();
                let put = Put::builder()
                    .table_name(table)
                    .set_item(Some(item))
                    .set_condition_expression(condition)
                    .set_expression_attribute_values(non_empty(values))
                    .return_values_on_condition_check_failure(all_old);
                request.put(put.build().map_err(Error::internal)?)
            }
            Self::Update(update, condition) => {
                let (key, expression, condition, values) = update.parts(condition);
                let update = Update::builder()
                    .table_name(table)
                    .set_key(Some(key.into()))
                    .update_expression(expression)
                    .set_condition_expression(condition)
                    .set_expression_attribute_values(non_empty(values))
                    .return_values_on_condition_check_failure(all_old);
                request.update(update.build().map_err(Error::internal)?)
            }
            Self::Delete(key, condition) => {
                let (condition, values) = condition.parts();
                let delete = Delete::builder()
                    .table_name(table)
                    .set_key(Some(key.into()))
                    .set_condition_expression(condition)
                    .set_expression_attribute_values(non_empty(values));
                request.delete(delete.build().map_err(Error::internal)?)
            }
            Self::Check(key, condition) => {
                let (condition, values) = condition.parts();
                let check = ConditionCheck::builder()
                    .table_name(table)
                    .set_key(Some(key.into()))
                    .set_condition_expression(condition)
                    .set_expression_attribute_values(non_empty(values));
                request.condition_check(check.build().map_err(Error::internal)?)
            }
        }
        .build())
    }
}

/// How a transaction ended.
#[derive(Debug)]
pub enum Commit {
    /// All of it was written.
    Done,
    /// Nothing was written, because a condition failed.
    Refused(Refused),
}

/// Which conditions of a transaction failed.
#[derive(Debug)]
pub struct Refused(Vec<CancellationReason>);

impl Refused {
    fn reason(&self, write: Write) -> Option<&CancellationReason> {
        self.0.get(write.0).filter(|reason| reason.code() == Some("ConditionalCheckFailed"))
    }

    /// Whether the condition of a write failed.
    pub fn failed(&self, write: Write) -> bool {
        self.reason(write).is_some()
    }

    /// Whether conditions of these writes failed, and of no others.
    pub fn is_due_to(&self, writes: &[Write]) -> bool {
        (0..self.0.len()).map(Write).all(|write| !self.failed(write) || writes.contains(&write))
    }

    /// The item that stood in the way of a write; `None` if there is no such item, or if its condition held. Only puts
    /// and updates tell.
    pub fn item(&self, write: Write) -> Option<Item> {
        self.reason(write).and_then(CancellationReason::item).cloned().map(Item::from)
    }
}

impl Table {
    /// Writes all or nothing. Attempts that met another transaction on the same items are made again: their conditions
    /// are then asked anew. All attempts have one token, so that it counts once even if one arrives late.
    ///
    /// # Errors
    /// If DynamoDB fails, or others kept getting in the way.
    pub async fn commit(&self, transaction: Transaction) -> Result<Commit> {
        let request = self.request(transaction)?;
        for attempt in 0..CONFLICT_ATTEMPTS {
            self.jitter.give_way(attempt).await;
            if let Some(commit) = self.send(&request).await? {
                return Ok(commit);
            }
        }
        Err(Error::StaleUpdate)
    }

    /// Writes all or nothing, in one attempt; `None` if it met another transaction on the same items. For what was
    /// decided by an item that many change at once: the other transaction has probably changed it, and another read
    /// gets in nobody's way, unlike a second attempt that its condition refuses.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn commit_once(&self, transaction: Transaction) -> Result<Option<Commit>> {
        self.send(&self.request(transaction)?).await
    }

    fn request(&self, transaction: Transaction) -> Result<Serialized<TransactWriteItems>> {
        let writes = transaction.0.into_iter().map(|part| part.into_request(&self.name)).collect::<Result<Vec<_>>>()?;
        let token = random_uuid(self.jitter.random())?.to_string();
        let request = TransactWriteItemsInput::builder().set_transact_items(Some(writes)).client_request_token(token);
        self.direct.transact_write_items.serialized(request.build().map_err(Error::internal)?).map_err(Error::internal)
    }

    /// Sends a transaction; `None` if another one on the same items was in the way.
    async fn send(&self, request: &Serialized<TransactWriteItems>) -> Result<Option<Commit>> {
        let Err(error) = self.direct.transact_write_items.send(request).await else { return Ok(Some(Commit::Done)) };
        let reasons = match cancellation(&error) {
            Some(reasons) => reasons.to_vec(),
            None => return Err(failed(error)),
        };
        if reasons.iter().any(|reason| reason.code() == Some("ConditionalCheckFailed")) {
            return Ok(Some(Commit::Refused(Refused(reasons))));
        }
        if !reasons.iter().any(|reason| reason.code() == Some("TransactionConflict")) {
            return Err(failed(error));
        }
        Ok(None)
    }
}

fn cancellation(error: &Failure<TransactWriteItemsError>) -> Option<&[CancellationReason]> {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            Some(cancelled.cancellation_reasons())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::dynamodb::key;

    fn reason(code: &str) -> CancellationReason {
        CancellationReason::builder().code(code).build()
    }

    #[test]
    fn a_handle_is_of_its_write_whatever_stands_in_front() {
        let place = |name: &str| key(name.to_owned(), name.to_owned());
        let mut transaction = Transaction::new();
        assert!(transaction.is_empty());
        let first = transaction.check(place("a"), Condition::exists());
        let second = transaction.put(place("b"), Condition::is_new());
        let third = transaction.delete(place("c"), Condition::none());
        let refused = Refused(vec![reason("None"), reason("ConditionalCheckFailed"), reason("TransactionConflict")]);
        assert_eq!([first, second, third].map(|write| refused.failed(write)), [false, true, false]);
        assert!(refused.is_due_to(&[second]) && refused.is_due_to(&[second, third]) && !refused.is_due_to(&[first]));
        assert!(refused.item(second).is_none() && !transaction.is_empty());
    }
}
