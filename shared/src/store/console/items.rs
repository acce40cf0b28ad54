//! Links and sessions of the console as items, and back.

use std::time::Duration;

use super::keys;
use crate::domain::{
    ConsoleId, ConsoleLabel, ConsoleLink, ConsoleParty, ConsoleSession, DpopProof, KeyHash, Thumbprint,
};
use crate::error::Result;
use crate::store::dynamodb::{Item, NewItem, Reader, millis, number, text, time_to_live};

/// For how long an item is kept after it is of no use: longer than any clock is behind.
const KEPT: Duration = Duration::from_mins(10);

/// The operator's key that the link was made with, as its SHA-256.
const MADE_WITH: &str = "operator_key_hash";

/// The item of a link.
pub fn link(link: &ConsoleLink) -> NewItem {
    let ConsoleLink { id, party, label, hash, made_with, epoch, expires_at } = link;
    let mut item = NewItem::from(keys::link(party, id));
    item.extend([
        ("console_id".to_owned(), text(id)),
        ("label".to_owned(), text(label)),
        ("code_hash".to_owned(), text(hash.to_text())),
        ("tenant_epoch".to_owned(), number(*epoch)),
        ("expires_at".to_owned(), millis(*expires_at)),
        ("purge_at".to_owned(), time_to_live(expires_at.plus(KEPT))),
    ]);
    item.extend(made_with.as_ref().map(|hash| (MADE_WITH.to_owned(), text(hash.to_text()))));
    item
}

/// Reads a link of that party.
///
/// # Errors
/// If it can't be read.
pub fn read_link(party: &ConsoleParty, item: &Item) -> Result<ConsoleLink> {
    let reader = Reader::of(item);
    Ok(ConsoleLink {
        id: reader.parsed("console_id", ConsoleId::parse)?,
        party: party.clone(),
        label: ConsoleLabel::from_stored(reader.text("label")?),
        hash: hash(reader, "code_hash")?,
        made_with: optional_hash(reader, MADE_WITH)?,
        epoch: reader.number("tenant_epoch")?,
        expires_at: reader.millis("expires_at")?,
    })
}

/// The item of a session.
pub fn session(session: &ConsoleSession) -> NewItem {
    let ConsoleSession { id, party, label, hash, thumbprint, made_with, epoch, expires_at } = session;
    let mut item = NewItem::from(keys::session(party, id));
    item.extend([
        ("console_id".to_owned(), text(id)),
        ("label".to_owned(), text(label)),
        ("session_hash".to_owned(), text(hash.to_text())),
        ("thumbprint".to_owned(), text(thumbprint)),
        ("tenant_epoch".to_owned(), number(*epoch)),
        ("expires_at".to_owned(), millis(*expires_at)),
        ("purge_at".to_owned(), time_to_live(expires_at.plus(KEPT))),
    ]);
    item.extend(made_with.as_ref().map(|hash| (MADE_WITH.to_owned(), text(hash.to_text()))));
    item
}

/// Reads a session of that party.
///
/// # Errors
/// If it can't be read.
pub fn read_session(party: &ConsoleParty, item: &Item) -> Result<ConsoleSession> {
    let reader = Reader::of(item);
    Ok(ConsoleSession {
        id: reader.parsed("console_id", ConsoleId::parse)?,
        party: party.clone(),
        label: ConsoleLabel::from_stored(reader.text("label")?),
        hash: hash(reader, "session_hash")?,
        thumbprint: Thumbprint::parse(reader.text("thumbprint")?).ok_or_else(|| reader.unreadable("thumbprint"))?,
        made_with: optional_hash(reader, MADE_WITH)?,
        epoch: reader.number("tenant_epoch")?,
        expires_at: reader.millis("expires_at")?,
    })
}

/// That a session has used a proof.
pub fn used_proof(session: &ConsoleSession, proof: &DpopProof) -> NewItem {
    let mut item = NewItem::from(keys::proof(&session.party, &session.id, proof.replay_key()));
    item.insert("purge_at".to_owned(), time_to_live(proof.remember_until().plus(KEPT)));
    item
}

fn hash(reader: Reader<'_>, name: &'static str) -> Result<KeyHash> {
    optional_hash(reader, name)?.ok_or_else(|| reader.unreadable(name))
}

fn optional_hash(reader: Reader<'_>, name: &'static str) -> Result<Option<KeyHash>> {
    let text = reader.optional_text(name)?;
    text.map(|text| KeyHash::parse(text).ok_or_else(|| reader.unreadable(name))).transpose()
}
