//! Callbacks as items, and back.

use aws_sdk_dynamodb::types::AttributeValue;

use crate::domain::{
    CallbackAttempt, CallbackDetails, CallbackState, CallbackSummary, Event, EventId, EventType, Outcome, Problem,
    TenantId, Timestamp,
};
use crate::error::Result;
use crate::store::dynamodb::{
    Condition, Item, NewItem, PK, Reader, SK, Update, Value, millis, number, text, time_to_live,
};
use crate::store::keys::{self, DUE_AT, DUE_SHARD};

const STATE: &str = "callback_state";
const ATTEMPTS: &str = "attempts";
const LOG: &str = "last_attempts";
/// What a summary is made of: all but the body.
pub const SUMMARY: &str = "sk, event_type, callback_state, attempts, last_attempts, due_at, created_at, \
     replayed_at";
const REPLAYED_AT: &str = "replayed_at";
/// How many attempts are shown.
const SHOWN: usize = 10;

/// How long a callback is kept after it was delivered or given up.
const KEPT: std::time::Duration = std::time::Duration::from_hours(30 * 24);

/// A callback as it is stored.
#[derive(Debug, Clone)]
pub struct Owed {
    pub tenant_id: TenantId,
    pub id: EventId,
    pub event_type: EventType,
    pub body: String,
    pub created_at: Timestamp,
    /// When it is to be attempted; `None` if it is not.
    pub due_at: Option<Timestamp>,
    /// How many attempts were made.
    pub attempts: usize,
    log: Vec<AttributeValue>,
}

/// The item of a new event, due at once.
pub fn owed(event: &Event) -> NewItem {
    let mut item = NewItem::from(keys::callback(&event.tenant_id, &event.id));
    item.extend([
        ("event_type".to_owned(), text(event.event_type)),
        ("body".to_owned(), text(&event.body)),
        ("created_at".to_owned(), millis(event.created_at)),
        (STATE.to_owned(), text(CallbackState::Pending.as_str())),
        (ATTEMPTS.to_owned(), number(0)),
        (DUE_SHARD.to_owned(), text(keys::due_shard(&event.id))),
        (DUE_AT.to_owned(), millis(event.created_at)),
    ]);
    item
}

/// Reads a callback; `None` if it is not pending.
///
/// # Errors
/// If it can't be read.
pub fn pending(item: &Item) -> Result<Option<Owed>> {
    let reader = Reader::of(item);
    if reader.text(STATE)? != CallbackState::Pending.as_str() {
        return Ok(None);
    }
    let known = |text: &str| EventType::parse(text).ok_or_else(|| Problem::new("is no type of event"));
    let tenant = |partition: &str| keys::tenant_of(partition).ok_or_else(|| Problem::new("is of no tenant"));
    Ok(Some(Owed {
        tenant_id: reader.parsed(PK, tenant)?,
        id: reader.parsed(SK, EventId::parse)?,
        event_type: reader.parsed("event_type", known)?,
        body: reader.text("body")?.to_owned(),
        created_at: reader.millis("created_at")?,
        due_at: reader.optional_millis(DUE_AT)?,
        attempts: reader.number(ATTEMPTS)?,
        log: item.get(LOG).and_then(Value::as_l).unwrap_or_default().iter().map(AttributeValue::from).collect(),
    }))
}

/// What becomes of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is to be attempted at that time.
    Due(Timestamp),
    /// It waits until its flow is reactivated.
    Waiting,
    /// It is over, in this state.
    Over(CallbackState),
}

/// The write that decides what becomes of a callback, after an attempt if there was one, and that it is still as it
/// was read.
pub fn decided(
    owed: &Owed,
    attempted: Option<(Timestamp, Outcome)>,
    fate: Fate,
    now: Timestamp,
) -> (Update, Condition) {
    let mut update = Update::of(keys::callback(&owed.tenant_id, &owed.id));
    if let Some((at, outcome)) = attempted {
        let attempt = [("at".to_owned(), millis(at)), ("outcome".to_owned(), text(outcome))];
        let mut log = owed.log.clone();
        log.push(AttributeValue::M(attempt.into()));
        let log = log.split_off(log.len().saturating_sub(SHOWN));
        update = update.set(LOG, AttributeValue::L(log)).increment(ATTEMPTS);
    }
    update = match fate {
        Fate::Due(at) => update.set(DUE_AT, millis(at)),
        Fate::Waiting => update.remove(DUE_AT).remove(DUE_SHARD),
        Fate::Over(state) => {
            let update = update.set(STATE, text(state.as_str())).set("purge_at", time_to_live(now.plus(KEPT)));
            update.remove(DUE_AT).remove(DUE_SHARD)
        }
    };
    let i128_attempts = i128::try_from(owed.attempts).unwrap_or_default();
    let unchanged = Condition::new(
        "callback_state = :pending AND attempts = :attempts",
        [(":pending", text(CallbackState::Pending.as_str())), (":attempts", number(i128_attempts))],
    );
    (update, unchanged)
}

/// What a list says of a callback.
///
/// # Errors
/// If it can't be read.
pub fn summary(item: &Item) -> Result<CallbackSummary> {
    let reader = Reader::of(item);
    let known = |text: &str| EventType::parse(text).ok_or_else(|| Problem::new("is no type of event"));
    let state = |text: &str| CallbackState::parse(text).ok_or_else(|| Problem::new("is no state of a callback"));
    let log = item.get(LOG).and_then(Value::as_l);
    let last = log.and_then(|log| log.last()?.as_m()?.get("outcome")?.as_s().map(str::to_owned));
    Ok(CallbackSummary {
        event_id: reader.parsed(SK, EventId::parse)?,
        event_type: reader.parsed("event_type", known)?,
        state: reader.parsed(STATE, state)?,
        attempts: reader.number(ATTEMPTS)?,
        last_outcome: last,
        next_attempt_at: reader.optional_millis(DUE_AT)?,
        created_at: reader.millis("created_at")?,
        replayed_at: reader.optional_millis(REPLAYED_AT)?,
    })
}

/// All that is said of a callback.
///
/// # Errors
/// If it can't be read.
pub fn details(item: &Item) -> Result<CallbackDetails> {
    let log = item.get(LOG).and_then(Value::as_l).into_iter().flatten();
    let attempt = |attempt: &Value| {
        let reader = Reader::of(attempt.as_m()?);
        Some(CallbackAttempt { at: reader.millis("at").ok()?, outcome: reader.text("outcome").ok()?.to_owned() })
    };
    let attempts: Option<Vec<_>> = log.map(attempt).collect();
    Ok(CallbackDetails {
        summary: summary(item)?,
        body: Reader::of(item).text("body")?.to_owned(),
        last_attempts: attempts.ok_or_else(|| Reader::of(item).unreadable(LOG))?,
    })
}

/// The write that makes a callback due at once with all its attempts before it, whatever has become of it; and that
/// this replay, known by its time, or a later one has not done so. The outcome of an attempt that is under way is not
/// noted then, unless it is the first.
pub fn replayed(id: &TenantId, event: &EventId, at: Timestamp) -> (Update, Condition) {
    let update = Update::of(keys::callback(id, event))
        .set(STATE, text(CallbackState::Pending.as_str()))
        .set(ATTEMPTS, number(0))
        .set(DUE_SHARD, text(keys::due_shard(event)))
        .set(DUE_AT, millis(at))
        .set(REPLAYED_AT, millis(at))
        .remove("purge_at");
    let unless = format!("attribute_exists(pk) AND (attribute_not_exists({REPLAYED_AT}) OR {REPLAYED_AT} < :at)");
    (update, Condition::new(unless, [(":at", millis(at))]))
}

/// The write that makes a callback due that waits, and that it still does.
pub fn resumed(id: &TenantId, event: &EventId, now: Timestamp) -> (Update, Condition) {
    let update = Update::of(keys::callback(id, event)).set(DUE_AT, millis(now));
    let waiting = Condition::new(
        "callback_state = :pending AND attribute_not_exists(due_at)",
        [(":pending", text(CallbackState::Pending.as_str()))],
    );
    (update.set(DUE_SHARD, text(keys::due_shard(event))), waiting)
}
