//! Refusals as attributes of one item, each under the name of its cause, and back.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::domain::{ApiKeyId, Refusal, RefusalCause, TenantId};
use crate::error::Result;
use crate::store::dynamodb::{Condition, Item, NewItem, Reader, Update, millis, number, text};
use crate::store::keys;

/// The write that notes a refusal, and that no later one of its cause is noted.
pub fn noted(tenant: &TenantId, refusal: &Refusal) -> (Update, Condition) {
    let cause = refusal.cause.as_str();
    let newer = Condition::new(
        format!("attribute_not_exists({cause}) OR {cause}.noted_at < :at"),
        [(":at", millis(refusal.at))],
    );
    (Update::of(keys::setup(tenant)).set(cause, AttributeValue::M(fields(refusal))), newer)
}

fn fields(refusal: &Refusal) -> NewItem {
    let mut fields = NewItem::from([
        ("noted_at".to_owned(), millis(refusal.at)),
        ("operation".to_owned(), text(&refusal.operation)),
    ]);
    fields.extend(refusal.key_id.as_ref().map(|id| ("key_id".to_owned(), text(id))));
    fields.extend(refusal.header.as_ref().map(|name| ("header".to_owned(), text(name))));
    fields.extend(refusal.ahead_ms.map(|ahead| ("ahead_ms".to_owned(), number(ahead))));
    fields
}

/// The refusals of an item.
///
/// # Errors
/// If one can't be read.
pub fn refusals(item: &Item) -> Result<BTreeMap<RefusalCause, Refusal>> {
    let known = RefusalCause::ALL.iter().filter(|cause| item.contains_key(cause.as_str()));
    known.map(|cause| Ok((*cause, refusal(*cause, item)?))).collect()
}

fn refusal(cause: RefusalCause, item: &Item) -> Result<Refusal> {
    let fields = Reader::within(item, cause.as_str())?;
    Ok(Refusal {
        cause,
        at: fields.millis("noted_at")?,
        operation: fields.text("operation")?.to_owned(),
        key_id: fields.optional("key_id", ApiKeyId::parse)?,
        header: fields.optional_text("header")?.map(str::to_owned),
        ahead_ms: fields.optional_number("ahead_ms")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    #[test]
    fn a_refusal_is_read_as_it_was_noted() {
        let tenant = TenantId::parse("tnt_1").unwrap();
        let mut full = Refusal::new(RefusalCause::ClockOff, Timestamp::from_millis(7), "relay-whoami");
        full.key_id = Some(ApiKeyId::parse("key_0a0a0a0a0a0a0a0a").unwrap());
        full.header = Some("end-user-id".to_owned());
        full.ahead_ms = Some(-600_000);
        let bare = Refusal::new(RefusalCause::KeyKind, Timestamp::from_millis(8), "user-token");
        let mut item = NewItem::from(keys::setup(&tenant));
        for refusal in [&full, &bare] {
            item.insert(refusal.cause.as_str().to_owned(), AttributeValue::M(fields(refusal)));
        }
        let expected = [full, bare].into_iter().map(|refusal| (refusal.cause, refusal)).collect();
        assert_eq!(refusals(&item.clone().into()).unwrap(), expected);
        item.insert("key_kind".to_owned(), text("x"));
        assert!(refusals(&item.into()).is_err());
    }
}
