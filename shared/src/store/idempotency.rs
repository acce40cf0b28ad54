//! Stored responses: what is kept under idempotency keys, so that a request that comes again gets the same answer.
//!
//! A response is written in the transaction that makes the change, so that the one can't exist without the other, and
//! the condition "nothing is stored yet" is what makes a key take effect once. A change of several steps first reserves
//! the key; the reservation is a lease that ends when the platform would have stopped the first attempt.

use std::fmt;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::dynamodb::{Condition, Item, Reader, Refused, Transaction, Write, millis, text, time_to_live};
use super::keys;
use crate::domain::{ChangeContext, IdempotencyKey, REMEMBERED, Random, SECRET_REMEMBERED, Timestamp};
use crate::error::{Error, Result};

/// The response of an earlier request with the same idempotency key.
pub struct Replay {
    body: String,
    /// The secret of the answer, if it is still to be shown and the seal opened.
    pub secret: Option<Zeroizing<String>>,
}

impl fmt::Debug for Replay {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Replay")
    }
}

impl Replay {
    /// What the answer is made from again, as it was stored.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.body).map_err(Error::internal)
    }
}

/// The write that is about a change's idempotency key; `None` if the change has none.
#[derive(Debug, Clone, Copy)]
pub struct Stored(Option<Write>);

impl Stored {
    /// The response of the earlier request, if it is why a transaction was refused.
    ///
    /// # Errors
    /// If the key was used for another request, or its first request may still be running.
    pub fn replay(self, refused: &Refused, change: &ChangeContext) -> Result<Option<Replay>> {
        let item = self.0.and_then(|write| refused.item(write));
        item.zip(change.idempotency_key.as_ref()).map(|(item, key)| replay(item, key, change.at)).transpose()
    }

    /// Whether the key is why a transaction was refused.
    pub fn failed(self, refused: &Refused) -> bool {
        self.0.is_some_and(|write| refused.failed(write))
    }
}

/// Reserves the change's idempotency key for `attempt`.
pub fn reserve(transaction: &mut Transaction, change: &ChangeContext, attempt: Uuid) -> Stored {
    Stored(change.idempotency_key.as_ref().map(|key| {
        let mut item = base(change, key);
        item.insert("attempt".to_owned(), text(attempt));
        item.insert("lease_until".to_owned(), millis(change.deadline));
        transaction.put(item, unused(change, key))
    }))
}

/// Stores a response under the change's idempotency key: the body that its answer is made from again, as JSON, and the
/// secret in the answer. After a reservation by `attempt`, only if that still stands.
///
/// # Errors
/// If there is no randomness to be had.
pub fn store(
    transaction: &mut Transaction,
    change: &ChangeContext,
    attempt: Option<Uuid>,
    body: &impl Serialize,
    secret: Option<&str>,
    random: &dyn Random,
) -> Result<Stored> {
    let Some(key) = &change.idempotency_key else { return Ok(Stored(None)) };
    let mut item = base(change, key);
    item.insert("body".to_owned(), text(serde_json::to_string(body).map_err(Error::internal)?));
    if let Some(secret) = secret {
        let sealed = key.seal(secret, random)?;
        item.insert("sealed".to_owned(), AttributeValue::B(Blob::new(sealed)));
        item.insert("sealed_until".to_owned(), millis(change.at.plus(SECRET_REMEMBERED)));
    }
    let condition = match attempt {
        Some(attempt) => Condition::new("attempt = :attempt", [(":attempt", text(attempt))]),
        None => unused(change, key),
    };
    Ok(Stored(Some(transaction.put(item, condition))))
}

/// The response in `item`, which was read under the change's idempotency key; `None` if it is so old that it is
/// forgotten.
///
/// # Errors
/// If the key was used for another request, or its first request may still be running.
pub fn stored(item: &Item, change: &ChangeContext) -> Result<Option<Replay>> {
    let Some(key) = &change.idempotency_key else { return Ok(None) };
    if Reader::of(item).millis("expires_at")? <= change.at {
        return Ok(None);
    }
    replay(item, key, change.at).map(Some)
}

fn replay(item: &Item, key: &IdempotencyKey, now: Timestamp) -> Result<Replay> {
    let reader = Reader::of(item);
    if reader.text("fingerprint")? != key.fingerprint() {
        return Err(Error::IdempotencyKeyReused);
    }
    let Some(body) = reader.optional_text("body")? else {
        return Err(Error::IdempotencyInProgress { retry_after: now.seconds_until(reader.millis("lease_until")?) });
    };
    let shown = reader.optional_millis("sealed_until")?.is_some_and(|until| now < until);
    let sealed = item.get("sealed").and_then(|value| value.as_b().ok()).filter(|_| shown);
    let secret = sealed.and_then(|sealed| key.open(sealed.as_ref())).map(Zeroizing::new);
    Ok(Replay { body: body.to_owned(), secret })
}

fn base(change: &ChangeContext, key: &IdempotencyKey) -> Item {
    let expires_at = change.at.plus(REMEMBERED);
    let mut item = keys::stored_response(key);
    item.insert("fingerprint".to_owned(), text(key.fingerprint()));
    item.insert("expires_at".to_owned(), millis(expires_at));
    item.insert("purge_at".to_owned(), time_to_live(expires_at));
    item
}

/// That the key is free: never used, or so long ago that it is forgotten, or reserved by an attempt at the same request
/// that can't be running any more.
fn unused(change: &ChangeContext, key: &IdempotencyKey) -> Condition {
    Condition::new(
        "attribute_not_exists(pk) OR expires_at <= :now OR (lease_until <= :now AND fingerprint = :fingerprint)",
        [(":now", millis(change.at)), (":fingerprint", text(key.fingerprint()))],
    )
}
