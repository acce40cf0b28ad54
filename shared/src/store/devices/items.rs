//! Pairings and devices as items, and back.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;

use super::record::DeviceSession;
use crate::domain::{
    DeviceEpochs, DeviceId, DpopProof, ExternalId, KeyHash, LogoUrl, PairingId, PreparedPairing, TenantId, Thumbprint,
};
use crate::error::Result;
use crate::store::dynamodb::{Condition, Item, Key, NewItem, Reader, Update, millis, number, text, time_to_live};
use crate::store::keys::{self, Kind};
use crate::store::people::devices::{EXPIRES_AT, LAST_USED_AT, introduce, introduction};
use crate::store::people::{own, owner};

/// SHA-256 of a session's token.
const HASH: &str = "session_hash";
/// That of the token before, until the present one is used: an answer with a token may get lost.
const PREVIOUS: &str = "previous_hash";

/// For how long a pairing and a used proof are kept after they are of no use: longer than any clock is behind.
const KEPT: Duration = Duration::from_mins(10);

/// The place of a device.
pub fn device_key(tenant: &TenantId, id: &DeviceId) -> Key {
    keys::of_kind(tenant, Kind::Device, id)
}

/// The item of a pairing.
pub fn pairing(pairing: &PreparedPairing) -> NewItem {
    let PreparedPairing { id, tenant_id, person, introduction, logo_url, expires_at, epochs } = pairing;
    let mut item = NewItem::from(keys::pairing(id));
    item.extend([
        ("pairing_id".to_owned(), text(id)),
        ("tenant_id".to_owned(), text(tenant_id)),
        ("expires_at".to_owned(), millis(*expires_at)),
        ("purge_at".to_owned(), time_to_live(expires_at.plus(KEPT))),
    ]);
    item.extend(written(*epochs));
    own(&mut item, person);
    introduce(&mut item, introduction);
    item.extend(logo_url.as_ref().map(|url| ("logo_url".to_owned(), text(url))));
    item
}

/// Reads a pairing.
///
/// # Errors
/// If it can't be read.
pub fn read_pairing(item: &Item) -> Result<PreparedPairing> {
    let reader = Reader::of(item);
    Ok(PreparedPairing {
        id: reader.parsed("pairing_id", PairingId::parse)?,
        tenant_id: reader.parsed("tenant_id", TenantId::parse)?,
        person: owner(reader)?,
        introduction: introduction(reader)?,
        logo_url: reader.optional_text("logo_url")?.map(LogoUrl::from_stored),
        expires_at: reader.millis("expires_at")?,
        epochs: read_epochs(reader)?,
    })
}

/// What was revoked before, in the items of a pairing and of a device.
fn written(epochs: DeviceEpochs) -> [(String, AttributeValue); 2] {
    [("tenant_epoch".to_owned(), number(epochs.tenant)), ("person_epoch".to_owned(), number(epochs.person))]
}

fn read_epochs(reader: Reader<'_>) -> Result<DeviceEpochs> {
    Ok(DeviceEpochs { tenant: reader.number("tenant_epoch")?, person: reader.number("person_epoch")? })
}

/// The item of a device.
pub fn device(tenant: &TenantId, session: &DeviceSession) -> NewItem {
    let DeviceSession { device_id, person, hash, previous: _, thumbprint, expires_at, last_used_at, epochs } = session;
    let mut item = NewItem::from(device_key(tenant, device_id));
    item.extend([
        ("device_id".to_owned(), text(device_id)),
        (HASH.to_owned(), text(hash.to_text())),
        ("thumbprint".to_owned(), text(thumbprint)),
        (EXPIRES_AT.to_owned(), millis(*expires_at)),
        (LAST_USED_AT.to_owned(), millis(*last_used_at)),
    ]);
    item.extend(written(*epochs));
    own(&mut item, person);
    item
}

/// Reads a device.
///
/// # Errors
/// If it can't be read.
pub fn read_device(item: &Item) -> Result<DeviceSession> {
    let reader = Reader::of(item);
    let hash = |name| -> Result<Option<KeyHash>> {
        let text = reader.optional_text(name)?;
        text.map(|text| KeyHash::parse(text).ok_or_else(|| reader.unreadable(name))).transpose()
    };
    Ok(DeviceSession {
        device_id: reader.parsed("device_id", DeviceId::parse)?,
        person: owner(reader)?,
        hash: hash(HASH)?.ok_or_else(|| reader.unreadable(HASH))?,
        previous: hash(PREVIOUS)?,
        thumbprint: Thumbprint::parse(reader.text("thumbprint")?).ok_or_else(|| reader.unreadable("thumbprint"))?,
        expires_at: reader.millis(EXPIRES_AT)?,
        last_used_at: reader.millis(LAST_USED_AT)?,
        epochs: read_epochs(reader)?,
    })
}

/// The renewal of a session whose device presented the token with this hash, which stays good until the new one is
/// used.
pub fn renewal(tenant: &TenantId, session: &DeviceSession, presented: &KeyHash, new: &KeyHash) -> (Update, Condition) {
    let update = Update::of(device_key(tenant, &session.device_id))
        .set(HASH, text(new.to_text()))
        .set(PREVIOUS, text(presented.to_text()));
    let unchanged = format!("{HASH} = :presented OR {PREVIOUS} = :presented");
    (update, Condition::new(unchanged, [(":presented", text(presented.to_text()))]))
}

/// Ends the token before the present one.
pub fn settled(update: Update) -> Update {
    update.remove(PREVIOUS)
}

/// That a proof was used.
pub fn used_proof(tenant: &TenantId, proof: &DpopProof) -> NewItem {
    let mut item = NewItem::from(keys::of_kind(tenant, Kind::Proof, proof.replay_key()));
    item.insert("purge_at".to_owned(), time_to_live(proof.remember_until().plus(KEPT)));
    item
}

/// The place of how often a person's tokens were revoked.
pub fn revocations_key(tenant: &TenantId, person: &ExternalId) -> Key {
    keys::of_kind(tenant, Kind::ExternalUser, person.digest())
}

/// How often they were, by what was found there.
///
/// # Errors
/// If it can't be read.
pub fn revocations(item: Option<&Item>) -> Result<u64> {
    Ok(item.map(|item| Reader::of(item).number("epoch")).transpose()?.unwrap_or_default())
}

/// That they were not since.
pub fn unrevoked(epoch: u64) -> Condition {
    let is_same = if epoch == 0 { "attribute_not_exists(epoch) OR epoch = :epoch" } else { "epoch = :epoch" };
    Condition::new(is_same, [(":epoch", number(epoch))])
}
