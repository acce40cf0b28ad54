//! Passkeys and ceremonies as items, and back.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;

use crate::domain::{
    Aaguid, AccountName, Ceremony, CeremonyKind, Challenge, CounterChange, CredentialId, ExternalId, LinkedUserId,
    Passkey, PasskeyAlgorithm, PasskeyName, PersonRef, Problem, RpId, StoredPasskey, TenantId, Transports,
    VerifiedLogin, WebauthnOrigin,
};
use crate::error::Result;
use crate::store::dynamodb::{
    Condition, Item, Key, NewItem, Reader, Update, Value, at, millis, number, text, time_to_live,
};
use crate::store::keys::{self, Kind};
use crate::store::people::{own, owner};

/// How many passkeys are in use, as far as an item counts them.
const IN_USE: &str = "passkeys_in_use";
const COUNTER: &str = "sign_count";

const REGISTRATION: &str = "registration";
const LOGIN: &str = "login";

/// The place of a passkey.
pub fn passkey_key(tenant: &TenantId, id: &CredentialId) -> Key {
    keys::of_kind(tenant, Kind::Passkey, id.digest())
}

/// The place of a ceremony.
pub fn ceremony_key(tenant: &TenantId, challenge: &Challenge) -> Key {
    keys::of_kind(tenant, Kind::Ceremony, challenge)
}

/// Counts one passkey more, or one less.
pub fn counted(tenant: &TenantId, id: &CredentialId, amount: i32) -> Update {
    Update::of(keys::passkey_count(tenant, &id.digest())).add(IN_USE, amount)
}

/// Whether an item counts passkeys.
pub fn is_count(item: &Item) -> bool {
    item.contains_key(IN_USE)
}

/// Whether any passkey is in use, by all counts of a tenant.
pub fn are_in_use(counts: &[Item]) -> Result<bool> {
    let numbers = counts.iter().map(|count| Reader::of(count).number::<i64>(IN_USE));
    Ok(numbers.sum::<Result<i64>>()? > 0)
}

fn flag(value: bool) -> AttributeValue {
    AttributeValue::Bool(value)
}

/// The item of a new passkey.
pub fn passkey(tenant: &TenantId, passkey: &Passkey) -> NewItem {
    let stored = &passkey.stored;
    let mut item = NewItem::from(passkey_key(tenant, &stored.credential_id));
    let transports = passkey.transports.as_slice().iter().map(text).collect();
    own(&mut item, &passkey.person);
    item.extend([
        ("credential_id".to_owned(), text(&stored.credential_id)),
        ("public_key".to_owned(), AttributeValue::B(Blob::new(stored.public_key.as_slice()))),
        ("algorithm".to_owned(), number(stored.algorithm.cose_id())),
        (COUNTER.to_owned(), number(stored.counter)),
        ("backup_eligible".to_owned(), flag(stored.backup_eligible)),
        ("backup_state".to_owned(), flag(passkey.backup_state)),
        ("rp_id".to_owned(), text(&passkey.rp_id)),
        ("passkey_name".to_owned(), text(&passkey.name)),
        ("username".to_owned(), text(&passkey.username)),
        ("display_name".to_owned(), text(&passkey.display_name)),
        ("aaguid".to_owned(), text(&passkey.aaguid)),
        ("transports".to_owned(), AttributeValue::L(transports)),
        ("created_at".to_owned(), millis(passkey.created_at)),
        ("revision".to_owned(), number(passkey.revision)),
    ]);
    item
}

/// Reads a passkey.
///
/// # Errors
/// If it can't be read.
pub fn read_passkey(item: &Item) -> Result<Passkey> {
    let reader = Reader::of(item);
    let algorithm = PasskeyAlgorithm::from_cose_id(reader.number("algorithm")?);
    let bytes = item.get("public_key").and_then(Value::as_b);
    let is_set = |name| Ok::<_, crate::error::Error>(reader.optional_bool(name)?.unwrap_or_default());
    let person = owner(reader)?;
    Ok(Passkey {
        stored: StoredPasskey {
            credential_id: reader.parsed("credential_id", CredentialId::parse)?,
            public_key: bytes.ok_or_else(|| reader.unreadable("public_key"))?.to_vec(),
            algorithm: algorithm.ok_or_else(|| reader.unreadable("algorithm"))?,
            counter: reader.number(COUNTER)?,
            backup_eligible: is_set("backup_eligible")?,
            user_handle: person.user_handle.clone(),
        },
        person,
        rp_id: RpId::from_stored(reader.text("rp_id")?),
        name: PasskeyName::from_stored(reader.text("passkey_name")?),
        username: AccountName::from_stored(reader.text("username")?),
        display_name: AccountName::from_stored(reader.text("display_name")?),
        aaguid: reader.parsed("aaguid", Aaguid::parse)?,
        transports: Transports::of(reader.texts("transports")?),
        backup_state: is_set("backup_state")?,
        created_at: reader.millis("created_at")?,
        last_used_at: reader.optional_millis("last_used_at")?,
        revoked_at: reader.optional_millis("revoked_at")?,
        revision: reader.number("revision")?,
    })
}

/// The passkey with this id among the items that were read.
///
/// # Errors
/// If it can't be read.
pub fn find_passkey(tenant: &TenantId, id: &CredentialId, items: &[Item]) -> Result<Option<Passkey>> {
    at(items, &passkey_key(tenant, id)).map(read_passkey).transpose()
}

/// An update of a passkey that was read as it is, and that it still is so.
pub fn changed(tenant: &TenantId, before: &Passkey) -> (Update, Condition) {
    let update = Update::of(passkey_key(tenant, &before.stored.credential_id)).increment("revision");
    (update, Condition::new("revision = :revision", [(":revision", number(before.revision))]))
}

/// Writes what a login makes of a passkey into an update, and that the counter is still the one that was compared.
pub fn used(update: Update, condition: Condition, after: &Passkey, login: &VerifiedLogin) -> (Update, Condition) {
    let update = update
        .set("backup_state", flag(after.backup_state))
        .set("backup_eligible", flag(after.stored.backup_eligible))
        .set_or_remove("last_used_at", after.last_used_at.map(millis));
    match login.counter {
        CounterChange::NotCounted => (update, condition),
        CounterChange::Advanced { from, to } => {
            let condition = condition.and(format!("{COUNTER} = :counter"), [(":counter", number(from))]);
            (update.set(COUNTER, number(to)), condition)
        }
    }
}

/// The item of a ceremony.
pub fn ceremony(tenant: &TenantId, ceremony: &Ceremony) -> NewItem {
    let mut item = NewItem::from(ceremony_key(tenant, &ceremony.challenge));
    let mut set = |name: &str, value: AttributeValue| item.insert(name.to_owned(), value);
    set("challenge", text(&ceremony.challenge));
    set("rp_id", text(&ceremony.rp_id));
    set("origin", text(&ceremony.origin));
    set("expires_at", millis(ceremony.expires_at));
    set("purge_at", time_to_live(ceremony.expires_at));
    match &ceremony.kind {
        CeremonyKind::Registration { person, username, display_name } => {
            set("ceremony_kind", text(REGISTRATION));
            set("username", text(username));
            set("display_name", text(display_name));
            own(&mut item, person);
        }
        CeremonyKind::Login(of) => {
            set("ceremony_kind", text(LOGIN));
            if let Some(id) = of.as_ref().and_then(PersonRef::backend_user_id) {
                set("backend_user_id", text(id));
            }
            if let Some(id) = of.as_ref().and_then(PersonRef::linked_id) {
                set("linked_user_id", text(id));
            }
        }
    }
    item
}

/// Reads a ceremony.
fn read_ceremony(item: &Item) -> Result<Ceremony> {
    let reader = Reader::of(item);
    let account_name = |name| Ok::<_, crate::error::Error>(AccountName::from_stored(reader.text(name)?));
    let kind = match reader.text("ceremony_kind")? {
        REGISTRATION => CeremonyKind::Registration {
            person: owner(reader)?,
            username: account_name("username")?,
            display_name: account_name("display_name")?,
        },
        LOGIN => CeremonyKind::Login(PersonRef::of(
            reader.optional("linked_user_id", LinkedUserId::parse)?,
            reader.optional("backend_user_id", ExternalId::parse)?,
        )),
        _ => return Err(reader.unreadable("ceremony_kind")),
    };
    let origin = |text: &str| Ok::<_, Problem>(WebauthnOrigin::from_stored(text));
    Ok(Ceremony {
        challenge: reader.parsed("challenge", Challenge::parse)?,
        kind,
        rp_id: RpId::from_stored(reader.text("rp_id")?),
        origin: reader.parsed("origin", origin)?,
        expires_at: reader.millis("expires_at")?,
    })
}

/// The ceremony of this challenge among the items that were read.
///
/// # Errors
/// If it can't be read.
pub fn find_ceremony(tenant: &TenantId, challenge: &Challenge, items: &[Item]) -> Result<Option<Ceremony>> {
    at(items, &ceremony_key(tenant, challenge)).map(read_ceremony).transpose()
}
