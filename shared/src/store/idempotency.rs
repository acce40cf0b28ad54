//! Stored responses: what is kept under idempotency keys, so that a request that comes again gets the same answer.
//!
//! A response is written in the transaction that makes the change, so that the one can't exist without the other, and
//! the condition "nothing is stored yet" is what makes a key take effect once. A change of several steps first reserves
//! the key; the reservation is a lease that ends when the platform would have stopped the first attempt, or when that
//! is refused.

use std::fmt;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::dynamodb::{
    Commit, Condition, Item, NewItem, Reader, Refused, Table, Transaction, Update, Updated, Value, Write, millis, text,
    time_to_live,
};
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
        self.earlier(refused, change.idempotency_key.as_ref())
    }

    fn earlier(self, refused: &Refused, key: Option<&IdempotencyKey>) -> Result<Option<Replay>> {
        let item = self.0.and_then(|write| refused.item(write));
        item.zip(key).map(|(item, key)| replay(&item, key)).transpose()
    }

    /// Whether the key is why a transaction was refused.
    pub fn failed(self, refused: &Refused) -> bool {
        self.0.is_some_and(|write| refused.failed(write))
    }
}

/// Reserves the change's idempotency key for `attempt`.
pub fn reserve(transaction: &mut Transaction, change: &ChangeContext, attempt: Uuid) -> Stored {
    Stored(change.idempotency_key.as_ref().map(|key| {
        let mut item = base(key);
        item.insert("attempt".to_owned(), text(attempt));
        item.insert("lease_until".to_owned(), millis(change.deadline));
        transaction.put(item, unused(key))
    }))
}

/// Gives the reservation of `attempt` back if the change was refused: nothing of it will take effect any more, and
/// whoever corrects it may use the key at once. What failed may have taken effect, and keeps its reservation.
pub async fn give_back<T>(table: &Table, change: &ChangeContext, attempt: Uuid, outcome: Result<T>) -> Result<T> {
    if let (Err(refusal), Some(key)) = (&outcome, &change.idempotency_key)
        && refusal.is_definite()
    {
        // Expired and not deleted: it is the same to whoever asks, and no function needs a right to delete for it.
        let expired = Update::of(keys::stored_response(key)).set("expires_at", millis(Timestamp::from_millis(0)));
        let is_ours = Condition::new("attempt = :attempt", [(":attempt", text(attempt))]);
        // The refusal is the answer even if this fails: the lease then ends by itself.
        let _: Result<Updated> = table.update(expired, is_ours).await;
    }
    outcome
}

/// Commits a transaction, and with it its answer under the caller's idempotency key, if there is one. It is the answer
/// of the earlier request with that key if there was one: the key first, whatever else is true now.
///
/// # Errors
/// If the key was used for another request.
pub async fn commit<T: Serialize + DeserializeOwned>(
    table: &Table,
    mut transaction: Transaction,
    key: Option<&IdempotencyKey>,
    answer: T,
) -> Result<Result<T, Refused>> {
    let stored = match key {
        Some(key) => Stored(Some(transaction.put(with_body(key, &answer)?, unused(key)))),
        None => Stored(None),
    };
    if transaction.is_empty() {
        return Ok(Ok(answer));
    }
    match table.commit(transaction).await? {
        Commit::Done => Ok(Ok(answer)),
        Commit::Refused(refused) => match stored.earlier(&refused, key)? {
            Some(replay) => Ok(Ok(replay.read()?)),
            None => Ok(Err(refused)),
        },
    }
}

/// The answer of the earlier request with the same idempotency key, if this one is refused for what has become of
/// things since then. One call if it is refused.
///
/// # Errors
/// If it is refused, and there was no earlier request, or another one with that key.
pub async fn or_earlier<T: DeserializeOwned>(
    table: &Table,
    key: Option<&IdempotencyKey>,
    outcome: Result<T>,
) -> Result<T> {
    match (outcome, key) {
        (Err(refusal), Some(key)) if refusal.is_definite() && !matches!(refusal, Error::IdempotencyKeyReused) => {
            // By the call that reads credentials: no function needs a right for it that it has not got.
            let found = table.get_all(&[keys::stored_response(key)]).await?.pop();
            let earlier = found.map(|item| remembered(&item, key)).transpose()?.flatten();
            earlier.map_or(Err(refusal), |replay| replay.read())
        }
        (outcome, _) => outcome,
    }
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
    let mut item = with_body(key, body)?;
    if let Some(secret) = secret {
        let sealed = key.seal(secret, random)?;
        item.insert("sealed".to_owned(), AttributeValue::B(Blob::new(sealed)));
        item.insert("sealed_until".to_owned(), millis(change.at.plus(SECRET_REMEMBERED)));
    }
    let condition = match attempt {
        Some(attempt) => Condition::new("attempt = :attempt", [(":attempt", text(attempt))]),
        None => unused(key),
    };
    Ok(Stored(Some(transaction.put(item, condition))))
}

/// The response in `item`, which was read under the change's idempotency key; `None` if it is so old that it is
/// forgotten.
///
/// # Errors
/// If the key was used for another request, or its first request may still be running.
pub fn stored(item: &Item, change: &ChangeContext) -> Result<Option<Replay>> {
    change.idempotency_key.as_ref().map(|key| remembered(item, key)).transpose().map(Option::flatten)
}

fn remembered(item: &Item, key: &IdempotencyKey) -> Result<Option<Replay>> {
    if Reader::of(item).millis("expires_at")? <= key.at() {
        return Ok(None);
    }
    replay(item, key).map(Some)
}

fn replay(item: &Item, key: &IdempotencyKey) -> Result<Replay> {
    let (reader, now) = (Reader::of(item), key.at());
    if reader.text("fingerprint")? != key.fingerprint() {
        return Err(Error::IdempotencyKeyReused);
    }
    let Some(body) = reader.optional_text("body")? else {
        return Err(Error::IdempotencyInProgress { retry_after: now.seconds_until(reader.millis("lease_until")?) });
    };
    let shown = reader.optional_millis("sealed_until")?.is_some_and(|until| now < until);
    let sealed = item.get("sealed").and_then(Value::as_b).filter(|_| shown);
    let secret = sealed.and_then(|sealed| key.open(sealed)).map(Zeroizing::new);
    Ok(Replay { body: body.to_owned(), secret })
}

fn with_body(key: &IdempotencyKey, body: &impl Serialize) -> Result<NewItem> {
    let mut item = base(key);
    item.insert("body".to_owned(), text(serde_json::to_string(body).map_err(Error::internal)?));
    Ok(item)
}

fn base(key: &IdempotencyKey) -> NewItem {
    let expires_at = key.at().plus(REMEMBERED);
    let mut item = NewItem::from(keys::stored_response(key));
    item.insert("fingerprint".to_owned(), text(key.fingerprint()));
    item.insert("expires_at".to_owned(), millis(expires_at));
    item.insert("purge_at".to_owned(), time_to_live(expires_at));
    item
}

/// That the key is free: never used, or so long ago that it is forgotten, or reserved by an attempt at the same request
/// that can't be running any more.
fn unused(key: &IdempotencyKey) -> Condition {
    Condition::new(
        "attribute_not_exists(pk) OR expires_at <= :now OR (lease_until <= :now AND fingerprint = :fingerprint)",
        [(":now", millis(key.at())), (":fingerprint", text(key.fingerprint()))],
    )
}
