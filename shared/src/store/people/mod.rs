//! A tenant's people, whoever names them first.
//!
//! A person is there twice, once under each of its ids, and both items are written in one transaction: see
//! [`keys`]. With its passkeys in it, so that a login costs the same whoever it names, and however many
//! passkeys there are. What a login writes is in the passkeys' own items. Its devices are in it too, as lists show
//! them; what a device's call is checked with is in the device's own item.

pub(super) mod devices;

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::dynamodb::{Condition, Item, Key, NewItem, Reader, Transaction, Update, Write, at, millis, text};
use super::keys;
use crate::domain::{
    CredentialDigest, CredentialId, ExternalId, LinkedUserId, PairedDevice, PersonRef, RelayPerson, RpId, TenantId,
    Timestamp, Transports, UserHandle,
};
use crate::error::{Error, Result};

const PASSKEYS: &str = "passkeys";
const REVOKED: &str = "revoked_passkeys";

/// The most passkeys that a person has at once: a few for each device, and few enough for one item and one list.
pub const MOST_PASSKEYS: usize = 20;
/// The most revoked passkeys that a list shows: those that were revoked last.
const MOST_REVOKED: usize = 20;

/// A person as it is stored.
#[derive(Debug, Clone)]
pub struct StoredPerson {
    pub person: RelayPerson,
    pub passkeys: BTreeMap<CredentialDigest, PasskeyEntry>,
    /// When each of those was revoked that lists still show.
    pub revoked: BTreeMap<CredentialDigest, Timestamp>,
    /// Its devices, oldest first.
    pub devices: Vec<PairedDevice>,
}

/// What a person's item says of a passkey: what browsers are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyEntry {
    pub credential_id: CredentialId,
    pub rp_id: RpId,
    pub transports: Transports,
}

impl StoredPerson {
    /// The passkeys that work for this relying party.
    pub fn of_party<'a>(&'a self, rp_id: &'a RpId) -> impl Iterator<Item = &'a PasskeyEntry> {
        self.passkeys.values().filter(move |entry| entry.rp_id == *rp_id)
    }

    /// The revoked passkeys that a list has no room for once one more is revoked.
    fn outlived(&self) -> Vec<CredentialDigest> {
        let mut revoked: Vec<_> = self.revoked.iter().map(|(digest, at)| (*at, digest)).collect();
        revoked.sort_unstable();
        let surplus = (revoked.len() + 1).saturating_sub(MOST_REVOKED);
        revoked.into_iter().take(surplus).map(|(_, digest)| digest.clone()).collect()
    }
}

/// The item of the person that a call names. Of two ids ours leads to it, and the other is compared.
pub fn key(tenant: &TenantId, of: &PersonRef) -> Key {
    match of {
        PersonRef::Linked(id) | PersonRef::Both(id, _) => keys::person(tenant, id),
        PersonRef::Backend(id) => keys::person_of(tenant, id),
    }
}

/// The person that a call names, among the items that were read; `None` if it is new.
///
/// # Errors
/// [`Error::PersonNotFound`] if nobody has our id that it names, or not together with the tenant's.
pub fn find(tenant: &TenantId, of: &PersonRef, items: &[Item]) -> Result<Option<StoredPerson>> {
    let found = at(items, &key(tenant, of)).map(read).transpose()?;
    match found {
        Some(found) if of.names(&found.person) => Ok(Some(found)),
        Some(_) => Err(Error::PersonNotFound),
        None if of.linked_id().is_some() => Err(Error::PersonNotFound),
        None => Ok(None),
    }
}

/// Adds a new person to a transaction. The write fails whose id somebody has already.
pub fn put(
    transaction: &mut Transaction,
    tenant: &TenantId,
    person: &RelayPerson,
    created_at: Timestamp,
) -> [Write; 2] {
    keys::both_of_person(tenant, person).map(NewItem::from).map(|mut item| {
        own(&mut item, person);
        item.extend([
            ("created_at".to_owned(), millis(created_at)),
            (PASSKEYS.to_owned(), AttributeValue::M(NewItem::new())),
            (REVOKED.to_owned(), AttributeValue::M(NewItem::new())),
            (devices::DEVICES.to_owned(), AttributeValue::M(NewItem::new())),
        ]);
        transaction.put(item, Condition::is_new())
    })
}

/// Adds a passkey to its person. The writes fail if it has as many as it may have.
pub fn add_passkey(
    transaction: &mut Transaction,
    tenant: &TenantId,
    person: &RelayPerson,
    digest: &CredentialDigest,
    entry: &PasskeyEntry,
) -> [Write; 2] {
    let transports = entry.transports.as_slice().iter().map(text).collect();
    let entry = AttributeValue::M(NewItem::from([
        ("credential_id".to_owned(), text(&entry.credential_id)),
        ("rp_id".to_owned(), text(&entry.rp_id)),
        ("transports".to_owned(), AttributeValue::L(transports)),
    ]));
    let most = AttributeValue::N(MOST_PASSKEYS.to_string());
    keys::both_of_person(tenant, person).map(|key| {
        let update = Update::of(key).set(within(PASSKEYS, digest), entry.clone());
        let has_room = Condition::exists().and(format!("size({PASSKEYS}) < :most"), [(":most", most.clone())]);
        transaction.update(update, has_room)
    })
}

/// Takes a passkey from its person's, and notes that it was revoked.
pub fn revoke_passkey(
    transaction: &mut Transaction,
    tenant: &TenantId,
    stored: &StoredPerson,
    digest: &CredentialDigest,
    at: Timestamp,
) {
    for key in keys::both_of_person(tenant, &stored.person) {
        let update = Update::of(key).remove(within(PASSKEYS, digest)).set(within(REVOKED, digest), millis(at));
        let outlived = stored.outlived();
        let update = outlived.iter().fold(update, |update, old| update.remove(within(REVOKED, old)));
        transaction.update(update, Condition::exists());
    }
}

/// The place of a passkey in a map. A letter in front, because a name in an expression can't begin with a digit.
fn within(map: &str, digest: &CredentialDigest) -> String {
    format!("{map}.p{digest}")
}

/// Writes into an item whose it is.
pub fn own(item: &mut NewItem, person: &RelayPerson) {
    item.extend([
        ("backend_user_id".to_owned(), text(&person.backend_user_id)),
        ("linked_user_id".to_owned(), text(&person.linked_id)),
        ("user_handle".to_owned(), text(&person.user_handle)),
    ]);
}

/// Reads whose an item is.
///
/// # Errors
/// If it can't be read.
pub fn owner(reader: Reader<'_>) -> Result<RelayPerson> {
    Ok(RelayPerson {
        backend_user_id: reader.parsed("backend_user_id", ExternalId::parse)?,
        linked_id: reader.parsed("linked_user_id", LinkedUserId::parse)?,
        user_handle: reader.parsed("user_handle", UserHandle::parse)?,
    })
}

fn read(item: &Item) -> Result<StoredPerson> {
    let reader = Reader::of(item);
    let person = owner(reader)?;
    let devices = devices::read(reader)?;
    let mut stored = StoredPerson { person, passkeys: BTreeMap::new(), revoked: BTreeMap::new(), devices };
    for (_, entry) in reader.map(PASSKEYS)?.iter() {
        let entry = entry.as_m().ok_or_else(|| reader.unreadable(PASSKEYS))?;
        let entry = Reader::of(entry);
        let credential_id = entry.parsed("credential_id", CredentialId::parse)?;
        let rp_id = RpId::from_stored(entry.text("rp_id")?);
        let transports = Transports::of(entry.texts("transports")?);
        stored.passkeys.insert(credential_id.digest(), PasskeyEntry { credential_id, rp_id, transports });
    }
    let revoked = reader.map(REVOKED)?;
    for (name, at) in revoked.iter() {
        let at = at.as_n().and_then(|at| at.parse().ok()).map(Timestamp::from_millis);
        let digest = name.strip_prefix('p').and_then(|digest| CredentialDigest::parse(digest).ok());
        let (digest, at) = digest.zip(at).ok_or_else(|| reader.unreadable(REVOKED))?;
        stored.revoked.insert(digest, at);
    }
    Ok(stored)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::SystemRandomness;

    #[test]
    fn the_one_that_was_revoked_first_makes_room_once_there_are_as_many_as_a_list_shows() {
        let person = RelayPerson::new(ExternalId::parse("ada").unwrap(), &SystemRandomness::new()).unwrap();
        let (passkeys, revoked) = (BTreeMap::new(), BTreeMap::new());
        let mut stored = StoredPerson { person, passkeys, revoked, devices: Vec::new() };
        let digest = |number: usize| CredentialDigest::parse(&format!("{number:064}")).unwrap();
        for number in 0..MOST_REVOKED {
            assert_eq!(stored.outlived(), []);
            let at = Timestamp::from_millis(1000 - i64::try_from(number).unwrap());
            stored.revoked.insert(digest(number), at);
        }
        assert_eq!(stored.outlived(), [digest(MOST_REVOKED - 1)]);
    }
}
