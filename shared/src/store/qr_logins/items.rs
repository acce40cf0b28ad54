//! QR logins as items, and back.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::domain::{
    AnswerDigest, BrowserKey, BrowserNetwork, DeviceEpochs, DeviceId, KeyHash, MatchNumber, Origin, Problem, Proximity,
    PublicKey, QrDecision, QrPhase, QrScan, QrSession, QrSessionId, ScanId, TenantId, Timestamp,
};
use crate::error::Result;
use crate::store::dynamodb::{Condition, Item, Key, NewItem, Reader, Update, millis, number, text, time_to_live};
use crate::store::keys::{self, DUE_AT, DUE_SHARD, Kind};
use crate::store::people::{own, owner};

const PHASE: &str = "qr_phase";
const LIVE: &str = "live";
const REVISION: &str = "revision";

/// For how long a login is kept after it has expired: longer than its callback is of use, however late the sweep is.
const KEPT: Duration = Duration::from_hours(1);

/// The place of a login.
pub fn login_key(tenant: &TenantId, id: &QrSessionId) -> Key {
    keys::of_kind(tenant, Kind::QrLogin, id)
}

/// The item of a new login. `is_due` if its expiry is to be told.
pub fn login(tenant: &TenantId, session: &QrSession, is_due: bool) -> NewItem {
    let mut item = NewItem::from(login_key(tenant, &session.id));
    item.extend([
        (PHASE.to_owned(), text(session.phase.as_str())),
        ("session_id".to_owned(), text(&session.id)),
        ("created_at".to_owned(), millis(session.created_at)),
        ("expires_at".to_owned(), millis(session.expires_at)),
        ("purge_at".to_owned(), time_to_live(session.expires_at.plus(KEPT))),
        ("rotates".to_owned(), AttributeValue::Bool(session.rotates)),
        ("poll_hash".to_owned(), text(session.poll_token.to_text())),
        ("browser_origin".to_owned(), text(&session.origin)),
    ]);
    let optional = [
        ("browser_network", session.network.as_ref().map(text)),
        ("browser", session.browser.as_ref().map(text)),
        ("browser_system", session.system.as_ref().map(text)),
        ("browser_key", session.browser_key.as_ref().map(text)),
    ];
    item.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    if is_due {
        item.insert(DUE_SHARD.to_owned(), text(keys::due_shard_of_login(&session.id)));
        item.insert(DUE_AT.to_owned(), millis(session.expires_at));
    }
    item
}

/// Reads a login.
///
/// # Errors
/// If it can't be read.
pub fn read(item: &Item) -> Result<QrSession> {
    let reader = Reader::of(item);
    let hash = |text: &str| KeyHash::parse(text).ok_or_else(|| Problem::new("is no hash"));
    let rotates = reader.optional_bool("rotates")?;
    Ok(QrSession {
        id: reader.parsed("session_id", QrSessionId::parse)?,
        phase: reader.parsed(PHASE, QrPhase::parse)?,
        created_at: reader.millis("created_at")?,
        expires_at: reader.millis("expires_at")?,
        rotates: rotates.ok_or_else(|| reader.unreadable("rotates"))?,
        poll_token: reader.parsed("poll_hash", hash)?,
        origin: Origin::from_stored(reader.text("browser_origin")?),
        network: reader.optional_text("browser_network")?.map(BrowserNetwork::from_stored),
        browser: reader.optional_text("browser")?.map(str::to_owned),
        system: reader.optional_text("browser_system")?.map(str::to_owned),
        browser_key: reader.optional("browser_key", BrowserKey::parse)?,
        scan: scan(reader)?,
        decision: decision(reader)?,
        consumed_at: reader.optional_millis("consumed_at")?,
    })
}

fn scan(reader: Reader<'_>) -> Result<Option<QrScan>> {
    let Some(id) = reader.optional("scan_id", ScanId::parse)? else { return Ok(None) };
    Ok(Some(QrScan {
        id,
        device_id: reader.parsed("device_id", DeviceId::parse)?,
        person: owner(reader)?,
        epochs: DeviceEpochs { tenant: reader.number("tenant_epoch")?, person: reader.number("person_epoch")? },
        number: reader.optional("match_number", MatchNumber::parse)?,
        proximity: reader.parsed("proximity", Proximity::parse)?,
        display: reader.parsed("display_sha256", AnswerDigest::parse)?,
        scanned_at: reader.millis("scanned_at")?,
    }))
}

fn decision(reader: Reader<'_>) -> Result<Option<QrDecision>> {
    let Some(statement) = reader.optional_text("statement")? else { return Ok(None) };
    Ok(Some(QrDecision {
        statement: statement.to_owned(),
        key: PublicKey { x: reader.text("key_x")?.to_owned(), y: reader.text("key_y")?.to_owned() },
        decided_at: reader.millis("decided_at")?,
    }))
}

/// The write that binds a login to the device that has scanned it, or denies it for that scan.
pub fn scanned(tenant: &TenantId, session: &QrSession, scan: &QrScan) -> Update {
    let QrScan { id, device_id, person, epochs, number: shown, proximity, display, scanned_at } = scan;
    let mut set = NewItem::from([
        (PHASE.to_owned(), text(session.phase.as_str())),
        ("scan_id".to_owned(), text(id)),
        ("device_id".to_owned(), text(device_id)),
        ("tenant_epoch".to_owned(), number(epochs.tenant)),
        ("person_epoch".to_owned(), number(epochs.person)),
        ("proximity".to_owned(), text(proximity.as_str())),
        ("display_sha256".to_owned(), text(display)),
        ("scanned_at".to_owned(), millis(*scanned_at)),
    ]);
    own(&mut set, person);
    set.extend(shown.as_ref().map(|shown| ("match_number".to_owned(), text(shown))));
    set.into_iter().fold(Update::of(login_key(tenant, &session.id)), |update, (name, value)| update.set(name, value))
}

/// The write that decides a login.
pub fn decided(tenant: &TenantId, session: &QrSession, decision: &QrDecision) -> Update {
    Update::of(login_key(tenant, &session.id))
        .set(PHASE, text(session.phase.as_str()))
        .set("statement", text(&decision.statement))
        .set("key_x", text(&decision.key.x))
        .set("key_y", text(&decision.key.y))
        .set("decided_at", millis(decision.decided_at))
}

/// The write that hands out a login's result.
pub fn consumed(tenant: &TenantId, id: &QrSessionId, now: Timestamp) -> Update {
    Update::of(login_key(tenant, id)).set(PHASE, text(QrPhase::Consumed.as_str())).set("consumed_at", millis(now))
}

/// The write that says that a login has expired.
pub fn expired(tenant: &TenantId, id: &QrSessionId) -> Update {
    settled(Update::of(login_key(tenant, id)).set(PHASE, text(QrPhase::Expired.as_str())))
}

/// Takes back that the expiry is to be told.
pub fn settled(update: Update) -> Update {
    update.remove(DUE_SHARD).remove(DUE_AT)
}

/// That nobody has scanned it.
pub fn is_waiting() -> Condition {
    in_phase(QrPhase::Waiting)
}

/// That it is approved, and its result was not handed out.
pub fn is_approved() -> Condition {
    in_phase(QrPhase::Approved)
}

/// That this scan is undecided.
pub fn is_undecided(scan: &ScanId) -> Condition {
    in_phase(QrPhase::Scanned).and("scan_id = :scan", [(":scan", text(scan))])
}

/// That it is in this phase.
pub fn in_phase(phase: QrPhase) -> Condition {
    Condition::new(format!("{PHASE} = :phase"), [(":phase", text(phase.as_str()))])
}

/// The logins that are live for one browser, by id, and when each expires.
#[derive(Debug, Default)]
pub struct LiveLogins {
    revision: u64,
    pub expiries: BTreeMap<QrSessionId, Timestamp>,
}

impl LiveLogins {
    /// Reads the item.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn read(item: Option<&Item>) -> Result<Self> {
        let Some(item) = item else { return Ok(Self::default()) };
        let reader = Reader::of(item);
        let mut live = Self { revision: reader.number(REVISION)?, expiries: BTreeMap::new() };
        for (id, expires_at) in reader.map(LIVE)?.iter() {
            let expires_at = expires_at.as_n().and_then(|at| at.parse().ok()).map(Timestamp::from_millis);
            let (id, expires_at) =
                QrSessionId::parse(id).ok().zip(expires_at).ok_or_else(|| reader.unreadable(LIVE))?;
            live.expiries.insert(id, expires_at);
        }
        Ok(live)
    }

    /// The item with one more, and that nobody else has added one since it was read.
    pub fn with(&self, place: Key, id: &QrSessionId, expires_at: Timestamp) -> (NewItem, Condition) {
        let expiries = self.expiries.iter().map(|(id, at)| (id, *at)).chain([(id, expires_at)]);
        let live = expiries.clone().map(|(id, at)| (id.to_string(), millis(at))).collect();
        let last = expiries.map(|(_, at)| at).max().unwrap_or(expires_at);
        let mut item = NewItem::from(place);
        item.extend([
            (LIVE.to_owned(), AttributeValue::M(live)),
            (REVISION.to_owned(), number(self.revision + 1)),
            ("purge_at".to_owned(), time_to_live(last.plus(KEPT))),
        ]);
        // It may be gone: it is cleaned up when all in it have expired.
        let unchanged = Condition::new(
            format!("attribute_not_exists(pk) OR {REVISION} = :revision"),
            [(":revision", number(self.revision))],
        );
        (item, unchanged)
    }
}
