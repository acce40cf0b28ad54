//! Delivering callbacks anew.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};

use super::callbacks::{Found, Range, has_base};
use super::{Committed, Tenants};
use crate::domain::{
    Action, CallbackFilter, CallbackSummary, ChangeContext, Configuration, Cursor, EventId, NotReplayed, ReplayScope,
    SkippedCallback, TenantId, Timestamp, useless_from,
};
use crate::error::{Error, Result};
use crate::store::audit::put_event;
use crate::store::callbacks::items;
use crate::store::dynamodb::{Item, Transaction};
use crate::store::pages::after_in;
use crate::store::{idempotency, keys};

/// How many callbacks one replay takes up at most. Who wants more asks again, for what is left.
const MOST: usize = 100;

/// How many of them are written at once.
const AT_ONCE: usize = 10;

/// What comes after the ids of all events.
const END: &str = "evt_g";

/// What a replay does, as it is stored under an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replayed {
    /// By its time a replay is known: it makes each callback due once, however often it is asked for.
    at: Timestamp,
    /// The events that are delivered anew, oldest first.
    pub events: Vec<EventId>,
    /// What it leaves as it is.
    pub skipped: Vec<SkippedCallback>,
    /// Where to go on, if there may be more.
    pub next: Option<Cursor>,
}

/// What was found for a replay.
struct Candidates {
    items: Vec<Item>,
    missing: Vec<SkippedCallback>,
    next: Option<Cursor>,
}

impl Tenants<'_> {
    /// Delivers callbacks of a tenant anew, with the same ids and bodies: they are due at once, with all their attempts
    /// before them, whatever has become of them. At most 100 of them; of those in a state the oldest after `cursor`.
    ///
    /// What is to be done is committed with the audit event, and then done. So nothing is done without the event, and
    /// the same request under its idempotency key finishes what ended half way.
    ///
    /// # Errors
    /// If there is no such tenant, it has no base for callbacks, or the cursor is of another replay.
    pub async fn replay_callbacks(
        self,
        id: &TenantId,
        scope: &ReplayScope,
        cursor: Option<&Cursor>,
        change: &ChangeContext,
    ) -> Result<Replayed> {
        let key = change.idempotency_key.as_ref().map(keys::stored_response);
        let (tenant, stored) = self.read(id, key.into_iter().collect()).await?;
        let earlier = stored.first().map(|item| idempotency::stored(item, change)).transpose()?.flatten();
        let replayed = if let Some(earlier) = earlier {
            earlier.read()?
        } else {
            let configuration = tenant.ok_or(Error::TenantNotFound)?.configuration;
            has_base(&configuration)?;
            let candidates = self.candidates(id, scope, cursor).await?;
            self.commit_replay(id, decided(candidates, &configuration, change.at)?, scope, change).await?
        };
        let due = replayed.events.iter().map(|event| items::replayed(id, event, replayed.at));
        let due = stream::iter(due.collect::<Vec<_>>()).map(|(update, unless)| self.table.update(update, unless));
        // Where the condition fails, nothing is left to do: this replay or a later one was there before, or the
        // callback was cleared away since it was read.
        due.buffer_unordered(AT_ONCE).try_for_each(|_| std::future::ready(Ok(()))).await?;
        Ok(replayed)
    }

    async fn candidates(self, id: &TenantId, scope: &ReplayScope, cursor: Option<&Cursor>) -> Result<Candidates> {
        match scope {
            ReplayScope::Events(events) => {
                let mut missing: BTreeSet<_> = events.iter().cloned().collect();
                let places: Vec<_> = missing.iter().map(|event| keys::callback(id, event)).collect();
                let items = self.table.get_all(&places).await?;
                for item in &items {
                    missing.remove(&items::summary(item)?.event_id);
                }
                let missing = missing.into_iter();
                let missing = missing.map(|event_id| SkippedCallback { event_id, reason: NotReplayed::NotFound });
                Ok(Candidates { items, missing: missing.collect(), next: None })
            }
            ReplayScope::State { state, since, until } => {
                let (from, to) = (EventId::beginning(*since), until.map_or(END.to_owned(), EventId::beginning));
                let name = format!("replay/{id}/{}/{from}/{to}", state.as_str());
                let is_position = |position: &str| {
                    EventId::parse(position).is_ok() && (from.as_str()..=to.as_str()).contains(&position)
                };
                let after = after_in(&keys::callbacks(id), cursor, &name, is_position)?;
                let filter = CallbackFilter { state: Some(*state), event_type: None };
                let range = Range { filter, between: Some((from, to)), is_newest_first: false, after, most: MOST };
                let Found { items, looked_to } = self.find_callbacks(id, range).await?;
                let next = looked_to.map(|position| Cursor::new(&name, &position));
                Ok(Candidates { items, missing: Vec::new(), next })
            }
        }
    }

    /// Commits what a replay is to do, with the audit event.
    async fn commit_replay(
        self,
        id: &TenantId,
        replayed: Replayed,
        scope: &ReplayScope,
        change: &ChangeContext,
    ) -> Result<Replayed> {
        let (state, since, until) = match scope {
            ReplayScope::Events(_) => (None, None, None),
            ReplayScope::State { state, since, until } => (Some(state), Some(since), until.as_ref()),
        };
        let event = change.event(Action::CallbacksReplayed, Vec::new()).with("count", replayed.events.len());
        let event = event.with("state", state).with("since", since).with("until", until);
        let mut transaction = Transaction::new();
        put_event(&mut transaction, id, &event)?;
        match self.commit(change, transaction, &replayed, None).await? {
            Committed::Done => Ok(replayed),
            Committed::Replay(earlier) => earlier.read(),
            Committed::Refused(_) => Err(Error::StaleUpdate),
        }
    }
}

/// What a replay does with what was found for it.
fn decided(found: Candidates, configuration: &Configuration, at: Timestamp) -> Result<Replayed> {
    let (mut events, mut skipped) = (Vec::new(), found.missing);
    for item in &found.items {
        let callback = items::summary(item)?;
        match reason(&callback, configuration, at) {
            None => events.push(callback.event_id),
            Some(reason) => skipped.push(SkippedCallback { event_id: callback.event_id, reason }),
        }
    }
    events.sort();
    skipped.sort_by(|one, other| one.event_id.cmp(&other.event_id));
    Ok(Replayed { at, events, skipped, next: found.next })
}

/// Why a callback is not delivered anew, if it is not.
fn reason(callback: &CallbackSummary, configuration: &Configuration, now: Timestamp) -> Option<NotReplayed> {
    let useless = useless_from(callback.event_type, callback.created_at);
    let is_wanted = configuration.callback_types.wants(callback.event_type);
    match useless {
        Some(useless) if useless <= now => Some(NotReplayed::OfNoUse),
        _ => (!is_wanted).then_some(NotReplayed::NotWanted),
    }
}
