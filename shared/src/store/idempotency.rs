//! What is stored under idempotency keys.
//!
//! The outcome is written in the transaction that makes the change, so that the one can't exist without the other, and the
//! condition "nothing is stored yet" is what makes a key take effect once. A change of several steps first reserves the
//! key; the reservation is a lease that ends when the platform would have stopped the first attempt.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use serde::de::DeserializeOwned;
use std::fmt;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::expression::{Condition, put};
use super::item::{Item, Reader, millis, text, time_to_live};
use super::keys;
use crate::domain::{ChangeContext, IdempotencyKey, REMEMBERED, Random, SECRET_REMEMBERED, Timestamp};
use crate::error::{Error, Result};

/// What a change led to, as it is stored.
#[derive(Default)]
pub struct StoredResponse<'a> {
    /// What the answer is made from again, as JSON, without its secret.
    pub body: String,
    /// The secret in the answer.
    pub secret: Option<&'a str>,
}

/// An earlier outcome.
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
    pub fn read<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.body).map_err(Error::internal)
    }
}

/// The write that reserves the key for `attempt`.
pub fn reserve(
    table: &str,
    change: &ChangeContext,
    idempotency_key: &IdempotencyKey,
    attempt: Uuid,
) -> Result<TransactWriteItem> {
    let mut item = base(change, idempotency_key);
    item.insert("attempt".to_owned(), text(attempt));
    item.insert("lease_until".to_owned(), millis(change.deadline));
    put(table, item, unused(change, idempotency_key))
}

/// The write that remembers `response`; after a reservation, only if it still stands.
pub fn store(
    table: &str,
    change: &ChangeContext,
    idempotency_key: &IdempotencyKey,
    attempt: Option<Uuid>,
    response: &StoredResponse<'_>,
    random: &dyn Random,
) -> Result<TransactWriteItem> {
    let mut item = base(change, idempotency_key);
    item.insert("body".to_owned(), text(&response.body));
    if let Some(secret) = response.secret {
        let sealed = idempotency_key.seal(secret, random)?;
        item.insert("sealed".to_owned(), AttributeValue::B(Blob::new(sealed)));
        item.insert("sealed_until".to_owned(), millis(change.at.plus(SECRET_REMEMBERED)));
    }
    let condition = match attempt {
        Some(attempt) => Condition::new("attempt = :attempt", [(":attempt", text(attempt))]),
        None => unused(change, idempotency_key),
    };
    put(table, item, condition)
}

/// What is to be done about a key that `item` stands in the way of.
///
/// # Errors
/// If the key was used for another request, or its first request may still be running.
pub fn replay(item: &Item, idempotency_key: &IdempotencyKey, now: Timestamp) -> Result<Replay> {
    let row = Reader(item);
    if row.text("fingerprint")? != idempotency_key.fingerprint() {
        return Err(Error::IdempotencyKeyReused);
    }
    let Some(body) = row.optional_text("body")? else {
        return Err(Error::IdempotencyInProgress { retry_after: now.seconds_until(row.millis("lease_until")?) });
    };
    let shown = row.optional_millis("sealed_until")?.is_some_and(|until| now < until);
    let sealed = item.get("sealed").and_then(|value| value.as_b().ok()).filter(|_| shown);
    let secret = sealed.and_then(|sealed| idempotency_key.open(sealed.as_ref())).map(Zeroizing::new);
    Ok(Replay { body: body.to_owned(), secret })
}

/// The earlier outcome in `item`, which was read under `idempotency_key`; `None` if it is so old that it is forgotten.
///
/// # Errors
/// As [`replay`].
pub fn stored(item: &Item, idempotency_key: &IdempotencyKey, now: Timestamp) -> Result<Option<Replay>> {
    if Reader(item).millis("expires_at")? <= now {
        return Ok(None);
    }
    replay(item, idempotency_key, now).map(Some)
}

fn base(change: &ChangeContext, idempotency_key: &IdempotencyKey) -> Item {
    let expires_at = change.at.plus(REMEMBERED);
    let mut item = keys::idempotency_record(idempotency_key);
    item.insert("fingerprint".to_owned(), text(idempotency_key.fingerprint()));
    item.insert("expires_at".to_owned(), millis(expires_at));
    item.insert("purge_at".to_owned(), time_to_live(expires_at));
    item
}

/// That the key is free: never used, or so long ago that it is forgotten, or reserved by an attempt at the same request that
/// can't be running any more.
fn unused(change: &ChangeContext, idempotency_key: &IdempotencyKey) -> Condition {
    Condition::new(
        "attribute_not_exists(pk) OR expires_at <= :now OR (lease_until <= :now AND fingerprint = :fingerprint)",
        [(":now", millis(change.at)), (":fingerprint", text(idempotency_key.fingerprint()))],
    )
}
