//! What becomes of a batch of records after the function has answered. No I/O.
//!
//! By "Using Lambda with DynamoDB" and "Partial batch responses" of the Lambda developer guide. What these leave open:
//! the retries of a batch are counted until it is done, also if each try got further. A function that only gets there
//! if they are counted anew would not get there with certainty.

use serde_json::Value;

use crate::lambda::InvokeError;
use crate::template::Mapping;

/// Records that are handed over together, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Batch {
    pub(super) records: Vec<Value>,
    /// How often the function was given them, alone or with others.
    pub(super) invocations: u32,
    /// How many of these count as retries.
    pub(super) retries: u32,
}

/// How the function took a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// All of it is done.
    Done,
    /// All before the record at this position is done.
    Until(usize),
    /// None of it is done, because of an error of the function.
    Failed,
    /// The function could not take it.
    Throttled,
}

/// What is done about it.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    /// Nothing more.
    Done,
    /// These are handed over, in this order.
    Again(Vec<Batch>),
    /// This is given up.
    GiveUp(Batch),
}

pub(super) fn sequence_number(record: &Value) -> &str {
    record.pointer("/dynamodb/SequenceNumber").and_then(Value::as_str).unwrap_or_default()
}

impl Outcome {
    /// Reads the function's answer to these records. `reports` is whether it says which of them failed.
    pub(super) fn of(answer: &Result<Value, InvokeError>, records: &[Value], reports: bool) -> Self {
        let answer = match answer {
            Err(InvokeError::Busy) => return Self::Throttled,
            Err(_) => return Self::Failed,
            Ok(_) if !reports => return Self::Done,
            Ok(answer) => answer,
        };
        let failures = match answer {
            Value::Null => return Self::Done,
            Value::Object(answer) => answer.get("batchItemFailures"),
            _ => return Self::Failed,
        };
        match failures {
            None | Some(Value::Null) => Self::Done,
            Some(Value::Array(failures)) if failures.is_empty() => Self::Done,
            // The oldest of those that are named. What names none of the batch is a failure of all of it.
            Some(Value::Array(failures)) => failures
                .iter()
                .map(|failure| {
                    let named = failure.get("itemIdentifier").and_then(Value::as_str)?;
                    records.iter().position(|record| sequence_number(record) == named)
                })
                .try_fold(usize::MAX, |first, position| Some(first.min(position?)))
                .map_or(Self::Failed, Self::Until),
            Some(_) => Self::Failed,
        }
    }
}

impl Batch {
    pub(super) fn new(records: Vec<Value>) -> Self {
        Self { records, invocations: 0, retries: 0 }
    }

    /// What follows from an outcome.
    pub(super) fn after(mut self, outcome: Outcome, mapping: &Mapping) -> Next {
        match outcome {
            Outcome::Done => return Next::Done,
            Outcome::Throttled => return Next::Again(vec![self]),
            Outcome::Until(position) => {
                self.records.drain(..position.min(self.records.len()));
                // It is split at what failed, and splitting is no retry.
                if mapping.bisects && position > 0 {
                    return Next::Again(vec![self]);
                }
            }
            Outcome::Failed if mapping.bisects && self.records.len() > 1 => {
                let mut second = self.clone();
                second.records = self.records.split_off(self.records.len().div_ceil(2));
                return Next::Again(vec![self, second]);
            }
            Outcome::Failed => {}
        }
        if mapping.retries.is_some_and(|most| self.retries >= most) {
            return Next::GiveUp(self);
        }
        self.retries += 1;
        Next::Again(vec![self])
    }

    /// Takes out the records at the beginning for which `is_old` holds; `None` if there is none.
    pub(super) fn split_old(&mut self, is_old: impl Fn(&Value) -> bool) -> Option<Self> {
        let position = self.records.iter().position(|record| !is_old(record)).unwrap_or(self.records.len());
        let records: Vec<_> = self.records.drain(..position).collect();
        if records.is_empty() { None } else { Some(Self { records, ..*self }) }
    }
}
