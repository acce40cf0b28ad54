//! The devices in a person's item.

use aws_sdk_dynamodb::types::AttributeValue;

use crate::domain::{
    DeviceEpochs, DeviceId, DeviceName, DisplayName, ExternalId, Introduction, MaskedEmail, MaskedPhone, PairedDevice,
    Platform, RelayPerson, TenantId,
};
use crate::error::Result;
use crate::store::dynamodb::{Condition, NewItem, Reader, Transaction, Update, Write, millis, number, text};
use crate::store::keys;

pub const DEVICES: &str = "devices";

/// The most devices that a person has at once: few enough for one item and one list.
pub const MOST_DEVICES: usize = 10;

/// Adds a device to its person, and takes away those that make room. The writes fail if the person has as many as it
/// may have all the same.
pub fn add(
    transaction: &mut Transaction,
    tenant: &TenantId,
    person: &RelayPerson,
    device: &PairedDevice,
    replaced: &[PairedDevice],
) -> [Write; 2] {
    let most = AttributeValue::N((MOST_DEVICES + replaced.len()).to_string());
    keys::both_of_person(tenant, person).map(|key| {
        let update = Update::of(key).set(within(&device.id), AttributeValue::M(entry(device)));
        let update = replaced.iter().fold(update, |update, old| update.remove(within(&old.id)));
        let has_room = Condition::exists().and(format!("size({DEVICES}) < :most"), [(":most", most.clone())]);
        transaction.update(update, has_room)
    })
}

/// Takes a device from its person.
pub fn remove(transaction: &mut Transaction, tenant: &TenantId, person: &RelayPerson, id: &DeviceId) {
    for key in keys::both_of_person(tenant, person) {
        transaction.update(Update::of(key).remove(within(id)), Condition::exists());
    }
}

/// Notes something new of a device. The writes fail if the person has no such device.
pub fn note(
    transaction: &mut Transaction,
    tenant: &TenantId,
    person: &RelayPerson,
    id: &DeviceId,
    noted: &[(&str, AttributeValue)],
) {
    for key in keys::both_of_person(tenant, person) {
        let update = noted
            .iter()
            .fold(Update::of(key), |update, (name, value)| update.set(format!("{}.{name}", within(id)), value.clone()));
        transaction.update(update, Condition::new(format!("attribute_exists({})", within(id)), []));
    }
}

fn within(id: &DeviceId) -> String {
    format!("{DEVICES}.{id}")
}

fn entry(device: &PairedDevice) -> NewItem {
    let PairedDevice { id, name, platform, introduction, created_at, last_used_at, session_expires_at, epochs } =
        device;
    let mut item = NewItem::from([
        ("device_id".to_owned(), text(id)),
        (NAME.to_owned(), text(name)),
        ("created_at".to_owned(), millis(*created_at)),
        (LAST_USED_AT.to_owned(), millis(*last_used_at)),
        (EXPIRES_AT.to_owned(), millis(*session_expires_at)),
        ("tenant_epoch".to_owned(), number(epochs.tenant)),
        ("person_epoch".to_owned(), number(epochs.person)),
    ]);
    item.extend(platform.map(|platform| ("platform".to_owned(), text(platform.as_str()))));
    introduce(&mut item, introduction);
    item
}

/// What its person calls a device.
pub const NAME: &str = "device_name";
/// When a device was last used.
pub const LAST_USED_AT: &str = "last_used_at";
/// Until when a device's session is good.
pub const EXPIRES_AT: &str = "session_expires_at";

/// Writes what a tenant says of a person.
pub fn introduce(item: &mut NewItem, introduction: &Introduction) {
    let Introduction { user_socket_hash, display_name, email, phone } = introduction;
    item.extend([
        ("user_socket_hash".to_owned(), text(user_socket_hash)),
        ("display_name".to_owned(), text(display_name)),
    ]);
    item.extend(email.as_ref().map(|email| ("user_email".to_owned(), text(email))));
    item.extend(phone.as_ref().map(|phone| ("user_phone".to_owned(), text(phone))));
}

/// Reads what [`introduce`] wrote.
///
/// # Errors
/// If it can't be read.
pub fn introduction(reader: Reader<'_>) -> Result<Introduction> {
    Ok(Introduction {
        user_socket_hash: reader.parsed("user_socket_hash", ExternalId::parse)?,
        display_name: DisplayName::from_stored(reader.text("display_name")?),
        email: reader.optional_text("user_email")?.map(MaskedEmail::from_stored),
        phone: reader.optional_text("user_phone")?.map(MaskedPhone::from_stored),
    })
}

/// Reads the devices of a person's item, oldest first.
///
/// # Errors
/// If one can't be read.
pub fn read(person: Reader<'_>) -> Result<Vec<PairedDevice>> {
    let mut devices = Vec::new();
    for (_, entry) in person.map(DEVICES)?.iter() {
        let entry = Reader::of(entry.as_m().ok_or_else(|| person.unreadable(DEVICES))?);
        devices.push(PairedDevice {
            id: entry.parsed("device_id", DeviceId::parse)?,
            name: DeviceName::from_stored(entry.text(NAME)?),
            platform: entry.optional_text("platform")?.and_then(Platform::parse),
            introduction: introduction(entry)?,
            created_at: entry.millis("created_at")?,
            last_used_at: entry.millis(LAST_USED_AT)?,
            session_expires_at: entry.millis(EXPIRES_AT)?,
            epochs: DeviceEpochs { tenant: entry.number("tenant_epoch")?, person: entry.number("person_epoch")? },
        });
    }
    devices.sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
    Ok(devices)
}
