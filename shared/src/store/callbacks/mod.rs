//! Callbacks: owing an event to a tenant's receiver, and delivering it.

mod deliver;
mod expire;
pub(super) mod items;
pub(super) mod receivers;
mod subscription;

pub use deliver::{Callbacks, Delivered, Delivery, Receiver};
pub(super) use subscription::Subscription;

use super::dynamodb::{Condition, Transaction};
use crate::domain::{Configuration, Event, EventId, NewEvent, Random};
use crate::error::{Error, Result};

/// Owes an event to the tenant: adds it to the transaction of the change that it tells of, so that there is no change
/// without its event and no event without its change. Nothing is owed to a tenant without a base for callbacks, or
/// that does not want that type.
///
/// # Errors
/// If the event can't be written as a body, or there is no randomness to be had.
pub(super) fn owe(
    transaction: &mut Transaction,
    configuration: &Configuration,
    random: &dyn Random,
    event: NewEvent<'_>,
) -> Result<Option<EventId>> {
    let is_wanted = configuration.callback_types.wants(event.event_type);
    owe_if(configuration.callback_url_base.is_some() && is_wanted, transaction, random, event)
}

fn owe_if(
    is_wanted: bool,
    transaction: &mut Transaction,
    random: &dyn Random,
    event: NewEvent<'_>,
) -> Result<Option<EventId>> {
    if !is_wanted {
        return Ok(None);
    }
    let id = EventId::generate(random, event.created_at)?;
    let event = Event::new(id, event).map_err(Error::internal)?;
    transaction.put(items::owed(&event), Condition::is_new());
    Ok(Some(event.id))
}
